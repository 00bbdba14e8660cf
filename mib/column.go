package mib

import (
	"math"
	"slices"
	"sync"

	"lvs/mib/smi"
)

// A column is one object type and how its value follows from a row R. A scalar
// is a column of a table with one row.
type column[R any] struct {
	sub  uint32 // its last sub-identifier
	name string
	typ  smi.Type
	// early says that it is known before the first sample.
	early bool
	// known reports whether this is told at all, and has whether it is of one row;
	// nil is always. What is not told has no instance, rather than a zero that
	// looks measured.
	known func(*view) bool
	has   func(R) bool
	// One of the two gives the value: num every type of number, octets (which
	// appends to what it is given) OctetString and IPAddress.
	num    func(R) uint64
	octets func([]byte, R) []byte
}

// rows are what a table is made from, in the order of a walk.
type rows[R any] struct {
	*index
	of []R
}

// where are the rows that have a column.
func (rs rows[R]) where(has func(R) bool) rows[R] {
	some := rows[R]{index: &index{width: rs.width}}
	for i, r := range rs.of {
		if !has(r) {
			continue
		}
		some.of = append(some.of, r)
		if rs.hosts != nil {
			some.hosts = append(some.hosts, rs.hosts[i])
		} else {
			some.packed = append(some.packed, rs.packed[i])
		}
	}
	return some
}

// A leaf is one column with the cells of all its rows.
type leaf struct {
	arc   smi.OID // what follows the root in its name, before the index
	typ   smi.Type
	index *index // shared by the columns of a table; without rows where unknown
	// num is the number of a row, worked out when it is asked for.
	num func(row int) uint64
	// octets are the strings of a column that has no numbers.
	octets *octets
}

// unknown is the index of a column that has no instance.
var unknown = &index{width: 1}

// appendLeaves makes the columns' leaves, whose arcs all begin with entry.
func appendLeaves[R any](leaves []leaf, v *view, entry smi.OID, columns []column[R], rs rows[R]) []leaf {
	arcs := make(smi.OID, 0, len(columns)*(len(entry)+1))
	for i := range columns {
		c := &columns[i]
		start := len(arcs)
		arcs = append(append(arcs, entry...), c.sub)
		l := leaf{arc: arcs[start:len(arcs):len(arcs)], typ: c.typ, index: unknown}
		if (c.early || v.sampled) && (c.known == nil || c.known(v)) {
			l.index, l.num, l.octets = c.cells(rs)
		}
		leaves = append(leaves, l)
	}
	return leaves
}

// cells are the rows of the table that the column has an instance in, and their
// numbers or strings.
func (c *column[R]) cells(rs rows[R]) (x *index, num func(int) uint64, o *octets) {
	if c.has != nil && slices.ContainsFunc(rs.of, func(r R) bool { return !c.has(r) }) {
		rs = rs.where(c.has)
	}
	of := rs.of
	if c.num != nil {
		return rs.index, func(row int) uint64 { return c.num(of[row]) }, nil
	}
	return rs.index, nil, &octets{add: func(b []byte, row int) []byte { return c.octets(b, of[row]) }, rows: rs.index.rows()}
}

// value is the cell of row i.
func (l *leaf) value(i int) smi.Value {
	if l.num != nil {
		return smi.Value{Type: l.typ, Int: l.num(i)}
	}
	return smi.Value{Type: l.typ, Bytes: l.octets.of(i)}
}

// octets are the strings of a column. They are made all together when the first
// of them is asked for: nobody reads most columns of most trees, and who does
// reads many rows, none of which may allocate.
type octets struct {
	add  func(b []byte, row int) []byte
	rows int

	once  sync.Once
	bytes []byte   // one string behind the other
	ends  []uint32 // string i ends at ends[i]
}

// of is the string of row i.
func (o *octets) of(i int) []byte {
	o.once.Do(o.fill)
	var start uint32
	if i > 0 {
		start = o.ends[i-1]
	}
	end := o.ends[i]
	return o.bytes[start:end:end]
}

func (o *octets) fill() {
	o.ends = make([]uint32, o.rows)
	// The first string tells how much room they need; most are about as long.
	first := o.add(nil, 0)
	o.bytes = append(make([]byte, 0, o.rows*(len(first)+2)), first...)
	o.ends[0] = uint32(len(first))
	for i := 1; i < o.rows; i++ {
		o.bytes = o.add(o.bytes, i)
		o.ends[i] = uint32(len(o.bytes))
	}
}

// clamp is n, or the highest value of the type where n is beyond it.
func clamp(n, highest uint64) uint64 { return min(n, highest) }

// integer is n as an Integer, which has no room beyond 2^31-1.
func integer[N uint16 | uint32 | uint64 | int | int64](n N) uint64 {
	return clamp(uint64(max(n, 0)), math.MaxInt32)
}

// minusOne stands for "none" where the MIB says fwmark(-1).
const minusOne = math.MaxUint64
