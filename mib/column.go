package mib

import (
	"math"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// A column is one object type and how its value follows from a row R. A scalar
// is a column of a table with one row.
type column[R any] struct {
	sub  uint32 // its last sub-identifier
	name string
	typ  smi.Type
	// known reports whether the snapshot tells this at all; nil is always. What
	// it does not tell has no instance, rather than a zero that looks measured.
	known func(*dataplane.Snapshot) bool
	// One of the two gives the value: num every type of number, octets (which
	// appends to what it is given) OctetString and IPAddress.
	num    func(R) uint64
	octets func([]byte, R) []byte
}

// rows are what a table is made from, in the order of their keys. A key is the
// index packed into 64 bits, the first sub-identifier uppermost, so that keys
// compare as the names do. That holds indexes of one or two sub-identifiers.
type rows[R any] struct {
	width int // sub-identifiers of an index, 1 or 2
	keys  []uint64
	of    []R
}

// A leaf is one column with the cells of all its rows, ready to be sent.
type leaf struct {
	arc   smi.OID // what follows the root in its name, before the index
	typ   smi.Type
	width int
	keys  []uint64 // shared by the columns of a table; empty where unknown
	nums  []uint64
	// octets holds the strings one behind the other; string i ends at ends[i].
	octets []byte
	ends   []uint32
}

// appendLeaves makes the columns' leaves, whose arcs all begin with entry.
func appendLeaves[R any](leaves []leaf, snap *dataplane.Snapshot, entry smi.OID, columns []column[R], rs rows[R]) []leaf {
	for i := range columns {
		c := &columns[i]
		l := leaf{arc: entry.Append(c.sub), typ: c.typ, width: rs.width}
		if c.known == nil || c.known(snap) {
			l.keys = rs.keys
			l.fill(c.num == nil, len(rs.of))
			for _, r := range rs.of {
				if c.num != nil {
					l.nums = append(l.nums, c.num(r))
				} else {
					l.octets = c.octets(l.octets, r)
					l.ends = append(l.ends, uint32(len(l.octets)))
				}
			}
		}
		leaves = append(leaves, l)
	}
	return leaves
}

// fill makes room for n cells.
func (l *leaf) fill(octets bool, n int) {
	if !octets {
		l.nums = make([]uint64, 0, n)
		return
	}
	l.octets, l.ends = make([]byte, 0, 4*n), make([]uint32, 0, n)
}

// value is the cell of row i.
func (l *leaf) value(i int) smi.Value {
	if l.nums != nil {
		return smi.Value{Type: l.typ, Int: l.nums[i]}
	}
	var start uint32
	if i > 0 {
		start = l.ends[i-1]
	}
	end := l.ends[i]
	return smi.Value{Type: l.typ, Bytes: l.octets[start:end:end]}
}

// clamp is n, or the highest value of the type where n is beyond it.
func clamp(n, highest uint64) uint64 { return min(n, highest) }

// integer is n as an Integer, which has no room beyond 2^31-1.
func integer[N uint16 | uint32 | uint64 | int | int64](n N) uint64 {
	return clamp(uint64(max(n, 0)), math.MaxInt32)
}

// minusOne stands for "none" where the MIB says fwmark(-1).
const minusOne = math.MaxUint64
