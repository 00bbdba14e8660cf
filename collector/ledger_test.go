package collector

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"
)

// book is a ledger in memory that can be made slow or failing.
type book struct {
	mu       sync.Mutex
	memory   *memory
	ticks    []int64
	takes    time.Duration
	err      error // of Commit
	noMemory error // of Remembered
	opens    time.Duration
}

func newBook() *book { return &book{memory: newMemory()} }

func (b *book) set(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

func (b *book) Remembered(context.Context) ([]dataplane.Remembered, error) {
	time.Sleep(b.opens)
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.memory.list(), b.noMemory
}

func (b *book) Newest() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ticks) == 0 {
		return time.Time{}
	}
	return time.Unix(b.ticks[len(b.ticks)-1], 0)
}

func (b *book) Commit(ctx context.Context, s *dataplane.Snapshot) error {
	b.mu.Lock()
	takes := b.takes
	b.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.memory.commit(s)
		b.ticks = append(b.ticks, s.Tick.Unix())
	}
	return b.err
}

// counting is a source of one service that counts one more at each reading.
func counting(from uint64) sourceFunc {
	n := from
	return func(context.Context) (*dataplane.Snapshot, error) {
		s := table(0, 1, 1)
		s.Time = time.Now()
		s.Services[0].Kernel, s.Services[0].Reals[0].Kernel = scale(n), scale(n)
		n++
		return s, nil
	}
}

func TestSnapshotsAreDurableBeforeTheyAreVisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		b.takes = 300 * time.Millisecond
		s := mustNew(t, Config{Source: steady(0), Ledger: b})
		t0 := time.Now()
		stop := start(t, s)
		<-s.Ready()
		if took := time.Since(t0); took != b.takes {
			t.Errorf("visible after %v, want %v", took, b.takes)
		}
		time.Sleep(15 * time.Second)
		stop()
		if st := s.Stats().Ledger; st != (LedgerStats{Commits: 2}) {
			t.Errorf("%+v", st)
		}
	})
}

func TestAHangingLedgerIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := newBook()
		b.takes = 34 * time.Second
		r := &recorder{}
		s := mustNew(t, Config{Source: steady(0), Ledger: b, Sinks: map[string]Sink{"r": r}, Logger: quietTime(&log)})
		began := time.Now()
		t0 := began.Unix()
		stop := start(t, s)
		<-s.Ready()
		if took := time.Since(began); took != 500*time.Millisecond {
			t.Errorf("visible after %v", took)
		}
		time.Sleep(32 * time.Second)
		b.set(func() { b.takes = 0 })
		time.Sleep(20 * time.Second)
		stop()
		if want := []int64{t0, t0 + 10, t0 + 20, t0 + 30, t0 + 40, t0 + 50}; !equal(r.ticks, want) {
			t.Errorf("visible %v, want %v", r.ticks, want)
		}
		if want := []int64{t0, t0 + 30, t0 + 40, t0 + 50}; !equal(b.ticks, want) {
			t.Errorf("kept %v, want %v", b.ticks, want)
		}
		if st := s.Stats(); st.Late != 0 || st.Ledger != (LedgerStats{Commits: 4, Late: 4, Dropped: 2}) {
			t.Errorf("%+v", st)
		}
		want := `level=WARN msg="storing is slow, samples are served before they are kept"
level=INFO msg="storing keeps up again"
`
		if log.String() != want {
			t.Errorf("log\n%s", log.String())
		}
	})
}

func TestAFailingLedgerDoesNotStopServing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := newBook()
		b.err = errors.New("disk full")
		s := mustNew(t, Config{Source: counting(1), Ledger: b, Logger: quietTime(&log)})
		stop := start(t, s)
		time.Sleep(25 * time.Second)
		if st := s.Stats(); st.Samples != 3 || st.Ledger != (LedgerStats{Errors: 3, Failing: true}) {
			t.Errorf("%+v", st)
		}
		b.set(func() { b.err = nil })
		time.Sleep(10 * time.Second)
		stop()
		if st := s.Stats(); st.Ledger != (LedgerStats{Commits: 1, Errors: 3}) {
			t.Errorf("%+v", st)
		}
		want := `level=ERROR msg="samples cannot be stored, they are served without being kept" err="disk full"
level=INFO msg="samples are stored again"
`
		if log.String() != want {
			t.Errorf("log\n%s", log.String())
		}
	})
}

func TestALedgerThatTakesLongToOpenIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := newBook()
		b.opens = 34 * time.Second
		s := mustNew(t, Config{Source: counting(1), Ledger: b, Logger: quietTime(&log)})
		stop := start(t, s)
		time.Sleep(25 * time.Second)
		if st := s.Stats(); st.Samples != 2 || st.Ledger != (LedgerStats{Failing: true}) {
			t.Errorf("%+v", st)
		}
		time.Sleep(20 * time.Second)
		stop()
		if st := s.Stats(); st.Ledger.Failing || st.Ledger.Commits == 0 {
			t.Errorf("%+v", st)
		}
		want := `level=WARN msg="opening the store takes long, samples are served without being kept until it is open"
level=INFO msg="the store is open, samples are stored"
`
		if log.String() != want {
			t.Errorf("log\n%s", log.String())
		}
	})
}

func TestStoppingFlushesTheLedger(t *testing.T) {
	for _, tt := range []struct {
		name         string
		takes, after time.Duration
		kept         int
	}{
		{"a commit under way is finished", 4 * time.Second, 3500 * time.Millisecond, 1},
		{"one that hangs is broken off", time.Hour, 5 * time.Second, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBook()
				b.takes = tt.takes
				s := mustNew(t, Config{Source: steady(0), Ledger: b})
				stop := start(t, s)
				<-s.Ready()
				began := time.Now()
				stop()
				if took := time.Since(began); took != tt.after || len(b.ticks) != tt.kept {
					t.Errorf("stopped after %v with %d kept, want %v and %d", took, len(b.ticks), tt.after, tt.kept)
				}
			})
		})
	}
}

func TestTotalsGoOnOverAnAgentRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		s := mustNew(t, Config{Source: counting(100), Ledger: b})
		stop := start(t, s)
		<-s.Ready()
		stop()
		time.Sleep(10 * time.Second)
		s = mustNew(t, Config{Source: counting(7), Ledger: b})
		stop = start(t, s)
		<-s.Ready()
		stop()
		if got := s.Latest().Services[0]; got.Total != scale(107) || got.Resets != (dataplane.ResetCounts{dataplane.Zeroed: 1}) || got.Number != 1 {
			t.Errorf("%+v", got.Account)
		}
		if st := s.Stats(); st.ServiceResets[dataplane.Zeroed] != 1 || st.RealResets[dataplane.Zeroed] != 1 || st.DirectorResets.Sum() != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestAStoredTickIsNotGivenOutAgain(t *testing.T) {
	tests := []struct {
		name     string
		interval time.Duration
		ready    time.Duration
		visible  []int64 // seconds after the stored tick
		kept     []int64
	}{
		{"the next one is near", 10 * time.Second, 7 * time.Second, []int64{10, 20}, []int64{10, 20}},
		{"the next one is far", time.Hour, 0, []int64{0, 3600, 7200}, []int64{3600, 7200}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				t0 := time.Now()
				time.Sleep(3 * time.Second)
				b, r := newBook(), &recorder{}
				b.ticks = []int64{t0.Unix()}
				s := mustNew(t, Config{Interval: tt.interval, Source: steady(0), Ledger: b, Sinks: map[string]Sink{"r": r}})
				began := time.Now()
				stop := start(t, s)
				<-s.Ready()
				if took := time.Since(began); took != tt.ready {
					t.Errorf("ready after %v, want %v", took, tt.ready)
				}
				time.Sleep(t0.Add(2*tt.interval + time.Second).Sub(time.Now()))
				stop()
				for i := range r.ticks {
					r.ticks[i] -= t0.Unix()
				}
				b.ticks = b.ticks[1:]
				for i := range b.ticks {
					b.ticks[i] -= t0.Unix()
				}
				if !equal(r.ticks, tt.visible) || !equal(b.ticks, tt.kept) {
					t.Errorf("visible %v, kept %v; want %v and %v", r.ticks, b.ticks, tt.visible, tt.kept)
				}
			})
		})
	}
}

// A ledger that can be read late may have ticks beyond the clock: those of an
// agent whose clock was ahead, or of another one on the same store.
func TestTicksGoOnFromALedgerThatIsAheadAndReadLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBook(), &recorder{}
		b.noMemory = errors.New("in use")
		ahead := time.Now().Add(time.Hour).Unix()
		b.ticks = []int64{ahead}
		s := mustNew(t, Config{Interval: 10 * time.Second, Source: steady(0), Ledger: b, Sinks: map[string]Sink{"r": r}})
		stop := start(t, s)
		time.Sleep(15 * time.Second)
		b.set(func() { b.noMemory = nil })
		time.Sleep(30 * time.Second)
		stop()
		if want := []int64{ahead, ahead + 10, ahead + 20, ahead + 30}; !equal(b.ticks, want) {
			t.Errorf("kept %v, want %v", b.ticks, want)
		}
		if len(r.ticks) != 5 || !equal(r.ticks[2:], b.ticks[1:]) {
			t.Errorf("visible %v, kept %v", r.ticks, b.ticks)
		}
	})
}

func TestNothingIsCommittedBeforeTheAccountsAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook()
		s := mustNew(t, Config{Source: counting(100), Ledger: b})
		stop := start(t, s)
		<-s.Ready()
		stop()
		kept := len(b.ticks)

		b.noMemory = errors.New("damaged")
		time.Sleep(10 * time.Second)
		s = mustNew(t, Config{Source: counting(7), Ledger: b})
		stop = start(t, s)
		time.Sleep(15 * time.Second)
		if service := s.Latest().Services[0]; service.Number != 0 || service.Reals[0].Number != 0 {
			t.Errorf("numbers %d and %d while the given ones are unknown", service.Number, service.Reals[0].Number)
		}
		if st := s.Stats(); st.Samples != 2 || st.Ledger != (LedgerStats{RecallErrors: 3, Failing: true}) || len(b.ticks) != kept {
			t.Errorf("%+v, %v", st, b.ticks)
		}
		if got := s.Latest().Services[0].Total; got != scale(8) {
			t.Errorf("total %+v before the accounts are read", got)
		}
		b.set(func() { b.noMemory = nil })
		time.Sleep(10 * time.Second)
		stop()
		if got := s.Latest().Services[0].Total; got != scale(109) || len(b.ticks) != kept+1 {
			t.Errorf("total %+v, kept %v", got, b.ticks)
		}
	})
}
