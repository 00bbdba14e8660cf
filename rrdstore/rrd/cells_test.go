package rrd

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// row is one row of Cells.
type row struct {
	known                uint32
	sum, min, max, final float64
}

func rows(c *Cells) (r []row) {
	for i := range c.Known {
		r = append(r, row{c.Known[i], c.Sum[i], c.Min[i], c.Max[i], c.Last[i]})
	}
	return r
}

func sameRows(a, b []row) bool {
	if len(a) != len(b) {
		return false
	}
	for i, a := range a {
		b := b[i]
		if a.known != b.known || !sameBits([]float64{a.sum, a.min, a.max, a.final}, []float64{b.sum, b.min, b.max, b.final}) {
			return false
		}
	}
	return true
}

func TestConsolidate(t *testing.T) {
	pdp := []float64{1, 5, 3, nan, -2, nan, nan, nan, nan, nan, nan, 0}
	var c Cells
	c.Resize(4)
	Consolidate(&c, pdp, 3)
	want := []row{{3, 9, 1, 5, 3}, {1, -2, -2, -2, nan}, {0, nan, nan, nan, nan}, {1, 0, 0, 0, 0}}
	if got := rows(&c); !sameRows(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var coarse Cells
	coarse.Resize(2)
	Merge(&coarse, &c, 2)
	want = []row{{4, 7, -2, 5, nan}, {1, 0, 0, 0, 0}}
	if got := rows(&coarse); !sameRows(got, want) {
		t.Errorf("merged %v, want %v", got, want)
	}
}

// Rows made of rows are the rows made of the points, however many stages there
// are; the points are integers, as the store's are, so that the sums are exact.
func TestMergeEqualsConsolidate(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		a, b, c := 1+rng.IntN(7), 1+rng.IntN(7), 1+rng.IntN(7)
		n := 1 + rng.IntN(5)
		pdp := make([]float64, n*a*b*c)
		for i := range pdp {
			if pdp[i] = nan; rng.IntN(4) > 0 {
				pdp[i] = float64(rng.Int64N(1<<40)) - 1<<20
			}
		}
		var fine, middle, coarse, direct Cells
		fine.Resize(n * b * c)
		middle.Resize(n * c)
		coarse.Resize(n)
		direct.Resize(n)
		Consolidate(&fine, pdp, a)
		Merge(&middle, &fine, b)
		Merge(&coarse, &middle, c)
		Consolidate(&direct, pdp, a*b*c)
		if got, want := rows(&coarse), rows(&direct); !sameRows(got, want) {
			t.Fatalf("%d points to %d to %d to %d rows: %v, want %v", len(pdp), n*b*c, n*c, n, got, want)
		}
	}
}

func TestOverlay(t *testing.T) {
	c, o := Cells{}, Cells{}
	c.Resize(3)
	o.Resize(3)
	Consolidate(&c, []float64{1, nan, nan, nan, nan, nan}, 2)
	Consolidate(&o, []float64{7, 8, 9, nan, nan, nan}, 2)
	c.Overlay(&o)
	want := []row{{1, 1, 1, 1, nan}, {1, 9, 9, 9, nan}, {0, nan, nan, nan, nan}}
	if got := rows(&c); !sameRows(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestValues(t *testing.T) {
	var c Cells
	c.Resize(5)
	// Rows with none, one, two, three and all four of their points unknown.
	Consolidate(&c, []float64{1, 2, 3, 6, 9, nan, 4, 2, nan, 4, 8, nan, nan, nan, nan, 5, nan, nan, nan, nan}, 4)
	tests := []struct {
		f    Function
		xff  float64
		want []float64
	}{
		{Average, 0, []float64{3, nan, nan, nan, nan}},
		{Average, 0.25, []float64{3, 5, nan, nan, nan}},
		{Average, 0.49, []float64{3, 5, nan, nan, nan}},
		{Average, 0.5, []float64{3, 5, 6, nan, nan}},
		{Average, 0.99, []float64{3, 5, 6, 5, nan}},
		{Min, 0.75, []float64{1, 2, 4, 5, nan}},
		{Max, 0.75, []float64{6, 9, 8, 5, nan}},
		{Last, 0.75, []float64{6, 2, nan, 5, nan}},
		{Last, 0.5, []float64{6, 2, nan, nan, nan}},
	}
	for _, tt := range tests {
		got := make([]float64, 5)
		c.Values(got, tt.f, 4, tt.xff)
		if !sameBits(got, tt.want) {
			t.Errorf("%s at xff %v: %v, want %v", functionNames[tt.f], tt.xff, got, tt.want)
		}
	}
	var single Cells
	single.Resize(2)
	Consolidate(&single, []float64{4, nan}, 1)
	for f := range functionNames {
		got := make([]float64, 2)
		single.Values(got, Function(f), 1, 0)
		if !sameBits(got, []float64{4, nan}) {
			t.Errorf("%s of one point: %v", functionNames[f], got)
		}
	}
}

// Cells that held something hold nothing when they are made anew, of any length.
func TestResize(t *testing.T) {
	var c Cells
	for _, n := range []int{3, 2, 5, 0} {
		c.Resize(n)
		want := make([]row, n)
		for i := range want {
			want[i] = row{0, nan, nan, nan, nan}
		}
		if got := rows(&c); !sameRows(got, want) {
			t.Errorf("%d rows: %v", n, got)
		}
		Consolidate(&c, make([]float64, 2*n), 2)
	}
}

func TestTypeString(t *testing.T) {
	var got []string
	for _, ty := range []Type{Gauge, Counter, Derive, Absolute, 9} {
		got = append(got, ty.String())
	}
	if want := []string{"GAUGE", "COUNTER", "DERIVE", "ABSOLUTE", "type 9"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
