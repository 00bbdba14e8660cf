package agent

import (
	"maps"
	"slices"

	"lvs/collector"
	"lvs/dashboards/web"
)

// pageAgent is how the agent fares, as the page tells it.
func (a *agent) pageAgent() web.Agent {
	s := a.sampler.Stats()
	h := web.Agent{Source: "netlink", Interval: a.sampler.Interval(), Troubles: troubles(&s, a.partial())}
	if a.partial() {
		h.Source = "/proc"
	}
	if a.ledger != nil {
		h.Stored, h.Limit = true, a.settings.maxSize
		if stats := a.ledger.Stats(); stats != nil {
			h.Used = uint64(stats.Bytes)
		}
	}
	if d := a.directorStatus(); d != nil && len(d.Failures) > 0 {
		h.Troubles = append(h.Troubles, "services cannot all be run as configured")
	}
	return h
}

// troubles are what a sampler's figures tell that does not work, the worst first.
func troubles(s *collector.Stats, partial bool) (list []string) {
	add := func(is bool, what string) {
		if is {
			list = append(list, what)
		}
	}
	add(s.Failing, "the director cannot be read")
	add(partial, "without privilege only /proc is read: no counters of services")
	add(s.Ledger.Failing, "the history cannot be written")
	add(s.Ledger.Behind && !s.Ledger.Failing, "the history is behind")
	for _, name := range slices.Sorted(maps.Keys(s.Sinks)) {
		add(s.Sinks[name].Failing, name+" fails")
	}
	add(s.Unnumbered > 0, "there are more services or real servers than row numbers")
	return list
}
