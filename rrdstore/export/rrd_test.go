package export

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvs/rrdstore"
)

// rrdtool runs rrdtool, whose times are UTC here.
func rrdtool(t *testing.T, args ...string) string {
	t.Helper()
	return tool(t, "rrdtool", "rrdtool", args...)
}

// rrdArchives are the archives of the databases in these tests: no two have the
// same function and step.
var rrdArchives = []struct {
	function rrdstore.Function
	per      int64
	xff      float64
	rows     int
}{
	{rrdstore.Average, 1, 0.5, 90},
	{rrdstore.Average, 6, 0.5, 40}, {rrdstore.Min, 6, 0, 40}, {rrdstore.Max, 6, 0.99, 40}, {rrdstore.Last, 6, 0.5, 40},
	{rrdstore.Average, 25, 0.2, 12}, {rrdstore.Max, 25, 0.5, 12},
}

// A feed makes updates of a counter and a gauge for rrdtool: some late, some
// unknown, some left out, and resets.
type feed struct {
	rand    *rand.Rand
	now     int64
	counter uint64
	grid    bool // times are multiples of ten
	last    rrdstore.Value
}

// next is an update as rrdtool takes it.
func (f *feed) next() string {
	f.now += 10
	at := f.now
	if !f.grid {
		at += f.rand.Int64N(9)
	}
	if f.rand.IntN(12) == 0 {
		f.now += f.rand.Int64N(30) * 10 // a gap, often beyond the heartbeat
		at = f.now
	}
	f.counter += f.rand.Uint64N(1e6)
	if f.rand.IntN(40) == 0 {
		f.counter = 0
	}
	counter, gauge := strconv.FormatUint(f.counter, 10), fmt.Sprint(f.rand.IntN(1000))
	f.last = rrdstore.UintValue(f.counter)
	if f.rand.IntN(15) == 0 {
		counter, f.last = "U", rrdstore.Value{}
	}
	if f.rand.IntN(15) == 0 {
		gauge = "U"
	}
	return fmt.Sprintf("%d:%s:%s", at, counter, gauge)
}

// database makes a database with rrdtool itself, up to an update.
func database(t *testing.T, path string, f *feed, updates int) {
	args := []string{"create", path, "--start", fmt.Sprint(f.now), "--step", "10", "DS:in_bytes:DERIVE:25:0:U", "DS:active:GAUGE:25:U:U"}
	for _, a := range rrdArchives {
		args = append(args, fmt.Sprintf("RRA:%v:%v:%d:%d", a.function, a.xff, a.per, a.rows))
	}
	rrdtool(t, args...)
	args = []string{"update", path}
	for range updates {
		args = append(args, f.next())
	}
	rrdtool(t, args...)
}

// fetched is what rrdtool fetch prints of one archive: rows by time.
func fetched(t *testing.T, path string, f rrdstore.Function, step time.Duration, start, end int64) map[int64][]float64 {
	t.Helper()
	out := rrdtool(t, "fetch", path, f.String(), "-r", fmt.Sprint(seconds(step)), "-s", fmt.Sprint(start), "-e", fmt.Sprint(end))
	rows := map[int64][]float64{}
	for _, line := range strings.Split(out, "\n")[2:] {
		stamp, values, ok := strings.Cut(line, ": ")
		if !ok {
			continue
		}
		at, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range strings.Fields(values) {
			x, err := strconv.ParseFloat(strings.TrimPrefix(v, "-nan"), 64)
			if err != nil {
				x = math.NaN()
			}
			rows[at] = append(rows[at], x)
		}
	}
	return rows
}

// close10 reports whether a and b agree in the ten digits that rrdtool prints.
func close10(a, b float64) bool {
	return same(a, b) || math.Abs(a-b) <= 2e-10*math.Max(math.Abs(a), math.Abs(b))
}

// compareFetch holds an archive against what rrdtool fetch reads of it.
func compareFetch(t *testing.T, path string, r *rrdstore.Result, f rrdstore.Function, last int64) (cells int) {
	t.Helper()
	end := last - last%seconds(r.Step)
	got := fetched(t, path, f, r.Step, end-int64(r.Rows)*seconds(r.Step), end-1)
	sources := 0
	for _, c := range r.Columns {
		if c.Function != f {
			continue
		}
		for i, want := range c.Values {
			at := r.Time(i).Unix()
			if at > end {
				continue
			}
			if row := got[at]; len(row) <= sources || !close10(row[sources], want) {
				t.Errorf("%v of %v at %d, %s: fetched %v, want %v", f, r.Step, at, c.Source.Name, row, want)
			}
			cells++
		}
		sources++
	}
	return cells
}

// resultsOf turns what a Dump has into Results of one series, one for each
// archive.
func resultsOf(t *testing.T, d *Dump, s *rrdstore.Series) (all []*rrdstore.Result) {
	t.Helper()
	n := 0
	for rows, err := range d.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if n%len(d.Sources) == 0 {
			all = append(all, &rrdstore.Result{Start: rows.Start, Step: rows.Step, Rows: len(rows.Values)})
		}
		r := all[len(all)-1]
		r.Columns = append(r.Columns, rrdstore.Column{Series: s, Source: rows.Source, Function: rows.Function, Values: rows.Values})
		n++
	}
	return all
}

func openDump(t *testing.T, path string) *Dump {
	t.Helper()
	d, err := OpenDump(strings.NewReader(rrdtool(t, "dump", path)), path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func restore(t *testing.T, d *RRD, path string) {
	t.Helper()
	var b bytes.Buffer
	if err := WriteRRD(&b, d); err != nil {
		t.Fatal(err)
	}
	xml := path + ".xml"
	if err := os.WriteFile(xml, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	rrdtool(t, "restore", xml, path)
}

// TestRRDToolReadsAndContinues makes databases with rrdtool, reads their dumps,
// writes them again, and holds what rrdtool fetch reads of the two files against
// each other, also after further updates of both.
func TestRRDToolReadsAndContinues(t *testing.T) {
	_, service, _, _ := series(t)
	cells := 0
	for seed := range uint64(8) {
		f := &feed{rand: rand.New(rand.NewPCG(seed, 0)), now: epoch.Unix() + int64(seed)*10, grid: seed%2 == 0, counter: seed << 58}
		dir := t.TempDir()
		theirs, ours := filepath.Join(dir, "theirs.rrd"), filepath.Join(dir, "ours.rrd")
		database(t, theirs, f, 100+int(seed)*7)

		dump := openDump(t, theirs)
		results := resultsOf(t, dump, service)
		if len(results) != len(rrdArchives) || len(dump.Warnings()) > 0 {
			t.Fatalf("%d archives, warnings %q", len(results), dump.Warnings())
		}
		d, err := NewRRD(dump.Step, 25*time.Second, dump.LastUpdate, 0.5, results...)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range rrdArchives {
			d.Archives[i].XFF = a.xff
			cells += compareFetch(t, theirs, results[i], a.function, dump.LastUpdate.Unix())
		}
		d.Sources[0].Last = f.last
		pending(t, rrdtool(t, "dump", theirs), d)
		restore(t, d, ours)
		for i, a := range rrdArchives {
			cells += compareFetch(t, ours, results[i], a.function, dump.LastUpdate.Unix())
		}
		for range 4 {
			args := []string{"update", theirs}
			for range 5 {
				args = append(args, f.next())
			}
			rrdtool(t, args...)
			args[1] = ours
			rrdtool(t, args...)
			want := openDump(t, theirs)
			for i, r := range resultsOf(t, want, service) {
				cells += compareFetch(t, ours, r, rrdArchives[i].function, want.LastUpdate.Unix())
			}
		}
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
	t.Logf("%d cells are equal", cells)
}

// pending takes the state of open data points from a dump.
func pending(t *testing.T, dump string, d *RRD) {
	t.Helper()
	for i := range d.Sources {
		_, rest, _ := strings.Cut(dump, "<name> "+d.Sources[i].DS)
		_, rest, _ = strings.Cut(rest, "<value>")
		text, _, _ := strings.Cut(rest, "<")
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		d.Sources[i].Pending = v
	}
}
