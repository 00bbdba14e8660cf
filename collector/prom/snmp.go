package prom

import (
	"cmp"
	"iter"
	"maps"
	"slices"
)

// SNMPHealth describes the agent in the box.
type SNMPHealth struct {
	// Requests counts those of managers who may ask, by SNMP version: "1", "2c", "3".
	Requests map[string]uint64
	// Dropped counts datagrams that were not answered, by reason.
	Dropped   map[string]uint64
	Variables uint64 // handed out
	Written   uint64 // variables set
}

// NotifyHealth describes how notifications reach one target.
type NotifyHealth struct {
	Waiting int // kept for the target now
	Sent    uint64
	// Lost counts those that did not reach it, by reason.
	Lost map[string]uint64
}

var labelTarget = "target"

// snmpFamilies tell how SNMP without a master agent, and notifications, fare.
func snmpFamilies() []family {
	return []family{
		agentCounters("lvs_agent_snmp_requests_total", "Requests that the agent in the box answered, by SNMP version.", &labelVersion,
			ofSNMP(func(h *SNMPHealth) map[string]uint64 { return h.Requests })),
		agentCounters("lvs_agent_snmp_dropped_total", "Datagrams that the agent in the box did not answer, by reason.", &labelReason,
			ofSNMP(func(h *SNMPHealth) map[string]uint64 { return h.Dropped })),
		agentCounter("lvs_agent_snmp_variables_total", "Variables that the agent in the box handed out.",
			of(func(h *Health) *SNMPHealth { return h.SNMP }, func(h *SNMPHealth) uint64 { return h.Variables })),
		agentCounter("lvs_agent_snmp_written_total", "Variables that managers set by way of the agent in the box.",
			of(func(h *Health) *SNMPHealth { return h.SNMP }, func(h *SNMPHealth) uint64 { return h.Written })),
		agentCounters("lvs_agent_notifications_sent_total", "Notifications that a target took: the SNMP master agent, or a manager.", &labelTarget,
			func(s *scrape) iter.Seq2[string, uint64] {
				return func(yield func(string, uint64) bool) {
					for target, h := range sorted(s.health.Notify) {
						if !yield(target, h.Sent) {
							return
						}
					}
				}
			}),
		{MetricDoc{Name: "lvs_agent_notifications_lost_total", Type: "counter", Labels: []string{"reason", "target"}, Scope: ScopeAgent,
			Help: "Notifications that did not reach a target, by reason; coalesced ones were replaced by a later one of the same subject, suppressed ones came while notifications were switched off."}, emitLost},
		{MetricDoc{Name: "lvs_agent_notifications_waiting", Type: "gauge", Labels: []string{"target"}, Scope: ScopeAgent,
			Help: "Notifications kept for a target that is away or has too many."}, func(s *scrape, c *cells) {
			for target, h := range sorted(s.health.Notify) {
				c.gauge(c.labels(c.label(&labelTarget, valid(target))), float64(h.Waiting))
			}
		}},
	}
}

func emitLost(s *scrape, c *cells) {
	type series struct{ reason, target string }
	lost := map[series]uint64{}
	for target, h := range s.health.Notify {
		for reason, n := range h.Lost {
			lost[series{reason, target}] = n
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(lost), func(a, b series) int {
		return cmp.Or(cmp.Compare(a.reason, b.reason), cmp.Compare(a.target, b.target))
	}) {
		c.counter(c.labels(c.label(&labelReason, valid(k.reason)), c.label(&labelTarget, valid(k.target))), lost[k], nil)
	}
}

// ofSNMP tells counts of the agent in the box, none where it is off.
func ofSNMP(counts func(*SNMPHealth) map[string]uint64) func(*scrape) iter.Seq2[string, uint64] {
	return func(s *scrape) iter.Seq2[string, uint64] {
		if s.health.SNMP == nil {
			return func(func(string, uint64) bool) {}
		}
		return sorted(counts(s.health.SNMP))
	}
}
