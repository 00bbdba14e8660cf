package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"lvs/dataplane"
)

// A Sampler reads its source once per interval. Its methods are safe for
// concurrent use.
type Sampler struct {
	source  Source
	adopts  bool // Config.Completed
	forget  time.Duration
	observe func(time.Duration)
	log     *slog.Logger

	interval atomic.Int64 // a time.Duration
	changed  chan struct{}
	names    atomic.Pointer[Names]
	latest   atomic.Pointer[dataplane.Snapshot]
	ready    chan struct{}
	started  atomic.Bool
	counts   counts

	ledger *ledgerQueue // nil without one
	sinks  []*sinkQueue
	now    func() time.Time // the wall clock, or Config.Offset behind it

	// Of the goroutine of Run.
	continuity *Continuity
	recalled   bool          // the accounts of the ledger are in continuity
	interim    interim       // what was read until then
	newest     int64         // the ledger's last tick then; noTick if it has none
	stored     int64         // the last tick handed to the ledger; of a sampler that adopts
	recalling  <-chan recall // a recall under way
	opening    bool          // that one was complained of
	failing    bool          // the source
	behind     bool          // the ledger
}

// New makes a sampler; Run starts it.
func New(cfg Config) (*Sampler, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("collector: %w", err)
	}
	s := &Sampler{
		source: cfg.Source, adopts: cfg.Completed, forget: cfg.Forget, observe: cfg.Observe, log: cfg.Logger,
		changed: make(chan struct{}, 1), ready: make(chan struct{}), now: func() time.Time { return time.Now().Add(-cfg.Offset) },
		continuity: NewContinuity(nil, cfg.Forget), recalled: cfg.Ledger == nil, newest: noTick,
	}
	s.interval.Store(int64(cfg.Interval))
	s.SetNames(cfg.Names)
	if cfg.Ledger != nil {
		s.ledger = newLedgerQueue(cfg.Ledger, &s.counts, s.log)
		s.counts.s.Ledger.Failing = true // until the accounts are read
	}
	s.counts.s.Sinks = make(map[string]SinkStats, len(cfg.Sinks))
	for name, sink := range cfg.Sinks {
		s.counts.s.Sinks[name] = SinkStats{}
		s.sinks = append(s.sinks, newSinkQueue(name, sink, &s.counts, s.log))
	}
	return s, nil
}

// Latest is the snapshot published last; nil before the first. Everybody is
// given the same one: do not change it.
func (s *Sampler) Latest() *dataplane.Snapshot { return s.latest.Load() }

// Ready is closed when the first snapshot is published.
func (s *Sampler) Ready() <-chan struct{} { return s.ready }

// Stats tells how the sampler fares.
func (s *Sampler) Stats() Stats { return s.counts.read() }

// Interval between ticks.
func (s *Sampler) Interval() time.Duration { return time.Duration(s.interval.Load()) }

// SetInterval changes the interval, within the limits of [Config]: the next tick
// is the next one of the new grid.
func (s *Sampler) SetInterval(d time.Duration) error {
	if err := checkInterval(d); err != nil {
		return fmt.Errorf("collector: %w", err)
	}
	if time.Duration(s.interval.Swap(int64(d))) != d {
		select {
		case s.changed <- struct{}{}:
		default:
		}
	}
	return nil
}

// SetNames changes the names of services and real servers from the next snapshot
// on; nil is none.
func (s *Sampler) SetNames(n Names) {
	if n == nil {
		n = func(dataplane.ServiceKey, netip.AddrPort) string { return "" }
	}
	s.names.Store(&n)
}

// String names the sampler in logs.
func (s *Sampler) String() string { return "sampler" }

// How long things may take.
const (
	maxReading     = 30 * time.Second // one reading, and never longer than 9/10 of the interval
	maxPatience    = 500 * time.Millisecond
	recallPatience = 10 * time.Second // for the ledger's accounts before the first tick
	stopGrace      = 5 * time.Second  // for the ledger and the sinks after ctx ended
	maxFirstWait   = time.Minute      // for the first tick, when that of this moment is stored
)

// Run samples until ctx ends and then returns nil: after the tick under way, when
// its snapshot is committed and every sink has returned. It may be called once.
func (s *Sampler) Run(ctx context.Context) error {
	if s.started.Swap(true) {
		return errors.New("collector: sampler was run before")
	}
	work, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	var workers sync.WaitGroup
	if s.ledger != nil {
		workers.Go(func() { s.ledger.run(work) })
		s.recall(recallPatience)
		if s.opening = s.recalling != nil; s.opening {
			s.log.Warn("opening the store takes long, samples are served without being kept until it is open")
		}
	}
	for _, q := range s.sinks {
		workers.Go(func() { q.run(work) })
	}
	s.keepTime(ctx, work)
	if s.ledger != nil {
		close(s.ledger.jobs)
	}
	for _, q := range s.sinks {
		close(q.queue)
	}
	timer := time.AfterFunc(stopGrace, abort)
	defer timer.Stop()
	workers.Wait()
	return nil
}

// keepTime runs the ticks until ctx ends.
func (s *Sampler) keepTime(ctx, work context.Context) {
	g := newGrid(s.Interval())
	watch := newStepWatch(s.clocks())
	s.first(work, g)
	dealt := time.Now()
	for {
		wall, steady := s.clocks()
		s.noteStep(watch.look(wall, steady))
		due, missed, wait := g.due(wall, time.Since(dealt))
		s.counts.update(func(st *Stats) { st.Skipped += uint64(missed) })
		if due {
			dealt = time.Now()
			s.point(work, g, wall)
			wait = 0
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.changed:
			g.reset(s.Interval(), s.now())
		case <-timer.C:
		}
		timer.Stop()
	}
}

// first reads at once, for the tick that began last, so that nobody waits for
// the grid. If that tick is stored already, which happens when the agent was
// started again within the interval, the next tick is waited for; if that would
// take long, what was read is published without being committed.
func (s *Sampler) first(work context.Context, g *grid) {
	wall := s.now()
	point := g.start(wall)
	s.remember(g)
	switch {
	case point > g.last:
		tick, _ := g.label()
		s.tick(work, time.Unix(tick, 0).UTC(), true)
	case time.Unix(point+g.interval, 0).Sub(wall) > maxFirstWait:
		s.tick(work, time.Unix(point, 0).UTC(), false)
	}
}

// point reads for the grid point at hand, unless it is to be left out.
func (s *Sampler) point(work context.Context, g *grid, wall time.Time) {
	s.remember(g)
	late := wall.Sub(time.Unix(g.at, 0)) > time.Duration(g.interval)*time.Second/10
	tick, ok := g.label()
	s.counts.update(func(st *Stats) {
		switch {
		case !ok:
			st.Skipped++
		case late:
			st.Late++
		}
	})
	if ok {
		s.tick(work, time.Unix(tick, 0).UTC(), true)
	}
}

// remember asks the ledger for what it keeps, if that was not told yet, before a
// tick is given out: that must be after those which the ledger has.
func (s *Sampler) remember(g *grid) {
	if !s.recalled {
		s.recall(s.patience())
	}
	g.last = max(g.last, s.newest)
}

func (s *Sampler) noteStep(by time.Duration) {
	if by != 0 {
		s.counts.update(func(st *Stats) { st.ClockSteps++ })
		s.log.Warn("the wall clock was set", "by", by)
	}
}

// clocks reads the wall clock and the monotonic one at the same time, which takes
// another try where the process had to wait in between.
func (s *Sampler) clocks() (wall, steady time.Time) {
	for range 5 {
		steady = time.Now()
		wall = s.now()
		if time.Since(steady) < minStep/10 {
			break
		}
	}
	return wall, steady
}

// minStep is what the wall clock has to be set by for that to be noted. Less hurts
// no tick.
const minStep = 500 * time.Millisecond

// A stepWatch compares the wall clock with the monotonic one.
type stepWatch struct{ wall, steady time.Time }

func newStepWatch(wall, steady time.Time) *stepWatch { return &stepWatch{wall.Round(0), steady} }

// look returns by how much the wall clock was set since the last look; less than
// minStep is taken as zero.
func (w *stepWatch) look(wall, steady time.Time) time.Duration {
	last := *w
	*w = *newStepWatch(wall, steady)
	by := w.wall.Sub(last.wall) - w.steady.Sub(last.steady)
	if by.Abs() < minStep {
		return 0
	}
	return by.Round(time.Millisecond)
}
