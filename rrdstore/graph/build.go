package graph

import (
	"errors"
	"fmt"
	"math"

	"lvs/rrdstore"
)

// Graph makes the picture of a result whose query asked for k.Query: of the
// series s, or of the result's first if s is nil. Of a kind OfReals s is the
// service, which need not be in the result, and nil that of the first series.
//
// Its time axis is that of the result. The caller may change what it pleases:
// the zone, the size, the theme, the title.
func (k Kind) Graph(r *rrdstore.Result, s *rrdstore.Series) (*Graph, error) {
	if _, err := ParseKind(string(k)); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	if s == nil {
		if len(r.Columns) == 0 {
			return nil, errors.New("graph: the result has no series")
		}
		s = r.Columns[0].Series
	}
	c := index(r)
	g := &Graph{Subtitle: k.heading(), First: r.Start, Step: r.Step, Start: r.Start, End: r.End()}
	if k.OfReals() {
		k.reals(g, c, s)
		return g, nil
	}
	g.Title = seriesTitle(s)
	gauge := false
	for _, p := range k.parts() {
		t, kind := p.trace(c, s)
		g.Traces = append(g.Traces, t)
		gauge = gauge || kind == rrdstore.Gauge
	}
	g.Unit = k.unit(gauge)
	g.Marks = c.events(s, "")
	g.Note = bypassNote(g.Traces)
	return g, nil
}

// bypassNote is what to say where nothing can be counted.
func bypassNote(traces []Trace) string {
	for i := range traces {
		if !traces[i].NotAvailable {
			return ""
		}
	}
	return "not available: replies pass the director by"
}

// An indexed result finds its columns by name.
type indexed struct {
	*rrdstore.Result
	columns map[columnKey]*rrdstore.Column
	series  []*rrdstore.Series          // in the result's order
	seen    map[*rrdstore.Series][]bool // by row: whether anything is known of it
}

type columnKey struct {
	series   *rrdstore.Series
	source   string
	function rrdstore.Function
}

func index(r *rrdstore.Result) *indexed {
	x := &indexed{Result: r, columns: map[columnKey]*rrdstore.Column{}, seen: map[*rrdstore.Series][]bool{}}
	for i := range r.Columns {
		c := &r.Columns[i]
		x.columns[columnKey{c.Series, c.Source.Name, c.Function}] = c
		seen, ok := x.seen[c.Series]
		if !ok {
			seen = make([]bool, r.Rows)
			x.seen[c.Series] = seen
			x.series = append(x.series, c.Series)
		}
		// No reset is no news: that can be told of what is not there, too.
		if c.Source.Name != rrdstore.ResetSource {
			for i := range seen {
				seen[i] = seen[i] || known(at(c.Values, i))
			}
		}
	}
	return x
}

// values are a column's; nil if the result has none such.
func (x *indexed) values(s *rrdstore.Series, source string, f rrdstore.Function) []float64 {
	if c := x.columns[columnKey{s, source, f}]; c != nil {
		return c.Values
	}
	return nil
}

// outgoing reports whether a source counts replies.
func outgoing(source string) bool { return source == "out_bytes" || source == "out_packets" }

// trace is the part of a picture that shows series s.
func (p part) trace(x *indexed, s *rrdstore.Series) (t Trace, kind rrdstore.Kind) {
	t = Trace{Label: p.label, Style: p.style, Below: p.below}
	if c := x.columns[columnKey{s, p.source, rrdstore.Average}]; c != nil {
		kind = c.Source.Kind
	}
	if s.RepliesBypass && outgoing(p.source) {
		t.NotAvailable = true
		return t, kind
	}
	t.Values = x.values(s, p.source, rrdstore.Average)
	if p.per != "" {
		t.Values = divide(t.Values, x.values(s, p.per, rrdstore.Average))
		return t, rrdstore.Gauge
	}
	t.Min = x.values(s, p.source, rrdstore.Min)
	t.Max = x.values(s, p.source, rrdstore.Max)
	if p.factor != 1 {
		t.Values, t.Min, t.Max = multiply(t.Values, p.factor), multiply(t.Min, p.factor), multiply(t.Max, p.factor)
	}
	return t, kind
}

func multiply(values []float64, f float64) []float64 {
	if values == nil {
		return nil
	}
	all := make([]float64, len(values))
	for i, v := range values {
		all[i] = v * f
	}
	return all
}

// divide is a/b; where b is zero there is nothing to tell.
func divide(a, b []float64) []float64 {
	all := make([]float64, len(a))
	for i, v := range a {
		if d := at(b, i); d > 0 {
			all[i] = v / d
		} else {
			all[i] = math.NaN()
		}
	}
	return all
}

// seriesTitle names a series.
func seriesTitle(s *rrdstore.Series) string {
	switch {
	case !s.Key.IsValid() && !s.RIP.IsValid():
		return "director"
	case !s.RIP.IsValid():
		if s.Name != "" {
			return fmt.Sprintf("%s (%s)", s.Name, s.Key)
		}
		return s.Key.String()
	}
	return fmt.Sprintf("%s of %s", realLabel(s), s.Key)
}

// realLabel names a real server within its service.
func realLabel(s *rrdstore.Series) string {
	if s.Name != "" {
		return fmt.Sprintf("%s (%s)", s.Name, s.RIP)
	}
	return s.RIP.String()
}
