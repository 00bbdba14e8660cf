package graph

import (
	"bytes"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones of tests, on any machine
)

var update = flag.Bool("update", false, "rewrite the pictures in testdata")

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// wave is n values around 5e6 with a shape of its own, the same every time.
func wave(n int, phase float64) []float64 {
	all := make([]float64, n)
	for i := range all {
		x := float64(i) / float64(n) * 2 * math.Pi
		all[i] = 5e6 + 3e6*math.Sin(x+phase) + 8e5*math.Sin(41*x+phase)
	}
	return all
}

// unknown sets values from i up to j (excluded).
func unknown(values []float64, i, j int) []float64 {
	for ; i < j; i++ {
		values[i] = math.NaN()
	}
	return values
}

func svg(t testing.TB, g *Graph) string {
	t.Helper()
	var b bytes.Buffer
	if err := g.SVG(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// goldens are small pictures that hold all there is to draw between them.
func goldens(t testing.TB) map[string]*Graph {
	first := time.Date(2026, 11, 19, 12, 0, 0, 0, time.UTC)
	berlin := zone(t, "Europe/Berlin")
	values := func(phase float64) []float64 { return wave(48, phase) }
	scaled := func(v []float64, f float64) []float64 { return multiply(v, f) }
	in := unknown(values(0), 20, 24)
	traffic := &Graph{
		Title: "tcp/192.0.2.10:443", Subtitle: "traffic", Unit: BytesPerSecond, Zone: berlin, Theme: Auto, Width: 480,
		First: first, Step: 30 * time.Minute,
		Traces: []Trace{
			{Label: "in", Values: in, Min: scaled(in, 0.5), Max: scaled(in, 1.5)},
			{Label: "out", Below: true, Values: unknown(values(2), 20, 24)},
		},
		Marks: []Mark{{Time: first.Add(12 * time.Hour), Kind: Reset}, {Time: first.Add(15 * time.Hour), Kind: Quiesced, Text: "web <1> & \"2\" quiesced"}},
	}
	stack := &Graph{
		Title: "fwm4/7", Subtitle: "in bytes by real server", Unit: BytesPerSecond, Zone: berlin, Theme: Print, Width: 480,
		First: first, Step: 30 * time.Minute,
		Traces: []Trace{
			{Label: "web1", Style: Stack, Values: values(1)},
			{Label: "web2", Style: Stack, Values: unknown(values(3), 0, 10)},
			{Label: "web3", Style: Stack, NotAvailable: true},
			{Label: "2 others", Style: Stack, Grey: true, Values: values(0), Min: []float64{}, Max: []float64{}},
		},
		Marks: []Mark{{Time: first.Add(5 * time.Hour), Kind: Added}, {Time: first.Add(5 * time.Hour), Kind: Restored}, {Time: first.Add(20 * time.Hour), Kind: Removed}},
	}
	lines := &Graph{
		Title: "lines", Unit: ConnectionCount, Theme: Dark, Width: 320, Height: 200, First: first, Step: time.Hour,
		Traces: []Trace{
			{Label: "active", Style: Line, Values: []float64{1, 2, 3, math.NaN(), 7, math.NaN(), 2, 0}},
			{Label: "inactive", Style: Line, Values: []float64{4, 4, 4, 4, -2, math.Inf(1), 4, 4}},
		},
	}
	nothing := &Graph{Title: "nothing", Unit: PacketsPerSecond, Width: 320, First: first, Step: time.Hour, Traces: []Trace{{Label: "in", Values: unknown(values(0), 0, 48)}}}
	return map[string]*Graph{"traffic": traffic, "stack": stack, "lines": lines, "nothing": nothing}
}

func TestGolden(t *testing.T) {
	for name, g := range goldens(t) {
		t.Run(name, func(t *testing.T) {
			got := svg(t, g)
			if again := svg(t, g); again != got {
				t.Fatal("the same picture twice is not the same")
			}
			file := filepath.Join("testdata", name+".svg")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, line := range strings.Split(got, "\n") {
				if old := strings.Split(string(want), "\n"); i >= len(old) || line != old[i] {
					t.Fatalf("%s differs from line %d on, which is\n%s", file, i+1, line)
				}
			}
		})
	}
}
