package mib

import (
	"cmp"
	"slices"

	"lvs/dataplane"
)

// maxNumber is the highest number of a row, from the range of lvsServiceNumber
// and lvsRealServerNumber.
const maxNumber = 65535

// An entry is a row on its way to its place.
type entry[R any] struct {
	key uint64
	row R
}

// number finds the rows of services and real servers, and notes in the view how
// many there are and how many have none. A service without a row takes its real
// servers with it.
func number(v *view) (services rows[*serviceRow], reals rows[realRow]) {
	all := make([]serviceRow, len(v.Services))
	ss := make([]entry[*serviceRow], 0, len(all))
	for i := range v.Services {
		s := &all[i]
		*s = newServiceRow(v, &v.Services[i])
		v.count(s)
		if hasNumber(&s.Account) {
			ss = append(ss, entry[*serviceRow]{uint64(s.Number), s})
		}
	}
	services = settle(ss, 1)

	rs := make([]entry[realRow], 0, v.realServers)
	for _, s := range services.of {
		for i := range s.Reals {
			if r := &s.Reals[i]; hasNumber(&r.Account) {
				rs = append(rs, entry[realRow]{uint64(s.Number)<<32 | uint64(r.Number), realRow{s, r}})
			}
		}
	}
	reals = settle(rs, 2)
	v.services, v.reals = len(services.of), len(reals.of)
	v.omitted = len(all) - v.services + v.realServers - v.reals
	return services, reals
}

func hasNumber(a *dataplane.Account) bool { return a.Number > 0 && a.Number <= maxNumber }

// settle puts entries in order. A number belongs to one thing only; should two
// have it nonetheless, the first is kept, because two rows of one name would
// let a walk and a Get disagree.
func settle[R any](entries []entry[R], width int) rows[R] {
	byKey := func(a, b entry[R]) int { return cmp.Compare(a.key, b.key) }
	if !slices.IsSortedFunc(entries, byKey) {
		slices.SortStableFunc(entries, byKey)
	}
	entries = slices.CompactFunc(entries, func(a, b entry[R]) bool { return a.key == b.key })
	rs := rows[R]{index: &index{width: width, packed: make([]uint64, len(entries))}, of: make([]R, len(entries))}
	for i, e := range entries {
		rs.packed[i], rs.of[i] = e.key, e.row
	}
	return rs
}

// serverRows are the hosts, whose names are in the order of netip.Addr.
func serverRows(v *view) rows[*dataplane.ServerState] {
	rs := rows[*dataplane.ServerState]{index: &index{}}
	of := make([]*dataplane.ServerState, 0, len(v.Servers))
	for i := range v.Servers {
		if v.Servers[i].Addr.IsValid() {
			of = append(of, &v.Servers[i])
		}
	}
	byAddr := func(a, b *dataplane.ServerState) int { return a.Addr.Compare(b.Addr) }
	if !slices.IsSortedFunc(of, byAddr) {
		slices.SortStableFunc(of, byAddr)
	}
	rs.of = slices.CompactFunc(of, func(a, b *dataplane.ServerState) bool { return a.Addr == b.Addr })
	rs.hosts = make([]hostKey, len(rs.of))
	for i, s := range rs.of {
		rs.hosts[i] = newHostKey(s.Addr)
	}
	v.servers = len(rs.of)
	return rs
}
