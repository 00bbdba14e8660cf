package exporter

import (
	"lvs/collector"
	"lvs/collector/prom"
	"lvs/collector/snmp"
	"lvs/dataplane"
)

// resets are those of its director: by the account of the director's agent or, where
// the MIB has none, as the sampler here saw them. Nil is not known.
func (m *member) resets(told *snmp.Resets, s *collector.Stats) *prom.Resets {
	if m.Module == snmp.LVS {
		told = &snmp.Resets{Director: s.DirectorResets, Services: s.ServiceResets, Reals: s.RealResets}
	}
	return resetsOf(told)
}

// resetsOf are resets as /metrics shows them; nil stays nil.
func resetsOf(told *snmp.Resets) *prom.Resets {
	if told == nil {
		return nil
	}
	r := &prom.Resets{}
	for scope, counts := range map[prom.ResetScope]*dataplane.ResetCounts{
		prom.DirectorResets: &told.Director, prom.ServiceResets: &told.Services, prom.RealResets: &told.Reals,
	} {
		for reason, n := range counts {
			r[scope][reason] = uint64(n)
		}
	}
	return r
}

// healthOf is what a director's agent tells of itself beside a snapshot; nil is nothing.
func healthOf(told *snmp.Agent, stale bool, snap *dataplane.Snapshot) *prom.Health {
	if told == nil || snap == nil {
		return nil
	}
	h := &prom.Health{
		SampleErrors: map[string]uint64{"read": told.SampleErrors},
		LateTicks:    told.LateTicks, SkippedTicks: told.SkippedTicks, Inconsistent: told.Inconsistent, Unnumbered: int(told.Unnumbered),
		Components: map[string]bool{"kernel": !stale && !snap.Partial},
	}
	if s := told.Store; s != nil {
		h.Components["store"] = s.Running
		h.Store = &prom.StoreHealth{Bytes: int64(s.Bytes), Limit: s.Limit, CommitErrors: s.CommitErrors, LateCommits: s.LateCommits}
	}
	return h
}
