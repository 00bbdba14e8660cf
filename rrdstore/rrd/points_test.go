package rrd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

var (
	nan   = math.NaN()
	store = Source{Type: Derive, Heartbeat: 25, Min: 0, Max: nan} // a counter as the store takes it
	gauge = Source{Type: Gauge, Heartbeat: 25, Min: nan, Max: nan}
)

// with is the source with something changed.
func with(s Source, change func(*Source)) Source {
	change(&s)
	return s
}

func TestDataPoints(t *testing.T) {
	counter := with(store, func(s *Source) { s.Type = Counter })
	derive := with(store, func(s *Source) { s.Min = nan })
	absolute := with(store, func(s *Source) { s.Type = Absolute })
	on := func(n int) (times []uint32) { // the grid from 1000 on
		for i := range n {
			times = append(times, 1000+10*uint32(i))
		}
		return times
	}
	const top = math.MaxUint64
	tests := []struct {
		name string
		src  Source
		u    Updates
		want []float64 // from 1000 on, in steps of 10
	}{
		{"nothing", store, Updates{}, []float64{nan}},
		{"a base alone", store, Updates{Times: on(1), Uints: []uint64{5}}, []float64{nan}},
		{"amounts", store, Updates{Times: on(4), Uints: []uint64{5, 6, 6, 16}}, []float64{1, 0, 10, nan}},
		{"values", gauge, Updates{Times: on(3), Uints: []uint64{5, 6, 7}}, []float64{6, 7, nan}},
		{"fractions", gauge, Updates{Times: on(3), Floats: []float64{5, -6.5, nan}}, []float64{-6.5, nan}},
		{"all digits", store, Updates{Times: on(3), Uints: []uint64{1 << 63, 1<<63 + 1, 1<<63 + 1<<60}}, []float64{1, 1<<60 - 1}},

		{"decrease", store, Updates{Times: on(3), Uints: []uint64{5, 4, 6}}, []float64{nan, 2}},
		{"decrease that may be", derive, Updates{Times: on(3), Uints: []uint64{5, 4, 6}}, []float64{-1, 2}},
		{"wrap at 32 bits, one short", counter, Updates{Times: on(3), Uints: []uint64{4294967290, 4, 5}}, []float64{9, 1}},
		{"wrap at 64 bits, one short", counter, Updates{Times: on(3), Uints: []uint64{top - 115, 300, 301}}, []float64{415, 1}},
		{"wrap to where it was", counter, Updates{Times: on(2), Uints: []uint64{1<<32 - 1, 0}}, []float64{0}},
		{"other sign", derive, Updates{Times: on(4), Floats: []float64{-5, 5, 4, -4}}, []float64{nan, -1, nan}},
		{"absolute", absolute, Updates{Times: on(3), Uints: []uint64{5, 6, 7}}, []float64{6, 7}},

		{"reset", store, Updates{Times: on(4), Uints: []uint64{5, 9, 10, 12}, Marks: []Mark{0, Reset, 0, 0}}, []float64{nan, 1, 2}},
		{"reset is nothing to a gauge", gauge, Updates{Times: on(3), Uints: []uint64{5, 9, 10}, Marks: []Mark{0, Reset, 0}}, []float64{9, 10}},
		{"unknown", store, Updates{Times: on(4), Uints: []uint64{5, 0, 10, 12}, Marks: []Mark{0, Unknown, 0, 0}}, []float64{nan, nan, 2}},
		{"unknown gauge", gauge, Updates{Times: on(4), Uints: []uint64{5, 0, 10, 12}, Marks: []Mark{0, Unknown, 0, 0}}, []float64{nan, 10, 12}},

		{"one missed", store, Updates{Times: []uint32{1000, 1020, 1030}, Uints: []uint64{5, 10, 11}}, []float64{2.5, 2.5, 1}},
		{"two missed", store, Updates{Times: []uint32{1000, 1030, 1040}, Uints: []uint64{5, 10, 11}}, []float64{nan, nan, nan, 1}},
		{"late", store, Updates{Times: []uint32{1000, 1012, 1020}, Uints: []uint64{0, 12, 28}}, []float64{10, 18}},
		{"between", store, Updates{Times: []uint32{995, 1003, 1015, 1024}, Uints: []uint64{0, 8, 20, 38}}, []float64{10, 15, nan}},
		{"half known", gauge, Updates{Times: []uint32{1000, 1005, 1010}, Uints: []uint64{0, 4, 9}, Marks: []Mark{0, Unknown, 0}}, []float64{9}},
		{"less than half", gauge, Updates{Times: []uint32{1000, 1006, 1010}, Uints: []uint64{0, 4, 9}, Marks: []Mark{0, Unknown, 0}}, []float64{nan}},
		{"less than half, at the end", gauge, Updates{Times: []uint32{1000, 1001, 1010}, Uints: []uint64{0, 4, 9}, Marks: []Mark{0, 0, Unknown}}, []float64{4}},
		{"amount of the known half", store, Updates{Times: []uint32{1000, 1005, 1010}, Uints: []uint64{0, 4, 9}, Marks: []Mark{0, Reset, 0}}, []float64{10}},
		{"first points, split", store, Updates{Times: []uint32{1000, 1004, 1029}, Uints: []uint64{0, 40, 65}}, []float64{46, 10}},
		{"heartbeat in the first alone", store, Updates{Times: []uint32{1000, 1004, 1040}, Uints: []uint64{0, 40, 65}}, []float64{100, nan, nan, nan}},
		{"out of bounds", with(store, func(s *Source) { s.Min, s.Max = 0.1, 0.5 }), Updates{Times: on(4), Uints: []uint64{0, 0, 5, 11}}, []float64{nan, 5, nan}},
		{"gauge out of bounds", with(gauge, func(s *Source) { s.Min, s.Max = 1, 5 }), Updates{Times: on(4), Uints: []uint64{0, 0, 5, 6}}, []float64{nan, 5, nan}},
		{"heartbeat below the step", with(store, func(s *Source) { s.Heartbeat = 9 }), Updates{Times: on(3), Uints: []uint64{0, 1, 2}}, []float64{nan, nan}},
		{"not later", store, Updates{Times: []uint32{1000, 1010, 1010, 1009, 1020}, Uints: []uint64{0, 1, 100, 200, 4}}, []float64{1, 3}},
		{"around the points", store, Updates{Times: []uint32{980, 990, 1000, 1010, 1020, 1040}, Uints: []uint64{0, 1, 3, 6, 10, 16}}, []float64{3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := make([]float64, len(tt.want))
			DataPoints(got, 1000, 10, tt.src, &tt.u)
			if !sameBits(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// The last seconds there are in 32 bits.
func TestDataPointsAtTheEndOfTime(t *testing.T) {
	const end = math.MaxUint32 - math.MaxUint32%10
	u := Updates{Times: []uint32{end - 20, end - 10, end, math.MaxUint32}, Uints: []uint64{1, 2, 4, 8}}
	got := make([]float64, 3)
	DataPoints(got, end-20, 10, store, &u)
	if want := []float64{1, 2, nan}; !sameBits(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	u.Times[0] = 0
	DataPoints(got, end-20, 1, with(store, func(s *Source) { s.Heartbeat = math.MaxUint32 }), &u)
	if got[0] >= 1 || got[0] <= 0 {
		t.Errorf("an interval from 1970 to 2106 gives %v", got[0])
	}
}

// sameBits is equality to the last bit, where all NaNs are one.
func sameBits(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !(a[i] != a[i] && b[i] != b[i]) {
			return false
		}
	}
	return true
}

func BenchmarkDataPoints(b *testing.B) {
	const n = 360
	rng := rand.New(rand.NewPCG(1, 2))
	u := Updates{Times: make([]uint32, n+1), Uints: make([]uint64, n+1)}
	for i := range u.Times {
		u.Times[i] = 1e9 + 10*uint32(i)
		if i > 0 {
			u.Uints[i] = u.Uints[i-1] + rng.Uint64N(1e6)
		}
	}
	marked := u
	marked.Marks = make([]Mark, n+1)
	late := u
	late.Times = make([]uint32, n+1)
	for i, t := range u.Times {
		late.Times[i] = t + uint32(rng.IntN(3))
	}
	for _, bb := range []struct {
		name string
		src  Source
		u    Updates
	}{{"counter", store, u}, {"gauge", gauge, u}, {"marked", store, marked}, {"bounded", with(store, func(s *Source) { s.Max = 1e9 }), u}, {"late", store, late}} {
		b.Run(bb.name, func(b *testing.B) {
			pdp := make([]float64, n)
			for b.Loop() {
				DataPoints(pdp, 1e9, 10, bb.src, &bb.u)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/update")
		})
	}
}

func BenchmarkConsolidate(b *testing.B) {
	pdp := make([]float64, 360)
	for i := range pdp {
		pdp[i] = float64(i * 7 % 100)
	}
	for _, per := range []int{1, 6, 30, 360} {
		b.Run(fmt.Sprint("per=", per), func(b *testing.B) {
			var c Cells
			c.Resize(len(pdp) / per)
			for b.Loop() {
				Consolidate(&c, pdp, per)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(pdp)), "ns/point")
		})
	}
}
