package collector

import (
	"math"
	"testing"
	"time"

	"lvs/dataplane"
)

// feed applies one service with one real server, and the director, to c.
func feed(c *Continuity, sec float64, n uint64, partial bool) *dataplane.Snapshot {
	src := &dataplane.Snapshot{Time: epoch0.Add(time.Duration(sec * 1e9)), Partial: partial, Services: []dataplane.ServiceState{{
		Service: dataplane.Service{Key: modelKeys[0]},
		Account: dataplane.Account{Kernel: scale(n)},
		Reals: []dataplane.RealState{{
			RealServer: dataplane.RealServer{RIP: modelRIP(1)}, Account: dataplane.Account{Kernel: scale(n)},
		}},
	}}}
	src.Director.HasStats, src.Director.Kernel = !partial, scale(n)
	return c.Apply(src, src.Time)
}

func TestRates(t *testing.T) {
	type sample struct {
		sec     float64
		n       uint64
		partial bool
		want    int64 // connections per second; -1 is unknown
	}
	tests := []struct {
		name    string
		samples []sample
	}{
		{"every ten seconds", []sample{{0, 5, false, -1}, {10, 105, false, 10}, {20, 105, false, 0}}},
		{"every second, over four", []sample{{0, 0, false, -1}, {1, 10, false, -1}, {2, 10, false, -1}, {3, 30, false, -1}, {4, 40, false, 10}, {5, 50, false, 10}, {6, 90, false, 20}}},
		{"a little less than four seconds", []sample{{0, 0, false, -1}, {3.999, 40, false, -1}, {8, 80, false, 10}}},
		{"over a reset", []sample{{0, 0, false, -1}, {10, 100, false, 10}, {20, 50, false, 5}}},
		{"to the nearest", []sample{{0, 0, false, -1}, {10, 16, false, 2}, {20, 30, false, 1}}},
		{"counters unknown", []sample{{0, 0, false, -1}, {10, 0, true, -1}, {20, 40, false, -1}, {30, 50, false, 1}}},
		{"time went back", []sample{{0, 0, false, -1}, {10, 100, false, 10}, {5, 150, false, -1}, {15, 160, false, 1}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := NewContinuity(nil, DefaultForget)
			for _, s := range tt.samples {
				out := feed(c, s.sec, s.n, s.partial)
				service, real := &out.Services[0], &out.Services[0].Reals[0]
				known := s.want >= 0
				if service.HasRates != known || real.HasRates != known {
					t.Fatalf("at %v: rates known %v and %v, want %v", s.sec, service.HasRates, real.HasRates, known)
				}
				want := uint64(max(s.want, 0))
				if service.Rates.Connections != want || real.Rates != service.Rates || out.Director.Rates != service.Rates {
					t.Errorf("at %v: %+v, %+v, %+v, want %d", s.sec, out.Director.Rates, service.Rates, real.Rates, want)
				}
			}
		})
	}
}

func TestRatesNeedBothEnds(t *testing.T) {
	c := NewContinuity(nil, DefaultForget)
	feed(c, 0, 1000, false)
	c.Apply(&dataplane.Snapshot{Time: epoch0.Add(10 * time.Second)}, epoch0)
	if out := feed(c, 20, 30, false); out.Services[0].HasRates {
		t.Error("rates of a service that was not there at the beginning of the span")
	}
}

func TestDivideGreatNumbers(t *testing.T) {
	tests := []struct {
		n    uint64
		span time.Duration
		want uint64
	}{
		{math.MaxUint64, 4 * time.Second, math.MaxUint64/4 + 1},
		{math.MaxUint64, math.MaxInt64, 2_000_000_000},
		{0, time.Hour, 0},
		{1, 2 * time.Second, 1},
		{1, 2*time.Second + 1, 0},
	}
	for _, tt := range tests {
		if got := divide(tt.n, tt.span); got != tt.want {
			t.Errorf("divide(%d, %v) = %d, want %d", tt.n, tt.span, got, tt.want)
		}
	}
}
