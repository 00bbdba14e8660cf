package graph

import (
	"math"
	"strings"
	"testing"
)

func TestScaleLabels(t *testing.T) {
	for _, tt := range []struct {
		low, high float64
		n         int
		whole     bool
		want      string
	}{
		{0, 14.6e6, 5, false, "0, 5 M, 10 M, 15 M"},
		{0, 1.5e6, 5, false, "0, 0.5 M, 1.0 M, 1.5 M"},
		{-26e6, 12e6, 6, false, "20 M, 10 M, 0, 10 M"},
		{0, 950, 5, false, "0, 200, 400, 600, 800"},
		{0, 999, 5, false, "0, 0.5 k, 1.0 k"},
		{0, 0, 5, false, "0, 0.5, 1.0"},
		{0, 3, 6, true, "0, 1, 2, 3"},
		{0, 1, 6, true, "0, 1"},
		{0, 0.03, 3, false, "0, 0.02"},
		{0, 3e-7, 3, false, "0, 2e-07"},
		{0, 4e24, 4, false, "0, 2 Y, 4 Y"},
		{0, 4e30, 4, false, "0, 2e+30, 4e+30"},
		{0, 5e-324, 4, false, "0, 0.5, 1.0"},
		{-10, 0, 1, false, "10, 0"},
		{-300, 100, 1, false, "200, 0"},
	} {
		s := newScale(tt.low, tt.high, tt.n, tt.whole)
		var got []string
		for i := s.first; i <= s.last; i++ {
			got = append(got, s.label(i, true))
		}
		if text := strings.Join(got, ", "); text != tt.want {
			t.Errorf("from %v to %v in %d: %s, want %s", tt.low, tt.high, tt.n, text, tt.want)
		}
	}
}

// TestScaleSane tries all magnitudes: there is room for every value, something
// besides zero is labelled, and no two labels are the same.
func TestScaleSane(t *testing.T) {
	for exp := -99; exp <= 103; exp++ {
		for _, m := range []float64{1, 1.7, 2, 4.9999999, 5, 9.99999} {
			for _, side := range []struct{ low, high float64 }{{0, 1}, {-1, 0}, {-1, 1}, {-0.01, 1}} {
				v := m * math.Pow10(exp)
				s := newScale(side.low*v, side.high*v, 6, false)
				if !(s.low <= side.low*v && s.high >= side.high*v && s.low <= 0 && s.high >= 0) {
					t.Fatalf("%g to %g: the scale is from %g to %g", side.low*v, side.high*v, s.low, s.high)
				}
				seen := map[string]bool{}
				for i := s.first; i <= s.last; i++ {
					l := s.label(i, false)
					if seen[l] || len(l) > 9 {
						t.Fatalf("%g to %g: label %q", side.low*v, side.high*v, l)
					}
					seen[l] = true
				}
				if len(seen) < 2 || len(seen) > 14 {
					t.Fatalf("%g to %g: %d labels", side.low*v, side.high*v, len(seen))
				}
			}
		}
	}
}

func TestSIText(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {1, "1"}, {12, "12"}, {999, "999"}, {0.5, "0.500"}, {0.0512, "0.0512"}, {0.00012345, "0.000123"}, {1e-5, "1.00e-05"},
		{3.8, "3.800"}, {12.18e6, "12.18 M"}, {999.94, "999.9"}, {999.96, "1.000 k"}, {1000, "1.000 k"}, {99996, "100.0 k"}, {9.9996e6, "10.00 M"},
		{-2500, "-2.500 k"}, {1 << 20, "1.049 M"}, {7e24, "7.000 Y"}, {7e27, "7.00e+27"}, {math.NaN(), "–"}, {0.99999, "1.000"},
	} {
		if got := siText(tt.v); got != tt.want {
			t.Errorf("%v is %q, want %q", tt.v, got, tt.want)
		}
	}
}
