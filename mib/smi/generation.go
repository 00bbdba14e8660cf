package smi

import (
	"sync/atomic"
	"time"
)

const (
	// pinFor is how long a walk may pause and still go on in the tree it
	// began in.
	pinFor = 10 * time.Second
	// oldTrees is how many replaced trees are kept for walks under way.
	oldTrees = 2
)

// A Generation is one of the trees that a front end is shown one after the other,
// and when it was last walked. It is safe for concurrent use.
type Generation[T Tree] struct {
	Tree T
	seq  uint64       // counts trees; later ones have higher numbers
	used atomic.Int64 // when a name was last handed out from it; 0 = never
}

// Seq tells generations apart: each has a higher number than those it took the
// place of.
func (g *Generation[T]) Seq() uint64 { return g.seq }

// Renew puts tree in front of gens, newest first, and keeps those older ones that
// are being walked: a tree nobody walks is not held in memory. gens stays as it
// was. now is any steady clock's nanoseconds, not 0; so it is for [Walks].
func Renew[T Tree](gens []*Generation[T], tree T, now int64) []*Generation[T] {
	next := []*Generation[T]{{Tree: tree, seq: 1}}
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
// more. The zero Walks remembers nothing yet. It is for one goroutine.
type Walks[T Tree] struct {
	sets [64][4]walk
}

type walk struct {
	hash uint64 // of the name handed out
	seq  uint64 // of the tree it came from
	at   int64  // when; 0 = a free place
}

// Find returns the tree a walk that stands at name goes on in: the newest unless
// name was last handed out from one that is still there.
func (w *Walks[T]) Find(name OID, gens []*Generation[T], now int64) *Generation[T] {
	if len(gens) == 1 {
		return gens[0]
	}
	h := hash(name)
	set := &w.sets[h%uint64(len(w.sets))]
	for i := range set {
		if set[i].hash != h || set[i].at == 0 || now-set[i].at >= int64(pinFor) {
			continue
		}
		for _, g := range gens[1:] {
			if g.seq == set[i].seq {
				return g
			}
		}
		break
	}
	return gens[0]
}

// Record notes that name was handed out from g, in place of the same name, else
// of the oldest of its set.
func (w *Walks[T]) Record(name OID, g *Generation[T], now int64) {
	g.used.Store(now)
	h := hash(name)
	set := &w.sets[h%uint64(len(w.sets))]
	place := &set[0]
	for i := range set {
		if set[i].hash == h {
			place = &set[i]
			if place.seq > g.seq && now-place.at < int64(pinFor) {
				return
			}
			break
		}
		if set[i].at < place.at {
			place = &set[i]
		}
	}
	*place = walk{hash: h, seq: g.seq, at: now}
}

// hash mixes a name's sub-identifiers (FNV-1a over 32-bit units).
func hash(name OID) uint64 {
	h := uint64(14695981039346656037)
	for _, n := range name {
		h = (h ^ uint64(n)) * 1099511628211
	}
	return h ^ h>>32
}
