package exporter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/collector/snmp"
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
	log        *slog.Logger
	slots      chan struct{} // of readings under way
	exposition atomic.Pointer[prom.Exposition]
	process    metrics
	loading    loading

	mu      sync.Mutex
	running bool
	members []*member // by rising name
	leaving []*member // of an earlier configuration, which may not have ended yet
}

// newFleet puts the parts together; nothing runs yet.
func newFleet(cfg *config.Fleet, log *slog.Logger) (*fleet, error) {
	f := &fleet{log: log, slots: make(chan struct{}, maxReaders)}
	f.process = newMetrics(f)
	f.loading.note(nil)
	show, err := f.exposes(cfg)
	if err != nil {
		return nil, err
	}
	f.exposition.Store(show)
	f.members, err = f.plan(cfg)
	return f, err
}

// exposes makes /metrics as a configuration wants it.
func (f *fleet) exposes(cfg *config.Fleet) (*prom.Exposition, error) {
	o := fleetOptions(cfg)
	o.Members, o.Process = f.show, f.process
	return prom.New(o)
}

// plan makes the members of a configuration: those that there are already, where
// nothing changed that concerns them, and new ones, which are not run yet.
func (f *fleet) plan(cfg *config.Fleet) ([]*member, error) {
	have := map[spec]*member{}
	for _, m := range f.list() {
		have[m.spec] = m
	}
	var next []*member
	for i, d := range cfg.Directors {
		m := have[specOf(cfg, d)]
		if m == nil {
			var err error
			if m, err = f.member(cfg, d, i, f.log.With("director", d.Name)); err != nil {
				return nil, fmt.Errorf("director %s: %w", d.Name, err)
			}
		}
		next = append(next, m)
	}
	return next, nil
}

// list are the members now.
func (f *fleet) list() []*member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.members
}

// member makes the i-th director of the file. Their readings are spread evenly
// over the interval.
func (f *fleet) member(cfg *config.Fleet, d config.FleetDirector, i int, log *slog.Logger) (*member, error) {
	poller, err := snmp.New(pollerConfig(cfg, d.Target, d.Auth, d.Module, f.slots))
	if err != nil {
		return nil, err
	}
	m := &member{spec: specOf(cfg, d), source: newMemberSource(poller), lacks: lacks(d.Module, cfg.Auths[d.Auth].Version, false), delay: spread(min(d.Interval, startWithin), i, len(cfg.Directors))}
	sc := collector.Config{
		Interval: d.Interval, Offset: spread(d.Interval, i, len(cfg.Directors)).Truncate(time.Millisecond), Source: m.source,
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

// spread is the i-th of n times that are spread evenly.
func spread(over time.Duration, i, n int) time.Duration {
	return over * time.Duration(i) / time.Duration(n)
}

// pollerConfig is how a director is asked.
func pollerConfig(cfg *config.Fleet, target, auth string, module snmp.Module, slots chan struct{}) snmp.Config {
	return snmp.Config{Target: target, Auth: cfg.Auths[auth], Module: module, Timeout: cfg.Timeout, Retries: cfg.Retries, Slots: slots}
}

// run reads all directors until ctx ends.
func (f *fleet) run(ctx context.Context) error {
	f.mu.Lock()
	f.running = true
	for _, m := range f.members {
		m.start(nil)
	}
	f.mu.Unlock()
	<-ctx.Done()
	f.mu.Lock()
	f.running = false
	all := append(f.members[:len(f.members):len(f.members)], f.leaving...)
	f.mu.Unlock()
	for _, m := range all {
		m.stop()
	}
	var err error
	for _, m := range all {
		<-m.done
		err = errors.Join(err, m.err)
	}
	return err
}

// set makes next, which was planned, the members of a fleet, and returns how many
// stay. Those which are in it no more end in their own time; who has the name of
// one, and so its store, begins after that.
func (f *fleet) set(next []*member) (stay int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.members
	f.members = next
	if !f.running {
		return 0
	}
	f.leaving = slices.DeleteFunc(f.leaving, (*member).ended)
	names := map[string]*member{}
	for _, m := range f.leaving {
		names[m.Name] = m
	}
	for _, m := range before {
		if slices.Contains(next, m) {
			stay++
			continue
		}
		m.stop()
		f.leaving = append(f.leaving, m)
		names[m.Name] = m
	}
	var fresh []*member
	for _, m := range next {
		if m.stop == nil {
			fresh = append(fresh, m)
		}
	}
	for i, m := range fresh {
		m.later, m.delay = true, spread(min(m.Interval, startWithin), i, len(fresh))
		m.start(names[m.Name])
	}
	return stay
}

// waiting counts the directors that were not asked yet, of those that there were
// at the start.
func (f *fleet) waiting() (n int) {
	for _, m := range f.list() {
		if !m.later && m.source.stats().polls == 0 {
			n++
		}
	}
	return n
}

// show is the fleet as /metrics shows it.
func (f *fleet) show() []prom.Member {
	members := f.list()
	all := make([]prom.Member, len(members))
	for i, m := range members {
		s, polled := m.sampler.Stats(), m.source.poller.Stats()
		snap := m.sampler.Latest()
		all[i] = prom.Member{
			Director: m.Name, Snapshot: snap, Lacks: m.lacks,
			Up:     s.Samples > 0 && !s.Failing && polled.Stale == "",
			Resets: m.resets(polled.Resets, &s),
			Agent:  healthOf(polled.Agent, polled.Stale != "", snap),
		}
	}
	return all
}

// fleetOptions are what both windows for Prometheus have in common.
func fleetOptions(cfg *config.Fleet) prom.Options {
	reals, _ := prom.ParseRealsMode(cmp.Or(cfg.Prometheus.Reals, prom.RealsAuto.String())) // checked by config
	return prom.Options{
		Reals: reals, RealsLimit: cfg.Prometheus.RealsLimit, KernelRates: cfg.Prometheus.KernelRates,
		NodeIPVS: cfg.Prometheus.Compat == "node-ipvs", BackendLabels: cfg.Prometheus.BackendLabels,
	}
}
