package mib

import (
	"math"
	"slices"

	"lvs/mib/smi"
)

// An index names the rows of a table, in the order of a walk. It has one of two
// forms: packed, where all names have the same length of one or two
// sub-identifiers; or hosts, where they are addresses.
type index struct {
	// A packed name is 64 bits with the first sub-identifier uppermost, so that
	// they compare as the names do.
	packed []uint64
	width  int // sub-identifiers of a packed name

	hosts []hostKey // nil for the packed form
}

// rows are how many names there are.
func (x *index) rows() int { return len(x.packed) + len(x.hosts) }

// append appends the name of row i to dst.
func (x *index) append(dst smi.OID, i int) smi.OID {
	if x.hosts != nil {
		return x.hosts[i].append(dst)
	}
	for w := x.width - 1; w >= 0; w-- {
		dst = append(dst, uint32(x.packed[i]>>(32*w)))
	}
	return dst
}

// row finds the row called name.
func (x *index) row(name smi.OID) (i int, ok bool) {
	if x.hosts != nil {
		key, after := hostKeyOf(name)
		i, ok = slices.BinarySearchFunc(x.hosts, key, hostKey.compare)
		return i, ok && !after && len(name) == 2+key.octets()
	}
	if len(name) != x.width {
		return 0, false
	}
	return slices.BinarySearch(x.packed, x.pack(name))
}

// isAt reports whether row i is called name, for the packed form.
func (x *index) isAt(i int, name smi.OID) bool {
	return len(name) == x.width && i < len(x.packed) && x.pack(name) == x.packed[i]
}

// from returns the first row behind name, or at it with include; it may be one
// past the last.
func (x *index) from(name smi.OID, include bool) int {
	if x.hosts != nil {
		key, after := hostKeyOf(name)
		row, found := slices.BinarySearchFunc(x.hosts, key, hostKey.compare)
		if found && (after || len(name) == 2+key.octets() && !include) {
			row++
		}
		return row
	}
	key := x.pack(name)
	// A name shorter than an index comes before all that begin with it, and a
	// longer one behind the row it begins with.
	if len(name) > x.width || len(name) == x.width && !include {
		if key == math.MaxUint64 {
			return len(x.packed)
		}
		key++
	}
	row, _ := slices.BinarySearch(x.packed, key)
	return row
}

// pack is a name as a number, cut or filled up with zeros to the width.
func (x *index) pack(name smi.OID) (key uint64) {
	for i := range x.width {
		key <<= 32
		if i < len(name) {
			key |= uint64(name[i])
		}
	}
	return key
}
