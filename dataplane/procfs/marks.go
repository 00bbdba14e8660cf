package procfs

import (
	"math/bits"

	"lvs/dataplane"
)

// finish settles what a row alone does not tell: the family of firewall marks,
// and with it the netmasks. Of rows with the same key, which a table that moved
// under the reading shows, the last stays; moved counts the others.
func finish(rows []row) (services []dataplane.ServiceState, moved int) {
	markFamilies(rows)
	services = make([]dataplane.ServiceState, 0, len(rows))
	at := make(map[dataplane.ServiceKey]int, len(rows))
	for _, r := range rows {
		if r.Flags&dataplane.FlagPersistent != 0 {
			r.Netmask = netmask(r.Key.Family, r.mask)
		}
		if i, ok := at[r.Key]; ok {
			services[i] = r.ServiceState
			moved++
			continue
		}
		at[r.Key] = len(services)
		services = append(services, r.ServiceState)
	}
	return services, moved
}

// markFamilies gives each mark the family that its row is evidence of. A row that
// is none is of the family which the mark's other row leaves, and IPv4 otherwise;
// of two such rows the first is IPv4.
func markFamilies(rows []row) {
	type families struct{ inet, inet6 bool }
	taken := map[uint32]families{}
	take := func(k dataplane.ServiceKey) {
		t := taken[k.FWMark]
		t.inet, t.inet6 = t.inet || k.Family == dataplane.INET, t.inet6 || k.Family == dataplane.INET6
		taken[k.FWMark] = t
	}
	for i := range rows {
		if k := &rows[i].Key; k.IsMark() {
			k.Family = evidence(&rows[i])
			take(*k)
		}
	}
	for i := range rows {
		k := &rows[i].Key
		if !k.IsMark() || k.Family != 0 {
			continue
		}
		k.Family = dataplane.INET
		if t := taken[k.FWMark]; t.inet && !t.inet6 {
			k.Family = dataplane.INET6
		}
		take(*k)
	}
}

// evidence is the family a mark's row speaks for, zero if for none. Real servers
// have their service's family unless they are reached by a tunnel, which may
// cross families. Next best is the netmask: an IPv6 prefix length, turned round
// (64 is 40000000), is no IPv4 mask that anybody would write.
func evidence(r *row) dataplane.Family {
	for _, rs := range r.Reals {
		if rs.Method != dataplane.Tunnel {
			return rs.Family()
		}
	}
	if r.Flags&dataplane.FlagPersistent != 0 {
		if _, ok := prefixLen(r.mask); ok {
			return dataplane.INET6
		}
		return dataplane.INET
	}
	if len(r.Reals) > 0 {
		return r.Reals[0].Family()
	}
	return 0
}

// netmask decodes the mask of a persistent service; what is no IPv6 prefix
// length, though the service is of IPv6, is left out.
func netmask(f dataplane.Family, printed uint32) dataplane.Netmask {
	if f != dataplane.INET6 {
		return dataplane.Mask4(printed)
	}
	if n, ok := prefixLen(printed); ok {
		return dataplane.Mask6(n)
	}
	return dataplane.Netmask{}
}

// prefixLen reads a prefix length from 1 to 128, and reports whether it is one.
// The kernel prints it as if it were an address in network order: turned round
// on a little-endian machine, as it is on a big-endian one. No number is a prefix
// length both ways.
func prefixLen(printed uint32) (uint32, bool) {
	n := printed
	if n > 128 {
		n = bits.ReverseBytes32(n)
	}
	if n < 1 || n > 128 {
		return 0, false
	}
	return n, true
}
