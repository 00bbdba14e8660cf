package agent

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

// A ledger is the store as the sampler knows it. It opens the store when it is
// first asked and after a failure, so that an agent whose store is locked, or on
// a disk that is not there yet, serves on and stores as soon as it can.
type ledger struct {
	dir      string
	opts     rrdstore.Options
	log      *slog.Logger
	duration prometheus.Observer // of commits, in seconds

	recalled atomic.Bool // the accounts were read, so row numbers are the real ones

	mu      sync.Mutex
	store   *rrdstore.Store // nil until opened
	closed  bool
	serving sync.WaitGroup
	stop    context.CancelFunc // ends serving
}

// open returns the store, opening it and beginning to serve readers of the
// directory where that was not done yet.
func (l *ledger) open() (*rrdstore.Store, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, rrdstore.ErrClosed
	}
	if l.store != nil {
		return l.store, nil
	}
	store, err := rrdstore.OpenOrQuarantine(l.dir, l.opts)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	l.store, l.stop = store, stop
	l.serving.Go(func() {
		if err := store.Serve(ctx); err != nil {
			l.log.Warn("lvs-exporter cannot read the history while the agent runs", "dir", l.dir, "err", err)
		}
	})
	return store, nil
}

// Remembered reads the accounts; see collector.Ledger.
func (l *ledger) Remembered(ctx context.Context) ([]dataplane.Remembered, error) {
	accounts, err := l.remembered(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w; until it can be read, tables in SNMP stay empty, because row numbers are in it", err)
	}
	l.recalled.Store(true)
	return accounts, nil
}

func (l *ledger) remembered(ctx context.Context) ([]dataplane.Remembered, error) {
	store, err := l.open()
	if err != nil {
		return nil, err
	}
	return store.Remembered(ctx)
}

// Commit stores a snapshot; see collector.Ledger.
func (l *ledger) Commit(ctx context.Context, snap *dataplane.Snapshot) error {
	store, err := l.open()
	if err != nil {
		return err
	}
	begin := time.Now()
	err = store.Commit(ctx, snap)
	l.duration.Observe(time.Since(begin).Seconds())
	return err
}

// current is the store, nil while it is not open.
func (l *ledger) current() *rrdstore.Store {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.store
}

// Close ends serving and closes the store.
func (l *ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.store == nil {
		return nil
	}
	l.stop()
	l.serving.Wait()
	return l.store.Close()
}
