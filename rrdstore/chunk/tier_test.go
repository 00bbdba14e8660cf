package chunk

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sameTier says how the wanted parts of what came back differ from what was
// written.
func sameTier(want, got *Tier, parts Parts) error {
	if len(want.Columns) != len(got.Columns) {
		return fmt.Errorf("%d columns came back as %d", len(want.Columns), len(got.Columns))
	}
	for i := range want.Columns {
		w, g := &want.Columns[i], &got.Columns[i]
		if w.Source != g.Source || !slices.Equal(w.Known, g.Known) {
			return fmt.Errorf("source %d, known %d, came back as %d, %d", w.Source, w.Known, g.Source, g.Known)
		}
		theirs := g.cells()
		for part, values := range w.cells() {
			if parts>>part&1 == 0 {
				if len(*theirs[part]) > 0 {
					return fmt.Errorf("source %d: part %d was not wanted", w.Source, part)
				}
				continue
			}
			if err := sameFloats(known(*values, w.Known), *theirs[part]); err != nil {
				return fmt.Errorf("source %d: part %d: %w", w.Source, part, err)
			}
		}
	}
	return nil
}

// known are the values of rows that know something.
func known(values []float64, known []uint32) []float64 {
	values = slices.Clone(values)
	for i, k := range known {
		if k == 0 {
			values[i] = math.NaN()
		}
	}
	return values
}

// tier is an entity's rows of any shape, some such as data points make, some
// not.
func (s *shaper) tier(rows int, per uint32) *Tier {
	t := &Tier{Season: []int{0, 0, 1, 2, 24}[s.intN(5)]}
	source := uint16(0)
	points := s.floats(rows * int(per))
	for range s.intN(6) {
		col := TierColumn{Source: source}
		col.Resize(rows)
		if s.intN(3) == 0 {
			points = s.floats(len(points))
		} else {
			for i := range points { // much as before
				points[i] = math.Round(points[i]*12) + float64(s.rnd.IntN(20))
			}
		}
		if s.intN(4) == 0 {
			col.Sum, col.Min, col.Max, col.Last = s.floats(rows), s.floats(rows), s.floats(rows), s.floats(rows)
			for i := range col.Known {
				col.Known[i] = s.rnd.Uint32N(per + 1)
			}
		} else {
			consolidate(&col, points, s.set(len(points)), int(per))
		}
		t.Columns = append(t.Columns, col)
		source += 1 + uint16(s.intN(2)*s.intN(9000))
	}
	return t
}

// consolidate makes rows of data points, some of which are gone.
func consolidate(col *TierColumn, points []float64, gone Bits, per int) {
	for i, v := range points {
		if gone.Has(i) || v != v {
			col.Last[i/per] = math.NaN()
			continue
		}
		accumulateInto(&col.Cells, i/per, v)
	}
}

// roundTier writes and reads an entity's rows of any shape: all, some parts, and
// those of one column.
func roundTier(s *shaper, again *Tier) error {
	rows, per := someRows[s.intN(len(someRows)-1)], []uint32{1, 2, 6, 30}[s.intN(4)]
	want := s.tier(rows, per)
	v := want.Append(nil, rows, per)
	parts := Parts(s.intN(int(AllParts) + 1))
	for _, parts := range []Parts{AllParts, parts} {
		if err := again.Parse(v, rows, per, parts, nil); err != nil {
			return fmt.Errorf("parts %b: %w", parts, err)
		}
		if err := sameTier(want, again, parts); err != nil {
			return fmt.Errorf("parts %b: %w", parts, err)
		}
	}
	if len(want.Columns) == 0 {
		return nil
	}
	one := want.Columns[s.rnd.IntN(len(want.Columns))]
	if err := again.Parse(v, rows, per, parts, func(source uint16) bool { return source == one.Source }); err != nil {
		return fmt.Errorf("source %d alone: %w", one.Source, err)
	}
	return sameTier(&Tier{Columns: []TierColumn{one}}, again, parts)
}

func FuzzTier(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{9, 1, 1, 2, 3, 4, 5})
	var again Tier
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := roundTier(newShaper(b), &again); err != nil {
			t.Error(err)
		}
	})
}

// TestTier is the fuzz test over many seeds.
func TestTier(t *testing.T) {
	var again Tier
	for seed := range uint64(300) {
		if err := roundTier(&shaper{rnd: rand.New(rand.NewPCG(seed, 1))}, &again); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}
