package agent

import (
	"lvs/collector/prom"
	snmpagent "lvs/mib/agent"
	"lvs/mib/notify"
)

// health is how SNMP fares, for /metrics.
func (w *snmpWindow) health(h *prom.Health) {
	if w.subagent != nil {
		s := w.subagent.Stats()
		h.Components["agentx"] = s.Connected
		h.AgentX = &prom.AgentXHealth{Connected: s.Connected, Reconnects: s.Reconnects,
			Malformed: s.Malformed, Refused: s.DuplicateRegistrations, Requests: map[prom.AgentXRequest]uint64{}}
		for r, n := range s.Requests {
			h.AgentX.Requests[prom.AgentXRequest{PDU: r.Type.String(), Result: r.Error.Error()}] += n
		}
	}
	if w.box != nil {
		h.SNMP = boxHealth(w.box.Stats())
	}
	h.Notify = map[string]prom.NotifyHealth{}
	for target, s := range w.queue.Stats() {
		h.Notify[target] = targetHealth(s)
	}
}

func boxHealth(s snmpagent.Stats) *prom.SNMPHealth {
	return &prom.SNMPHealth{
		Requests: map[string]uint64{"1": s.V1, "2c": s.V2c, "3": s.V3},
		Dropped: map[string]uint64{
			"community": s.BadCommunities, "malformed": s.Malformed, "misdirected": s.Misdirected, "no_request": s.NotRequests, "rate": s.RateLimited,
			"replay": s.Replays, "security": s.BadSecurity, "send": s.SendErrors, "size": s.SilentDrops, "version": s.BadVersions,
		},
		Variables: s.Variables, Written: s.Written,
	}
}

func targetHealth(s notify.Stats) prom.NotifyHealth {
	return prom.NotifyHealth{Waiting: s.Waiting, Sent: s.Sent, Lost: map[string]uint64{
		"aged": s.Aged, "coalesced": s.Coalesced, "full": s.Full, "refused": s.Refused,
		"stopped": s.Stopped, "suppressed": s.Suppressed, "unknown": s.Unknown,
	}}
}
