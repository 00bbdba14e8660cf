package collector

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// shown is the ticks so far.
func (r *recorder) shown() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ticks)
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
		var took []time.Duration
		s := mustNew(t, Config{
			Source: steady(20 * time.Millisecond), Sinks: map[string]Sink{"r": r},
			Observe: func(d time.Duration) { took = append(took, d) },
		})
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
		if len(took) != 4 || took[0] != 20*time.Millisecond {
			t.Errorf("took %v", took)
		}
		st := s.Stats()
		if st.Samples != 4 || st.LastTick.Unix() != t0+30 || st.Took != took[3] || st.Late != 0 || st.Skipped != 0 || st.Sinks["r"].Records != 4 {
			t.Errorf("%+v", st)
		}
	})
}

func equal(a, b []int64) bool { return slices.Equal(a, b) }

func TestConfigIsChecked(t *testing.T) {
	src := steady(0)
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"no source", Config{}, "collector: no source"},
		{"too short", Config{Source: src, Interval: 500 * time.Millisecond}, "collector: interval 500ms: want whole seconds from 1s to 1h0m0s"},
		{"too long", Config{Source: src, Interval: time.Hour + time.Second}, "collector: interval 1h0m1s: want whole seconds from 1s to 1h0m0s"},
		{"broken seconds", Config{Source: src, Interval: 1500 * time.Millisecond}, "collector: interval 1.5s: want whole seconds from 1s to 1h0m0s"},
		{"forgets before", Config{Source: src, Forget: -1}, "collector: forget after -1ns: want a positive duration"},
		{"nameless sink", Config{Source: src, Sinks: map[string]Sink{"": &recorder{}}}, `collector: sink "": want a name and a sink`},
		{"no sink", Config{Source: src, Sinks: map[string]Sink{"x": nil}}, `collector: sink "x": want a name and a sink`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(tt.cfg); err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
	s := mustNew(t, Config{Source: src})
	if err := s.SetInterval(0); err == nil || s.Interval() != DefaultInterval {
		t.Errorf("SetInterval(0): %v, interval %v", err, s.Interval())
	}
}

func TestRunTwiceIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustNew(t, Config{Source: steady(0)})
		start(t, s)()
		if err := s.Run(t.Context()); err == nil {
			t.Error("no error")
		}
	})
}

func TestSlowReadingsMakeTicksLateOrSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		takes := []time.Duration{0, 11500 * time.Millisecond, 16 * time.Second, 0, 0}
		n := -1
		src := sourceFunc(func(ctx context.Context) (*dataplane.Snapshot, error) {
			n++
			return steady(takes[min(n, len(takes)-1)])(ctx)
		})
		r := &recorder{}
		t0 := time.Now().Unix()
		s := mustNew(t, Config{Source: src, Sinks: map[string]Sink{"r": r}})
		stop := start(t, s)
		time.Sleep(65 * time.Second)
		stop()
		// The reading of 10 ends at 21.5, so that of 20 begins late; it ends at
		// 37.5, which is too late for 30.
		if want := []int64{t0, t0 + 10, t0 + 20, t0 + 40, t0 + 50, t0 + 60}; !equal(r.ticks, want) {
			t.Errorf("ticks %v, want %v", r.ticks, want)
		}
		if st := s.Stats(); st.Late != 1 || st.Skipped != 1 || st.ClockSteps != 0 {
			t.Errorf("%d late, %d skipped, %d steps; want 1, 1, 0", st.Late, st.Skipped, st.ClockSteps)
		}
	})
}

func TestSourceGetsADeadline(t *testing.T) {
	for _, tt := range []struct{ interval, want time.Duration }{
		{time.Second, 900 * time.Millisecond}, {10 * time.Second, 9 * time.Second}, {time.Hour, 30 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			src := sourceFunc(func(ctx context.Context) (*dataplane.Snapshot, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
			s := mustNew(t, Config{Interval: tt.interval, Source: src})
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // a reading under way is not broken off by it
			if err := s.Run(ctx); err != nil || time.Since(began) != tt.want {
				t.Errorf("interval %v: %v after %v, want %v", tt.interval, err, time.Since(began), tt.want)
			}
			if st := s.Stats(); st.SourceErrors != 1 || !st.Failing || st.Samples != 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// A source may have the deadline somewhere else, as in a socket, and return before its
// context knows that it is over: that it was the deadline is logged all the same.
func TestSourceThatIsLateBeforeItsContextIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := mustNew(t, Config{Interval: time.Second, Logger: quietTime(&log), Source: sourceFunc(func(ctx context.Context) (*dataplane.Snapshot, error) {
			deadline, _ := ctx.Deadline()
			time.Sleep(time.Until(deadline))
			return nil, context.DeadlineExceeded
		})})
		stop := start(t, s)
		time.Sleep(3 * time.Second)
		stop()
		if !strings.Contains(log.String(), "not done within 900ms") {
			t.Errorf("the log says\n%s", log.String())
		}
	})
}

func TestSourceErrorsKeepTheLastSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var fail atomic.Pointer[error]
		src := sourceFunc(func(ctx context.Context) (*dataplane.Snapshot, error) {
			if err := fail.Load(); err != nil {
				return nil, *err
			}
			return steady(0)(ctx)
		})
		s := mustNew(t, Config{Source: src, Logger: quietTime(&log)})
		stop := start(t, s)
		time.Sleep(5 * time.Second)
		before := s.Latest()
		gone := errors.New("ip_vs is gone")
		fail.Store(&gone)
		time.Sleep(30 * time.Second)
		if s.Latest() != before {
			t.Error("the snapshot was replaced")
		}
		if st := s.Stats(); st.SourceErrors != 3 || !st.Failing || st.Samples != 1 {
			t.Errorf("%+v", st)
		}
		fail.Store(nil)
		time.Sleep(10 * time.Second)
		if st := s.Stats(); st.Failing || st.Samples != 2 || s.Latest() == before {
			t.Errorf("%+v", st)
		}
		stop()
		want := `level=ERROR msg="the director cannot be read, the last sample stays and every tick tries again" err="ip_vs is gone"
level=INFO msg="the director can be read again"
`
		if log.String() != want {
			t.Errorf("log\n%s", log.String())
		}
	})
}

// quietTime is a logger whose lines have no time.
func quietTime(b *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func TestASlowOrFailingSinkDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		good, slow, bad := &recorder{}, &recorder{takes: 35 * time.Second}, &recorder{err: errors.New("no")}
		t0 := time.Now().Unix()
		s := mustNew(t, Config{Source: steady(0), Sinks: map[string]Sink{"good": good, "slow": slow, "bad": bad}, Logger: quietTime(&log)})
		stop := start(t, s)
		time.Sleep(55 * time.Second)
		if want := []int64{t0, t0 + 10, t0 + 20, t0 + 30, t0 + 40, t0 + 50}; !equal(good.shown(), want) || !equal(bad.shown(), want) {
			t.Errorf("good %v, bad %v, want %v", good.shown(), bad.shown(), want)
		}
		if st := s.Stats(); st.Late != 0 || st.Sinks["slow"] != (SinkStats{Records: 1, Dropped: 3}) || st.Sinks["bad"] != (SinkStats{Errors: 6, Failing: true}) {
			t.Errorf("%+v", st)
		}
		stopped := time.Now()
		stop() // the slow one is in its second call, which has the latest left over
		if took := time.Since(stopped); took != 50*time.Second {
			t.Errorf("stopped after %v", took)
		}
		if want := []int64{t0, t0 + 30, t0 + 50}; !equal(slow.ticks, want) {
			t.Errorf("slow %v, want %v", slow.ticks, want)
		}
		if want := "level=ERROR msg=\"sink fails\" sink=bad err=no\n"; log.String() != want {
			t.Errorf("log\n%s", log.String())
		}
	})
}

func TestIntervalAndNamesChangeOnTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := sourceFunc(func(context.Context) (*dataplane.Snapshot, error) {
			s := table(0, 1, 1)
			s.Time = time.Now()
			return s, nil
		})
		r := &recorder{}
		t0 := time.Now().Unix()
		s := mustNew(t, Config{Source: src, Sinks: map[string]Sink{"r": r}})
		stop := start(t, s)
		time.Sleep(12 * time.Second)
		s.SetNames(func(k dataplane.ServiceKey, rip netip.AddrPort) string {
			if rip.IsValid() {
				return "one"
			}
			return "dns"
		})
		if err := s.SetInterval(4 * time.Second); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		if got := s.Latest().Services[0]; got.Label() != "dns" || got.Reals[0].Name != "one" {
			t.Errorf("names %q %q", got.Name, got.Reals[0].Name)
		}
		named := time.Unix(t0+16, 0) // the first tick with them
		if got := s.Latest(); !got.ServicesChanged.Equal(named) || !got.RealsChanged.Equal(named) {
			t.Errorf("changed at %v and %v, want %v", got.ServicesChanged, got.RealsChanged, named)
		}
		s.SetNames(nil)
		if err := s.SetInterval(time.Minute); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Second)
		stop()
		if want := []int64{t0, t0 + 10, t0 + 16, t0 + 20, t0 + 60, t0 + 120}; !equal(r.ticks, want) {
			t.Errorf("ticks %v, want %v", r.ticks, want)
		}
		if got := s.Latest().Services[0]; got.Name != "" || got.Reals[0].Name != "" {
			t.Errorf("names %q %q", got.Name, got.Reals[0].Name)
		}
	})
}
