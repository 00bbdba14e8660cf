package chunk

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sameRaw says how what came back differs from what was written.
func sameRaw(want, got *Raw, ticks int) error {
	if !want.Resets.equal(got.Resets, ticks) {
		return fmt.Errorf("resets %x came back as %x", want.Resets, got.Resets)
	}
	if len(want.Columns) != len(got.Columns) {
		return fmt.Errorf("%d columns came back as %d", len(want.Columns), len(got.Columns))
	}
	for i := range want.Columns {
		w, g := &want.Columns[i], &got.Columns[i]
		if w.Source != g.Source {
			return fmt.Errorf("source %d came back as %d", w.Source, g.Source)
		}
		for tick := range ticks {
			wHas, gHas := w.Has == nil || w.Has.Has(tick), g.Has == nil || g.Has.Has(tick)
			if wHas != gHas || wHas && w.Unknown.Has(tick) != g.Unknown.Has(tick) {
				return fmt.Errorf("source %d: tick %d came back otherwise", w.Source, tick)
			}
		}
		if !slices.Equal(w.Uints, g.Uints) {
			return fmt.Errorf("source %d: %d came back as %d", w.Source, w.Uints, g.Uints)
		}
		if err := sameFloats(w.Floats, g.Floats); err != nil {
			return fmt.Errorf("source %d: %w", w.Source, err)
		}
		if (len(g.Uints) > 0 || len(g.Floats) == 0) == (g.Uints == nil) {
			return fmt.Errorf("source %d: Uints %v and Floats %v", w.Source, g.Uints, g.Floats)
		}
	}
	return nil
}

// sameFloats compares bit by bit, but for NaN.
func sameFloats(want, got []float64) error {
	if len(want) != len(got) {
		return fmt.Errorf("%d values came back as %d", len(want), len(got))
	}
	for i := range want {
		if floatBits(want[i]) != math.Float64bits(got[i]) {
			return fmt.Errorf("value %d: %v came back as %v (%#x)", i, want[i], got[i], math.Float64bits(got[i]))
		}
	}
	return nil
}

// A source of any shape of values, driven by bytes or, when those are used up, by
// a generator.
type shaper struct {
	b   []byte
	rnd *rand.Rand
}

func newShaper(b []byte) *shaper {
	var seed [8]byte
	copy(seed[:], b)
	return &shaper{b, rand.New(rand.NewPCG(binary.LittleEndian.Uint64(seed[:]), uint64(len(b))))}
}

func (s *shaper) intN(n int) int {
	if len(s.b) > 0 {
		v := int(s.b[0]) % n
		s.b = s.b[1:]
		return v
	}
	return s.rnd.IntN(n)
}

// set is a set of n of one of several shapes.
func (s *shaper) set(n int) Bits {
	b := NewBits(n)
	switch s.intN(6) {
	case 0:
		return nil
	case 1: // none
	case 2:
		b.setRange(0, n)
	case 3:
		from := s.rnd.IntN(n + 1)
		b.setRange(from, from+s.rnd.IntN(n-from+1))
	case 4:
		for range 1 + n/50 {
			if n > 0 {
				b.Set(s.rnd.IntN(n))
			}
		}
	default:
		for i := range b {
			b[i] = s.rnd.Uint64() // also beyond n
		}
	}
	return b
}

// uints are n values of one of several shapes.
func (s *shaper) uints(n int) []uint64 {
	v := make([]uint64, n)
	last, step := s.rnd.Uint64()>>s.intN(64), s.rnd.Uint64()>>s.intN(64)
	shape := s.intN(6)
	for i := range v {
		switch shape {
		case 0: // constant
		case 1:
			last += step
		case 2:
			last += s.rnd.Uint64N(step + 1)
		case 3:
			last = s.rnd.Uint64() >> s.rnd.IntN(64)
		case 4:
			last = []uint64{0, 1, 1 << 63, 1<<63 - 1, 1<<64 - 1, 1 << 62}[s.rnd.IntN(6)]
		case 5:
			if last += s.rnd.Uint64N(step/1000 + 1); s.rnd.IntN(40) == 0 {
				last = s.rnd.Uint64()
			}
		}
		v[i] = last
	}
	return v
}

// floats are n values of one of several shapes.
func (s *shaper) floats(n int) []float64 {
	v := make([]float64, n)
	shape := s.intN(9)
	scale := scales[s.intN(len(scales))]
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), math.MaxFloat64, math.SmallestNonzeroFloat64,
		1 << 53, 1<<53 + 2, 1 << 61, 1 << 63, -1 << 63, -1 << 61, 0.1, 1e300, math.Float64frombits(0x7ff8000000000123)}
	size := math.Pow(2, float64(s.intN(50)))
	for i := range v {
		x := math.Floor(s.rnd.Float64() * size)
		switch shape {
		case 0: // whole
		case 1:
			x = math.Round(x*7) / scale
		case 2: // hardly any is whole, nor far from it
			x = math.Round(x) / scale * 3 / 3 * 1.1 / 1.1
		case 3:
			x = s.rnd.NormFloat64() * size
		case 4:
			if x = math.Floor(x); s.rnd.IntN(30) == 0 {
				x += float64(s.rnd.IntN(int(scale)+1)) / scale
			}
		case 5:
			if s.rnd.IntN(20) == 0 {
				x = odd[s.rnd.IntN(len(odd))]
			}
		case 6:
			x = odd[s.rnd.IntN(len(odd))]
		case 7:
			x = math.Float64frombits(s.rnd.Uint64())
		case 8:
			if x = 2.5; i > 0 && s.rnd.IntN(9) > 0 {
				x = v[i-1]
			}
		}
		v[i] = x
	}
	return v
}

// raw is an entity's rows of any shape.
func (s *shaper) raw(ticks int) *Raw {
	r := &Raw{Resets: s.set(ticks)}
	source := uint16(0)
	shared := s.set(ticks)
	for range s.intN(8) {
		col := RawColumn{Source: source, Has: shared}
		if s.intN(3) == 0 {
			col.Has = s.set(ticks)
		}
		if s.intN(3) == 0 {
			col.Unknown = s.set(ticks)
		}
		if n := col.Values(ticks); s.intN(3) > 0 {
			col.Uints = s.uints(n)
		} else {
			col.Floats = s.floats(n)
		}
		r.Columns = append(r.Columns, col)
		source += 1 + uint16(s.intN(2)*s.intN(9000))
	}
	return r
}

var someRows = []int{0, 1, 2, 3, 7, 8, 9, 60, 63, 64, 65, 127, 128, 129, 168, 288, 360, 1000}

func FuzzRaw(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{16, 3, 1, 2, 3, 4, 5})
	var again Raw
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newShaper(b)
		ticks := someRows[s.intN(len(someRows))]
		want := s.raw(ticks)
		prefix := []byte("before")
		v := want.Append(prefix, ticks)[len(prefix):]
		if err := again.Parse(v, ticks, nil); err != nil {
			t.Fatal(err)
		}
		if err := sameRaw(want, &again, ticks); err != nil {
			t.Fatal(err)
		}
		if len(want.Columns) == 0 {
			return
		}
		// One column alone.
		one := want.Columns[s.rnd.IntN(len(want.Columns))]
		if err := again.Parse(v, ticks, func(source uint16) bool { return source == one.Source }); err != nil {
			t.Fatal(err)
		}
		if err := sameRaw(&Raw{Resets: want.Resets, Columns: []RawColumn{one}}, &again, ticks); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRaw is the fuzz test over many seeds.
func TestRaw(t *testing.T) {
	var again Raw
	for seed := range uint64(4000) {
		s := &shaper{rnd: rand.New(rand.NewPCG(seed, 1))}
		ticks := someRows[s.intN(len(someRows))]
		want := s.raw(ticks)
		if err := again.Parse(want.Append(nil, ticks), ticks, nil); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := sameRaw(want, &again, ticks); err != nil {
			t.Fatalf("seed %d: %d ticks: %v", seed, ticks, err)
		}
	}
}
