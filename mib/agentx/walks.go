package agentx

import (
	"sync/atomic"
	"time"

	"lvs/mib/smi"
)

const (
	// pinFor is how long a walk may pause and still go on in the tree it
	// began in.
	pinFor = 10 * time.Second
	// oldTrees is how many replaced trees are kept for walks under way.
	oldTrees = 2
)

// A generation is a tree and when it was last walked.
type generation struct {
	tree smi.Tree
	seq  uint64       // counts trees; later ones have higher numbers
	used atomic.Int64 // when a name was last handed out from it; 0 = never
}

// replace puts tree in front of gens, newest first, and keeps those older ones
// that are being walked: a tree nobody walks is not held in memory.
func replace(gens []*generation, tree smi.Tree, now int64) []*generation {
	next := []*generation{{tree: tree, seq: 1}}
	for i, g := range gens {
		if i == 0 {
			next[0].seq = g.seq + 1
		}
		if used := g.used.Load(); used != 0 && now-used < int64(pinFor) && len(next) <= oldTrees {
			next = append(next, g)
		}
	}
	return next
}

// Walks remembers which name was last handed out from which tree, so that a
// walk sees one tree from end to end though trees are replaced meanwhile. A
// request does not say whose walk it is part of: its start name has to do. Where
// two walks stand at the same name in different trees, both go on in the newer
// one, so that no walk ever steps back in time.
//
// It is a cache of fixed size, 256 places found by the name's hash. A place
// lost to another name, or a hash met twice, costs a walk its tree and nothing
// more.
type walks struct {
	sets [64][4]walk
}

type walk struct {
	hash uint64 // of the name handed out
	seq  uint64 // of the tree it came from
	at   int64  // when; 0 = a free place
}

// find returns the number of the tree name was last handed out from.
func (w *walks) find(name smi.OID, now int64) (seq uint64, ok bool) {
	h := hash(name)
	set := &w.sets[h%uint64(len(w.sets))]
	for i := range set {
		if set[i].hash == h && set[i].at != 0 && now-set[i].at < int64(pinFor) {
			return set[i].seq, true
		}
	}
	return 0, false
}

// record notes that name was handed out from tree seq, in place of the same
// name, else of the oldest of its set.
func (w *walks) record(name smi.OID, seq uint64, now int64) {
	h := hash(name)
	set := &w.sets[h%uint64(len(w.sets))]
	place := &set[0]
	for i := range set {
		if set[i].hash == h {
			place = &set[i]
			if place.seq > seq && now-place.at < int64(pinFor) {
				return
			}
			break
		}
		if set[i].at < place.at {
			place = &set[i]
		}
	}
	*place = walk{hash: h, seq: seq, at: now}
}

// hash mixes a name's sub-identifiers (FNV-1a over 32-bit units).
func hash(name smi.OID) uint64 {
	h := uint64(14695981039346656037)
	for _, n := range name {
		h = (h ^ uint64(n)) * 1099511628211
	}
	return h ^ h>>32
}
