package prom

import (
	"cmp"
	"iter"
	"maps"
	"runtime"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Label names of the agent's families.
var (
	labelComponent = "component"
	labelGoVersion = "goversion"
	labelKind      = "kind"
	labelPDU       = "pdu"
	labelResult    = "result"
	labelRevision  = "revision"
	labelSink      = "sink"
	labelStage     = "stage"
)

// agentGauge is a gauge without labels, absent where it is not known.
func agentGauge(name, help string, value func(h *Health) (v float64, known bool)) family {
	return family{MetricDoc{Name: name, Type: "gauge", Scope: ScopeAgent, Help: help}, func(s *scrape, c *cells) {
		if v, known := value(&s.health); known && s.told {
			c.gauge(nil, v)
		}
	}}
}

// agentCounter is a counter without labels, absent where it is not known.
func agentCounter(name, help string, value func(h *Health) (n uint64, known bool)) family {
	return family{MetricDoc{Name: name, Type: "counter", Scope: ScopeAgent, Help: help}, func(s *scrape, c *cells) {
		if n, known := value(&s.health); known && s.told {
			c.counter(nil, n, nil)
		}
	}}
}

// agentCounters is a counter with one label.
func agentCounters(name, help string, label *string, values func(s *scrape) iter.Seq2[string, uint64]) family {
	return family{MetricDoc{Name: name, Type: "counter", Labels: []string{*label}, Scope: ScopeAgent, Help: help}, func(s *scrape, c *cells) {
		for l, n := range values(s) {
			c.counter(c.labels(c.label(label, valid(l))), n, nil)
		}
	}}
}

func agentHistogram(name, help string, of func(o *Options) prometheus.Histogram) family {
	return family{MetricDoc{Name: name, Type: "histogram", Scope: ScopeAgent, Help: help},
		func(s *scrape, c *cells) { c.histogram(of(s.opts)) }}
}

func agentFamilies() []family {
	return slices.Concat(samplingFamilies(), windowFamilies(), snmpFamilies(), runningFamilies())
}

// samplingFamilies tell how reading the kernel goes.
func samplingFamilies() []family {
	return []family{
		{MetricDoc{Name: "lvs_agent_build_info", Type: "gauge", Labels: []string{"goversion", "revision", "version"}, Scope: ScopeAgent,
			Help: "Always 1; the labels say how the agent was built."}, func(s *scrape, c *cells) {
			if !s.told {
				return
			}
			c.gauge(c.labels(c.label(&labelGoVersion, runtime.Version()), c.label(&labelRevision, valid(s.health.Revision)), c.label(&labelVersion, valid(s.health.Version))), 1)
		}},
		agentGauge("lvs_agent_sample_interval_seconds", "Interval between samples, in seconds.",
			func(h *Health) (float64, bool) { return h.Interval.Seconds(), h.Interval != 0 }),
		agentHistogram("lvs_agent_sample_duration_seconds", "How long reading the kernel's table took, in seconds.",
			func(o *Options) prometheus.Histogram { return o.SampleDurations }),
		agentCounters("lvs_agent_sample_errors_total", "Samples that failed, by stage.", &labelStage,
			func(s *scrape) iter.Seq2[string, uint64] { return sorted(s.health.SampleErrors) }),
		agentCounter("lvs_agent_dump_retries_total", "Tables read again because they changed while they were read.",
			func(h *Health) (uint64, bool) { return h.DumpRetries, true }),
		agentCounter("lvs_agent_inconsistent_dumps_total", "Tables that still changed after the last try; an entry may be missing from that sample.",
			func(h *Health) (uint64, bool) { return h.Inconsistent, true }),
		agentCounter("lvs_agent_late_ticks_total", "Samples that began late.",
			func(h *Health) (uint64, bool) { return h.LateTicks, true }),
		agentCounter("lvs_agent_skipped_ticks_total", "Samples left out.",
			func(h *Health) (uint64, bool) { return h.SkippedTicks, true }),
		agentCounter("lvs_agent_clock_steps_total", "Times the wall clock was set, forward or back.",
			func(h *Health) (uint64, bool) { return h.ClockSteps, true }),
		agentGauge("lvs_agent_unnumbered_entries", "Services and real servers without a row number, which SNMP and history therefore lack.",
			func(h *Health) (float64, bool) { return float64(h.Unnumbered), true }),
		agentCounters("lvs_agent_scrape_errors_total", "Scrapes that went wrong, by stage: process lacks the process's own metrics, write was cut short.", &labelStage,
			func(s *scrape) iter.Seq2[string, uint64] {
				return func(yield func(string, uint64) bool) {
					_ = yield("process", s.errors.process) && yield("write", s.errors.write)
				}
			}),
	}
}

// windowFamilies tell how what was read reaches sinks, store and SNMP.
func windowFamilies() []family {
	return []family{
		agentCounters("lvs_agent_sink_dropped_total", "Samples that a sink was too slow for.", &labelSink, func(s *scrape) iter.Seq2[string, uint64] {
			return sinks(s, func(k SinkHealth) uint64 { return k.Dropped })
		}),
		agentCounters("lvs_agent_sink_errors_total", "Samples that a sink refused.", &labelSink, func(s *scrape) iter.Seq2[string, uint64] {
			return sinks(s, func(k SinkHealth) uint64 { return k.Errors })
		}),
		agentGauge("lvs_agent_store_bytes", "Size of the store on disk, in bytes.",
			ofStore(func(h *StoreHealth) float64 { return float64(h.Bytes) })),
		agentGauge("lvs_agent_store_limit_bytes", "Size on disk that the store keeps within, in bytes, by keeping less where it must.",
			func(h *Health) (float64, bool) {
				if h.Store == nil || h.Store.Limit == 0 {
					return 0, false
				}
				return float64(h.Store.Limit), true
			}),
		agentGauge("lvs_agent_store_damaged_records", "Records of the store found damaged, and left out, when it was opened.",
			ofStore(func(h *StoreHealth) float64 { return float64(h.Damaged) })),
		agentGauge("lvs_agent_store_put_aside", "1 if the store was found damaged, put aside as head.db.damaged-TIME or arch.db.damaged-TIME and begun anew since the agent started, else 0.",
			ofStore(func(h *StoreHealth) float64 { return oneIf(h.PutAside) })),
		agentHistogram("lvs_agent_store_commit_duration_seconds", "How long it took until a sample was durable, in seconds.",
			func(o *Options) prometheus.Histogram { return o.CommitDurations }),
		agentCounter("lvs_agent_store_commit_errors_total", "Samples the store could not write.",
			ofStore(func(h *StoreHealth) uint64 { return h.CommitErrors })),
		agentCounter("lvs_agent_store_late_commits_total", "Samples shown before they were durable.",
			ofStore(func(h *StoreHealth) uint64 { return h.LateCommits })),
		agentGauge("lvs_agent_agentx_connected", "1 if the SNMP subagent has a session with its master agent, else 0.",
			ofAgentX(func(h *AgentXHealth) float64 { return oneIf(h.Connected) })),
		agentCounter("lvs_agent_agentx_malformed_total", "PDUs from the SNMP master agent that made no sense.",
			ofAgentX(func(h *AgentXHealth) uint64 { return h.Malformed })),
		agentCounter("lvs_agent_agentx_reconnects_total", "Sessions with the SNMP master agent opened after the first.",
			ofAgentX(func(h *AgentXHealth) uint64 { return h.Reconnects })),
		agentCounter("lvs_agent_agentx_refused_total", "Registrations that the SNMP master agent refused because another subagent has the subtree.",
			ofAgentX(func(h *AgentXHealth) uint64 { return h.Refused })),
		{MetricDoc{Name: "lvs_agent_agentx_requests_total", Type: "counter", Labels: []string{"pdu", "result"}, Scope: ScopeAgent,
			Help: "Requests of the SNMP master agent, by PDU and what they were answered with."}, emitAgentXRequests},
	}
}

// runningFamilies tell what works, and how the director follows its configuration.
func runningFamilies() []family {
	changes := func(s *scrape) iter.Seq2[string, uint64] {
		return func(yield func(string, uint64) bool) {
			if d := s.health.Director; d != nil {
				_ = yield("failed", d.Failures) && yield("ok", d.Changes)
			}
		}
	}
	return []family{
		{MetricDoc{Name: "lvs_agent_component_up", Type: "gauge", Labels: []string{"component"}, Scope: ScopeAgent,
			Help: "1 for each part of the agent that works, 0 for one that does not; the others go on meanwhile."}, func(s *scrape, c *cells) {
			for name, up := range sorted(s.health.Components) {
				c.gauge(c.labels(c.label(&labelComponent, valid(name))), oneIf(up))
			}
		}},
		agentGauge("lvs_agent_config_last_reload_successful", "1 if the configuration file was taken over when last read, 0 if it was refused and the previous one stays.",
			ofConfig(func(h *ConfigHealth) float64 { return oneIf(h.ReloadOK) })),
		agentGauge("lvs_agent_config_last_reload_success_timestamp_seconds", "When a configuration was last taken over, in seconds since the Unix epoch.",
			ofConfig(func(h *ConfigHealth) float64 { return seconds(h.LoadedAt) })),
		{MetricDoc{Name: "lvs_agent_drift_entries", Type: "gauge", Labels: []string{"kind"}, Scope: ScopeAgent,
			Help: "Differences between configuration and table that somebody else made, by kind."}, func(s *scrape, c *cells) {
			if s.health.Director == nil {
				return
			}
			for kind, n := range sorted(s.health.Director.Drift) {
				c.gauge(c.labels(c.label(&labelKind, valid(kind))), float64(n))
			}
		}},
		agentCounters("lvs_agent_changes_total", "Changes made to the kernel's table by configuration, by result: ok or failed.", &labelResult, changes),
	}
}

func emitAgentXRequests(s *scrape, c *cells) {
	if s.health.AgentX == nil {
		return
	}
	requests := s.health.AgentX.Requests
	for _, r := range slices.SortedFunc(maps.Keys(requests), func(a, b AgentXRequest) int {
		return cmp.Or(cmp.Compare(a.PDU, b.PDU), cmp.Compare(a.Result, b.Result))
	}) {
		c.counter(c.labels(c.label(&labelPDU, valid(r.PDU)), c.label(&labelResult, valid(r.Result))), requests[r], nil)
	}
}

// of tells a value of a part of the agent, unknown where there is no such part.
func of[P, V any](part func(*Health) *P, value func(*P) V) func(*Health) (V, bool) {
	return func(h *Health) (v V, known bool) {
		p := part(h)
		if p == nil {
			return v, false
		}
		return value(p), true
	}
}

func ofStore[V any](value func(*StoreHealth) V) func(*Health) (V, bool) {
	return of(func(h *Health) *StoreHealth { return h.Store }, value)
}

func ofAgentX[V any](value func(*AgentXHealth) V) func(*Health) (V, bool) {
	return of(func(h *Health) *AgentXHealth { return h.AgentX }, value)
}

func ofConfig[V any](value func(*ConfigHealth) V) func(*Health) (V, bool) {
	return of(func(h *Health) *ConfigHealth { return h.Config }, value)
}

// sorted yields the entries of m in the order of their keys.
func sorted[V any](m map[string]V) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

func sinks(s *scrape, value func(SinkHealth) uint64) iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		for name, k := range sorted(s.health.Sinks) {
			if !yield(name, value(k)) {
				return
			}
		}
	}
}
