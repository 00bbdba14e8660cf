package prom

import (
	"math"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// A Scope is a part of the metrics that a scrape can ask for.
type Scope string

// The scopes. Families of ScopeEvery are part of every scrape.
const (
	ScopeEvery    Scope = ""
	ScopeDirector Scope = "director"
	ScopeServices Scope = "services"
	ScopeReals    Scope = "reals"
	ScopeAgent    Scope = "agent"
	ScopeNodeIPVS Scope = "node-ipvs"
)

// scopes are those that can be asked for.
var scopes = []Scope{ScopeDirector, ScopeServices, ScopeReals, ScopeAgent, ScopeNodeIPVS}

// A MetricDoc describes one family of metrics.
type MetricDoc struct {
	Name   string
	Type   string   // "counter", "gauge" or "histogram"
	Labels []string // sorted by name
	Help   string
	Scope  Scope
	// OfMembers says that a fleet has it of its members: all but most of ScopeAgent,
	// of which a director's agent tells others little. See Member.Agent.
	OfMembers bool
	// Option is the flag that switches the family on; empty is always on.
	Option string
}

// The flags in MetricDoc.Option.
const (
	optionKernelRates = "--prometheus.kernel-rates"
	optionNodeIPVS    = "--prometheus.compat=node-ipvs"
)

// Descriptions lists every family this package can show, by name. The families
// of the process itself are not among them.
func Descriptions() []MetricDoc {
	all := families()
	docs := make([]MetricDoc, len(all))
	for i, f := range all {
		docs[i] = f.MetricDoc
	}
	return docs
}

// A family is a description and the function that emits its series.
type family struct {
	MetricDoc
	emit func(*scrape, *cells)
}

// toldOfAgents are the families of ScopeAgent that are shown of a Member's.
var toldOfAgents = []string{
	"lvs_agent_component_up", "lvs_agent_inconsistent_dumps_total", "lvs_agent_late_ticks_total", "lvs_agent_sample_errors_total",
	"lvs_agent_skipped_ticks_total", "lvs_agent_store_bytes", "lvs_agent_store_commit_errors_total", "lvs_agent_store_late_commits_total",
	"lvs_agent_store_limit_bytes", "lvs_agent_unnumbered_entries",
}

// ofFleet adds the label director, unless the family is the agent's alone.
func (f *family) ofFleet() {
	if f.OfMembers {
		at, _ := slices.BinarySearch(f.Labels, labelDirector)
		f.Labels = slices.Insert(slices.Clone(f.Labels), at, labelDirector)
	}
}

// families are all of them, sorted by name, as expositions list them.
func families() []family {
	all := slices.Concat(everyFamilies(), directorFamilies(), serviceFamilies(), realFamilies(), agentFamilies(), nodeFamilies())
	slices.SortFunc(all, func(a, b family) int { return strings.Compare(a.Name, b.Name) })
	for i := range all {
		all[i].OfMembers = all[i].Scope != ScopeAgent || slices.Contains(toldOfAgents, all[i].Name)
	}
	return all
}

// enabled says whether the options switch the family on.
func (f *family) enabled(o *Options) bool {
	switch f.Option {
	case optionKernelRates:
		return o.KernelRates
	case optionNodeIPVS:
		return o.NodeIPVS
	}
	return true
}

func (f *family) desc() *prometheus.Desc {
	return prometheus.NewDesc(f.Name, f.Help, f.Labels, nil)
}

var metricTypes = map[string]dto.MetricType{
	"counter": dto.MetricType_COUNTER, "gauge": dto.MetricType_GAUGE, "histogram": dto.MetricType_HISTOGRAM,
}

// fill lets the family emit into c for all directors, or for the agent, and
// returns what came of it, valid until c is used again.
func (f *family) fill(m *scrapeMemory, c *cells) *dto.MetricFamily {
	mf, _ := f.fillFrom(0, math.MaxInt, m, c)
	return mf
}

// fillFrom is fill for the members from first on, up to the one that makes it that
// many series or more; next is the one after it.
func (f *family) fillFrom(first, series int, m *scrapeMemory, c *cells) (mf *dto.MetricFamily, next int) {
	c.reset()
	c.at, _ = slices.BinarySearch(f.Labels, labelDirector)
	next = first
	if f.Scope == ScopeAgent && first == 0 {
		f.emit(&m.own, c)
	}
	if !f.OfMembers {
		next = len(m.members)
	}
	for ; next < len(m.members) && c.count < series; next++ {
		if s := m.members[next]; s.shows(f) {
			c.director = s.director
			f.emit(s, c)
		}
	}
	c.family.Name, c.family.Help, c.family.Type = &f.Name, &f.Help, metricTypes[f.Type].Enum()
	return &c.family, next
}

// names of labels, shared by all pairs.
var (
	labelService  = "service"
	labelReal     = "real"
	labelDirector = "director"
)

// A counterKind is one of the five counters that director, services and real
// servers have alike.
type counterKind struct {
	name, what, unit string
}

var counterKinds = [5]counterKind{
	{"connections", "Connections", "connections"},
	{"incoming_packets", "Packets from clients", "packets"},
	{"outgoing_packets", "Packets to clients", "packets"},
	{"incoming_bytes", "Bytes from clients", "bytes"},
	{"outgoing_bytes", "Bytes to clients", "bytes"},
}
