package collector

import (
	"math/bits"
	"net/netip"
	"time"

	"lvs/dataplane"
)

// rateSpan is the least time that rates are taken over: two of the two-second
// updates in which the kernel brings its counters up to date
// (est_timer in net/netfilter/ipvs/ip_vs_est.c).
const rateSpan = 4 * time.Second

// A history holds the completed snapshots that rates are still taken from, the
// oldest first.
type history []*dataplane.Snapshot

// rate fills the rates of s, over the least span of at least rateSpan that
// reaches back from it, and keeps s. The span is by the monotonic clock where
// the source's times have it. Without such a span, where either end does not
// tell counters, and for what was not there at its beginning, no rates are known.
func (h *history) rate(s *dataplane.Snapshot) {
	past := *h
	if n := len(past); n > 0 && s.Time.Before(past[n-1].Time) {
		past = past[:0] // a clock without a monotonic part was set back
	}
	for len(past) > 1 && s.Time.Sub(past[1].Time) >= rateSpan {
		past[0] = nil
		past = past[1:]
	}
	if len(past) > 0 {
		if span := s.Time.Sub(past[0].Time); span >= rateSpan {
			rateBetween(past[0], s, span)
		}
	}
	*h = append(past, s)
}

func rateBetween(from, to *dataplane.Snapshot, span time.Duration) {
	if from.Director.HasStats && to.Director.HasStats {
		to.Director.Rates, to.Director.HasRates = perSecond(&from.Director.Account, &to.Director.Account, span), true
	}
	if from.Partial || to.Partial {
		return
	}
	rateServers(from.Servers, to.Servers, span)
	old := from.Services
	for i := range to.Services {
		s := &to.Services[i]
		for len(old) > 0 && old[0].Key.Compare(s.Key) < 0 {
			old = old[1:]
		}
		if len(old) == 0 {
			return
		}
		if old[0].Key == s.Key {
			s.Rates, s.HasRates = perSecond(&old[0].Account, &s.Account, span), true
			rateReals(old[0].Reals, s.Reals, span)
		}
	}
}

func rateReals(old, now []dataplane.RealState, span time.Duration) {
	for i := range now {
		r := &now[i]
		for len(old) > 0 && less(old[0].RIP, r.RIP) {
			old = old[1:]
		}
		if len(old) == 0 {
			return
		}
		if old[0].RIP == r.RIP {
			r.Rates, r.HasRates = perSecond(&old[0].Account, &r.Account, span), true
		}
	}
}

// rateServers rates hosts by their totals, as services and real servers are
// rated; the traffic of an entry that went meanwhile is in it. One that an
// account was forgotten of since has no rates.
func rateServers(old, now []dataplane.ServerState, span time.Duration) {
	for i := range now {
		h := &now[i]
		for len(old) > 0 && old[0].Addr.Compare(h.Addr) < 0 {
			old = old[1:]
		}
		if len(old) == 0 {
			return
		}
		if old[0].Addr == h.Addr && old[0].Since.Equal(h.Since) {
			h.Rates, h.HasRates = grownBy(old[0].Total, h.Total, span), true
		}
	}
}

func less(a, b netip.AddrPort) bool { return a != b && a.Compare(b) < 0 }

func perSecond(from, to *dataplane.Account, span time.Duration) dataplane.Rates {
	return grownBy(from.Total, to.Total, span)
}

// grownBy is what a total, which never falls, grew by in a second.
func grownBy(from, to dataplane.Counters, span time.Duration) dataplane.Rates {
	d, _ := to.Sub(from)
	return dataplane.Rates{
		Connections: divide(d.Connections, span),
		InPackets:   divide(d.InPackets, span),
		OutPackets:  divide(d.OutPackets, span),
		InBytes:     divide(d.InBytes, span),
		OutBytes:    divide(d.OutBytes, span),
	}
}

// divide is n per span as a rate per second, rounded to the nearest integer. The
// product has 128 bits, and since a span is longer than a second the quotient
// has 64.
func divide(n uint64, span time.Duration) uint64 {
	hi, lo := bits.Mul64(n, uint64(time.Second))
	lo, carry := bits.Add64(lo, uint64(span/2), 0)
	q, _ := bits.Div64(hi+carry, lo, uint64(span))
	return q
}
