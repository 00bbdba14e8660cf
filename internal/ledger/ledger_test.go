package ledger

import (
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/rrdstore"
)

func newLedger(t *testing.T, dir string) *Ledger {
	t.Helper()
	l := New(dir, rrdstore.Options{LockTimeout: 10 * time.Millisecond}, slog.New(slog.DiscardHandler), nil)
	t.Cleanup(func() { l.Close() })
	return l
}

var epoch = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// numbered is a snapshot as a sampler makes it.
func numbered(tick time.Time) *dataplane.Snapshot {
	r := dataplane.RealState{RealServer: dataplane.RealServer{RIP: netip.MustParseAddrPort("192.0.2.2:80"), Weight: 1}}
	s := dataplane.ServiceState{Service: dataplane.Service{Key: dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.1:80"))}}
	for _, a := range []*dataplane.Account{&s.Account, &r.Account} {
		a.Number, a.FirstSeen, a.LastSeen = 1, tick, tick
	}
	s.Reals = []dataplane.RealState{r}
	return &dataplane.Snapshot{Tick: tick, Time: tick, Services: []dataplane.ServiceState{s}}
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
	snap := numbered(epoch)
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
	if err != nil || len(accounts) != 3 { // the director, a service, a real server
		t.Errorf("%d accounts, %v, want 3", len(accounts), err)
	}
	if got := again.Current().Stats().Newest; !got.Equal(epoch) {
		t.Errorf("newest tick %v, want %v", got, epoch)
	}
}

// durations is an observer that counts.
type durations int

func (d *durations) Observe(float64) { *d++ }

// Commits are told to the observer, the step to a store that is open and to one
// that will be, and the figures to those who must not wait.
func TestStepAndFigures(t *testing.T) {
	var told durations
	l := New(t.TempDir(), rrdstore.Options{Step: 10 * time.Second}, slog.New(slog.DiscardHandler), &told)
	l.SetStep(20 * time.Second)
	if l.Stats() != nil || !l.Newest().IsZero() || l.Current() != nil {
		t.Error("a store that nobody opened has figures")
	}
	for i := range 3 {
		if err := l.Commit(t.Context(), numbered(epoch.Add(time.Duration(i)*20*time.Second))); err != nil {
			t.Fatal(err)
		}
	}
	l.SetStep(time.Minute)
	if told != 3 || l.Stats().Commits != 3 || !l.Newest().Equal(epoch.Add(40*time.Second)) {
		t.Errorf("%d commits were told, %+v", told, l.Stats())
	}
	r, err := l.Current().Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := r.Info(t.Context()); err != nil || info.Step != time.Minute {
		t.Errorf("the step is %v, %v; want a minute", info.Step, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
