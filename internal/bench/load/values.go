package load

import "lvs/dataplane"

// Sources are what is kept of an entity by all who are measured; the first
// Counters of them only grow.
var Sources = [8]string{"connections", "in_packets", "out_packets", "in_bytes", "out_bytes", "active", "inactive", "weight"}

// Counters is how many of the Sources are counters; the others are gauges.
const Counters = 5

// Values are the values of one entity, in the order of Sources.
type Values [len(Sources)]uint64

// Each calls f for every entity in an order that stays: the director, then each
// service and its real servers. Gauges of services are sums over those.
func Each(s *dataplane.Snapshot, f func(i int, v Values)) {
	n := 0
	next := func(c *dataplane.Counters, active, inactive, weight uint64) {
		f(n, Values{c.Connections, c.InPackets, c.OutPackets, c.InBytes, c.OutBytes, active, inactive, weight})
		n++
	}
	next(&s.Director.Total, s.Director.Connections, 0, 0)
	for i := range s.Services {
		svc := &s.Services[i]
		var active, inactive, weight uint64
		for j := range svc.Reals {
			r := &svc.Reals[j]
			active, inactive, weight = active+uint64(r.Active), inactive+uint64(r.Inactive), weight+uint64(r.Weight)
		}
		next(&svc.Total, active, inactive, weight)
		for j := range svc.Reals {
			r := &svc.Reals[j]
			next(&r.Total, uint64(r.Active), uint64(r.Inactive), uint64(r.Weight))
		}
	}
}
