package exporter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/collector/snmp"
	"lvs/dataplane"
	"lvs/internal/config"
	"lvs/internal/ledger"
	"lvs/rrdstore"
)

// maxReaders is how many directors' tables are read at once, each of which takes
// sixty bytes for every variable meanwhile. More than these are far away, or very
// slow.
const maxReaders = 256

// startWithin is the time over which the first readings of a fleet are spread.
const startWithin = 10 * time.Second

// A fleet is the directors that are read all the time.
type fleet struct {
	members    []*member
	exposition *prom.Exposition
	slots      chan struct{} // of readings under way
}

// A member is a director of the fleet.
type member struct {
	config.FleetDirector
	source  *memberSource
	sampler *collector.Sampler
	ledger  *ledger.Ledger // nil without a store
	lacks   []string
	delay   time.Duration // before it is read for the first time
}

// newFleet puts the parts together; nothing runs yet.
func newFleet(cfg *config.Fleet, log *slog.Logger) (*fleet, error) {
	f := &fleet{slots: make(chan struct{}, maxReaders)}
	for i, d := range cfg.Directors {
		m, err := f.member(cfg, d, i, log.With("director", d.Name))
		if err != nil {
			return nil, fmt.Errorf("director %s: %w", d.Name, err)
		}
		f.members = append(f.members, m)
	}
	o := fleetOptions(cfg)
	o.Members, o.Process = f.show, newMetrics(f)
	var err error
	f.exposition, err = prom.New(o)
	return f, err
}

// member makes the i-th director of the file. Their readings are spread evenly
// over the interval.
func (f *fleet) member(cfg *config.Fleet, d config.FleetDirector, i int, log *slog.Logger) (*member, error) {
	poller, err := snmp.New(pollerConfig(cfg, d.Target, d.Auth, d.Module, f.slots))
	if err != nil {
		return nil, err
	}
	spread := func(over time.Duration) time.Duration {
		return over * time.Duration(i) / time.Duration(len(cfg.Directors))
	}
	m := &member{FleetDirector: d, source: newMemberSource(poller), lacks: lacks(d.Module, cfg.Auths[d.Auth].Version, false), delay: spread(min(d.Interval, startWithin))}
	sc := collector.Config{
		Interval: d.Interval, Offset: spread(d.Interval).Truncate(time.Millisecond), Source: m.source,
		Completed: d.Module == snmp.Director, Logger: log,
	}
	if cfg.Store.Path != "" {
		m.ledger = ledger.New(filepath.Join(cfg.Store.Path, d.Name), rrdstore.Options{
			Step: d.Interval, Retention: cfg.Store.Retention, Tiers: cfg.Store.Tiers.List(), MaxBytes: int64(cfg.Store.MaxSize),
			Forget: collector.DefaultForget, Logger: log,
		}, log, nil)
		sc.Ledger = m.ledger
	}
	m.sampler, err = collector.New(sc)
	return m, err
}

// pollerConfig is how a director is asked.
func pollerConfig(cfg *config.Fleet, target, auth string, module snmp.Module, slots chan struct{}) snmp.Config {
	return snmp.Config{Target: target, Auth: cfg.Auths[auth], Module: module, Timeout: cfg.Timeout, Retries: cfg.Retries, Slots: slots}
}

// run reads all directors until ctx ends.
func (f *fleet) run(ctx context.Context) error {
	errs := make([]error, len(f.members))
	var running sync.WaitGroup
	for i, m := range f.members {
		running.Go(func() { errs[i] = m.run(ctx) })
	}
	running.Wait()
	return errors.Join(errs...)
}

func (m *member) run(ctx context.Context) error {
	select {
	case <-time.After(m.delay):
	case <-ctx.Done():
		return nil
	}
	err := m.sampler.Run(ctx)
	if m.ledger != nil {
		err = errors.Join(err, m.ledger.Close())
	}
	return errors.Join(err, m.source.poller.Close())
}

// waiting counts the directors that were not asked yet.
func (f *fleet) waiting() (n int) {
	for _, m := range f.members {
		if m.source.stats().polls == 0 {
			n++
		}
	}
	return n
}

// show is the fleet as /metrics shows it.
func (f *fleet) show() []prom.Member {
	all := make([]prom.Member, len(f.members))
	for i, m := range f.members {
		s := m.sampler.Stats()
		all[i] = prom.Member{
			Director: m.Name, Snapshot: m.sampler.Latest(), Lacks: m.lacks,
			Up: s.Samples > 0 && !s.Failing && m.source.poller.Stats().Stale == "",
		}
		if m.Module == snmp.LVS {
			all[i].Resets = memberResets(&s)
		}
	}
	return all
}

func memberResets(s *collector.Stats) *prom.Resets {
	r := &prom.Resets{}
	for scope, counts := range map[prom.ResetScope]*dataplane.ResetCounts{
		prom.DirectorResets: &s.DirectorResets, prom.ServiceResets: &s.ServiceResets, prom.RealResets: &s.RealResets,
	} {
		for reason, n := range counts {
			r[scope][reason] = uint64(n)
		}
	}
	return r
}

// A memberSource is a poller that is left alone for a while when its director does
// not answer. It is the sampler's alone but for stats.
type memberSource struct {
	poller *snmp.Poller

	mu       sync.Mutex
	s        sourceStats
	failures int // in a row
	rest     int // readings still to be left out
	last     error
}

// sourceStats is how a source fares.
type sourceStats struct {
	polls, skipped uint64
	errors         map[string]uint64 // by snmp.Reason
	took           time.Duration     // by the last poll
}

func newMemberSource(p *snmp.Poller) *memberSource {
	return &memberSource{poller: p, s: sourceStats{errors: map[string]uint64{}}}
}

func (m *memberSource) stats() sourceStats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.s
	s.errors = make(map[string]uint64, len(m.s.errors))
	for reason, n := range m.s.errors {
		s.errors[reason] = n
	}
	return s
}

// maxRest is how many readings are left out at most, one after the other, of a
// director that does not answer.
const maxRest = 5

// Snapshot polls, unless the director did not answer for some time: then only now
// and again. See collector.Source.
func (m *memberSource) Snapshot(ctx context.Context) (*dataplane.Snapshot, error) {
	m.mu.Lock()
	if m.rest > 0 {
		m.rest--
		m.s.skipped++
		err := m.last
		m.mu.Unlock()
		return nil, err
	}
	m.mu.Unlock()
	began := time.Now()
	snap, err := m.poller.Snapshot(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.s.polls++
	m.s.took = time.Since(began)
	if err == nil {
		m.failures = 0
		return snap, nil
	}
	m.s.errors[snmp.Reason(err)]++
	m.failures++
	m.rest, m.last = min(m.failures-1, maxRest), err
	return nil, err
}

// fleetOptions are what both windows for Prometheus have in common.
func fleetOptions(cfg *config.Fleet) prom.Options {
	reals, _ := prom.ParseRealsMode(cmp.Or(cfg.Prometheus.Reals, prom.RealsAuto.String())) // checked by config
	return prom.Options{
		Reals: reals, RealsLimit: cfg.Prometheus.RealsLimit, KernelRates: cfg.Prometheus.KernelRates,
		NodeIPVS: cfg.Prometheus.Compat == "node-ipvs", BackendLabels: cfg.Prometheus.BackendLabels,
	}
}
