package web

import (
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestSparks(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name        string
		in, out     []float64
		draw, title string
	}{
		{"nothing", []float64{nan, nan}, nil, "", ""},
		{"in alone", []float64{1000, 0, 500}, []float64{nan, nan, nan}, "M0 23V1h1V23h1V12h1V23z", "in at most 1.0 kB/s"},
		{"both, each to its greatest", []float64{10, 5, 10}, []float64{4000, 4000, 0}, "M0 12V1h1V6h1V1h1V12z;M0 12V23h1h1V12h1V12z", "in at most 10 B/s, out 4.0 kB/s"},
		{"a gap, and a value alone", []float64{7, nan, 7, nan}, nil, "M0 23V1h1V23zM2 23V1h1V23z", "in at most 7 B/s"},
		{"little can be seen", []float64{1, 100_000}, nil, "M0 23V22h1V1h1V23z", "in at most 100 kB/s"},
		{"zero", []float64{0, 0}, nil, "M0 23h1h1V23z", "in at most 0 B/s"},
	} {
		if got := NewSpark(c.in, c.out); got != (Spark{c.draw, c.title}) {
			t.Errorf("%s: %+v, want %q, %q", c.name, got, c.draw, c.title)
		}
	}
}

func TestBars(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{drawShare(1, 4, true, 3, 4), "M0 0h25v10h-25z;M75 0v10"},
		{drawShare(0, 0, true, 0, 4), ";M1 0v10"},
		{drawShare(1, 4, false, 0, 0), ";"},
		{drawParts(1, 0, 1), "M0 0h50v10h-50z;;M50 0h50v10h-50z"},
		{drawParts(9999, 1), "M0 0h98v10h-98z;M98 0h2v10h-2z"}, // one is not lost among many
		{drawParts(0, 0), ";"},
	} {
		if c.got != c.want {
			t.Errorf("drawn as %q, want %q", c.got, c.want)
		}
	}
}

// The script of the page is held against the same ages.
func TestAges(t *testing.T) {
	b, err := os.ReadFile("testdata/ages.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		s, want, _ := strings.Cut(strings.TrimSpace(line), "\t")
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := age(time.Duration(n)*time.Second + 999*time.Millisecond); got != want {
			t.Errorf("%d s are %q, want %q", n, got, want)
		}
	}
	if got := age(-time.Minute); got != "0 s" {
		t.Errorf("a time to come is %q old", got)
	}
}

func TestQuantities(t *testing.T) {
	for v, want := range map[uint64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1428: "1.4 kB", 43_692: "43.7 kB", 99_949: "99.9 kB", 99_951: "100 kB", 999_500: "1.0 MB", 1<<64 - 1: "18.4 EB"} {
		if got := quantity(v, "B"); got != want {
			t.Errorf("%d bytes are %q, want %q", v, got, want)
		}
	}
}
