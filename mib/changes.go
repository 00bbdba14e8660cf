package mib

import (
	"slices"
	"time"

	"lvs/dataplane"
)

// changes collects the events of one snapshot.
type changes struct {
	time                  time.Time
	quiet                 map[realID]struct{}
	head, reals, services []event
	dropped               int
}

// director notes an event of the director as a whole.
func (c *changes) director(kind eventKind) { c.head = append(c.head, event{kind: kind}) }

// real notes an event of a real server of a service as it is now.
func (c *changes) real(kind eventKind, s *dataplane.ServiceState, r *dataplane.RealState, gone bool) {
	if len(c.reals) == maxEvents || !hasNumber(&s.Account) || !hasNumber(&r.Account) {
		c.dropped++
		return
	}
	c.reals = append(c.reals, event{kind: kind, service: s, real: r, gone: gone})
}

// service notes an event of a service.
func (c *changes) service(kind eventKind, s *dataplane.ServiceState, gone bool) {
	if len(c.services) == maxEvents || !hasNumber(&s.Account) {
		c.dropped++
		return
	}
	c.services = append(c.services, event{kind: kind, service: s, gone: gone})
}

// compareDaemons notes which daemons are other ones than before: one that goes on
// with another interface or number was stopped and started.
func (c *changes) compareDaemons(before, now []dataplane.SyncDaemon) {
	c.daemons(syncStopped, before, now)
	c.daemons(syncStarted, now, before)
}

// daemons notes an event of those that are in one list and not in the other.
func (c *changes) daemons(kind eventKind, in, notIn []dataplane.SyncDaemon) {
	for _, d := range in {
		same := func(e dataplane.SyncDaemon) bool {
			return e.Role == d.Role && e.Interface == d.Interface && e.SyncID == d.SyncID
		}
		if !slices.ContainsFunc(notIn, same) {
			c.head = append(c.head, event{kind: kind, daemon: d})
		}
	}
}

// compare notes what became another from one table to the next.
func (c *changes) compare(before, now []dataplane.ServiceState) {
	pairs(before, now, compareServices, func(b, n *dataplane.ServiceState) {
		switch {
		case n == nil:
			for id := range c.quiet {
				if id.service == b.Key {
					delete(c.quiet, id)
				}
			}
			if b.Available() > 0 {
				c.service(serviceDown, b, true)
			}
		case b == nil:
			// One that was there once is back; a new one is no news.
			if n.FirstSeen.Before(c.time) && n.Available() > 0 {
				c.service(serviceUp, n, false)
			}
		default:
			pairs(b.Reals, n.Reals, compareReals, func(br, nr *dataplane.RealState) { c.compareReal(n, br, nr) })
			if had, has := b.Available() > 0, n.Available() > 0; had && !has {
				c.service(serviceDown, n, false)
			} else if has && !had {
				c.service(serviceUp, n, false)
			}
		}
	})
}

// compareReal notes what became of a real server of service s, of which before or
// now may be nil.
func (c *changes) compareReal(s *dataplane.ServiceState, before, now *dataplane.RealState) {
	was, is := dataplane.Down, dataplane.Down
	if before != nil {
		was = before.Status()
	}
	if now != nil {
		is = now.Status()
	}
	if before != nil && now != nil && was == is {
		return
	}
	at := now
	if at == nil {
		at = before
	}
	id := realID{s.Key, at.RIP}
	_, quiet := c.quiet[id]
	switch {
	case now != nil && is.InService():
		delete(c.quiet, id)
		if !was.InService() {
			c.real(realUp, s, now, false)
		}
		if is == dataplane.Overloaded {
			c.real(thresholdPassed, s, now, false)
		} else if was == dataplane.Overloaded {
			c.real(thresholdCleared, s, now, false)
		}
	case was.InService() && is == dataplane.Draining:
		c.real(realDraining, s, now, false)
	case was == dataplane.Down && is == dataplane.Draining && before != nil:
		c.quiet[id] = struct{}{}
	case is == dataplane.Down && was != dataplane.Down:
		delete(c.quiet, id)
		if !quiet {
			c.real(realDown, s, at, now == nil)
		}
	}
}

// whileAway notes what became another since the agent's predecessor looked: the
// accounts have changed with this snapshot, and are older than it.
func (c *changes) whileAway(services []dataplane.ServiceState) {
	for i := range services {
		s := &services[i]
		if !s.FirstSeen.Before(c.time) {
			continue
		}
		for j := range s.Reals {
			if r := &s.Reals[j]; c.turned(&r.Account) {
				kind := [dataplane.NumStatus]eventKind{dataplane.Up: realUp, dataplane.Draining: realDraining, dataplane.Down: realDown, dataplane.Overloaded: thresholdPassed}
				c.real(kind[r.Status()], s, r, false)
			}
		}
		if c.turned(&s.Account) {
			kind := serviceDown
			if s.Available() > 0 {
				kind = serviceUp
			}
			c.service(kind, s, false)
		}
	}
}

// turned reports whether a state became another with this snapshot.
func (c *changes) turned(a *dataplane.Account) bool {
	return a.Changes > 0 && a.LastChange.Equal(c.time) && a.FirstSeen.Before(c.time)
}

func compareServices(a, b *dataplane.ServiceState) int { return a.Key.Compare(b.Key) }

func compareReals(a, b *dataplane.RealState) int { return a.RIP.Compare(b.RIP) }

// pairs calls f with what two sorted lists have of each key, nil for nothing.
func pairs[T any](a, b []T, compare func(x, y *T) int, f func(x, y *T)) {
	for len(a) > 0 || len(b) > 0 {
		order := 0
		switch {
		case len(a) == 0:
			order = 1
		case len(b) == 0:
			order = -1
		default:
			order = compare(&a[0], &b[0])
		}
		var x, y *T
		if order <= 0 {
			x, a = &a[0], a[1:]
		}
		if order >= 0 {
			y, b = &b[0], b[1:]
		}
		f(x, y)
	}
}

// carry is the table of a snapshot completed with what it cannot tell: what is
// missing from an inconsistent one, and the thresholds of a partial one.
func carry(before []dataplane.ServiceState, snap *dataplane.Snapshot) []dataplane.ServiceState {
	if snap.Inconsistent == 0 && !snap.Partial {
		return snap.Services
	}
	keep := snap.Inconsistent > 0
	var services []dataplane.ServiceState
	pairs(before, snap.Services, compareServices, func(b, n *dataplane.ServiceState) {
		switch {
		case n == nil && keep:
			services = append(services, *b)
		case n != nil && b == nil:
			services = append(services, *n)
		case n != nil:
			s := *n
			s.Reals = carryReals(b.Reals, n.Reals, keep, snap.Partial)
			services = append(services, s)
		}
	})
	return services
}

func carryReals(before, now []dataplane.RealState, keep, partial bool) (reals []dataplane.RealState) {
	pairs(before, now, compareReals, func(b, n *dataplane.RealState) {
		switch {
		case n == nil && keep:
			reals = append(reals, *b)
		case n != nil:
			r := *n
			if partial && b != nil {
				r.UpperThreshold = b.UpperThreshold
			}
			reals = append(reals, r)
		}
	})
	return reals
}
