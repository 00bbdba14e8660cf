package mib

import (
	"math"
	"slices"

	"lvs/mib/smi"
)

// An index names the rows of a table, in the order of a walk. It has one of two
// forms: packed, where all names have the same length of one or two
// sub-identifiers; or long, where they differ, as those with an address do.
type index struct {
	// A packed name is 64 bits with the first sub-identifier uppermost, so that
	// they compare as the names do.
	packed []uint64
	width  int // sub-identifiers of a packed name

	long []smi.OID
}

// rows are how many names there are.
func (x *index) rows() int { return len(x.packed) + len(x.long) }

// append appends the name of row i to dst.
func (x *index) append(dst smi.OID, i int) smi.OID {
	if x.long != nil {
		return append(dst, x.long[i]...)
	}
	for w := x.width - 1; w >= 0; w-- {
		dst = append(dst, uint32(x.packed[i]>>(32*w)))
	}
	return dst
}

// row finds the row called name.
func (x *index) row(name smi.OID) (i int, ok bool) {
	if x.long != nil {
		i = x.from(name, true)
		return i, i < len(x.long) && slices.Equal(x.long[i], name)
	}
	if len(name) != x.width {
		return 0, false
	}
	return slices.BinarySearch(x.packed, x.pack(name))
}

// from returns the first row behind name, or at it with include; it may be one
// past the last.
func (x *index) from(name smi.OID, include bool) int {
	if x.long != nil {
		return x.fromLong(name, include)
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

// fromLong searches among long names. Names next to each other begin alike, so it
// remembers how much of the name both ends of the search have in common with it,
// which all between them have, too, and compares the rest only.
func (x *index) fromLong(name smi.OID, include bool) int {
	lo, hi := 0, len(x.long)
	sameLo, sameHi := 0, 0
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		at := x.long[mid]
		same := min(sameLo, sameHi)
		for same < len(at) && same < len(name) && at[same] == name[same] {
			same++
		}
		before := same == len(at) && (same < len(name) || !include) || same < len(at) && same < len(name) && at[same] < name[same]
		if before {
			lo, sameLo = mid+1, same
		} else {
			hi, sameHi = mid, same
		}
	}
	return lo
}
