package graph

import (
	"fmt"
	"math"
	"net/netip"
	"slices"

	"lvs/rrdstore"
)

// mostReals is how many real servers have a colour each; the others share one.
const mostReals = traceInks

// A realTrace is a real server's trace, made of all series that were it.
type realTrace struct {
	Trace
	sum float64
}

// reals stacks the real servers of the service of s: the largest on top, those
// beyond mostReals as one.
func (k Kind) reals(g *Graph, x *indexed, s *rrdstore.Series) {
	service := *s
	service.RIP, service.Name = netip.AddrPort{}, ""
	var all []*realTrace
	byRIP := map[netip.AddrPort]*realTrace{}
	gauge := false
	for _, m := range x.series {
		if m.Key != s.Key {
			continue
		}
		if !m.RIP.IsValid() {
			service.Name = m.Name
			continue
		}
		t, kind := part{label: realLabel(m), source: k.source(), factor: 1, style: Stack}.trace(x, m)
		gauge = gauge || kind == rrdstore.Gauge
		if before := byRIP[m.RIP]; before != nil {
			before.merge(t)
			continue
		}
		r := &realTrace{Trace: t}
		byRIP[m.RIP] = r
		all = append(all, r)
	}
	for _, r := range all {
		for i := range r.Values {
			if v := at(r.Values, i); known(v) {
				r.sum += v
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *realTrace) int {
		switch {
		case a.sum > b.sum:
			return -1
		case a.sum < b.sum:
			return 1
		}
		return 0
	})
	g.Title, g.Unit = seriesTitle(&service), k.unit(gauge)
	// One more alone is not worth "1 other".
	most := mostReals
	if len(all) == most+1 {
		most++
	}
	for i, r := range all {
		if i < most {
			g.Traces = append(g.Traces, r.Trace)
		}
	}
	if len(all) > most {
		t := sum(all[most:])
		t.Label, t.Style = fmt.Sprintf("%d others", len(all)-most), Stack
		g.Traces = append(g.Traces, t)
	}
	if len(all) > 1 {
		g.Traces = append(g.Traces, k.together(x, s, all))
	}
	for _, m := range x.series {
		if m.Key == s.Key && m.RIP.IsValid() {
			g.Marks = append(g.Marks, x.events(m, shortName(m))...)
		}
	}
	g.Note = bypassNote(g.Traces)
}

// shortName names a real server in a mark.
func shortName(s *rrdstore.Series) string {
	if s.Name != "" {
		return s.Name
	}
	return s.RIP.String()
}

// merge takes up what another series of the same real server knows.
func (r *realTrace) merge(t Trace) {
	r.NotAvailable = r.NotAvailable && t.NotAvailable
	fill := func(into *[]float64, from []float64) {
		merged := slices.Clone(*into)
		for i := range from {
			if i >= len(merged) {
				merged = append(merged, math.NaN())
			}
			if !known(merged[i]) {
				merged[i] = from[i]
			}
		}
		*into = merged
	}
	fill(&r.Values, t.Values)
	fill(&r.Min, t.Min)
	fill(&r.Max, t.Max)
}

// together is what all real servers come to: the service's own counts where the
// result has them, otherwise their sum.
func (k Kind) together(x *indexed, s *rrdstore.Series, all []*realTrace) Trace {
	for _, m := range x.series {
		if m.Key == s.Key && !m.RIP.IsValid() {
			t, _ := part{label: "service", source: k.source(), factor: 1, style: Line}.trace(x, m)
			t.Grey = true
			return t
		}
	}
	t := sum(all)
	t.Label, t.Style = "all", Line
	return t
}

// sum is the sum of real servers. Its extremes are known only where each
// interval is one data point: the peaks of several need not have come at once.
func sum(all []*realTrace) Trace {
	t := Trace{Grey: true, NotAvailable: true}
	exact := true
	for _, r := range all {
		if r.NotAvailable {
			continue
		}
		t.NotAvailable = false
		for i := range r.Values {
			if i >= len(t.Values) {
				t.Values = append(t.Values, math.NaN())
			}
			v := at(r.Values, i)
			if !known(v) {
				continue
			}
			lo, hi := r.extremes(i, v)
			exact = exact && lo == hi
			if known(t.Values[i]) {
				v += t.Values[i]
			}
			t.Values[i] = v
		}
	}
	if !exact {
		t.Min, t.Max = []float64{}, []float64{}
	}
	return t
}
