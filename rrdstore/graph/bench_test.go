package graph

import (
	"bytes"
	"testing"
	"time"

	"lvs/rrdstore"
)

// day is 24 hours of a service at a step of 10 seconds.
func day() *Graph {
	in, out := wave(8640, 0), wave(8640, 2)
	return &Graph{
		Title: "tcp/192.0.2.10:443", Subtitle: "traffic", Unit: BytesPerSecond, First: noon, Step: 10 * time.Second,
		Traces: []Trace{{Label: "in", Values: in, Min: in, Max: in}, {Label: "out", Below: true, Values: out, Min: out, Max: out}},
		Marks:  []Mark{{Time: noon.Add(5 * time.Hour), Kind: Reset}},
	}
}

// TestSize keeps a day's picture small.
func TestSize(t *testing.T) {
	var b bytes.Buffer
	if err := day().SVG(&b); err != nil || b.Len() > 100_000 {
		t.Errorf("the SVG takes %d bytes, at most 100,000 are wanted; %v", b.Len(), err)
	}
	b.Reset()
	if err := day().PNG(&b); err != nil || b.Len() > 80_000 {
		t.Errorf("the PNG takes %d bytes, at most 80,000 are wanted; %v", b.Len(), err)
	}
}

func BenchmarkSVG(b *testing.B) {
	g := day()
	var out bytes.Buffer
	for b.Loop() {
		out.Reset()
		if err := g.SVG(&out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(out.Len()), "bytes")
}

func BenchmarkPNG(b *testing.B) {
	for name, scale := range map[string]float64{"scale=1": 1, "scale=2": 2} {
		b.Run(name, func(b *testing.B) {
			g := day()
			g.Scale = scale
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				if err := g.PNG(&out); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(out.Len()), "bytes")
		})
	}
}

// BenchmarkReals makes the picture of 20 real servers of a result, and draws it.
func BenchmarkReals(b *testing.B) {
	r := &rrdstore.Result{Start: noon, Step: 10 * time.Second, Rows: 8640}
	sources, functions := Reals("in_bytes").Query()
	for n := range 20 {
		s := realSeries(n + 1)
		for _, source := range sources {
			values := wave(8640, float64(n))
			if source == rrdstore.ResetSource {
				clear(values)
			}
			for _, f := range functions {
				r.Columns = append(r.Columns, rrdstore.Column{Series: s, Source: rrdstore.Source{Name: source, Kind: rrdstore.Counter}, Function: f, Values: values})
			}
		}
	}
	var out bytes.Buffer
	for b.Loop() {
		out.Reset()
		g, err := Reals("in_bytes").Graph(r, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := g.SVG(&out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(out.Len()), "bytes")
}
