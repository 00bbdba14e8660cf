package snmp

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"lvs/dataplane"
)

// decode makes services and real servers of rows.
func (d *directorDecoder) decode(services, reals *table) error {
	at := 0
	d.snap.Services = make([]dataplane.ServiceState, 0, len(services.index))
	slab := make([]dataplane.RealState, 0, len(reals.index))
	for i, index := range services.index {
		r := services.row(i)
		s, err := d.service(r)
		if err != nil {
			return err
		}
		first := len(slab)
		for at < len(reals.index) && within(reals.index[at], index) {
			real, err := d.real(reals.row(at))
			if err != nil {
				return err
			}
			slab = append(slab, real)
			at++
		}
		s.Reals = slab[first:len(slab):len(slab)]
		d.snap.Services = append(d.snap.Services, s)
	}
	if at < len(reals.index) {
		return fmt.Errorf("%s: %w: row %s belongs to no service", reals.spec.name, ErrChanged, reals.index[at])
	}
	return nil
}

func (d *directorDecoder) service(r *row) (s dataplane.ServiceState, err error) {
	id, ok := rowID(r.table.index[r.at])
	known := d.next.known[id]
	if !ok || known == nil {
		return s, fmt.Errorf("%s: %w: row %s has no key", r.table.spec.name, ErrChanged, r.table.index[r.at])
	}
	s.Service, s.Name = known.service, known.name
	s.Number, s.Peak = uint32(id>>32), r.number(lvsdServicePeak)
	refused := lvsdServiceHCRefused
	if d.narrow {
		refused = lvsdServiceRefused
	}
	s.Refused, s.HasRefused = r.number(refused), r.has(refused)
	s.LastChange = dateAndTime(r.cell(lvsdServiceLastChange))
	s.Changes, s.Failures = r.uint32(lvsdServiceChanges), r.uint32(lvsdServiceFailures)
	s.Rates, s.HasRates = d.counted(r, &s.Account, lvsdServiceConns, known.first, lvsdServiceDiscont, lvsdServiceResets)
	return s, r.err
}

func (d *directorDecoder) real(r *row) (s dataplane.RealState, err error) {
	id, ok := rowID(r.table.index[r.at])
	known := d.next.known[id]
	if !ok || known == nil {
		return s, fmt.Errorf("%s: %w: row %s has no address", r.table.spec.name, ErrChanged, r.table.index[r.at])
	}
	s.RealServer, s.Name = known.real, known.name
	s.Number, s.Peak = uint32(id), r.number(lvsdRealPeak)
	s.Weight = uint32(r.upTo(lvsdRealWeight, math.MaxInt32))
	s.UpperThreshold, s.LowerThreshold = r.uint32(lvsdRealUpper), r.uint32(lvsdRealLower)
	s.Active, s.Inactive, s.Persistent = r.uint32(lvsdRealActive), r.uint32(lvsdRealInactive), r.uint32(lvsdRealPersistent)
	s.LastChange = dateAndTime(r.cell(lvsdRealLastChange))
	s.Changes, s.Failures = r.uint32(lvsdRealChanges), r.uint32(lvsdRealFailures)
	s.Rates, s.HasRates = d.counted(r, &s.Account, lvsdRealConns, known.first, lvsdRealDiscont, lvsdRealResets)
	return s, r.err
}

// counted reads the counters of a row into its account, and returns its rates.
func (d *directorDecoder) counted(r *row, a *dataplane.Account, conns int, first time.Time, discontinuity, resets int) (rates dataplane.Rates, known bool) {
	d.snap.Partial = d.snap.Partial || !r.has(conns+d.wide())
	d.account(a, r.table.spec.name+r.table.index[r.at], five(r, conns+d.wide()), first, dateAndTime(r.cell(discontinuity)), uint64(r.uint32(resets)))
	if d.narrow || !r.has(conns+ratesAfter) {
		return rates, false
	}
	return dataplane.Rates(countersOf(five(r, conns+ratesAfter))), true
}

func five(r *row, first int) (n [5]uint64) {
	for i := range n {
		n[i] = r.number(first + i)
	}
	return n
}

func countersOf(n [5]uint64) dataplane.Counters {
	return dataplane.Counters{Connections: n[0], InPackets: n[1], OutPackets: n[2], InBytes: n[3], OutBytes: n[4]}
}

// account fills in what the director's agent continues itself. Of resets the MIB
// tells the sum, which is kept as that of the first reason.
func (d *directorDecoder) account(a *dataplane.Account, row string, cells [5]uint64, first, discontinuity time.Time, resets uint64) {
	total := countersOf(cells)
	if d.narrow {
		total = widen(d.totals[row], total)
		d.next.totals[row] = total
	}
	a.Kernel, a.Total = total, total
	a.FirstSeen, a.LastSeen = first, d.snap.Time
	if a.Resets[0] = uint32(resets); resets > 0 {
		a.LastReset = discontinuity
	}
}

// widen continues totals by the low 32 bits of what they are now.
func widen(before, low dataplane.Counters) dataplane.Counters {
	grow := func(n, low uint64) uint64 { return n + uint64(uint32(low)-uint32(n)) }
	return dataplane.Counters{
		Connections: grow(before.Connections, low.Connections),
		InPackets:   grow(before.InPackets, low.InPackets), OutPackets: grow(before.OutPackets, low.OutPackets),
		InBytes: grow(before.InBytes, low.InBytes), OutBytes: grow(before.OutBytes, low.OutBytes),
	}
}

// servers decodes the table of hosts.
func (d *directorDecoder) servers(t *table) error {
	if told := d.scalars.of(lvsdServers, lvsdRows); told.kind != absent && told.num != uint64(len(t.index)) {
		return fmt.Errorf("%s: %w: it has %d rows of %d", t.spec.name, ErrChanged, len(t.index), told.num)
	}
	for i := range t.index {
		r := t.row(i)
		s := dataplane.ServerState{
			Addr: indexAddr(t.index[i]), Reals: int(r.uint32(lvsdServerReals)), Available: int(r.uint32(lvsdServerAvailable)),
			Weight: r.number(lvsdServerWeight), Active: r.number(lvsdServerActive), Inactive: r.number(lvsdServerInactive),
			Persistent: r.number(lvsdServerPersistent), Since: dateAndTime(r.cell(lvsdServerDiscont)),
			RepliesBypass: r.number(lvsdServerBypass) == isTrue,
		}
		if !s.Addr.IsValid() && r.err == nil {
			r.err = badAnswer("index %s of %s is no address", t.index[i], t.spec.name)
		}
		s.Total = countersOf(five(r, lvsdServerConns+d.wide()))
		if d.narrow {
			row := t.spec.name + t.index[i]
			s.Total = widen(d.totals[row], s.Total)
			d.next.totals[row] = s.Total
		} else if s.HasRates = r.has(lvsdServerConns + ratesAfter); s.HasRates {
			s.Rates = dataplane.Rates(countersOf(five(r, lvsdServerConns+ratesAfter)))
		}
		if r.err != nil {
			return r.err
		}
		d.snap.Servers = append(d.snap.Servers, s)
	}
	return nil
}

// indexAddr is the address in an index: its type (ipv4 or ipv6), its length and
// its octets.
func indexAddr(index string) netip.Addr {
	kind, rest := arc(index)
	n, rest := arc(rest)
	if kind == 1 && n != 4 || kind == 2 && n != 16 || kind != 1 && kind != 2 {
		return netip.Addr{}
	}
	var b []byte
	for rest != "" {
		var x int64
		if x, rest = arc(rest); x < 0 || x > 255 {
			return netip.Addr{}
		}
		b = append(b, byte(x))
	}
	if len(b) != int(n) {
		return netip.Addr{}
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
