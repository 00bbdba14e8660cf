package graph

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// TestBinsKeepExtremes holds the lattice against the rows themselves, with as many
// rows as there may be for a pixel and with fewer.
func TestBinsKeepExtremes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, rows := range []int{1, 7, 100, 799, 800, 801, 8640, 100_000} {
		tr := Trace{Values: make([]float64, rows), Max: make([]float64, rows)}
		low, high, sum, n := math.Inf(1), math.Inf(-1), 0.0, 0
		for i := range tr.Values {
			v := rng.NormFloat64()
			if rng.IntN(4) == 0 {
				v = math.NaN()
			}
			tr.Values[i], tr.Max[i] = v, v+1
			if known(v) {
				low, high, sum, n = min(low, v), max(high, v+1), sum+v, n+1
			}
		}
		g := &Graph{First: noon, Step: 10 * time.Second, Traces: []Trace{tr}}
		l := newLattice(g, noon, noon.Add(time.Duration(rows)*g.Step), 800, 1)
		gotLow, gotHigh := math.Inf(1), math.Inf(-1)
		for _, b := range l.bins(&tr) {
			if known(b.mean) {
				gotLow, gotHigh = min(gotLow, b.lo), max(gotHigh, b.hi)
				if !(b.lo <= b.mean && b.mean <= b.hi) {
					t.Fatalf("%d rows: mean %v is not from %v to %v", rows, b.mean, b.lo, b.hi)
				}
			}
		}
		if n > 0 && (gotLow != low || gotHigh != high) {
			t.Errorf("%d rows: drawn from %v to %v, want %v to %v", rows, gotLow, gotHigh, low, high)
		}
		if s := tr.summarize(0, rows, g.Step); n > 0 && (s.max != high || math.Abs(s.avg-sum/float64(n)) > 1e-9) {
			t.Errorf("%d rows: summary %+v, want max %v, avg %v", rows, s, high, sum/float64(n))
		}
		if want := min(rows, 800); l.n != want {
			t.Errorf("%d rows: %d bins, want %d", rows, l.n, want)
		}
	}
}

// TestLatticeWindow is about rows that are cut off by the ends of the axis, or
// beyond them.
func TestLatticeWindow(t *testing.T) {
	g := &Graph{First: noon, Step: time.Minute, Traces: []Trace{{Values: make([]float64, 60)}}}
	for _, tt := range []struct {
		from, to    time.Duration
		first, last int // rows; last is excluded
	}{
		{0, time.Hour, 0, 60},
		{-time.Hour, 2 * time.Hour, 0, 60},
		{10 * time.Minute, 20 * time.Minute, 10, 20},
		{10*time.Minute + time.Second, 20*time.Minute + time.Second, 10, 21},
		{2 * time.Hour, 3 * time.Hour, 60, 60},
		{-3 * time.Hour, -2 * time.Hour, 0, 0},
	} {
		l := newLattice(g, noon.Add(tt.from), noon.Add(tt.to), 600, 1)
		if l.from != tt.first || l.to != tt.last {
			t.Errorf("from %v to %v: rows %d to %d, want %d to %d", tt.from, tt.to, l.from, l.to, tt.first, tt.last)
		}
		for i := 0; i < l.n; i++ {
			if a, b := l.edge(i), l.edge(i+1); a < 0 || b > 600 || a > b {
				t.Errorf("from %v to %v: bin %d is from %v to %v", tt.from, tt.to, i, a, b)
			}
		}
	}
}

func TestSummary(t *testing.T) {
	nan := math.NaN()
	twenty := make([]float64, 20)
	for i := range twenty {
		twenty[i] = float64(i + 1)
	}
	for _, tt := range []struct {
		name  string
		trace Trace
		want  summary
	}{
		{"known and not", Trace{Values: []float64{nan, 4, 1, nan, 7, nan}}, summary{7, 1, 4, 7, 7, 40 * 3, 4}},
		{"the peak within an interval", Trace{Values: []float64{2, 2}, Max: []float64{2, 9}, Min: []float64{0, 1}}, summary{2, 0, 2, 9, 2, 40, 1}},
		{"peaks that nobody knows", Trace{Values: []float64{2, 2}, Max: []float64{}, Min: []float64{}}, summary{2, nan, 2, nan, 2, 40, -1}},
		{"19 of 20 are not above", Trace{Values: twenty}, summary{20, 1, 10.5, 20, 19, 2100, 19}},
		{"nothing", Trace{Values: []float64{nan, math.Inf(1)}}, summary{nan, nan, nan, nan, nan, nan, -1}},
		{"below zero", Trace{Values: []float64{-3, -1}}, summary{-1, -3, -2, -1, -1, -40, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.trace.summarize(0, len(tt.trace.Values), 10*time.Second)
			same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
			w := tt.want
			if !same(got.last, w.last) || !same(got.min, w.min) || !same(got.avg, w.avg) || !same(got.max, w.max) ||
				!same(got.p95, w.p95) || !same(got.total, w.total) || got.peak != w.peak {
				t.Errorf("got %+v, want %+v", got, w)
			}
		})
	}
}
