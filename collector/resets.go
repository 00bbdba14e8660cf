package collector

import (
	"math"
	"slices"
	"time"

	"lvs/dataplane"
)

// The scopes of Continuity.resets.
const (
	ofDirector = iota
	ofService
	ofReal
)

func (c *Continuity) restart(scope int, a *account, reason dataplane.ResetReason, now time.Time) {
	a.restart(reason, now)
	c.resets[scope][reason]++
}

// follow adds what cur counts beyond the kernel's last value. Where a counter
// fell that did not wrap, it leaves the account alone and returns false.
func (c *Continuity) follow(scope int, a *account, cur dataplane.Counters, counters32 bool, now time.Time) bool {
	d, ok := cur.Sub(a.Kernel)
	if !ok && counters32 {
		if d, ok = wrapped(cur, a.Kernel); ok {
			a.Resets[dataplane.Wrap32]++
			a.LastReset = now
			c.resets[scope][dataplane.Wrap32]++
		}
	}
	if ok {
		a.advance(d, cur)
	}
	return ok
}

// applyDirector continues the grand totals. Only clearing all services at once
// clears them too, so that a fall can mean nothing else.
func (c *Continuity) applyDirector(out *dataplane.Snapshot, now time.Time) {
	a, d := &c.director, &out.Director
	if !a.known {
		a.begin(now)
	} else if a.otherLife(d.Epoch) {
		c.restart(ofDirector, a, dataplane.KernelRestart, now)
	}
	if d.HasStats && !c.follow(ofDirector, a, d.Kernel, out.Counters32, now) {
		reason := dataplane.Zeroed
		if a.otherEpoch(d.Epoch) {
			reason = dataplane.KernelRestart
		}
		c.allCleared = c.gen
		c.restart(ofDirector, a, reason, now)
		a.advance(d.Kernel, d.Kernel)
	}
	if d.HasConnections {
		a.Peak = max(a.Peak, d.Connections)
	}
	a.seen(c.gen, now, d.Epoch, d.HasStats)
	d.Account, d.Rates, d.HasRates = a.Account, dataplane.Rates{}, false
}

// applyService continues a service and its real servers.
func (c *Continuity) applyService(s *service, src *dataplane.Snapshot, now time.Time) {
	cur := &src.Services[s.row]
	switch {
	case !s.known:
		s.begin(now)
	case s.otherLife(src.Director.Epoch), s.gen < c.solid && s.otherEpoch(src.Director.Epoch):
		c.remake(s, dataplane.KernelRestart, now)
	case s.gen < c.solid:
		c.remake(s, dataplane.Recreated, now)
	}
	if !src.Partial && !c.follow(ofService, &s.account, cur.Kernel, src.Counters32, now) {
		s.cleared, s.clearedBy = c.gen, c.whyCleared(s, &cur.Service, src.Director.Epoch)
		c.restart(ofService, &s.account, s.clearedBy, now)
		s.advance(cur.Kernel, cur.Kernel)
	}
	var connections uint64
	status := dataplane.Down
	for _, r := range s.dump {
		real := &cur.Reals[r.row]
		c.applyReal(s, r, real, src, now)
		connections += uint64(real.Active) + uint64(real.Inactive)
		status = status.Best(r.status)
	}
	s.turn(status, c.solid, now)
	s.Peak = max(s.Peak, connections)
	if !src.Partial { // which knows less of the configuration
		s.config, s.configured = cur.Service, true
		s.config.Flags = s.config.Flags.Configured()
	}
	if s.changed {
		s.order = append(s.order[:0], s.dump...)
		slices.SortFunc(s.order, func(a, b *real) int { return a.rip.Compare(b.rip) })
	}
	s.dump = nil
	s.seen(c.gen, now, src.Director.Epoch, !src.Partial)
}

// remake is for a service that is certainly another one than before.
func (c *Continuity) remake(s *service, reason dataplane.ResetReason, now time.Time) {
	s.since, s.remadeBy = c.gen, reason
	c.restart(ofService, &s.account, reason, now)
}

// whyCleared tells why the counters of a service fell between two samples that
// both have it. Where the grand totals fell as well, all services were zeroed,
// whatever else was done to them meanwhile.
func (c *Continuity) whyCleared(s *service, now *dataplane.Service, epoch string) dataplane.ResetReason {
	config := *now
	config.Flags = config.Flags.Configured()
	switch {
	case s.otherEpoch(epoch):
		return dataplane.KernelRestart
	case c.allCleared == c.gen:
		return dataplane.Zeroed
	case s.configured && config != s.config, s.changed, reordered(s.dump), c.movedAhead(s):
		return dataplane.Recreated
	}
	return dataplane.Zeroed
}

// reordered reports whether a real server moved ahead of another one.
func reordered(dump []*real) bool {
	last := int32(-1)
	for _, r := range dump {
		if r.pos < last && r.pos >= 0 {
			return true
		}
		last = max(last, r.pos)
	}
	return false
}

// movedAhead reports whether a service stands before one that it stood behind.
// Positions of the last dump are still in place for s and those after it, as
// services are applied in the order of the dump; so the table is made when it is
// first asked for, with what is applied already left out.
func (c *Continuity) movedAhead(s *service) bool {
	if len(c.earliest) == 0 {
		c.earliest = slices.Grow(c.earliest, len(c.dump))[:len(c.dump)]
		least := int32(math.MaxInt32)
		for i := len(c.dump) - 1; i >= 0; i-- {
			c.earliest[i] = least
			if p := c.dump[i].pos; p >= 0 && c.dump[i].gen == c.gen-1 {
				least = min(least, p)
			}
		}
	}
	return s.pos >= 0 && s.gen == c.gen-1 && c.earliest[s.place] < s.pos
}

// applyReal continues a real server, after its service.
func (c *Continuity) applyReal(s *service, r *real, cur *dataplane.RealState, src *dataplane.Snapshot, now time.Time) {
	before := r.Total
	switch {
	case !r.known:
		r.begin(now)
		r.host.began(now)
	case r.otherLife(src.Director.Epoch):
		c.restart(ofReal, &r.account, dataplane.KernelRestart, now)
	case r.gen < s.since: // what it counted belongs to the service's last life
		c.restart(ofReal, &r.account, s.remadeBy, now)
	case !src.Partial && c.grownPast(s, r, cur.Kernel, src.Services[s.row].Kernel):
		c.restart(ofReal, &r.account, s.clearedBy, now)
	}
	if !src.Partial {
		fell := !c.follow(ofReal, &r.account, cur.Kernel, src.Counters32, now)
		if fell {
			c.restart(ofReal, &r.account, c.whyFell(s, r, src), now)
			r.advance(cur.Kernel, cur.Kernel)
		}
		r.torn = fell && s.cleared != c.gen
	}
	grown, _ := r.Total.Sub(before)
	r.host.total = r.host.total.Add(grown)
	r.turn(cur.Status(), c.solid, now)
	r.Peak = max(r.Peak, uint64(cur.Active)+uint64(cur.Inactive))
	r.seen(c.gen, now, src.Director.Epoch, !src.Partial)
}

// grownPast reports whether a real server, none of whose counters fell, was
// cleared with its service nevertheless. It was there when the service was last
// read, and not in the trash. Since then it cannot have counted more than its
// service; if it has, it was read before it was cleared. And if it fell when its
// counters were last told, and its service had not yet, it was read after: it is the
// same clearing.
func (c *Continuity) grownPast(s *service, r *real, cur, service dataplane.Counters) bool {
	there := r.gen == c.gen-1 && r.read == s.read && !r.torn
	return s.cleared == c.gen && there && !r.Kernel.IsZero() && within(r.Kernel, cur) && within(cur, service)
}

// trashPeriod is how long the kernel keeps a real server that was deleted, and
// gives it back with its counts if it is added again: at least. Source:
// IP_VS_DEST_TRASH_PERIOD in include/net/ip_vs.h.
const trashPeriod = 2 * time.Minute

// whyFell tells why the counters of a real server fell. Moments after it was seen
// nobody can have made it anew but with its service: so that the service was
// cleared too, though it has grown past its old counts or was read before. If it
// was read a sample before, that is told, unless the real server fell in that, too.
func (c *Continuity) whyFell(s *service, r *real, src *dataplane.Snapshot) dataplane.ResetReason {
	unread := src.Time.Sub(r.LastSeen)
	same := unread >= 0 && unread < trashPeriod
	switch {
	case r.otherEpoch(src.Director.Epoch):
		return dataplane.KernelRestart
	case !same && r.gen < c.gen-1:
		return dataplane.Recreated
	case s.cleared == c.gen:
		return s.clearedBy
	case same && c.allCleared == c.gen:
		return dataplane.Zeroed
	case s.cleared == c.gen-1 && !r.LastReset.Equal(r.LastSeen):
		return s.clearedBy
	case same:
		return c.whyCleared(s, &src.Services[s.row].Service, src.Director.Epoch)
	}
	return dataplane.Recreated
}
