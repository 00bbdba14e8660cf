package prom

import (
	"strconv"

	"lvs/dataplane"
)

var realLabels = []string{"real", "service"}

// eachReal emits for the real servers of every service that was asked for.
func eachReal(doc MetricDoc, emit func(r *dataplane.RealState, v *serviceView, i int, s *scrape, c *cells)) family {
	doc.Scope = ScopeReals
	return family{doc, func(s *scrape, c *cells) {
		for n := range s.services {
			v := &s.services[n]
			for i := range v.Reals {
				emit(&v.Reals[i], v, i, s, c)
			}
		}
	}}
}

// realGauge is a gauge of real servers, absent where it is not known.
func realGauge(name, help string, value func(s *scrape, r *dataplane.RealState) (v float64, known bool)) family {
	return eachReal(MetricDoc{Name: name, Type: "gauge", Labels: realLabels, Help: help},
		func(r *dataplane.RealState, v *serviceView, i int, s *scrape, c *cells) {
			if n, known := value(s, r); known {
				labels, _ := s.real(v, i)
				c.gauge(labels, n)
			}
		})
}

func realFamilies() []family {
	out := []family{
		eachReal(MetricDoc{Name: "lvs_real_server_info", Type: "gauge", Labels: realInfoLabels,
			Help: "Always 1; the labels say what the real server is. The port 0 keeps the packet's own, and the name is empty where none was configured."}, emitRealInfo),
		realGauge("lvs_real_server_up", "1 if the real server serves new clients or would but for its upper threshold (states up, overloaded), 0 if its weight is 0 (draining, down).",
			func(_ *scrape, r *dataplane.RealState) (float64, bool) {
				return oneIf(r.Status().InService()), true
			}),
		realGauge("lvs_real_server_last_change_timestamp_seconds", "When the real server's state last changed, in seconds since the Unix epoch.",
			func(_ *scrape, r *dataplane.RealState) (float64, bool) {
				return seconds(r.LastChange), !r.LastChange.IsZero()
			}),
		realStates("lvs_real_server_state_changes_total", "Changes of the real server's state; being out of the table is a state.",
			func(r *dataplane.RealState) uint32 { return r.Changes }),
		realStates("lvs_real_server_failures_total", "Times the real server went out of service: its weight became 0, or it was removed in service and came back.",
			func(r *dataplane.RealState) uint32 { return r.Failures }),
		realGauge("lvs_real_server_peak_connections", "Most connections, active and inactive, that any sample saw the real server have.",
			func(_ *scrape, r *dataplane.RealState) (float64, bool) { return float64(r.Peak), true }),
		realGauge("lvs_real_server_weight", "Weight of the real server; 0 takes no new connections.",
			func(_ *scrape, r *dataplane.RealState) (float64, bool) { return float64(r.Weight), true }),
		realGauge("lvs_real_server_upper_threshold_connections", "Connections at which the real server gets no more; 0 is no threshold.",
			func(s *scrape, r *dataplane.RealState) (float64, bool) {
				return float64(r.UpperThreshold), !s.snap.Partial
			}),
		realGauge("lvs_real_server_lower_threshold_connections", "Connections below which a real server that was full gets new ones again; 0 is no threshold.",
			func(s *scrape, r *dataplane.RealState) (float64, bool) {
				return float64(r.LowerThreshold), !s.snap.Partial
			}),
		realGauge("lvs_real_server_connections_active", "Active connections of the real server now.",
			func(_ *scrape, r *dataplane.RealState) (float64, bool) { return float64(r.Active), true }),
		realGauge("lvs_real_server_connections_inactive", "Inactive connections of the real server now.",
			func(_ *scrape, r *dataplane.RealState) (float64, bool) { return float64(r.Inactive), true }),
		realGauge("lvs_real_server_connections_persistent", "Persistence templates of the real server now: clients that return to it.",
			func(s *scrape, r *dataplane.RealState) (float64, bool) {
				return float64(r.Persistent), !s.snap.Partial
			}),
	}
	for i, k := range counterKinds {
		help := k.what + " of the real server, continued over resets of the kernel's counter."
		if k.name == "outgoing_packets" || k.name == "outgoing_bytes" {
			help += " Stays 0 where replies bypass the director (forwarding methods route, tunnel, bypass)."
		}
		out = append(out, realCounter(i, k, help), realRate(i, k))
	}
	return out
}

// realStates is a counter of what became of a real server's state since its totals
// began.
func realStates(name, help string, value func(r *dataplane.RealState) uint32) family {
	return eachReal(MetricDoc{Name: name, Type: "counter", Labels: realLabels, Help: help},
		func(r *dataplane.RealState, v *serviceView, n int, s *scrape, c *cells) {
			labels, began := s.real(v, n)
			c.counter(labels, uint64(value(r)), began)
		})
}

func realCounter(i int, k counterKind, help string) family {
	return eachReal(MetricDoc{Name: "lvs_real_server_" + k.name + "_total", Type: "counter", Labels: realLabels, Help: help},
		func(r *dataplane.RealState, v *serviceView, n int, s *scrape, c *cells) {
			if !s.snap.Partial {
				labels, began := s.real(v, n)
				c.counter(labels, counterOf(&r.Total, i), began)
			}
		})
}

func realRate(i int, k counterKind) family {
	f := realGauge("lvs_real_server_kernel_"+k.name+"_per_second", rateHelp(k, "the real server"),
		func(s *scrape, r *dataplane.RealState) (float64, bool) {
			return float64(rateOf(&r.KernelRates, i)), !s.snap.Partial
		})
	f.Option = optionKernelRates
	return f
}

var (
	realInfoLabels = []string{"address", "family", "forwarding_method", "name", "port", "real", "service", "tunnel_type"}
	methodPairs    = fixedPairs("forwarding_method", 256, func(i int) string { return dataplane.Method(i).String() })
	tunnelPairs    = fixedPairs("tunnel_type", 256, func(i int) string { return dataplane.EncapType(i).String() })
	noTunnel       = fixedPairs("tunnel_type", 1, func(int) string { return "" })[0]
	noName         = fixedPairs("name", 1, func(int) string { return "" })[0]
)

// emitRealInfo leaves the tunnel's type empty for other methods, and where the
// source cannot tell it.
func emitRealInfo(r *dataplane.RealState, v *serviceView, i int, s *scrape, c *cells) {
	labels, _ := s.real(v, i)
	if labels == nil {
		c.gauge(nil, 1)
		return
	}
	tunnel := noTunnel
	if r.Method == dataplane.Tunnel && !s.snap.Partial {
		tunnel = tunnelPairs[r.Encap.Type]
	}
	name := noName
	if r.Name != "" {
		name = c.label(&realInfoLabels[3], valid(r.Name))
	}
	c.gauge(c.labels(
		c.label(&realInfoLabels[0], r.RIP.Addr().String()),
		familyPairs[min(int(r.Family()), len(familyPairs)-1)],
		methodPairs[r.Method],
		name,
		c.label(&realInfoLabels[4], strconv.Itoa(int(r.RIP.Port()))),
		labels[0], labels[1],
		tunnel,
	), 1)
}
