package mib

import (
	"time"

	"lvs/mib/smi"
)

// numCol is a column of numbers.
func numCol[R any](sub uint32, name string, typ smi.Type, num func(R) uint64) column[R] {
	return column[R]{sub: sub, name: name, typ: typ, num: num}
}

// gaugeCol is a column of Gauge32 or Unsigned32, which are the same in a message.
func gaugeCol[R any](sub uint32, name string, num func(R) uint64) column[R] {
	return numCol(sub, name, smi.Gauge32, func(r R) uint64 { return gauge(num(r)) })
}

// countCol is a column of Counter32.
func countCol[R any](sub uint32, name string, num func(R) uint64) column[R] {
	return numCol(sub, name, smi.Counter32, func(r R) uint64 { return low32(num(r)) })
}

// octetsCol is a column of octets that need no care.
func octetsCol[R any](sub uint32, name string, octets func([]byte, R) []byte) column[R] {
	return column[R]{sub: sub, name: name, typ: smi.OctetString, octets: octets}
}

// textCol is a column of SnmpAdminString, whatever the text.
func textCol[R any](sub uint32, name string, text func(R) string) column[R] {
	return octetsCol(sub, name, func(b []byte, r R) []byte { return appendText(b, text(r)) })
}

// dateCol is a column of DateAndTime.
func dateCol[R any](sub uint32, name string, at func(R) time.Time) column[R] {
	return octetsCol(sub, name, func(b []byte, r R) []byte { return appendDate(b, at(r)) })
}

// sinceCol is a column of TimeTicks, how long ago something was at a time. It has
// no instance where it was not.
func sinceCol[R any](sub uint32, name string, then, now func(R) time.Time) column[R] {
	c := numCol(sub, name, smi.TimeTicks, func(r R) uint64 { return ticks(then(r), now(r)) })
	c.has = func(r R) bool { return !then(r).IsZero() }
	return c
}

// when is the column with a condition on the view.
func (c column[R]) when(known func(*view) bool) column[R] {
	c.known = known
	return c
}

// where is the column with a condition on the row.
func (c column[R]) where(has func(R) bool) column[R] {
	c.has = has
	return c
}

// always are columns that are known before the first sample.
func always[R any](columns ...column[R]) []column[R] {
	for i := range columns {
		columns[i].early = true
	}
	return columns
}

// whole reports whether the snapshot is not partial, which leaves counters,
// thresholds and more untold.
func whole(v *view) bool { return !v.Partial }
