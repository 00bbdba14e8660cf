package collector

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"
)

// sourceFunc is a Source out of a function.
type sourceFunc func(context.Context) (*dataplane.Snapshot, error)

func (f sourceFunc) Snapshot(ctx context.Context) (*dataplane.Snapshot, error) { return f(ctx) }

// steady is a source of an empty table that takes the given time.
func steady(took time.Duration) sourceFunc {
	return func(context.Context) (*dataplane.Snapshot, error) {
		time.Sleep(took)
		return &dataplane.Snapshot{Time: time.Now(), Took: took}, nil
	}
}

// recorder is a sink that keeps the ticks it was shown.
type recorder struct {
	mu    sync.Mutex
	ticks []int64
	takes time.Duration
	err   error
}

func (r *recorder) Record(_ context.Context, s *dataplane.Snapshot) error {
	time.Sleep(r.takes)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ticks = append(r.ticks, s.Tick.Unix())
	return r.err
}

// start runs a sampler until the test stops it.
func start(t *testing.T, s *Sampler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

func mustNew(t *testing.T, cfg Config) *Sampler {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTicksStandOnTheGrid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(3*time.Second + 700*time.Millisecond)
		t0 := time.Now().Unix() - 3
		r := &recorder{}
		s := mustNew(t, Config{Source: steady(20 * time.Millisecond), Sinks: map[string]Sink{"r": r}})
		if s.Latest() != nil {
			t.Error("a snapshot before the first")
		}
		stop := start(t, s)
		<-s.Ready()
		if got := s.Latest().Tick; got.Unix() != t0 || got.Location() != time.UTC {
			t.Errorf("first tick %v, want %d in UTC", got, t0)
		}
		time.Sleep(27 * time.Second)
		stop()
		want := []int64{t0, t0 + 10, t0 + 20, t0 + 30}
		if !equal(r.ticks, want) {
			t.Errorf("ticks %v, want %v", r.ticks, want)
		}
		st := s.Stats()
		if st.Samples != 4 || st.Late != 0 || st.Skipped != 0 || st.Sinks["r"].Records != 4 {
			t.Errorf("%+v", st)
		}
	})
}

func equal(a, b []int64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
