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
// real server leaves for a while.
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
				e := rrdstore.Entry{Series: s, Active: uint64(i), Inactive: uint64(n), Persistent: 3, Weight: math.MaxUint32}
				e.Total = dataplane.Counters{Connections: 1<<53 + uint64(i), InPackets: 7, OutPackets: 8, InBytes: uint64(n)<<60 + uint64(i), OutBytes: uint64(n)}
				row.Entries = append(row.Entries, e)
			}
			if !yield(&row, nil) {
				return
			}
		}
	}
}

// rawSeries are all series that rawRows has.
func rawSeries(t testing.TB) []*rrdstore.Series {
	director, service, real, other := series(t)
	return []*rrdstore.Series{director, service, real, other}
}

func writeRaw(t *testing.T, f Format, all []*rrdstore.Series, sources []string, limit int) string {
	t.Helper()
	var b bytes.Buffer
	w, err := NewRawWriter(&b, f, sources, Options{Names: ServiceNames(all)})
	if err != nil {
		t.Fatal(err)
	}
	if sources == nil {
		for _, s := range rrdstore.StandardSources() {
			sources = append(sources, s.Name)
		}
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
		text := writeRaw(t, f, all, []string{"active", "connections", "in_bytes"}, 0)
		golden(t, "raw-"+f.String()+".golden", text)
	}
	if first, _, _ := strings.Cut(writeRaw(t, CSV, all, nil, 0), "\n"); first != "time,service,real,connections,in_packets,out_packets,in_bytes,out_bytes,active,inactive,persistent,weight" {
		t.Errorf("header %s", first)
	}
}

// rawPoints are what rawRows has, as points.
func rawPoints(t *testing.T, all []*rrdstore.Series) (points []rrdstore.Point) {
	standard := rrdstore.StandardSources()
	add := func(row *rrdstore.Row, s *rrdstore.Series, values ...rrdstore.Value) {
		for i, v := range values {
			points = append(points, rrdstore.Point{Time: row.Tick, Key: s.Key, RIP: s.RIP, Source: standard[i], Value: v})
		}
	}
	counters := func(c dataplane.Counters, known bool) (values []rrdstore.Value) {
		for _, v := range []uint64{c.Connections, c.InPackets, c.OutPackets, c.InBytes, c.OutBytes} {
			if known {
				values = append(values, rrdstore.UintValue(v))
			} else {
				values = append(values, rrdstore.Value{})
			}
		}
		return values
	}
	for row, err := range rawRows(all) {
		if err != nil {
			t.Fatal(err)
		}
		connections := rrdstore.Value{}
		if row.HasConnections {
			connections = rrdstore.UintValue(row.Connections)
		}
		add(row, all[0], append(counters(row.Total, row.HasStats), connections)...)
		for _, e := range row.Entries {
			gauges := []rrdstore.Value{rrdstore.UintValue(e.Active), rrdstore.UintValue(e.Inactive), rrdstore.UintValue(e.Persistent), rrdstore.UintValue(e.Weight)}
			add(row, e.Series, append(counters(e.Total, !row.Partial), gauges...)...)
		}
	}
	return points
}

func comparePoints(t *testing.T, want, got []rrdstore.Point) {
	t.Helper()
	if diff := gocmp.Diff(want, got, gocmp.Comparer(func(a, b rrdstore.Point) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRawCSVReadsBack writes raw rows and imports them again: integers of 64 bits
// and what was unknown come back exactly.
func TestRawCSVReadsBack(t *testing.T) {
	all := rawSeries(t)
	for _, f := range []Format{CSV, CSVLong} {
		var got []rrdstore.Point
		for p, err := range ReadCSV(strings.NewReader(writeRaw(t, f, all, nil, 0)), "x.csv", nil) {
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
		text := writeRaw(t, OpenMetrics, all, nil, limit)
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
	if _, err := NewRawWriter(io.Discard, CSV, []string{"heat"}, Options{}); err == nil || !strings.Contains(err.Error(), "heat") {
		t.Errorf("a source that rows do not have: %v", err)
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
