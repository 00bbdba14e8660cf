package snmp

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
)

// A row reads the cells of one row. It keeps the first error, so that a decoder
// need look only once.
type row struct {
	table *table
	at    int
	err   error
}

// row is the i-th row.
func (t *table) row(i int) *row { return &row{table: t, at: i} }

// cell is the value in the column with that sub-identifier; absent where the agent
// does not tell it.
func (r *row) cell(sub int) value {
	at := slices.Index(r.table.spec.cols, sub)
	if at < 0 || r.table.columns[at] == nil {
		return value{}
	}
	return r.table.columns[at][r.at]
}

// has reports whether the agent tells the column of this row.
func (r *row) has(sub int) bool { return r.cell(sub).kind != absent }

func (r *row) fail(sub int, want string) {
	if r.err == nil {
		r.err = badAnswer("%s.%d%s is no %s", r.table.spec.entry, sub, r.table.index[r.at], want)
	}
}

// number is a number of any type; zero where there is none.
func (r *row) number(sub int) uint64 {
	v := r.cell(sub)
	if v.kind != number && v.kind != absent {
		r.fail(sub, "number")
	}
	return v.num
}

// upTo is a number that may not be more than most, nor negative.
func (r *row) upTo(sub int, most uint64) uint64 {
	n := r.number(sub)
	if n > most {
		r.fail(sub, fmt.Sprintf("number from 0 to %d", most))
		return 0
	}
	return n
}

func (r *row) uint32(sub int) uint32 { return uint32(r.upTo(sub, math.MaxUint32)) }

// text is a text; empty where there is none.
func (r *row) text(sub int) string {
	v := r.cell(sub)
	if v.kind != octets && v.kind != absent {
		r.fail(sub, "text")
	}
	return string(v.text)
}

// address is an address, also where it comes as its octets; the zero Addr where
// there is none.
func (r *row) address(sub int) netip.Addr {
	v := r.cell(sub)
	if v.kind != absent && v.kind != address && v.kind != octets {
		r.fail(sub, "address")
	}
	a, ok := netip.AddrFromSlice(v.text)
	if !ok && len(v.text) > 0 {
		r.fail(sub, "address")
	}
	if v.kind == octets {
		a = plainAddr(a)
	}
	return a
}

// arcs are the numbers of the row's index, which must be n.
func (r *row) arcs(n int) []uint32 {
	var all []uint32
	for rest := r.table.index[r.at]; rest != ""; {
		var x int64
		if x, rest = arc(rest); x < 0 || x > math.MaxUint32 {
			break
		}
		all = append(all, uint32(x))
	}
	if len(all) != n && r.err == nil {
		r.err = badAnswer("index %s of %s; want %d numbers", r.table.index[r.at], r.table.spec.name, n)
		return make([]uint32, n)
	}
	return all
}
