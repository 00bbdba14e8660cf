package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/rrdstore"
)

// marks tells marks by the row at whose beginning they are.
func marks(g *Graph) (all []string) {
	for _, m := range g.Marks {
		all = append(all, fmt.Sprintf("%d %s", m.Time.Sub(noon)/time.Minute, m.label()))
	}
	return all
}

func TestMarksOfOne(t *testing.T) {
	for _, tt := range []struct {
		name               string
		source             string
		averages, min, max string
		first, last        int // rows at whose end the series begins and was last; 0: elsewhere
		want               []string
	}{
		{"a reset", "resets", "0 0 .1 0 0 0", "0 0 0 0 0 0", "0 0 1 0 0 0", 0, 0, []string{"2 reset"}},
		{"quiesced and back", "weight", "5 5 0 0 5 5", "5 5 0 0 5 5", "5 5 0 0 5 5", 0, 0, []string{"2 quiesced", "4 in service"}},
		{"within intervals", "weight", "5 3 0 0 2 5", "5 0 0 0 0 5", "5 5 0 0 5 5", 0, 0, []string{"1 quiesced", "4 in service"}},
		{"there and back in one", "weight", "5 5 3 5 5 5", "5 5 0 5 5 5", "5 5 5 5 5 5", 0, 0, []string{"2 quiesced", "3 in service"}},
		{"another weight", "weight", "5 5 7 7 7 7", "5 5 7 7 7 7", "5 5 7 7 7 7", 0, 0, nil},
		{"quiesced all along", "weight", "0 0 0 0 0 0", "0 0 0 0 0 0", "0 0 0 0 0 0", 0, 0, nil},
		{"quiesced while nobody looked", "weight", "5 5 - - 0 0", "5 5 - - 0 0", "5 5 - - 0 0", 0, 0, []string{"4 quiesced"}},
		{"a gap", "in_bytes", "1 1 - - 1 1", "1 1 - - 1 1", "1 1 - - 1 1", 0, 0, nil},
		{"nobody looked at first", "in_bytes", "- - - 1 1 1", "- - - 1 1 1", "- - - 1 1 1", 0, 0, nil},
		{"added", "in_bytes", "- - - 1 1 1", "- - - 1 1 1", "- - - 1 1 1", 3, 0, []string{"3 added"}},
		{"removed", "in_bytes", "1 1 1 - - -", "1 1 1 - - -", "1 1 1 - - -", 0, 2, []string{"3 removed"}},
		{"one row is an accident", "in_bytes", "- 1 1 1 1 -", "- 1 1 1 1 -", "- 1 1 1 1 -", 1, 4, nil},
		{"no data", "in_bytes", "- - - - - -", "- - - - - -", "- - - - - -", 0, 0, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := realSeries(1)
			s.First = noon.Add(-time.Hour)
			if tt.first > 0 {
				s.First = noon.Add(time.Duration(tt.first+1) * time.Minute)
			}
			if tt.last > 0 {
				s.Last = noon.Add(time.Duration(tt.last+1) * time.Minute)
			}
			g := build(t, Traffic, newResult(6).add(s, tt.source, tt.averages, tt.min, tt.max))
			if diff := cmp.Diff(tt.want, marks(g)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestMarksOfReals: what others went on counting tells a removal from a gap.
func TestMarksOfReals(t *testing.T) {
	for _, tt := range []struct {
		name string
		rows []string // of web1, web2, …
		want []string
	}{
		{"one goes and comes", []string{"1 1 1 1 1 1", "1 1 - - 1 1"}, []string{"2 web2 removed", "4 web2 added"}},
		{"one is new, one goes", []string{"1 1 1 1 - -", "- - 1 1 1 1"}, []string{"4 web1 removed", "2 web2 added"}},
		{"nobody looked", []string{"1 1 - - 1 1", "1 1 - - 1 1"}, nil},
		{"the store is new", []string{"- - - 1 1 1", "- - - 1 1 1"}, nil},
		{"the agent stopped", []string{"1 1 1 - - -", "1 1 1 - - -"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newResult(6)
			for i, row := range tt.rows {
				s := realSeries(i + 1)
				s.First = noon.Add(-time.Hour)
				r.add(s, "in_bytes", row).add(s, rrdstore.ResetSource, "0 0 0 0 0 0")
			}
			if diff := cmp.Diff(tt.want, marks(build(t, Reals("in_bytes"), r))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestClusters: marks that would lie on each other are one sign that tells all.
func TestClusters(t *testing.T) {
	g := &Graph{Start: noon, End: noon.Add(time.Hour), Unit: "x"}
	for i := range 40 {
		g.Marks = append(g.Marks, Mark{Time: noon.Add(30*time.Minute + time.Duration(39-i)*time.Second), Kind: Reset})
	}
	g.Marks = append(g.Marks, Mark{Time: noon.Add(50 * time.Minute), Kind: Added}, Mark{Time: noon.Add(50 * time.Minute), Kind: Restored},
		Mark{Time: noon.Add(-time.Minute)}, Mark{Time: noon.Add(2 * time.Hour)})
	s, err := sheetOf(g)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	n := 0
	for _, c := range s.cluster() {
		got = append(got, c.labels()[0])
		n += len(c.marks)
	}
	if got[len(got)-1] != "2 changes" || n != 42 || len(got) > 4 {
		t.Errorf("%d marks in clusters %q", n, got)
	}
}

// TestMarkLabelsApart: no two labels of marks touch, nor the unit's.
func TestMarkLabelsApart(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	labelled := 0
	for range 300 {
		g := &Graph{Start: noon, End: noon.Add(time.Hour), Unit: ConnectionsPerSecond, Width: 300 + rng.IntN(900)}
		for range 1 + rng.IntN(12) {
			g.Marks = append(g.Marks, Mark{Time: noon.Add(time.Duration(rng.IntN(3600)) * time.Second), Kind: MarkKind(rng.IntN(5)), Text: []string{"", "web1 changes"}[rng.IntN(2)]})
		}
		s, err := g.scene(1)
		if err != nil {
			t.Fatal(err)
		}
		var m ruler
		type span struct {
			from, to, y float64
			s           string
		}
		var spans []span
		for _, it := range s.items {
			k := it.text
			if k == nil || k.ink != markInk && k.s != string(g.Unit) {
				continue
			}
			a, w := k.at.x, m.measure(k.s, k.size, false)
			if k.anchor == atEnd {
				a -= w
			}
			spans = append(spans, span{a, a + w, k.at.y, k.s})
		}
		labelled += len(spans) - 1
		for i, a := range spans {
			for _, b := range spans[:i] {
				if a.from < b.to && b.from < a.to && math.Abs(a.y-b.y) < 8 {
					t.Errorf("%d px: %q from %.0f lies on %q up to %.0f", g.Width, a.s, a.from, b.s, b.to)
				}
			}
		}
	}
	if labelled < 300 {
		t.Errorf("%d labels in 300 pictures", labelled)
	}
}
