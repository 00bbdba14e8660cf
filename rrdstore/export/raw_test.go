package export

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"lvs/dataplane"
	"lvs/rrdstore"
)

// rawRows are five ticks, of which one is partial; a service comes later, and a
// real server leaves for a while. The last service was imported: it has other
// sources.
func rawRows(all []*rrdstore.Series) iter.Seq2[*rrdstore.Row, error] {
	return func(yield func(*rrdstore.Row, error) bool) {
		for i := range 5 {
			tick := epoch.Add(time.Duration(i*i) * 10 * time.Second)
			row := rrdstore.Row{Tick: tick, Time: tick.Add(time.Millisecond), Partial: i == 2, HasStats: i != 3, HasConnections: i != 1, Connections: uint64(i)}
			row.Total = dataplane.Counters{Connections: math.MaxUint64, InPackets: 1<<53 + 1, InBytes: uint64(i)}
			for n, s := range all[1:] {
				if n == 2 && i < 2 || n == 1 && i == 3 {
					continue
				}
				e := rrdstore.Entry{Series: s, Active: uint64(i), Inactive: uint64(n), Persistent: 3, Weight: math.MaxUint32, Known: 0b1_1111_1111}
				e.Total = dataplane.Counters{Connections: 1<<53 + uint64(i), InPackets: 7, OutPackets: 8, InBytes: uint64(n)<<60 + uint64(i), OutBytes: uint64(n)}
				switch {
				case n == 2:
					e.Known = 0b1_0000_1000 // in_bytes and weight
					e.Others = []rrdstore.SourceValue{{Source: active, Value: rrdstore.FloatValue(0.25 * float64(i))}, {Source: turns, Value: rrdstore.UintValue(uint64(i))}}
					if i == 3 { // somebody looked, and there was nothing to see
						e.Others[1].Value = rrdstore.Value{}
					}
				case row.Partial:
					e.Known = 0b1_1110_0000
				}
				row.Entries = append(row.Entries, e)
			}
			if !yield(&row, nil) {
				return
			}
		}
	}
}

// turns is a counter that imports brought.
var turns = rrdstore.Source{Name: "fan_turns", Kind: rrdstore.Counter}

// allSources are the names of all sources that rawRows has.
func allSources() (names []string) {
	for _, s := range rrdstore.StandardSources() {
		names = append(names, s.Name)
	}
	return append(names, turns.Name)
}

// rawSeries are all series that rawRows has.
func rawSeries(t testing.TB) []*rrdstore.Series {
	director, service, real, other := series(t)
	return []*rrdstore.Series{director, service, real, other}
}

func writeRaw(t *testing.T, f Format, all []*rrdstore.Series, sources []string, limit int) string {
	t.Helper()
	var b bytes.Buffer
	w, err := NewRawWriter(&b, f, sources, Options{Names: namesOf(all)})
	if err != nil {
		t.Fatal(err)
	}
	if sources == nil {
		sources = allSources()[:9]
	}
	for _, p := range Parts(f, all, sources, nil, limit) {
		if err := w.Write(p, rawRows(all)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRawFormats(t *testing.T) {
	all := rawSeries(t)
	for _, f := range []Format{CSV, CSVLong, NDJSON, OpenMetrics} {
		text := writeRaw(t, f, all, []string{"fan_turns", "active", "connections", "in_bytes"}, 0)
		golden(t, "raw-"+f.String()+".golden", text)
	}
	if first, _, _ := strings.Cut(writeRaw(t, CSV, all, nil, 0), "\n"); first != "time,service,real,connections,in_packets,out_packets,in_bytes,out_bytes,active,inactive,persistent,weight" {
		t.Errorf("header %s", first)
	}
}

// rawPoints are what rawRows has, as points.
func rawPoints(t *testing.T, all []*rrdstore.Series) (points []rrdstore.Point) {
	sources := append(rrdstore.StandardSources(), turns)
	add := func(row *rrdstore.Row, s *rrdstore.Series, values map[string]rrdstore.Value) {
		for _, src := range sources {
			if v, taken := values[src.Name]; taken {
				points = append(points, rrdstore.Point{Time: row.Tick, Key: s.Key, RIP: s.RIP, Source: src, Value: v})
			}
		}
	}
	u := rrdstore.UintValue
	for row, err := range rawRows(all) {
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]rrdstore.Value{}
		if row.HasStats {
			values = map[string]rrdstore.Value{"connections": u(row.Total.Connections), "in_packets": u(row.Total.InPackets), "out_packets": u(0), "in_bytes": u(row.Total.InBytes), "out_bytes": u(0)}
		}
		if row.HasConnections {
			values["active"] = u(row.Connections)
		}
		add(row, all[0], values)
		for _, e := range row.Entries {
			values = map[string]rrdstore.Value{"active": u(e.Active), "inactive": u(e.Inactive), "persistent": u(e.Persistent), "weight": u(e.Weight)}
			if !row.Partial {
				values["connections"], values["in_packets"], values["out_packets"] = u(e.Total.Connections), u(e.Total.InPackets), u(e.Total.OutPackets)
				values["in_bytes"], values["out_bytes"] = u(e.Total.InBytes), u(e.Total.OutBytes)
			}
			if len(e.Others) > 0 {
				values = map[string]rrdstore.Value{"in_bytes": u(e.Total.InBytes), "weight": u(e.Weight), "active": e.Others[0].Value, "fan_turns": e.Others[1].Value}
			}
			add(row, e.Series, values)
		}
	}
	return points
}

func comparePoints(t *testing.T, want, got []rrdstore.Point) {
	t.Helper()
	equal := func(a, b rrdstore.Point) bool { // 1 and 1.0 are one text
		sameValue := a.Value == b.Value || a.Value.Known() && b.Value.Known() && a.Value.Float() == b.Value.Float() && a.Value.Float() < 1<<53
		a.Value, b.Value = rrdstore.Value{}, rrdstore.Value{}
		return sameValue && a == b
	}
	if diff := gocmp.Diff(want, got, gocmp.Comparer(equal)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRawCSVReadsBack writes raw rows and imports them again: integers of 64 bits
// and what was unknown come back exactly.
func TestRawCSVReadsBack(t *testing.T) {
	all := rawSeries(t)
	for _, f := range []Format{CSV, CSVLong} {
		var got []rrdstore.Point
		for p, err := range ReadCSV(strings.NewReader(writeRaw(t, f, all, allSources(), 0)), "x.csv", map[string]rrdstore.Kind{turns.Name: turns.Kind}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p)
		}
		comparePoints(t, rawPoints(t, all), got)
	}
}

func TestPromtoolMakesTheSameRawSeries(t *testing.T) {
	all := rawSeries(t)
	want := map[string]float64{}
	for _, p := range rawPoints(t, all) {
		s := all[slices.IndexFunc(all, func(s *rrdstore.Series) bool { return s.Key == p.Key && s.RIP == p.RIP })]
		service := p.Key.String()
		if service == "tcp/192.0.2.10:443" {
			service = "we\"b\\\n"
		}
		if f := rawFamily(scopeOf(s), p.Source); p.Value.Known() {
			want[sampleKey(f.name+f.suffix, s, service, p.Time)] = p.Value.Float() // rounded, as Prometheus does
		}
	}
	for _, limit := range []int{0, 1} {
		text := writeRaw(t, OpenMetrics, all, allSources(), limit)
		checkFamilies(t, text)
		if diff := gocmp.Diff(want, dumped(t, text)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestRawErrors(t *testing.T) {
	all := rawSeries(t)
	if _, err := NewRawWriter(io.Discard, JSON, nil, Options{}); err == nil || !strings.Contains(err.Error(), "consolidated") {
		t.Errorf("JSON: %v", err)
	}
	if _, err := NewRawWriter(io.Discard, CSV, []string{"time"}, Options{}); err == nil || !strings.Contains(err.Error(), "csv-long") {
		t.Errorf("a source named as a column: %v", err)
	}
	errRows := errors.New("no more rows")
	broken := func(yield func(*rrdstore.Row, error) bool) {
		for row := range rawRows(all) {
			if !yield(row, nil) {
				return
			}
		}
		yield(nil, errRows)
	}
	for _, f := range []Format{CSV, CSVLong, NDJSON, OpenMetrics} {
		p := Parts(f, all, []string{"in_bytes"}, nil, 0)[0]
		w, err := NewRawWriter(io.Discard, f, nil, Options{})
		if err = cmp.Or(err, w.Write(p, broken)); !errors.Is(err, errRows) {
			t.Errorf("%v: %v", f, err)
		}
		if w, err = NewRawWriter(&shortWriter{100}, f, nil, Options{}); err == nil {
			if err = errors.Join(w.Write(p, rawRows(all)), w.End()); !errors.Is(err, errShort) {
				t.Errorf("%v: %v", f, err)
			}
		}
	}
	w, err := NewRawWriter(io.Discard, OpenMetrics, []string{"active"}, Options{})
	if err == nil {
		err = w.Write(Part{Series: all, Sources: []string{"in_bytes"}}, rawRows(all))
	}
	if !errors.Is(err, errShape) {
		t.Errorf("a source that was not announced: %v", err)
	}
}
