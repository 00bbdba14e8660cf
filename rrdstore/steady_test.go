package rrdstore

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lvs/rrdstore/chunk"
)

// stretch is parts of one slot's counter and gauge, cut at random, all ticks of which
// are a step apart from first on.
func stretch(rnd *rand.Rand, first, step uint32, n int) (parts []*rawPart) {
	value := rnd.Uint64N(1 << 40)
	for n > 0 {
		p := new(rawPart)
		var counter, gauge []uint64
		for range min(n, 1+rnd.IntN(40)) {
			if rnd.IntN(30) == 0 {
				value = rnd.Uint64() // it may fall
			}
			value += rnd.Uint64N(1000)
			p.ticks, counter, gauge = append(p.ticks, first), append(counter, value), append(gauge, rnd.Uint64N(9))
			first += step
		}
		n -= len(p.ticks)
		p.slots[3] = &chunk.Raw{Columns: []chunk.RawColumn{{Source: 0, Uints: counter}, {Source: 5, Uints: gauge}}}
		parts = append(parts, p)
	}
	return parts
}

// Of steady updates both ways make the same points, wherever they begin and end.
func TestSteadyPointsAreTheDataPoints(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	const step, beat = 10, 20
	for round := range 2000 {
		first := uint32(1_700_000_000 + step*rnd.IntN(50))
		parts := stretch(rnd, first, step, 1+rnd.IntN(60))
		from, even := steady(parts, step)
		if !even || from != first {
			t.Fatalf("round %d: steady from %d: %v, want from %d", round, from, even, first)
		}
		start := uint32(1_700_000_000 + step*rnd.IntN(100))
		f := &fetcher{st: &storeState{step: step, beat: beat}}
		for i, src := range []sourceEntry{{0, standardSources[0]}, {5, standardSources[5]}} {
			seconds := []float64{1, step}[rnd.IntN(2)]
			got, want := make([]float64, rnd.IntN(70)), []float64(nil)
			if !f.steadyPoints(got, start, first, parts, 3, src, seconds) {
				t.Fatalf("round %d: not taken", round)
			}
			var u updates
			u.of(parts, 3, src)
			if want = make([]float64, len(got)); seconds == 1 {
				u.dataPoints(want, start, step, beat)
			} else {
				u.show(want, start, step, beat)
			}
			for k := range want {
				if math.Float64bits(got[k]) != math.Float64bits(want[k]) && !(got[k] != got[k] && want[k] != want[k]) {
					t.Fatalf("round %d, source %d, point %d of %d: %v, want %v", round, i, k, len(want), got, want)
				}
			}
		}
	}
}

func TestWhatIsNotSteadyIsLeftToUpdates(t *testing.T) {
	for name, ticks := range map[string][][]uint32{
		"none":          {{}},
		"off the grid":  {{15, 25}},
		"a gap":         {{10, 20, 40}},
		"between parts": {{10, 20}, {40}},
		"too near":      {{10, 15, 30}},
		"the end":       {{math.MaxUint32 / 10 * 10}, {4}},
	} {
		var parts []*rawPart
		for _, t := range ticks {
			parts = append(parts, &rawPart{ticks: t})
		}
		if first, ok := steady(parts, 10); ok {
			t.Errorf("%s: %v are steady from %d on", name, ticks, first)
		}
	}
	full := []uint64{1, 2}
	some := chunk.Bits{1}
	for name, raw := range map[string]*chunk.Raw{
		"nothing":  nil,
		"no such":  {Columns: []chunk.RawColumn{{Source: 1, Uints: full}}},
		"resets":   {Columns: []chunk.RawColumn{{Source: 0, Uints: full}}, Resets: some},
		"absent":   {Columns: []chunk.RawColumn{{Source: 0, Uints: full[:1], Has: some}}},
		"unknown":  {Columns: []chunk.RawColumn{{Source: 0, Uints: full[:1], Unknown: some}}},
		"floating": {Columns: []chunk.RawColumn{{Source: 0, Floats: []float64{1, 2}}}},
	} {
		p := &rawPart{ticks: []uint32{10, 20}}
		p.slots[0] = raw
		f, values := &fetcher{st: &storeState{step: 10, beat: 20}}, []float64{7, 7}
		if f.steadyPoints(values, 10, 10, []*rawPart{p}, 0, sourceEntry{0, standardSources[0]}, 1) || !slices.Equal(values, []float64{7, 7}) {
			t.Errorf("%s: taken, %v", name, values)
		}
	}
}
