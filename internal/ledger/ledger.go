// Package ledger is a store as a sampler keeps it: opened when it can be, served
// to other processes, and its archive tended.
package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"lvs/dataplane"
	"lvs/rrdstore"
)

// A Ledger is a collector.Ledger: a store as its sampler knows it. It opens the
// store when it is first asked and after a failure, so that a program whose store
// is locked, or on a disk that is not there yet, serves on and stores as soon as
// it can. Its methods are safe for concurrent use.
type Ledger struct {
	dir      string
	opts     rrdstore.Options
	log      *slog.Logger
	duration prometheus.Observer // nil is nobody

	store atomic.Pointer[rrdstore.Store] // nil until opened
	stats atomic.Pointer[rrdstore.Stats] // of the store after its last use; nil before

	mu      sync.Mutex // held while the store is opened, which may take seconds
	closed  bool
	serving sync.WaitGroup
	stop    context.CancelFunc // ends serving and tending
	ticked  chan struct{}      // a tick was stored; of one element
}

// New makes the ledger of the store in a directory; nothing is opened yet. The
// duration is told how long each commit took, in seconds; nil is nobody.
func New(dir string, opts rrdstore.Options, log *slog.Logger, duration prometheus.Observer) *Ledger {
	return &Ledger{dir: dir, opts: opts, log: log, duration: duration}
}

// open returns the store, opening it and beginning to serve readers of the
// directory where that was not done yet.
func (l *Ledger) open() (*rrdstore.Store, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, rrdstore.ErrClosed
	}
	if store := l.store.Load(); store != nil {
		return store, nil
	}
	store, err := rrdstore.OpenOrQuarantine(l.dir, l.opts)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	l.stop, l.ticked = stop, make(chan struct{}, 1)
	l.store.Store(store)
	l.serving.Go(func() { l.serve(ctx, store) })
	l.serving.Go(func() { l.tend(ctx, store) })
	return store, nil
}

// serveAgain is when readers are served again after that failed, as it does on a
// full disk.
const serveAgain = 10 * time.Second

// serve lets other processes read the store until ctx ends.
func (l *Ledger) serve(ctx context.Context, store *rrdstore.Store) {
	for failed := false; ; failed = true {
		err := store.Serve(ctx)
		if err == nil {
			return
		}
		if !failed {
			l.log.Warn("lvs-exporter cannot read the history while the agent runs; trying again", "dir", l.dir, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(serveAgain):
		}
	}
}

// tendPause is how much longer than each part of its work tending the archive
// rests, so that it never takes more than a fifth of a processor.
const tendPause = 4

// tend keeps the archive after each tick until ctx ends.
func (l *Ledger) tend(ctx context.Context, store *rrdstore.Store) {
	failing := ""
	for {
		begin := time.Now()
		more, err := store.Maintain(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && failing != "":
			failing = ""
			l.log.Info("the history's archive is kept again")
		case err != nil && err.Error() != failing:
			failing = err.Error()
			l.log.Error("the history's archive cannot be kept; trying again with each sample", "err", err)
		}
		var rest <-chan time.Time
		if more {
			rest = time.After(tendPause * time.Since(begin))
		}
		select {
		case <-ctx.Done():
			return
		case <-rest:
			continue
		case <-l.pending(more):
		}
	}
}

// pending tells of the next tick, unless there is something to do before it.
func (l *Ledger) pending(more bool) <-chan struct{} {
	if more {
		return nil
	}
	return l.ticked
}

// SetStep makes the time between samples known to the store.
func (l *Ledger) SetStep(step time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opts.Step = step
	if store := l.store.Load(); store != nil {
		if err := store.SetStep(step); err != nil {
			l.log.Error("the history does not take the new interval over", "err", err)
		}
	}
}

// Remembered reads the accounts; see collector.Ledger.
func (l *Ledger) Remembered(ctx context.Context) ([]dataplane.Remembered, error) {
	accounts, err := l.remembered(ctx)
	l.note()
	if err != nil {
		return nil, fmt.Errorf("%w; until it can be read, tables in SNMP stay empty, because row numbers are in it", err)
	}
	return accounts, nil
}

func (l *Ledger) remembered(ctx context.Context) ([]dataplane.Remembered, error) {
	store, err := l.open()
	if err != nil {
		return nil, err
	}
	return store.Remembered(ctx)
}

// note keeps the store's figures for those who must not wait for a disk that
// hangs, as asking the store would make them.
func (l *Ledger) note() {
	if store := l.Current(); store != nil {
		stats := store.Stats()
		l.stats.Store(&stats)
	}
}

// Newest is the last tick in the store; see collector.Ledger.
func (l *Ledger) Newest() time.Time {
	if stats := l.stats.Load(); stats != nil {
		return stats.Newest
	}
	return time.Time{}
}

// Commit stores a snapshot; see collector.Ledger.
func (l *Ledger) Commit(ctx context.Context, snap *dataplane.Snapshot) error {
	store, err := l.open()
	if err != nil {
		return err
	}
	begin := time.Now()
	err = store.Commit(ctx, snap)
	if l.duration != nil {
		l.duration.Observe(time.Since(begin).Seconds())
	}
	l.note()
	select {
	case l.ticked <- struct{}{}:
	default: // it knows already
	}
	return err
}

// Stats are the store's after its last use; nil before it was opened. It never
// waits.
func (l *Ledger) Stats() *rrdstore.Stats { return l.stats.Load() }

// Current is the store, nil while it is not open. It never waits.
func (l *Ledger) Current() *rrdstore.Store { return l.store.Load() }

// Close ends serving and closes the store.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	store := l.store.Load()
	if store == nil {
		return nil
	}
	l.stop()
	l.serving.Wait()
	return store.Close()
}
