package prom

import (
	"strconv"

	"lvs/dataplane"
)

// everyFamilies tell whether all else can be believed, and are in every scrape.
func everyFamilies() []family {
	return []family{
		{MetricDoc{Name: "lvs_up", Type: "gauge", Scope: ScopeEvery,
			Help: "1 if there is a snapshot and the latest reading of the kernel's IPVS table succeeded, else 0."},
			func(s *scrape, c *cells) { c.gauge(nil, oneIf(s.snap != nil && s.up)) }},
		{MetricDoc{Name: "lvs_agent_last_sample_timestamp_seconds", Type: "gauge", Scope: ScopeEvery,
			Help: "When the snapshot shown here was read, in seconds since the Unix epoch; 0 before the first."},
			func(s *scrape, c *cells) {
				if s.snap == nil {
					c.gauge(nil, 0)
					return
				}
				c.gauge(nil, seconds(s.snap.Time))
			}},
		{MetricDoc{Name: "lvs_agent_snapshot_age_seconds", Type: "gauge", Scope: ScopeEvery,
			Help: "How long ago the snapshot shown here was read, in seconds; before the first, how long it has been waited for."},
			func(s *scrape, c *cells) {
				since := s.began
				if s.snap != nil {
					since = s.snap.Time
				}
				c.gauge(nil, max(0, s.now.Sub(since).Seconds()))
			}},
		{MetricDoc{Name: "lvs_agent_series_suppressed", Type: "gauge", Labels: []string{"scope"}, Scope: ScopeEvery,
			Help: "Series left out because there are more real servers than the limit; other windows show them."},
			func(s *scrape, c *cells) {
				c.gauge(c.labels(c.label(&labelScope, string(ScopeReals))), float64(s.suppressed))
			}},
	}
}

// Label names of the director's families.
var (
	labelScope     = "scope"
	labelReason    = "reason"
	labelProtocol  = "protocol"
	labelInterface = "interface"
	labelRole      = "role"
	labelSyncID    = "sync_id"
	labelVersion   = "version"
)

// director emits from a snapshot, nothing without one.
func director(doc MetricDoc, emit func(d *dataplane.Director, s *scrape, c *cells)) family {
	doc.Scope = ScopeDirector
	return family{doc, func(s *scrape, c *cells) {
		if s.snap != nil {
			emit(&s.snap.Director, s, c)
		}
	}}
}

func directorFamilies() []family {
	out := []family{
		director(MetricDoc{Name: "lvs_director_info", Type: "gauge", Labels: []string{"version"},
			Help: "Always 1; the label is the version of the kernel's IPVS."},
			func(d *dataplane.Director, _ *scrape, c *cells) {
				if d.Version != "" {
					c.gauge(c.labels(c.label(&labelVersion, valid(d.Version))), 1)
				}
			}),
		director(MetricDoc{Name: "lvs_services", Type: "gauge", Help: "Virtual services in the table."},
			func(_ *dataplane.Director, s *scrape, c *cells) { c.gauge(nil, float64(len(s.snap.Services))) }),
		director(MetricDoc{Name: "lvs_real_servers", Type: "gauge", Help: "Real servers in the table, counted once in each service they belong to."},
			func(_ *dataplane.Director, s *scrape, c *cells) { c.gauge(nil, float64(s.snap.RealServers())) }),
		director(MetricDoc{Name: "lvs_connection_table_size", Type: "gauge", Help: "Hash buckets of the kernel's connection table."},
			func(d *dataplane.Director, _ *scrape, c *cells) {
				if d.ConnTableSize != 0 {
					c.gauge(nil, float64(d.ConnTableSize))
				}
			}),
		director(MetricDoc{Name: "lvs_connection_table_entries", Type: "gauge", Help: "Connections in the kernel's connection table, where the kernel tells."},
			func(d *dataplane.Director, _ *scrape, c *cells) {
				if d.HasConnections {
					c.gauge(nil, float64(d.Connections))
				}
			}),
		director(MetricDoc{Name: "lvs_director_peak_connections", Type: "gauge", Help: "Most connections that any sample saw in the kernel's connection table, where the kernel tells."},
			func(d *dataplane.Director, _ *scrape, c *cells) {
				if d.HasConnections {
					c.gauge(nil, float64(d.Peak))
				}
			}),
		director(MetricDoc{Name: "lvs_director_discontinuity_timestamp_seconds", Type: "gauge",
			Help: "When the kernel's grand totals last started anew or, if they never did, when the director's totals began, in seconds since the Unix epoch."},
			func(d *dataplane.Director, _ *scrape, c *cells) {
				if at := d.Discontinuity(); d.HasStats && !at.IsZero() {
					c.gauge(nil, seconds(at))
				}
			}),
		director(MetricDoc{Name: "lvs_timeout_seconds", Type: "gauge", Labels: []string{"protocol"},
			Help: "Timeout of connections in seconds; protocol is tcp, tcp_fin (after a FIN) or udp."}, emitTimeouts),
		director(MetricDoc{Name: "lvs_sync_daemons", Type: "gauge",
			Help: "Connection synchronisation daemons that run, whatever their role: 0, 1 or 2; absent where they are not told."},
			func(d *dataplane.Director, s *scrape, c *cells) {
				if !s.snap.Partial {
					c.gauge(nil, float64(len(d.Daemons)))
				}
			}),
		director(MetricDoc{Name: "lvs_sync_daemon_state", Type: "gauge", Labels: []string{"interface", "role", "sync_id"},
			Help: "1 for each connection synchronisation daemon that runs; role is master or backup."}, emitDaemons),
		{MetricDoc{Name: "lvs_resets_total", Type: "counter", Labels: []string{"reason", "scope"}, Scope: ScopeDirector,
			Help: "Times the kernel's counters started anew, by whose counters they were and why; totals went on regardless."}, emitResets},
	}
	for i, k := range counterKinds {
		out = append(out, director(MetricDoc{Name: "lvs_director_" + k.name + "_total", Type: "counter", Help: k.what + " of all services, those since removed included." + accuracy(i)},
			func(d *dataplane.Director, s *scrape, c *cells) {
				if d.HasStats {
					c.counter(nil, counterOf(&d.Total, i), s.stamp(d.FirstSeen))
				}
			}))
		rate := director(MetricDoc{Name: "lvs_director_kernel_" + k.name + "_per_second", Type: "gauge", Option: optionKernelRates, Help: rateHelp(k, "the director")},
			func(d *dataplane.Director, _ *scrape, c *cells) {
				if d.HasStats {
					c.gauge(nil, float64(rateOf(&d.KernelRates, i)))
				}
			})
		out = append(out, rate)
	}
	return out
}

// accuracy says once, at the director's counters, what is true of all.
func accuracy(i int) string {
	switch i {
	case 0:
		return " The kernel brings all its counters up to date every two seconds."
	case 3:
		return " Like every counter, rounded to 53 bits beyond 2^53."
	}
	return ""
}

func rateHelp(k counterKind, whose string) string {
	return "The kernel's own estimate of " + k.unit + " per second of " + whose + ", smoothed over some seconds; 0 while the kernel does not estimate. Better take rate() of the counter."
}

func emitTimeouts(d *dataplane.Director, _ *scrape, c *cells) {
	t := d.Timeouts
	if t == (dataplane.Timeouts{}) {
		return
	}
	c.gauge(c.labels(c.label(&labelProtocol, "tcp")), t.TCP.Seconds())
	c.gauge(c.labels(c.label(&labelProtocol, "tcp_fin")), t.TCPFin.Seconds())
	c.gauge(c.labels(c.label(&labelProtocol, "udp")), t.UDP.Seconds())
}

func emitDaemons(d *dataplane.Director, _ *scrape, c *cells) {
	for i := range d.Daemons {
		m := &d.Daemons[i]
		c.gauge(c.labels(
			c.label(&labelInterface, valid(m.Interface)),
			c.label(&labelRole, m.Role.String()),
			c.label(&labelSyncID, strconv.FormatUint(uint64(m.SyncID), 10)),
		), 1)
	}
}

func emitResets(s *scrape, c *cells) {
	if s.resets == nil {
		return
	}
	for reason := range dataplane.NumResetReasons {
		for scope, name := range resetScopeNames {
			c.counter(c.labels(c.label(&labelReason, reason.String()), c.label(&labelScope, name)),
				s.resets[scope][reason], nil)
		}
	}
}

// counterOf is the i-th of counterKinds.
func counterOf(c *dataplane.Counters, i int) uint64 {
	switch i {
	case 0:
		return c.Connections
	case 1:
		return c.InPackets
	case 2:
		return c.OutPackets
	case 3:
		return c.InBytes
	}
	return c.OutBytes
}

// rateOf is the rate of the i-th of counterKinds.
func rateOf(r *dataplane.Rates, i int) uint64 { return counterOf((*dataplane.Counters)(r), i) }
