package collector

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"lvs/dataplane"
)

// A modelLife is what was seen of an entry from sample to sample: words for the
// states of a real server or service, and "out" where a consistent sample lacked
// it. What follows from it is counted only when asked for.
type modelLife struct {
	states []string
	times  []time.Time
	peak   uint64
}

// see adds what a sample showed.
func (l *modelLife) see(state string, at time.Time) {
	l.states, l.times = append(l.states, state), append(l.times, at)
}

// account is what must have been counted by now.
func (l *modelLife) account() (changes, failures uint32, last time.Time) {
	serves := map[string]bool{"up": true, "overloaded": true}
	for i, state := range l.states {
		switch {
		case i == 0:
			last = l.times[i]
		case state != l.states[i-1]:
			changes, last = changes+1, l.times[i]
			if serves[l.states[i-1]] && !serves[state] {
				failures++
			}
		}
	}
	return changes, failures, last
}

// state of a real server, told from what was set.
func (r *modelReal) state() string {
	connections := r.active + r.inactive
	switch {
	case r.weight > 0 && r.upper > 0 && connections >= r.upper:
		return "overloaded"
	case r.weight > 0:
		return "up"
	case connections > 0:
		return "draining"
	}
	return "down"
}

// state of a service is the best one of its real servers.
func (s *modelService) state() string {
	for _, state := range []string{"up", "overloaded", "draining"} {
		if slices.ContainsFunc(s.reals, func(r *modelReal) bool { return r.state() == state }) {
			return state
		}
	}
	return "down"
}

// stir sets weights, thresholds and connections of some real servers.
func (m *model) stir() {
	for _, s := range m.all() {
		if m.rand.IntN(3) > 0 {
			continue
		}
		for _, r := range s.reals {
			if m.rand.IntN(2) == 0 {
				r.weight, r.upper = m.rand.Uint32N(2), 2*m.rand.Uint32N(3)
				r.active, r.inactive = m.rand.Uint32N(3), m.rand.Uint32N(3)
			}
		}
	}
}

// watch looks at what a sample has: all, and whether it is consistent.
func (m *model) watch(all []*modelService, consistent bool) {
	here := map[memoryKey]bool{}
	see := func(id memoryKey, state string, connections uint64) {
		here[id] = true
		if m.lives[id] == nil {
			m.lives[id] = &modelLife{}
		}
		m.lives[id].see(state, m.now)
		m.lives[id].peak = max(m.lives[id].peak, connections)
	}
	for _, s := range all {
		var sum uint64
		for _, r := range s.reals {
			see(memoryKey{s.key, r.rip}, r.state(), uint64(r.active+r.inactive))
			sum += uint64(r.active + r.inactive)
		}
		see(memoryKey{key: s.key}, s.state(), sum)
	}
	for id, l := range m.lives {
		if consistent && !here[id] {
			l.see("out", m.now)
		}
	}
}

// checkStates holds the states of a sample's accounts against their lives.
func (m *model) checkStates(got map[memoryKey]dataplane.Account) error {
	for id, a := range got {
		if id == (memoryKey{}) {
			if a.Changes != 0 || !a.LastChange.IsZero() || a.Peak != m.peak {
				return fmt.Errorf("director: %d changes, at %v, peak %d of %d", a.Changes, a.LastChange, a.Peak, m.peak)
			}
			continue
		}
		l := m.lives[id]
		changes, failures, last := l.account()
		if a.Changes != changes || a.Failures != failures || !a.LastChange.Equal(last) || a.Peak != l.peak {
			return fmt.Errorf("%v %v: %d changes, %d failures, the last change at %v, peak %d; want %d, %d, %v, %d of %q", id.key, id.rip,
				a.Changes, a.Failures, a.LastChange, a.Peak, changes, failures, last, l.peak, l.states)
		}
	}
	return nil
}

// checkServers holds the hosts of a sample against all accounts ever seen.
func checkServers(s *dataplane.Snapshot, ever map[memoryKey]dataplane.Account) error {
	want := map[netip.Addr]*dataplane.ServerState{}
	for i := range s.Services {
		for j := range s.Services[i].Reals {
			r := &s.Services[i].Reals[j]
			h := want[r.RIP.Addr()]
			if h == nil {
				h = &dataplane.ServerState{Addr: r.RIP.Addr(), Since: r.FirstSeen}
				want[h.Addr] = h
			}
			h.Reals++
			h.Weight, h.Active, h.Inactive = h.Weight+uint64(r.Weight), h.Active+uint64(r.Active), h.Inactive+uint64(r.Inactive)
			if r.Weight > 0 {
				h.Available++
			}
		}
	}
	for id, a := range ever {
		if h := want[id.rip.Addr()]; h != nil {
			h.Total = h.Total.Add(a.Total)
			if a.FirstSeen.Before(h.Since) {
				h.Since = a.FirstSeen
			}
		}
	}
	if len(want) != len(s.Servers) {
		return fmt.Errorf("%d hosts, want %d", len(s.Servers), len(want))
	}
	for i, h := range s.Servers {
		h.Rates, h.HasRates = dataplane.Rates{}, false
		if h != *want[h.Addr] || i > 0 && s.Servers[i-1].Addr.Compare(h.Addr) >= 0 {
			return fmt.Errorf("host %+v, want %+v", h, want[h.Addr])
		}
	}
	return nil
}

// checkChanged holds the times of the last changes of the tables against the
// sample before; nil is the first of a process.
func checkChanged(before, s *dataplane.Snapshot) error {
	list := func(s *dataplane.Snapshot) (services, reals []string) {
		for i := range s.Services {
			v := &s.Services[i]
			services = append(services, fmt.Sprint(v.Key, v.Number, v.Name))
			for j := range v.Reals {
				reals = append(reals, fmt.Sprint(v.Key, v.Reals[j].RIP, v.Reals[j].Number, v.Reals[j].Name))
			}
		}
		return services, reals
	}
	services, reals := s.Time, s.Time
	if before != nil {
		wasServices, wasReals := list(before)
		nowServices, nowReals := list(s)
		if slices.Equal(wasServices, nowServices) {
			services = before.ServicesChanged
		}
		if slices.Equal(wasReals, nowReals) {
			reals = before.RealsChanged
		}
	}
	if !s.ServicesChanged.Equal(services) || !s.RealsChanged.Equal(reals) {
		return fmt.Errorf("changed at %v and %v, want %v and %v", s.ServicesChanged, s.RealsChanged, services, reals)
	}
	return nil
}
