package prom

import (
	"strconv"

	dto "github.com/prometheus/client_model/go"

	"lvs/dataplane"
)

// eachService emits for every service that was asked for.
func eachService(doc MetricDoc, emit func(v *serviceView, s *scrape, c *cells)) family {
	doc.Scope = ScopeServices
	return family{doc, func(s *scrape, c *cells) {
		for i := range s.services {
			emit(&s.services[i], s, c)
		}
	}}
}

// serviceGauge is a gauge that every service has.
func serviceGauge(name, help string, value func(v *serviceView) float64) family {
	return eachService(MetricDoc{Name: name, Type: "gauge", Labels: []string{"service"}, Help: help},
		func(v *serviceView, _ *scrape, c *cells) { c.gauge(v.labels[:], value(v)) })
}

// serviceCounter is a counter that every service has, of what began with its
// totals.
func serviceCounter(name, help string, value func(v *serviceView) uint32) family {
	return eachService(MetricDoc{Name: name, Type: "counter", Labels: []string{"service"}, Help: help},
		func(v *serviceView, _ *scrape, c *cells) { c.counter(v.labels[:], uint64(value(v)), v.created) })
}

func serviceFamilies() []family {
	out := []family{
		eachService(MetricDoc{Name: "lvs_service_info", Type: "gauge", Labels: serviceInfoLabels,
			Help: "Always 1; the labels say what the virtual service is. The port 0 stands for every port."}, emitServiceInfo),
		eachService(MetricDoc{Name: "lvs_service_real_servers", Type: "gauge", Labels: []string{"service", "state"},
			Help: "Real servers of the service by state: up takes new connections, overloaded is at its upper threshold, draining has weight 0 and connections left, down has weight 0 and none."},
			func(v *serviceView, _ *scrape, c *cells) {
				for st := range dataplane.NumStatus {
					c.gauge(c.labels(v.labels[0], statePairs[st]), float64(v.status[st]))
				}
			}),
		serviceGauge("lvs_service_up", "1 if a real server of the service is in service (its state is up or overloaded), else 0.",
			func(v *serviceView) float64 { return oneIf(v.status[dataplane.Up]+v.status[dataplane.Overloaded] > 0) }),
		eachService(MetricDoc{Name: "lvs_service_last_change_timestamp_seconds", Type: "gauge", Labels: []string{"service"},
			Help: "When the service's state, the best of its real servers', last changed, in seconds since the Unix epoch."},
			func(v *serviceView, _ *scrape, c *cells) {
				if !v.LastChange.IsZero() {
					c.gauge(v.labels[:], seconds(v.LastChange))
				}
			}),
		serviceCounter("lvs_service_state_changes_total", "Changes of the service's state, the best of its real servers'; being out of the table is a state.",
			func(v *serviceView) uint32 { return v.Changes }),
		serviceCounter("lvs_service_failures_total", "Times the service lost its last real server in service, or was removed while it had one and came back.",
			func(v *serviceView) uint32 { return v.Failures }),
		serviceGauge("lvs_service_peak_connections", "Most connections, active and inactive, that any sample saw the service have.",
			func(v *serviceView) float64 { return float64(v.Peak) }),
		eachService(MetricDoc{Name: "lvs_service_refused_connections_total", Type: "counter", Labels: []string{"service"},
			Help: "Connections that got no real server, where the dataplane tells; the kernel's IPVS does not."},
			func(v *serviceView, _ *scrape, c *cells) {
				if v.HasRefused {
					c.counter(v.labels[:], v.Refused, nil)
				}
			}),
		serviceGauge("lvs_service_weight", "Sum of the weights of the service's real servers.",
			func(v *serviceView) float64 { return float64(v.weight) }),
		eachService(MetricDoc{Name: "lvs_service_persistence_timeout_seconds", Type: "gauge", Labels: []string{"service"},
			Help: "How long a client stays with its real server, in seconds; 0 if the service is not persistent."},
			func(v *serviceView, _ *scrape, c *cells) {
				persistent := v.Flags&dataplane.FlagPersistent != 0
				switch {
				case !persistent:
					c.gauge(v.labels[:], 0)
				case v.Timeout > 0: // else the source could not tell
					c.gauge(v.labels[:], v.Timeout.Seconds())
				}
			}),
		serviceGauge("lvs_service_connections_active", "Active connections of the service's real servers now.",
			func(v *serviceView) float64 { return float64(v.active) }),
		serviceGauge("lvs_service_connections_inactive", "Inactive connections of the service's real servers now.",
			func(v *serviceView) float64 { return float64(v.inactive) }),
		eachService(MetricDoc{Name: "lvs_service_connections_persistent", Type: "gauge", Labels: []string{"service"},
			Help: "Persistence templates of the service's real servers now: clients that return to the same one."},
			func(v *serviceView, s *scrape, c *cells) {
				if !s.snap.Partial {
					c.gauge(v.labels[:], float64(v.persistent))
				}
			}),
	}
	for i, k := range counterKinds {
		out = append(out,
			eachService(MetricDoc{Name: "lvs_service_" + k.name + "_total", Type: "counter", Labels: []string{"service"}, Help: k.what + " of the service, continued over resets of the kernel's counter."},
				func(v *serviceView, s *scrape, c *cells) {
					if !s.snap.Partial {
						c.counter(v.labels[:], counterOf(&v.Total, i), v.created)
					}
				}),
			eachService(MetricDoc{Name: "lvs_service_kernel_" + k.name + "_per_second", Type: "gauge", Labels: []string{"service"}, Option: optionKernelRates, Help: rateHelp(k, "the service")},
				func(v *serviceView, s *scrape, c *cells) {
					if !s.snap.Partial {
						c.gauge(v.labels[:], float64(rateOf(&v.KernelRates, i)))
					}
				}))
	}
	return out
}

var (
	serviceInfoLabels = []string{"family", "flags", "fwmark", "persistence_engine", "persistence_netmask", "port", "protocol", "scheduler", "service", "vip"}
	statePairs        = fixedPairs("state", int(dataplane.NumStatus), func(i int) string { return dataplane.Status(i).String() })
	familyPairs       = fixedPairs("family", int(dataplane.INET6)+1, func(i int) string { return dataplane.Family(i).String() })
)

// fixedPairs are the pairs of a label that takes few values.
func fixedPairs(name string, n int, value func(int) string) []*dto.LabelPair {
	out := make([]*dto.LabelPair, n)
	for i := range out {
		v := value(i)
		out[i] = &dto.LabelPair{Name: &name, Value: &v}
	}
	return out
}

// emitServiceInfo leaves empty what the service does not have: a firewall mark
// has no address, and an address no mark.
func emitServiceInfo(v *serviceView, _ *scrape, c *cells) {
	var vip, port, protocol, mark, netmask string
	if v.Key.IsMark() {
		mark = strconv.FormatUint(uint64(v.Key.FWMark), 10)
	} else {
		vip, port = v.Key.VIP.Addr().String(), strconv.Itoa(int(v.Key.VIP.Port()))
		protocol = v.Key.Protocol.String()
	}
	if v.Flags&dataplane.FlagPersistent != 0 {
		netmask = v.Netmask.String()
	}
	name := serviceInfoLabels
	c.gauge(c.labels(
		familyPairs[min(int(v.Key.Family), len(familyPairs)-1)],
		c.label(&name[1], v.Flags.Configured().String()),
		c.label(&name[2], mark),
		c.label(&name[3], valid(v.PersistenceEngine)),
		c.label(&name[4], netmask),
		c.label(&name[5], port),
		c.label(&name[6], protocol),
		c.label(&name[7], valid(v.Scheduler)),
		v.labels[0],
		c.label(&name[9], vip),
	), 1)
}
