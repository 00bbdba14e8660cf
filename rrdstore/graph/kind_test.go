package graph

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
	"lvs/rrdstore"
)

func TestParseKind(t *testing.T) {
	for _, k := range append(Kinds(), Reals("active"), Single("temperature")) {
		if got, err := ParseKind(string(k)); got != k || err != nil {
			t.Errorf("%s: %v, %v", k, got, err)
		}
	}
	if got, _ := ParseKind("reals:in_bytes"); got != Reals("in_bytes") || got != "reals" {
		t.Errorf("reals:in_bytes is %s, want reals", got)
	}
	for _, s := range []string{"", "Traffic", "reals:", "source", "source:", "pie"} {
		if k, err := ParseKind(s); err == nil {
			t.Errorf("%q is %q, want an error", s, k)
		}
	}
}

// TestQueries holds every kind's query against the sources a store keeps.
func TestQueries(t *testing.T) {
	known := []string{rrdstore.ResetSource}
	for _, s := range rrdstore.StandardSources() {
		known = append(known, s.Name)
	}
	for _, k := range append(Kinds(), Reals("weight"), Single("weight"), Single("resets")) {
		sources, functions := k.Query()
		for i, s := range sources {
			if !slices.Contains(known, s) {
				t.Errorf("%s asks for %s, which is not kept", k, s)
			}
			if slices.Contains(sources[:i], s) {
				t.Errorf("%s asks for %s twice", k, s)
			}
		}
		if !slices.Contains(functions, rrdstore.Average) || !slices.Contains(functions, rrdstore.Max) {
			t.Errorf("%s asks for %v", k, functions)
		}
	}
}

var service = dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.10:443"))

func realSeries(n int) *rrdstore.Series {
	return &rrdstore.Series{Key: service, RIP: netip.MustParseAddrPort(fmt.Sprintf("10.0.0.%d:443", n)), Name: fmt.Sprintf("web%d", n)}
}

// A result is made of what each series has: columns as text, a value for each row
// and "-" for unknown, the same for all functions unless there are three.
type result struct{ *rrdstore.Result }

func newResult(rows int) result {
	return result{&rrdstore.Result{Start: noon, Step: time.Minute, Rows: rows}}
}

func (r result) add(s *rrdstore.Series, source, averages string, extremes ...string) result {
	texts := [...]string{averages, averages, averages}
	if len(extremes) == 2 {
		texts[1], texts[2] = extremes[0], extremes[1]
	}
	kind := rrdstore.Counter
	if source == "temperature" {
		kind = rrdstore.Gauge
	}
	for _, standard := range rrdstore.StandardSources() {
		if standard.Name == source {
			kind = standard.Kind
		}
	}
	for i, f := range []rrdstore.Function{rrdstore.Average, rrdstore.Min, rrdstore.Max} {
		var values []float64
		for _, word := range strings.Fields(texts[i]) {
			v := math.NaN()
			if word != "-" {
				fmt.Sscan(word, &v)
			}
			values = append(values, v)
		}
		if len(values) != r.Rows {
			panic(fmt.Sprintf("%s has %d values, want %d", source, len(values), r.Rows))
		}
		r.Columns = append(r.Columns, rrdstore.Column{Series: s, Source: rrdstore.Source{Name: source, Kind: kind}, Function: f, Values: values})
	}
	return r
}

func build(t *testing.T, k Kind, r result) *Graph {
	t.Helper()
	g, err := k.Graph(r.Result, nil)
	if err != nil {
		t.Fatal(err)
	}
	svg(t, g)
	return g
}

// traces tells traces in a line each.
func traces(g *Graph) (all []string) {
	for _, t := range g.Traces {
		s := fmt.Sprintf("%s %v", t.Label, t.Values)
		if t.NotAvailable {
			s = t.Label + " n/a"
		}
		if t.Below {
			s += " below"
		}
		all = append(all, s)
	}
	return all
}

func TestKinds(t *testing.T) {
	s := realSeries(1)
	r := newResult(2).add(s, "in_bytes", "100 200", "50 60", "300 400").add(s, "out_bytes", "1000 -").add(s, "in_packets", "10 0").
		add(s, "out_packets", "4 -").add(s, "connections", "7 8").add(s, "active", "3 4").add(s, "inactive", "5 6").add(s, "temperature", "20 21").add(s, "errors", "1 2")
	for _, tt := range []struct {
		kind Kind
		unit Unit
		want []string
	}{
		{Traffic, BytesPerSecond, []string{"in [100 200]", "out [1000 NaN] below"}},
		{Bits, BitsPerSecond, []string{"in [800 1600]", "out [8000 NaN] below"}},
		{Packets, PacketsPerSecond, []string{"in [10 0]", "out [4 NaN] below"}},
		{Connections, ConnectionsPerSecond, []string{"new connections [7 8]"}},
		{Active, ConnectionCount, []string{"active [3 4]", "inactive [5 6]"}},
		{Size, BytesPerPacket, []string{"in [10 NaN]", "out [250 NaN]"}},
		{Single("temperature"), "temperature", []string{"temperature [20 21]"}},
		{Single("errors"), "errors/s", []string{"errors [1 2]"}},
		{Reals("active"), ConnectionCount, []string{"web1 (10.0.0.1:443) [3 4]"}},
	} {
		g := build(t, tt.kind, r)
		if g.Unit != tt.unit {
			t.Errorf("%s: unit %q, want %q", tt.kind, g.Unit, tt.unit)
		}
		if diff := cmp.Diff(tt.want, traces(g)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.kind, diff)
		}
	}
	g := build(t, Bits, r)
	if g.Traces[0].Max[1] != 3200 || g.Traces[0].Min[0] != 400 {
		t.Errorf("the extremes in bits are %v and %v", g.Traces[0].Min, g.Traces[0].Max)
	}
	if g.Title != "web1 (10.0.0.1:443) of tcp/192.0.2.10:443" || !g.Start.Equal(noon) || !g.End.Equal(noon.Add(2*time.Minute)) {
		t.Errorf("%q from %v to %v", g.Title, g.Start, g.End)
	}
}

// TestRepliesBypass: what cannot be counted is "n/a", whatever the store has.
func TestRepliesBypass(t *testing.T) {
	s := realSeries(1)
	s.RepliesBypass = true
	r := newResult(2).add(s, "in_bytes", "100 200").add(s, "out_bytes", "0 0").add(s, "in_packets", "1 1").add(s, "out_packets", "0 0")
	for k, want := range map[Kind][]string{
		Traffic:            {"in [100 200]", "out n/a below"},
		Size:               {"in [100 200]", "out n/a"},
		Reals("out_bytes"): {"web1 (10.0.0.1:443) n/a"},
	} {
		g := build(t, k, r)
		if diff := cmp.Diff(want, traces(g)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", k, diff)
		}
		if none := k == Reals("out_bytes"); none != (g.Note != "") {
			t.Errorf("%s: the note is %q", k, g.Note)
		}
	}
	doc := svg(t, build(t, Traffic, r))
	if strings.Count(doc, ">n/a<") != 6 {
		t.Errorf("there are %d n/a in the table, want 6", strings.Count(doc, ">n/a<"))
	}
}

// TestReals: the largest come first, what is beyond twelve is one, and several
// series of the same real server are one.
func TestReals(t *testing.T) {
	r := newResult(2)
	for n := 1; n <= 14; n++ {
		r.add(realSeries(n), "in_bytes", fmt.Sprintf("%d -", 10*n))
	}
	again := realSeries(9)
	r.add(again, "in_bytes", "- 500")
	other := realSeries(1)
	other.Key.VIP = netip.MustParseAddrPort("192.0.2.11:443")
	r.add(other, "in_bytes", "9999 9999")
	g := build(t, Reals("in_bytes"), r)
	got := traces(g)
	want := []string{"web9 (10.0.0.9:443) [90 500]", "web14 (10.0.0.14:443) [140 NaN]", "web13 (10.0.0.13:443) [130 NaN]"}
	if diff := cmp.Diff(want, got[:3]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(got) != 14 || got[12] != "2 others [30 NaN]" || got[13] != "all [1050 500]" {
		t.Errorf("%d traces, of which the last are %q", len(got), got[12:])
	}
	if g.Title != "tcp/192.0.2.10:443" {
		t.Errorf("the title is %q", g.Title)
	}

	// The peak of a sum is not the sum of peaks: it is known of the service alone.
	r = newResult(1).add(realSeries(1), "in_bytes", "10", "5", "30").add(realSeries(2), "in_bytes", "20", "5", "30")
	if g = build(t, Reals("in_bytes"), r); known(g.Traces[2].summarize(0, 1, time.Minute).max) {
		t.Errorf("the peak of all is %v", g.Traces[2].Max)
	}
	r.add(&rrdstore.Series{Key: service, Name: "shop"}, "in_bytes", "31", "11", "45")
	g = build(t, Reals("in_bytes"), r)
	if last := g.Traces[2]; last.Label != "service" || last.Max[0] != 45 || g.Title != "shop (tcp/192.0.2.10:443)" {
		t.Errorf("%q: %+v", g.Title, last)
	}
}

func TestGraphErrors(t *testing.T) {
	if _, err := Traffic.Graph(&rrdstore.Result{}, nil); err == nil {
		t.Error("no error of a result without series")
	}
	if _, err := Kind("").Graph(newResult(0).Result, realSeries(1)); err == nil {
		t.Error("no error of no kind")
	}
}
