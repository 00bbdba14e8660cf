package mib

import (
	"cmp"
	"slices"

	"lvs/dataplane"
)

// maxNumber is the highest number of a row, from the range of lvsServiceNumber
// and lvsRealServerNumber.
const maxNumber = 65535

// A realRow is a real server and the number of the service it is in.
type realRow struct {
	service uint32
	*dataplane.RealState
}

// An entry is a row on its way to its place.
type entry[R any] struct {
	key uint64
	row R
}

// number finds the rows of both tables, and how many services and real servers
// have none. A service without a row takes its real servers with it.
func number(snap *dataplane.Snapshot) (services rows[*dataplane.ServiceState], reals rows[realRow], omitted int) {
	ss := make([]entry[*dataplane.ServiceState], 0, len(snap.Services))
	for i := range snap.Services {
		if s := &snap.Services[i]; hasNumber(&s.Account) {
			ss = append(ss, entry[*dataplane.ServiceState]{uint64(s.Number), s})
		}
	}
	services = settle(ss, 1)

	total := snap.RealServers()
	rs := make([]entry[realRow], 0, total)
	for _, s := range services.of {
		for i := range s.Reals {
			if r := &s.Reals[i]; hasNumber(&r.Account) {
				rs = append(rs, entry[realRow]{uint64(s.Number)<<32 | uint64(r.Number), realRow{s.Number, r}})
			}
		}
	}
	reals = settle(rs, 2)
	return services, reals, len(snap.Services) - len(services.of) + total - len(reals.of)
}

func hasNumber(a *dataplane.Account) bool { return a.Number > 0 && a.Number <= maxNumber }

// settle puts entries in order. A number belongs to one thing only; should two
// have it nonetheless, the first is kept, because two rows of one name would
// let a walk and a Get disagree.
func settle[R any](entries []entry[R], width int) rows[R] {
	byKey := func(a, b entry[R]) int { return cmp.Compare(a.key, b.key) }
	slices.SortStableFunc(entries, byKey)
	entries = slices.CompactFunc(entries, func(a, b entry[R]) bool { return a.key == b.key })
	rs := rows[R]{width: width, keys: make([]uint64, len(entries)), of: make([]R, len(entries))}
	for i, e := range entries {
		rs.keys[i], rs.of[i] = e.key, e.row
	}
	return rs
}
