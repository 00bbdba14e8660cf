package prom

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// An Exposition shows the latest snapshot, or those of a fleet, as Prometheus
// metrics: as an http.Handler, which is how the agent serves it, as a
// prometheus.Gatherer, and as a prometheus.Collector for a registry of somebody
// else's. It is safe for concurrent use.
type Exposition struct {
	opts      Options
	families  []family // those switched on, by name
	began     time.Time
	scrapes   sync.Pool     // of *scrapeMemory
	slots     chan struct{} // bounds scrapes at once, and so their memory
	processed atomic.Uint64 // scrapes without the process's own metrics
	written   atomic.Uint64 // scrapes cut short
}

// scrapeErrors counts scrapes that went wrong.
type scrapeErrors struct{ process, write uint64 }

// scrapeMemory is what a scrape works in.
type scrapeMemory struct {
	own     scrape    // of the agent itself
	members []*scrape // of the directors, those of earlier scrapes up to its capacity
	cells   cells
}

// New makes an Exposition; an error names every option that cannot be.
func New(o Options) (*Exposition, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("prometheus: %w", err)
	}
	e := &Exposition{opts: o, began: time.Now(), slots: make(chan struct{}, maxScrapes)}
	e.opts.BackendLabels = slices.Clone(o.BackendLabels)
	e.opts.Foreign = slices.Clone(o.Foreign)
	if o.Members != nil {
		e.slots = make(chan struct{}, maxFleetScrapes)
	}
	for _, f := range families() {
		if f.enabled(&o) {
			if f.Scope == ScopeNodeIPVS && len(f.Labels) > 0 && o.BackendLabels != nil {
				f.Labels = slices.DeleteFunc(slices.Clone(f.Labels), func(l string) bool { return !slices.Contains(o.BackendLabels, l) })
			}
			if o.Members != nil {
				f.ofFleet()
			}
			e.families = append(e.families, f)
		}
	}
	e.scrapes.New = func() any { return new(scrapeMemory) }
	return e, nil
}

// load begins a scrape of the latest of everything.
func (e *Exposition) load(m *scrapeMemory, f *filter) {
	if e.opts.Members != nil {
		e.loadMembers(m, e.opts.Members(), f)
		return
	}
	snap := e.opts.Snapshot()
	m.own.load(&e.opts, e.began, e.errors())
	one := Member{Snapshot: snap, Up: snap != nil}
	if m.own.told {
		one.Up, one.Resets = m.own.health.Up, &m.own.health.Resets
	}
	m.members = m.members[:0]
	e.loadMember(m, &one, f)
}

// loadMembers begins a scrape of these; of those with one name, the first only.
func (e *Exposition) loadMembers(m *scrapeMemory, members []Member, f *filter) {
	m.own.load(&e.opts, e.began, e.errors())
	m.members = m.members[:0]
	seen := make(map[string]bool, len(members))
	for i := range members {
		name := valid(members[i].Director)
		if seen[name] || !f.director(name) {
			continue
		}
		seen[name] = true
		e.loadMember(m, &members[i], f)
	}
}

func (e *Exposition) loadMember(m *scrapeMemory, of *Member, f *filter) {
	n := len(m.members)
	m.members = slices.Grow(m.members, 1)[:n+1]
	if m.members[n] == nil {
		m.members[n] = new(scrape)
	}
	s := m.members[n]
	s.loadMember(&m.own, of, f)
	if s.showReals {
		return
	}
	dry := cells{dry: true}
	for i := range e.families {
		if e.families[i].Scope == ScopeReals && !slices.Contains(s.lacks, e.families[i].Name) {
			e.families[i].emit(s, &dry)
		}
	}
	s.suppressed = uint64(dry.count)
}

func (e *Exposition) errors() scrapeErrors {
	return scrapeErrors{process: e.processed.Load(), write: e.written.Load()}
}

// release forgets the snapshots.
func (m *scrapeMemory) release() {
	m.own.release()
	for _, s := range m.members {
		s.release()
	}
}

// asks says whether the family is asked for.
func (want *filter) asks(f *family) bool { return want.scope(f.Scope) && want.family(f.Name) }

// shows says whether the family is to be emitted, if it is asked for.
func (s *scrape) shows(f *family) bool {
	switch {
	case f.Scope == ScopeReals && !s.showReals, f.Scope == ScopeAgent && !s.told:
		return false
	}
	return !slices.Contains(s.lacks, f.Name)
}

// Gather returns all families, by name; see prometheus.Gatherer. What it returns
// is the caller's.
func (e *Exposition) Gather() ([]*dto.MetricFamily, error) {
	var all []*dto.MetricFamily
	m := new(scrapeMemory)
	want := new(filter)
	e.load(m, want)
	for i := range e.families {
		if mf := e.families[i].fill(m, new(cells)); len(mf.Metric) > 0 {
			all = append(all, mf)
		}
	}
	process, err := e.process(want)
	all = append(all, process...)
	slices.SortFunc(all, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return all, err
}

// process gathers the process's own families. None of them may have a name of ours.
func (e *Exposition) process(want *filter) ([]*dto.MetricFamily, error) {
	if e.opts.Process == nil || !want.scope(ScopeAgent) {
		return nil, nil
	}
	all, err := e.opts.Process.Gather()
	if err != nil {
		e.processed.Add(1)
		err = fmt.Errorf("prometheus: gather process metrics: %w", err)
	}
	return slices.DeleteFunc(slices.Clone(all), func(mf *dto.MetricFamily) bool {
		n := mf.GetName()
		ours := strings.HasPrefix(n, "lvs_") && !strings.HasPrefix(n, "lvs_exporter_") || strings.HasPrefix(n, "node_ipvs_")
		return ours || !want.family(n) || len(mf.Metric) == 0
	}), err
}

// Describe sends the families that may be collected; see prometheus.Collector.
func (e *Exposition) Describe(ch chan<- *prometheus.Desc) {
	for i := range e.families {
		ch <- e.families[i].desc()
	}
}

// Collect sends all series but the process's own; see prometheus.Collector.
func (e *Exposition) Collect(ch chan<- prometheus.Metric) {
	mem := new(scrapeMemory)
	e.load(mem, new(filter))
	for i := range e.families {
		f := &e.families[i]
		desc := f.desc()
		for _, m := range f.fill(mem, new(cells)).Metric {
			ch <- collected{desc, m}
		}
	}
}

// A collected series is one that is ready made.
type collected struct {
	desc *prometheus.Desc
	m    *dto.Metric
}

// Desc describes the family.
func (c collected) Desc() *prometheus.Desc { return c.desc }

// Write copies the series.
func (c collected) Write(m *dto.Metric) error {
	m.Label, m.Gauge, m.Counter, m.Histogram = c.m.Label, c.m.Gauge, c.m.Counter, c.m.Histogram
	return nil
}
