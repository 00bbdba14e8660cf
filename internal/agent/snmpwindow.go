package agent

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/common/version"

	"lvs/collector"
	"lvs/dataplane"
	"lvs/mib"
	snmpagent "lvs/mib/agent"
	"lvs/mib/agentx"
	"lvs/mib/notify"
	"lvs/mib/smi"
)

// An snmpWindow shows the director over SNMP and tells managers what happens to
// it: one tree, which the AgentX subagent and the agent in the box answer from,
// and one queue of notifications. What a manager may write is one switch.
type snmpWindow struct {
	log      *slog.Logger
	subagent *agentx.Subagent // nil: there is none
	box      *snmpagent.Agent // likewise
	swaps    []func(smi.Tree) // how they are shown a tree
	queue    *notify.Queue
	managers []*notify.Manager
	figures  func() mib.Figures // what the other parts know, see agent.figures

	mu      sync.Mutex // one tree at a time
	watcher *mib.Watcher
	snap    *dataplane.Snapshot // the latest; nil before the first
	state   dataplaneState
	tree    *mib.Tree           // that is shown; nil before the first
	treeOf  *dataplane.Snapshot // the snapshot in it
	shown   mib.Figures         // and the figures
}

// A dataplaneState is whether the table can be read, and since when.
type dataplaneState struct {
	failing error
	since   time.Time
}

// Record shows a snapshot and tells what changed in it; see collector.Sink.
func (w *snmpWindow) Record(_ context.Context, snap *dataplane.Snapshot) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.snap = snap
	w.tell(w.watcher.Observe(snap))
	w.show()
	return nil
}

// source watches over a source: that it cannot be read is news of its own.
func (w *snmpWindow) source(s collector.Source) collector.Source { return &watchedSource{s, w} }

var _ collector.Recycler = (*watchedSource)(nil)

type watchedSource struct {
	collector.Source
	window *snmpWindow
}

// Snapshot reads the director; see collector.Source.
func (s *watchedSource) Snapshot(ctx context.Context) (*dataplane.Snapshot, error) {
	snap, err := s.Source.Snapshot(ctx)
	switch {
	case err == nil:
		// As Record has it, which is given this snapshot next.
		s.window.dataplane(nil, snap.Time.Round(0))
	case !errors.Is(ctx.Err(), context.Canceled): // stopping is no failure
		s.window.dataplane(err, time.Now())
	}
	return snap, err
}

// Recycle takes a snapshot back; see collector.Recycler.
func (s *watchedSource) Recycle(snap *dataplane.Snapshot) {
	if r, ok := s.Source.(collector.Recycler); ok {
		r.Recycle(snap)
	}
}

// dataplane notes whether the table could be read, and when.
func (w *snmpWindow) dataplane(err error, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if (err == nil) == (w.state.failing == nil) && !w.state.since.IsZero() {
		w.state.failing = err
		return
	}
	w.state = dataplaneState{err, now}
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	w.tell(w.watcher.Dataplane(err == nil, reason, now))
	w.show()
}

// tell hands notifications to those who want them. The caller holds mu.
func (w *snmpWindow) tell(list []smi.Notification) {
	if len(list) > 0 {
		w.queue.Enqueue(list)
	}
}

// show makes the tree of the latest snapshot and of what is known beside it. The
// caller holds mu.
func (w *snmpWindow) show() {
	w.shown = w.complete(w.figures())
	if w.tree == nil || w.treeOf != w.snap {
		w.tree, w.treeOf = mib.Build(w.snap, w.shown), w.snap
	} else {
		w.tree = w.tree.With(w.shown) // its tables stay
	}
	for _, swap := range w.swaps {
		swap(w.tree)
	}
}

// refresh shows figures that changed between two snapshots, which windows that
// read them when they are asked have already.
func (w *snmpWindow) refresh() {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.show()
}

// complete adds to the figures of others what is known here. The caller holds mu.
func (w *snmpWindow) complete(f mib.Figures) mib.Figures {
	f.Notify = w.notifyFigures()
	f.DataplaneSince = w.state.since
	if err := w.state.failing; err != nil {
		f.Dataplane, f.DataplaneReason = mib.Stale, err.Error()
		if w.snap == nil {
			f.Dataplane = mib.Unavailable
		}
	}
	return f
}

// notifyFigures are the watcher's and the sum over all targets.
func (w *snmpWindow) notifyFigures() mib.NotifyFigures {
	f := w.watcher.Figures()
	f.Enabled = w.queue.Enabled()
	for _, s := range w.queue.Stats() {
		f.Sent, f.Dropped, f.Coalesced = f.Sent+s.Sent, f.Dropped+s.Dropped(), f.Coalesced+s.Coalesced
	}
	return f
}

// setEnabled is the switch that managers have.
func (w *snmpWindow) setEnabled(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue.Enabled() != on {
		w.log.Info("notifications were switched over SNMP", "enabled", on)
	}
	w.queue.SetEnabled(on)
	w.show()
}

// hostName is the machine's name, empty if it has none to tell.
func hostName() string {
	name, _ := os.Hostname()
	return name
}

// figures are what the parts other than SNMP know.
func (a *agent) figures() mib.Figures {
	s := a.sampler.Stats()
	f := mib.Figures{
		HostName: hostName(), AgentVersion: version.Version, Started: a.started, Interval: a.sampler.Interval(),
		Samples: s.Samples, SampleErrors: s.SourceErrors, LateTicks: s.Late, SkippedTicks: s.Skipped, Inconsistent: s.Inconsistent,
		Resets: mib.ResetFigures{Director: s.DirectorResets, Services: s.ServiceResets, Reals: s.RealResets},
	}
	if a.ledger != nil {
		f.Store = a.storeFigures(&s.Ledger)
	}
	return f
}

// figuresOf are those that SNMP shows beside a snapshot, so that other windows
// show the same; where it shows another one, those of now.
func (a *agent) figuresOf(snap *dataplane.Snapshot) mib.Figures {
	if a.snmp == nil {
		return a.figures()
	}
	a.snmp.mu.Lock()
	defer a.snmp.mu.Unlock()
	if a.snmp.snap == snap {
		return a.snmp.shown
	}
	return a.snmp.complete(a.figures())
}

func (a *agent) storeFigures(s *collector.LedgerStats) mib.StoreFigures {
	f := mib.StoreFigures{State: mib.StoreRunning, Limit: a.settings.maxSize,
		Commits: s.Commits, CommitErrors: s.Errors + s.RecallErrors + s.Dropped, LateCommits: s.Late}
	switch {
	case s.Failing:
		f.State = mib.StoreFailing
	case s.Behind:
		f.State = mib.StoreBehind
	}
	if st := a.ledger.Stats(); st != nil {
		f.Bytes, f.Series, f.Oldest, f.Newest = uint64(st.Bytes), uint64(st.Series), st.Begin, st.Newest
	}
	return f
}
