package chunk

import (
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
		switch n, before := col.Values(ticks), len(r.Columns)-1; {
		case before >= 0 && len(r.Columns[before].Uints) == n && s.intN(3) > 0:
			col.Uints = s.like(r.Columns[before].Uints)
		case s.intN(3) > 0:
			col.Uints = s.uints(n)
		default:
			col.Floats = s.floats(n)
		}
		r.Columns = append(r.Columns, col)
		source += 1 + uint16(s.intN(2)*s.intN(9000))
	}
	return r
}

var someRows = []int{0, 1, 2, 3, 7, 8, 9, 60, 63, 64, 65, 127, 128, 129, 168, 288, 360, 1000, 10000}

// roundRaw writes and reads an entity's rows of any shape: all, and one column.
func roundRaw(s *shaper, again *Raw) error {
	ticks := someRows[s.intN(len(someRows))]
	want := s.raw(ticks)
	prefix := []byte("before")
	v := want.Append(prefix, ticks)[len(prefix):]
	if err := again.Parse(v, ticks, nil); err != nil {
		return err
	}
	if err := sameRaw(want, again, ticks); err != nil || len(want.Columns) == 0 {
		return err
	}
	one := want.Columns[s.rnd.IntN(len(want.Columns))]
	if err := again.Parse(v, ticks, func(source uint16) bool { return source == one.Source }); err != nil {
		return fmt.Errorf("source %d alone: %w", one.Source, err)
	}
	return sameRaw(&Raw{Resets: want.Resets, Columns: []RawColumn{one}}, again, ticks)
}

func FuzzRaw(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{16, 3, 1, 2, 3, 4, 5})
	var again Raw
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := roundRaw(newShaper(b), &again); err != nil {
			t.Error(err)
		}
	})
}

// TestRaw is the fuzz test over many seeds.
func TestRaw(t *testing.T) {
	var again Raw
	for seed := range uint64(500) {
		if err := roundRaw(&shaper{rnd: rand.New(rand.NewPCG(seed, 1))}, &again); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// TestConstantIsShort: an entity that never changes takes hardly more than a
// byte or two for each column.
func TestConstantIsShort(t *testing.T) {
	const rows, per = 360, 6
	raw, tier := new(Raw), new(Tier)
	for source := range uint16(numSources) {
		value := uint64(source) * 100
		col := RawColumn{Source: source}
		cells := TierColumn{Source: source}
		cells.Resize(rows)
		for i := range rows * per {
			accumulateInto(&cells.Cells, i/per, float64(value))
			if i < rows {
				col.Uints = append(col.Uints, value)
			}
		}
		raw.Columns, tier.Columns = append(raw.Columns, col), append(tier.Columns, cells)
	}
	if n := len(raw.Append(nil, rows)); n > 2*numSources {
		t.Errorf("raw: %d bytes for %d columns", n, numSources)
	}
	if n := len(tier.Append(nil, rows, per)); n > 2*numSources {
		t.Errorf("tier: %d bytes for %d columns", n, numSources)
	}
}

// TestMultipleOfFloats: a column is not written by another that came out as
// floating-point numbers, however alike they are.
func TestMultipleOfFloats(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	want := &Raw{Columns: []RawColumn{{}, {Source: 1}}}
	for i := range 400 {
		v := math.Floor(rnd.Float64() * (1 << 40))
		if i%20 > 0 { // mostly as before, so that floats are short
			v = want.Columns[0].Floats[i-1]
		}
		want.Columns[0].Floats = append(want.Columns[0].Floats, v)
		want.Columns[1].Floats = append(want.Columns[1].Floats, 2*v+float64(rnd.IntN(100)))
	}
	want.Columns[0].Floats[399] = 0.1
	b := want.Append(nil, 400)
	if first := form(b[1] & 3); first != formFloats {
		t.Fatalf("the first column has form %d", first)
	}
	var got Raw
	if err := got.Parse(b, 400, nil); err != nil {
		t.Fatal(err)
	}
	if err := sameRaw(want, &got, 400); err != nil {
		t.Error(err)
	}
}
