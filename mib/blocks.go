package mib

import (
	"math"
	"slices"
	"time"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// counterColumns are the fifteen columns that the LVS-DIRECTOR-MIB has wherever
// something is counted, from column first on: totals in 32 bits, totals in 64,
// and what those grow by in a second.
func counterColumns[R any](first uint32, prefix string, known func(*view) bool, total func(R) *dataplane.Counters, rate func(R) *dataplane.Rates) []column[R] {
	kinds := []struct {
		name, rate string
		total      func(*dataplane.Counters) uint64
		grew       func(*dataplane.Rates) uint64
	}{
		{"Conns", "ConnRate", func(c *dataplane.Counters) uint64 { return c.Connections }, func(r *dataplane.Rates) uint64 { return r.Connections }},
		{"InPkts", "InPktRate", func(c *dataplane.Counters) uint64 { return c.InPackets }, func(r *dataplane.Rates) uint64 { return r.InPackets }},
		{"OutPkts", "OutPktRate", func(c *dataplane.Counters) uint64 { return c.OutPackets }, func(r *dataplane.Rates) uint64 { return r.OutPackets }},
		{"InBytes", "InByteRate", func(c *dataplane.Counters) uint64 { return c.InBytes }, func(r *dataplane.Rates) uint64 { return r.InBytes }},
		{"OutBytes", "OutByteRate", func(c *dataplane.Counters) uint64 { return c.OutBytes }, func(r *dataplane.Rates) uint64 { return r.OutBytes }},
	}
	n := uint32(len(kinds))
	columns := make([]column[R], 3*n)
	for i, k := range kinds {
		sub := first + uint32(i)
		columns[i] = countCol(sub, prefix+k.name, func(r R) uint64 { return k.total(total(r)) }).when(known)
		columns[n+uint32(i)] = numCol(sub+n, prefix+"HC"+k.name, smi.Counter64, func(r R) uint64 { return k.total(total(r)) }).when(known)
		columns[2*n+uint32(i)] = numCol(sub+2*n, prefix+k.rate, smi.Counter64, func(r R) uint64 { return k.grew(rate(r)) }).when(known)
	}
	return columns
}

// stateful is what the state of a row follows from.
type stateful[R any] struct {
	status  func(R) dataplane.Status
	reason  func(R) string
	account func(R) *dataplane.Account
	now     func(R) time.Time // of the sample
}

// stateColumns are the nine columns that services and real servers end with.
func stateColumns[R any](first uint32, prefix string, of stateful[R]) []column[R] {
	changed := func(r R) time.Time { return of.account(r).LastChange }
	return []column[R]{
		numCol(first, prefix+"State", smi.Integer, func(r R) uint64 { return stateNumber(of.status(r)) }),
		textCol(first+1, prefix+"Reason", of.reason),
		dateCol(first+2, prefix+"LastChange", changed),
		sinceCol(first+3, prefix+"SinceChange", changed, of.now),
		countCol(first+4, prefix+"StateChanges", func(r R) uint64 { return uint64(of.account(r).Changes) }),
		countCol(first+5, prefix+"Failures", func(r R) uint64 { return uint64(of.account(r).Failures) }),
		countCol(first+6, prefix+"Resets", func(r R) uint64 { return of.account(r).Resets.Sum() }),
		dateCol(first+7, prefix+"FirstSeen", func(r R) time.Time { return of.account(r).FirstSeen }),
		dateCol(first+8, prefix+"Discontinuity", func(r R) time.Time { return of.account(r).Discontinuity() }),
	}
}

// stateNumber is a status as LvsdState numbers it.
func stateNumber(s dataplane.Status) uint64 { return uint64(s) + 1 }

// tableArc is the arc of a table's scalars, 100.1.N, and entryArc that of its
// columns.
func tableArc(n uint32) smi.OID { return smi.OID{100, 1, n} }
func entryArc(n uint32) smi.OID { return smi.OID{100, 1, n, 5, 1} }

// tableScalars are the four scalars beside each table.
func tableScalars(one, many string, rows func(*view) int, changed func(*view) time.Time) []column[*view] {
	told := func(v *view) bool { return !changed(v).IsZero() }
	return []column[*view]{
		gaugeCol(1, "lvsd"+one+"Rows", func(v *view) uint64 { return uint64(rows(v)) }),
		dateCol(2, "lvsd"+many+"LastChange", changed).when(told),
		sinceCol(3, "lvsd"+many+"SinceChange", changed, func(v *view) time.Time { return v.Time }),
		// Cacti reads a table again when a number of this kind falls.
		numCol(4, "lvsd"+one+"RowsVersion", smi.Gauge32, func(v *view) uint64 { return math.MaxUint32 - low32(uint64(changed(v).Unix())) }).when(told),
	}
}

// join puts blocks of columns behind each other.
func join[R any](blocks ...[]column[R]) []column[R] { return slices.Concat(blocks...) }
