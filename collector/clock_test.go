package collector

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestWallClockIsSet(t *testing.T) {
	tests := []struct {
		name    string
		by      time.Duration
		ticks   []int64 // seconds after the first
		skipped uint64
	}{
		{"forward a little", 5 * time.Second, []int64{0, 10, 20, 30, 40}, 0},
		{"forward by an hour", time.Hour, []int64{0, 10, 3610, 3620, 3630, 3640}, 0},
		{"back within the interval", -3 * time.Second, []int64{0, 10, 20, 30}, 0},
		{"back by less than four intervals", -20 * time.Second, []int64{0, 10, 20}, 2},
		{"back by an hour", -time.Hour, []int64{0, 10, 20, 30, 40}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var by atomic.Int64
				r := &recorder{}
				s := mustNew(t, Config{Source: steady(0), Sinks: map[string]Sink{"r": r}})
				s.now = func() time.Time { return time.Now().Add(time.Duration(by.Load())) }
				t0 := time.Now().Unix()
				stop := start(t, s)
				time.Sleep(14 * time.Second)
				by.Store(int64(tt.by))
				time.Sleep(27500 * time.Millisecond)
				stop()
				for i := range r.ticks {
					r.ticks[i] -= t0
				}
				if !equal(r.ticks, tt.ticks) {
					t.Errorf("ticks %v, want %v", r.ticks, tt.ticks)
				}
				if st := s.Stats(); st.ClockSteps != 1 || st.Skipped != tt.skipped {
					t.Errorf("%d steps, %d skipped; want 1 and %d", st.ClockSteps, st.Skipped, tt.skipped)
				}
			})
		})
	}
}

func TestSlewingIsNoStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t0 := time.Now()
		r := &recorder{}
		s := mustNew(t, Config{Interval: time.Second, Source: steady(0), Sinks: map[string]Sink{"r": r}})
		s.now = func() time.Time { return time.Now().Add(-time.Since(t0) / 2000) } // 500 ppm slow
		stop := start(t, s)
		time.Sleep(time.Hour)
		stop()
		for i, tick := range r.ticks {
			if tick != t0.Unix()+int64(i) {
				t.Fatalf("tick %d is %d", i, tick-t0.Unix())
			}
		}
		if st := s.Stats(); st.ClockSteps != 0 || st.Skipped != 0 || st.Late != 0 || st.Samples != 3599 {
			t.Errorf("%+v", st)
		}
	})
}
