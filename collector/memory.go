package collector

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"lvs/dataplane"
)

// NewContinuity continues what is remembered, in any order; nil is nothing. An
// account whose entry is gone from the table for longer than forget is dropped,
// and begins anew if the entry ever comes back.
func NewContinuity(remembered []dataplane.Remembered, forget time.Duration) *Continuity {
	c := &Continuity{forget: forget, allCleared: -1, director: newAccount(), services: map[dataplane.ServiceKey]*service{},
		hosts: hosts{byAddr: map[netip.Addr]*host{}}}
	sorted := slices.SortedFunc(slices.Values(remembered), dataplane.Remembered.Compare)
	held := map[uint32]bool{}
	heldReals := map[*service]map[uint32]bool{}
	for i := range sorted {
		m := &sorted[i]
		switch {
		case m.Key == dataplane.ServiceKey{}:
			c.director.recall(m, nil)
		case m.RIP == netip.AddrPort{}:
			s := c.service(m.Key)
			s.recall(m, held)
			if !m.Gone {
				c.order = append(c.order, s)
			}
		default:
			s := c.service(m.Key)
			if heldReals[s] == nil {
				heldReals[s] = map[uint32]bool{}
			}
			c.recallReal(s, m, heldReals[s])
		}
	}
	c.numbers.adopt(held)
	for s, held := range heldReals {
		s.numbers.adopt(held)
	}
	c.recallAbsent()
	return c
}

// recall takes the account over. A number that another account holds already, or
// that is none, is not believed: the account will get a new one.
func (a *account) recall(m *dataplane.Remembered, held map[uint32]bool) {
	a.Account, a.epoch, a.known, a.gen, a.status = m.Account, m.Epoch, true, 0, m.Status
	if m.Gone {
		a.gen = -1
	}
	if held == nil || a.Number == 0 || a.Number > maxNumber || held[a.Number] {
		a.Number = 0
		return
	}
	held[a.Number] = true
}

func (c *Continuity) recallReal(s *service, m *dataplane.Remembered, held map[uint32]bool) {
	r := c.real(s, m.RIP)
	r.recall(m, held)
	r.host.total = r.host.total.Add(r.Total)
	r.host.began(r.FirstSeen)
	if !m.Gone {
		s.order = append(s.order, r)
	}
}

const (
	// sweepEvery is how often forgotten accounts are looked for.
	sweepEvery = time.Minute
	// maxGone bounds the accounts kept of what is no longer in the table.
	maxGone = 1 << 16
)

// lost is an account without an entry in the table.
type lost struct {
	service  *service
	real     *real // nil: the service itself
	lastSeen time.Time
}

// sweep drops the accounts that are gone for too long, and the longest gone of
// those that are too many.
func (c *Continuity) sweep(now time.Time) {
	c.swept = now
	gone, oldest := c.countGone()
	if gone <= maxGone && now.Sub(oldest) <= c.forget {
		return
	}
	var all []lost
	for _, s := range c.services {
		if s.gen < c.gen-1 && s.known {
			all = append(all, lost{s, nil, s.LastSeen})
		}
		for _, r := range s.reals {
			if r.gen < c.gen-1 {
				all = append(all, lost{s, r, r.LastSeen})
			}
		}
	}
	slices.SortFunc(all, compareGoing) // a service behind its real servers, or nobody would find them
	for i, l := range all {
		if len(all)-i <= maxGone && now.Sub(l.lastSeen) <= c.forget {
			return
		}
		c.drop(l, now)
	}
}

func (c *Continuity) drop(l lost, now time.Time) {
	c.absences.cancel(l.account())
	l.account().gen = -1 // its service may still list it as of its last sample
	if l.real != nil {
		c.hosts.leave(l.real.host, l.real.Total, now)
		delete(l.service.reals, l.real.rip)
		l.service.numbers.free(l.real.Number)
		return
	}
	delete(c.services, l.service.config.Key)
	c.numbers.free(l.service.Number)
}

// countGone counts the accounts without an entry in the table and tells when the
// longest gone was last seen.
func (c *Continuity) countGone() (n int, oldest time.Time) {
	oldest = time.Unix(math.MaxInt32, 0)
	note := func(a *account) {
		if a.gen < c.gen-1 {
			n++
			if a.LastSeen.Before(oldest) {
				oldest = a.LastSeen
			}
		}
	}
	for _, s := range c.services {
		note(&s.account)
		for _, r := range s.reals {
			note(&r.account)
		}
	}
	return n, oldest
}
