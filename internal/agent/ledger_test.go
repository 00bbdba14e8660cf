package agent

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/internal/ledger"
	"lvs/rrdstore"
)

func newLedger(t *testing.T, dir string) *ledger.Ledger {
	t.Helper()
	l := ledger.New(dir, rrdstore.Options{LockTimeout: 10 * time.Millisecond}, slog.New(slog.DiscardHandler), prom.NewDurations())
	t.Cleanup(func() { l.Close() })
	return l
}

func TestALockedStoreIsUsedOnceItIsFree(t *testing.T) {
	dir := t.TempDir()
	owner, err := rrdstore.Open(dir, rrdstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger(t, dir)
	if _, err := l.Remembered(t.Context()); !errors.Is(err, rrdstore.ErrLocked) {
		t.Errorf("Remembered = %v, want it locked", err)
	}
	snap := collector.NewContinuity(nil, 0).Apply(everyKind(), epoch)
	if err := l.Commit(t.Context(), snap); !errors.Is(err, rrdstore.ErrLocked) {
		t.Errorf("Commit = %v, want it locked", err)
	}
	if l.Current() != nil {
		t.Error("a locked store passes for one that was read")
	}
	if err := owner.Close(); err != nil {
		t.Fatal(err)
	}
	if accounts, err := l.Remembered(t.Context()); err != nil || len(accounts) != 0 {
		t.Errorf("Remembered = %v, %v of a free store", accounts, err)
	}
	if err := l.Commit(t.Context(), snap); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.Remembered(t.Context()); !errors.Is(err, rrdstore.ErrClosed) {
		t.Errorf("Remembered = %v after Close", err)
	}

	again := newLedger(t, dir)
	accounts, err := again.Remembered(t.Context())
	if err != nil || len(accounts) != 7 { // the director, 3 services, 3 real servers
		t.Errorf("%d accounts, %v, want 7", len(accounts), err)
	}
	if got := again.Current().Stats().Newest; !got.Equal(epoch) {
		t.Errorf("newest tick %v, want %v", got, epoch)
	}
}
