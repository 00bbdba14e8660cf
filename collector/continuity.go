package collector

import (
	"net/netip"
	"slices"
	"time"

	"lvs/dataplane"
)

// A Continuity turns a source's snapshots into the sampler's: sorted, with
// totals, row numbers, times and rates. Accounts are kept by [dataplane.ServiceKey]
// for services, by key and RIP for real servers, and one for the director. It
// looks at no clock, so that the same snapshots give the same result. It is not
// safe for concurrent use; what Apply returns is.
//
// A total begins with the kernel's value at first sight. From then on it grows by
// what the kernel counted between two samples; where the kernel began anew, by
// the kernel's whole value. The rules, the first that applies:
//
//	what is seen                                   total grows by   counted as
//	----------------------------------------------------------------------------
//	Director.Epoch differs from the account's      kernel's value   kernel_restart
//	  (either unknown: the same)
//	service was missing in a consistent sample     kernel's value   recreated
//	  in between; its real servers likewise
//	source tells no counters (Partial)             nothing          -
//	no counter fell                                difference       -
//	Counters32 and connections or packets fell,    difference       wrap32
//	  bytes did not and grew by enough to carry      plus 2^32
//	  the packets
//	service fell, and so did the director          kernel's value   zeroed
//	service fell, and its configuration, the set   kernel's value   recreated
//	  or order of its real servers, or its own
//	  place in the dump changed
//	service fell otherwise                         kernel's value   zeroed
//	real server fell together with its service     kernel's value   the service's
//	real server did not fall, its service did,     kernel's value   the service's
//	  and it may have grown past its old counts
//	  since: it counts no more than its service
//	real server fell, its service did not          kernel's value   as if it had
//	  and that after two minutes unread            kernel's value   recreated
//	director fell                                  kernel's value   zeroed
//
// A real server that was missing and comes back with no counter below the last
// known is continued: the kernel keeps a deleted one for a while and hands the
// same one back. Not so when its service was certainly made anew meanwhile. The
// kernel adds an entry at the head of its list, so that an entry which moved
// ahead of another was made anew; and it clears a service always together with
// its real servers. What it tells is summed up every two seconds, of each entry at
// its own time, and what was not yet summed up when an entry was cleared counts
// afterwards: a real server may be ahead of its service. Where a rule has to guess
// it errs to the lower total.
// Source: ip_vs_chain_estimation in net/netfilter/ipvs/ip_vs_est.c; ip_vs_add_dest,
// ip_vs_trash_get_dest, ip_vs_svc_hash and ip_vs_zero_service in ip_vs_ctl.c.
//
// States follow from what a sample shows, and being out of the table is one: an
// entry that is back after a consistent sample lacked it has changed twice. A
// change while the agent was not running counts once it is seen. Where only the
// tables moved under the reading, a missing entry is taken for passed over. One
// that a consistent sample lacked is in [dataplane.Snapshot.Removed], with its
// account as it was left, until it is back, old, or forgotten.
//
// What was counted between the last sample and a reset is lost to everybody, and
// a reset after which every counter has grown past its last known value by the
// next sample cannot be seen.
type Continuity struct {
	forget   time.Duration
	gen      int64 // of the sample applied last
	solid    int64 // of the last consistent one before it
	director account
	services map[dataplane.ServiceKey]*service
	order    []*service // those in the last sample, sorted
	numbers  numbers
	hosts    hosts
	names    Names // nil: none has a name
	named    *Names
	absences absences
	swept    time.Time
	marked   time.Time // see recent
	// allCleared is the generation that the grand totals last fell in, which
	// clearing all services does and nothing else.
	allCleared int64
	past       history
	resets     [3]dataplane.ResetCounts // of the director, services, real servers
	// unnumbered is how many rows of the last sample got no number.
	unnumbered int
	// See dataplane.Snapshot.
	servicesChanged, realsChanged time.Time

	// Scratch of Apply, kept to be used again.
	dump     []*service // in the order of the dump
	reals    []*real    // likewise, service by service
	earliest []int32    // see movedAhead
}

type service struct {
	account
	config     dataplane.Service // flags as configured; but for the key, once it is configured
	configured bool
	reals      map[netip.AddrPort]*real
	order      []*real // those in its last sample, sorted
	numbers    numbers
	since      int64                 // generation it was made anew in; counts from before are void
	remadeBy   dataplane.ResetReason // how, then
	cleared    int64                 // generation its counters last fell in
	clearedBy  dataplane.ResetReason
	place      int     // in Continuity.dump
	dump       []*real // of the sample being applied, in the order of the dump
	changed    bool    // the set of real servers differs from the last sample's
}

type real struct {
	account
	rip  netip.AddrPort
	host *host
	torn bool // when its counters were last told, it fell and its service did not
	late recent
}

// Apply continues the accounts by one sample and returns the completed snapshot
// for the given tick. Of src it keeps Director.Daemons and Sysctls.
//
// The total of a host moves with those of its accounts; which of them were
// forgotten before the agent was started is not known, so that Since is then
// again when the first of those remembered began.
func (c *Continuity) Apply(src *dataplane.Snapshot, tick time.Time) *dataplane.Snapshot {
	c.gen++
	c.unnumbered = 0
	now := src.Time.Round(0)
	if now.Sub(c.swept) >= sweepEvery || now.Before(c.swept) {
		c.sweep(now)
	}
	out := *src
	out.Tick = tick
	c.applyDirector(&out, now)
	rows := c.find(src)
	c.noteSets(now)
	out.Removed = c.noteRemoved(src.Inconsistent == 0, now)
	for _, s := range c.dump {
		c.applyService(s, src, now)
	}
	if c.setChanged() {
		c.order = append(c.order[:0], c.dump...)
		slices.SortFunc(c.order, func(a, b *service) int { return a.config.Key.Compare(b.config.Key) })
	}
	c.fill(&out, src, rows, now)
	out.ServicesChanged, out.RealsChanged = c.servicesChanged, c.realsChanged
	c.past.rate(&out)
	if src.Inconsistent == 0 {
		c.solid = c.gen
	}
	return &out
}

// find looks up, or opens, the account of every row of src, in the order of the
// dump, and returns how many real servers there are. A row that comes twice
// counts once.
func (c *Continuity) find(src *dataplane.Snapshot) (reals int) {
	c.dump, c.reals, c.earliest = c.dump[:0], c.reals[:0], c.earliest[:0]
	c.reals = slices.Grow(c.reals, src.RealServers()) // so that s.dump stays where it is
	for i := range src.Services {
		s := c.service(src.Services[i].Key)
		if s.mark == c.gen {
			continue
		}
		s.mark, s.row, s.place = c.gen, int32(i), len(c.dump)
		c.dump = append(c.dump, s)
		first := len(c.reals)
		for j := range src.Services[i].Reals {
			r := c.real(s, src.Services[i].Reals[j].RIP)
			if r.mark == c.gen {
				continue
			}
			r.mark, r.row = c.gen, int32(j)
			c.hosts.find(r.host, c.gen)
			c.reals = append(c.reals, r)
		}
		s.dump = c.reals[first:len(c.reals):len(c.reals)]
		s.changed = changed(s.order, s.dump, func(r *real) bool { return r.mark == c.gen })
	}
	return len(c.reals)
}

// noteSets tells whether services or real servers came or went, before any of
// the sample is applied. The first sample is a change.
func (c *Continuity) noteSets(now time.Time) {
	services, reals := c.servicesChanged.IsZero(), c.realsChanged.IsZero()
	for _, s := range c.order {
		if s.mark != c.gen { // went
			services, reals = true, reals || len(s.order) > 0
		}
	}
	for _, s := range c.dump {
		if came := s.gen != c.gen-1; came {
			services, reals = true, reals || len(s.dump) > 0
		} else {
			reals = reals || s.changed
		}
	}
	if services {
		c.servicesChanged = now
	}
	if reals {
		c.realsChanged = now
	}
}

func (c *Continuity) setChanged() bool {
	return changed(c.order, c.dump, func(s *service) bool { return s.mark == c.gen })
}

// changed reports whether the sets differ; here tells of a member of the former
// whether it is in the latter.
func changed[T any](before, now []T, here func(T) bool) bool {
	if len(before) != len(now) {
		return true
	}
	for _, m := range before {
		if !here(m) {
			return true
		}
	}
	return false
}

func (c *Continuity) service(k dataplane.ServiceKey) *service {
	s := c.services[k]
	if s == nil {
		s = &service{account: newAccount(), since: -1, cleared: -1, reals: map[netip.AddrPort]*real{}}
		s.config.Key = k
		c.services[k] = s
	}
	return s
}

func (c *Continuity) real(s *service, rip netip.AddrPort) *real {
	r := s.reals[rip]
	if r == nil {
		r = &real{account: newAccount(), rip: rip, host: c.hosts.join(rip.Addr()), late: recent{gen: -1}}
		s.reals[rip] = r
	}
	return r
}

// fill copies the rows of src in order, with their accounts and names, and
// numbers the new ones in that order, so that a table which is first seen as a
// whole has numbers as one reads it. All real servers share one array.
func (c *Continuity) fill(out, src *dataplane.Snapshot, rows int, now time.Time) {
	slab := make([]dataplane.RealState, rows)
	mark := c.markRecent(now)
	out.Servers = c.hosts.rows(c.gen)
	out.Services = make([]dataplane.ServiceState, len(c.order))
	for i, s := range c.order {
		renamed := c.rename(&s.account, s.config.Key, netip.AddrPort{})
		if c.number(&s.account, &c.numbers) || renamed {
			c.servicesChanged = now
		}
		from, to := &src.Services[s.row], &out.Services[i]
		*to = *from
		to.Account, to.Name, to.Rates, to.HasRates = s.Account, s.name, dataplane.Rates{}, false
		to.Reals, slab = slab[:len(s.order):len(s.order)], slab[len(s.order):]
		for j, r := range s.order {
			renamed := c.rename(&r.account, s.config.Key, r.rip)
			if c.number(&r.account, &s.numbers) || renamed {
				c.realsChanged = now
			}
			real := &to.Reals[j]
			*real = from.Reals[r.row]
			real.Account, real.Name, real.Rates, real.HasRates = r.Account, r.name, dataplane.Rates{}, false
			real.Recent = r.late.count(c.gen, r.Total.Connections, mark)
			addReal(&out.Servers[r.host.row], real, r.status)
		}
	}
}

// setNames has the names be those from the next sample on; what was removed, which
// is not looked at with each, too.
func (c *Continuity) setNames(n *Names) {
	if n != c.named {
		c.named, c.names, c.absences.stale = n, *n, true
	}
}

// rename gives the account the name its entry has now, and reports whether that
// is another one.
func (c *Continuity) rename(a *account, key dataplane.ServiceKey, rip netip.AddrPort) bool {
	name := ""
	if c.names != nil {
		name = c.names(key, rip)
	}
	another := name != a.name
	a.name = name
	return another
}
