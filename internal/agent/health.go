package agent

import (
	"github.com/prometheus/common/version"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/dataplane"
)

// health is what the agent knows of itself now, for /metrics.
func (a *agent) health() prom.Health {
	s := a.sampler.Stats()
	h := prom.Health{
		Version: version.Version, Revision: version.GetRevision(), Up: s.Samples > 0 && !s.Failing, Interval: a.sampler.Interval(),
		SampleErrors: map[string]uint64{"read": s.SourceErrors},
		DumpRetries:  s.Retries, Inconsistent: s.Inconsistent, LateTicks: s.Late, SkippedTicks: s.Skipped, ClockSteps: s.ClockSteps, Unnumbered: s.Unnumbered,
		Resets:     resets(&s),
		Components: map[string]bool{"kernel": !s.Failing && !a.partial()},
		Sinks:      map[string]prom.SinkHealth{},
	}
	for name, k := range s.Sinks {
		h.Sinks[name] = prom.SinkHealth{Dropped: k.Dropped, Errors: k.Errors}
	}
	if a.ledger != nil {
		a.storeHealth(&h, s.Ledger)
	}
	if a.snmp != nil {
		a.snmp.health(&h)
	}
	if a.flags.configFile != "" {
		a.mu.Lock()
		h.Config = &prom.ConfigHealth{ReloadOK: a.reloadErr == nil, LoadedAt: a.loadedAt}
		a.mu.Unlock()
	}
	a.directorHealth(&h)
	return h
}

// partial reports whether the latest sample lacks what only a privileged reader
// is told.
func (a *agent) partial() bool {
	snap := a.sampler.Latest()
	return snap != nil && snap.Partial
}

func (a *agent) storeHealth(h *prom.Health, s collector.LedgerStats) {
	h.Components["store"] = !s.Failing && !s.Behind
	h.Store = &prom.StoreHealth{Limit: a.settings.maxSize, CommitErrors: s.Errors + s.RecallErrors + s.Dropped, LateCommits: s.Late}
	if stats := a.ledger.Stats(); stats != nil {
		h.Store.Bytes, h.Store.Damaged, h.Store.PutAside = stats.Bytes, stats.Damaged, stats.Aside != ""
	}
}

func resets(s *collector.Stats) (r prom.Resets) {
	for scope, counts := range map[prom.ResetScope]*dataplane.ResetCounts{
		prom.DirectorResets: &s.DirectorResets, prom.ServiceResets: &s.ServiceResets, prom.RealResets: &s.RealResets,
	} {
		for reason, n := range counts {
			r[scope][reason] = uint64(n)
		}
	}
	return r
}
