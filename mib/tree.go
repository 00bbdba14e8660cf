package mib

import (
	"math"
	"slices"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// root is the lvs node, below which every variable is.
var root = smi.OID{1, 3, 6, 1, 4, 1, 8225, 4711}

// Root is the name of the subtree that holds every variable, and that a front
// end registers: 1.3.6.1.4.1.8225.4711, lvs in the LVS-MIB.
func Root() smi.OID { return slices.Clone(root) }

// A Tree is every variable of the LVS-MIB for one snapshot. It is immutable and
// safe for concurrent use, holds nothing of the snapshot it was made from, and
// implements [smi.Tree]. The zero Tree has no variables: it is what a front end
// answers from before the first snapshot.
//
// Cells are stored column by column, which is the order of a walk, and found by
// name alone: a walk that stands on a row which the next tree does not have any
// more goes on behind it.
type Tree struct {
	leaves  []leaf // by arc
	omitted int
}

var _ smi.Tree = (*Tree)(nil)

// Build makes the tree of a snapshot. It takes about 1 ms and 2 MB for 10,000
// real servers.
//
// Rows are named by the numbers of the accounts. Services and real servers
// without one (more than 65,535 of them are remembered) have no row; see
// [Tree.Omitted].
func Build(snap *dataplane.Snapshot) *Tree {
	t := &Tree{leaves: make([]leaf, 0, len(scalars)+len(serviceColumns)+len(realColumns))}
	services, reals, omitted := number(snap)
	t.leaves = appendLeaves(t.leaves, snap, nil, scalars, oneRow(snap))
	t.leaves = appendLeaves(t.leaves, snap, serviceEntry, serviceColumns, services)
	t.leaves = appendLeaves(t.leaves, snap, realEntry, realColumns, reals)
	t.omitted = omitted
	return t
}

// Omitted is how many services and real servers of the snapshot have no row,
// because their number is none, too high, or one that another has. A service
// takes its real servers with it. It is zero unless the store ran out of numbers.
func (t *Tree) Omitted() int { return t.omitted }

// Get returns the variable called name: NoSuchObject where the MIB has no such
// object, NoSuchInstance where the object has no such row. It allocates nothing.
func (t *Tree) Get(name smi.OID) smi.Value {
	if !name.HasPrefix(root) {
		return smi.Value{Type: smi.NoSuchObject}
	}
	rest := name[len(root):]
	l, inside := t.find(rest)
	if !inside {
		return smi.Value{Type: smi.NoSuchObject}
	}
	leaf := &t.leaves[l]
	index := rest[len(leaf.arc):]
	if row := leaf.from(index, true); len(index) == leaf.width && row < len(leaf.keys) && leaf.keys[row] == pack(index, leaf.width) {
		return leaf.value(row)
	}
	return smi.Value{Type: smi.NoSuchInstance}
}

// Next returns the first variable behind name, or at it with include, that is
// before end; a nil end is no bound. Its name is appended to dst[:0], which may
// be name's own memory. Where there is none, ok is false, the value is
// EndOfMIBView and the name is empty. It allocates nothing but a larger dst.
func (t *Tree) Next(dst, name smi.OID, include bool, end smi.OID) (next smi.OID, v smi.Value, ok bool) {
	l, row := t.seek(name, include)
	for l < len(t.leaves) && row >= len(t.leaves[l].keys) {
		l, row = l+1, 0
	}
	if l >= len(t.leaves) {
		return dst[:0], smi.Value{Type: smi.EndOfMIBView}, false
	}
	leaf := &t.leaves[l]
	dst = append(append(dst[:0], root...), leaf.arc...)
	for i := leaf.width - 1; i >= 0; i-- {
		dst = append(dst, uint32(leaf.keys[row]>>(32*i)))
	}
	if end != nil && dst.Compare(end) >= 0 {
		return dst[:0], smi.Value{Type: smi.EndOfMIBView}, false
	}
	return dst, leaf.value(row), true
}

// seek returns where to look for the first variable behind name (at it, with
// include): the leaf, and the row in it, which may be one past the leaf's last.
func (t *Tree) seek(name smi.OID, include bool) (l, row int) {
	if !name.HasPrefix(root) {
		if name.Compare(root) < 0 {
			return 0, 0
		}
		return len(t.leaves), 0
	}
	rest := name[len(root):]
	l, inside := t.find(rest)
	if inside {
		row = t.leaves[l].from(rest[len(t.leaves[l].arc):], include)
	}
	return l, row
}

// find returns the leaf that rest is inside of or else, not inside, the first
// one behind it. Leaves have no leaves below them, so a binary search finds it.
func (t *Tree) find(rest smi.OID) (l int, inside bool) {
	lo, hi := 0, len(t.leaves)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		arc := t.leaves[mid].arc
		switch n := min(len(arc), len(rest)); slices.Compare(rest[:n], arc[:n]) {
		case 1:
			lo = mid + 1
		case 0:
			if n == len(arc) {
				return mid, true
			}
			hi = mid // rest names a table or an entry above this leaf
		default:
			hi = mid
		}
	}
	return lo, false
}

// from returns the first row whose index is behind index, or at it with include.
func (l *leaf) from(index smi.OID, include bool) int {
	key := pack(index, l.width)
	// A name shorter than an index comes before all that begin with it, and a
	// longer one behind the row it begins with.
	if len(index) > l.width || len(index) == l.width && !include {
		if key == math.MaxUint64 {
			return len(l.keys)
		}
		key++
	}
	row, _ := slices.BinarySearch(l.keys, key)
	return row
}

// pack is the key of the row with an index, cut or filled up with zeros to width.
func pack(index smi.OID, width int) (key uint64) {
	for i := range width {
		key <<= 32
		if i < len(index) {
			key |= uint64(index[i])
		}
	}
	return key
}
