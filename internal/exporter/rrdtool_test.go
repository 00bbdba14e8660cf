package exporter

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
)

// A tally counts what a comparison found.
type tally struct{ cells, numeric int }

var functions = []string{"AVERAGE", "MIN", "MAX", "LAST"}

// create makes RRDtool's file.
func (w *witness) create(archives []string) {
	w.Helper()
	args := []string{"create", w.file, "--start", fmt.Sprint(w.first - 1), "--step", fmt.Sprint(w.step)}
	for i, source := range w.sources {
		kind := "GAUGE:%d:U:U"
		if counters[source] {
			kind = "DERIVE:%d:0:U"
		}
		args = append(args, fmt.Sprintf("DS:s%d:"+kind, i, w.heartbeat))
	}
	w.tool(append(args, archives...)...)
	for chunk := range slices.Chunk(w.updates, 200) {
		w.tool(append([]string{"update", w.file}, chunk...)...)
	}
}

// archives are RRDtool's of all functions, for all of the time.
func (w *witness) archives(xff string, steps []int64) (all []string) {
	for _, step := range steps {
		for _, cf := range functions {
			all = append(all, fmt.Sprintf("RRA:%s:%s:%d:%d", cf, xff, step/w.step, (w.last-w.first)/step+3))
		}
	}
	return all
}

// bring runs import, which may say that a file with a part of the lines in disorder
// has its values too far apart.
func (w *witness) bring(args ...string) {
	w.Helper()
	if err := Run(w.Context(), args, io.Discard, io.Discard); err != nil {
		w.Fatalf("%q: %v", args, err)
	}
}

// printed is what rrdtool fetch prints: values by time, for each source.
func (w *witness) printed(cf string, start, end, step int64) map[int64][]float64 {
	w.Helper()
	rows := make(map[int64][]float64)
	for line := range strings.Lines(w.tool("fetch", w.file, cf, "-s", fmt.Sprint(start), "-e", fmt.Sprint(end), "-r", fmt.Sprint(step))) {
		stamp, values, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		at, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			w.Fatal(err)
		}
		for _, v := range strings.Fields(values) {
			rows[at] = append(rows[at], w.number(v))
		}
	}
	return rows
}

func (w *witness) number(s string) float64 {
	w.Helper()
	switch s {
	case "", "-nan", "nan":
		return math.NaN()
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		w.Fatal(err)
	}
	return v
}

// fetched is the same of lvs-exporter's CSV.
func (w *witness) fetched(text string) map[int64][]float64 {
	w.Helper()
	records, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		w.Fatal(err)
	}
	rows := make(map[int64][]float64)
	for _, r := range records[1:] {
		at, err := time.Parse(time.RFC3339, r[0])
		if err != nil {
			w.Fatal(err)
		}
		for _, source := range w.sources {
			rows[at.Unix()] = append(rows[at.Unix()], w.number(r[slices.Index(records[0], source)]))
		}
	}
	return rows
}

// compare asks both for a window at a resolution.
func (w *witness) compare(store, cf string, start, end, step int64, more ...string) {
	w.Helper()
	args := append([]string{"fetch", "--store", store, "--start", fmt.Sprint(start), "--end", fmt.Sprint(end),
		"--resolution", fmt.Sprintf("%ds", step), "--cf", cf, "-o", "csv"}, more...)
	got, want := w.fetched(exportNow(w.T, append(args, strings.Trim(w.key, `"`))...)), w.printed(cf, start, end, step)
	if len(got) != len(want) {
		w.Fatalf("%q prints %d rows, rrdtool %d", args, len(got), len(want))
	}
	for at, values := range want {
		for i, v := range values {
			w.counted.cells++
			if v == v {
				w.counted.numeric++
			}
			if len(got[at]) != len(values) || !near(got[at][i], v) {
				w.Fatalf("%q: %s at %d: %v, rrdtool has %v", args, w.sources[i], at, got[at], v)
			}
		}
	}
}

// near is equality as far as rrdtool prints digits.
func near(a, b float64) bool {
	return a == b || a != a && b != b || math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
}

// TestImportAndFetchEqualRRDtool gives the same updates to RRDtool and, as CSV, to
// import, and compares what is fetched from both.
func TestImportAndFetchEqualRRDtool(t *testing.T) {
	var sum tally
	for number := range lab.Repeat(t, "LVS_RRDS", 4) {
		w := newWitness(t, number)
		flags := []string{"import", "--store", filepath.Join(w.dir, "new", "store"), "--counter", "drops"}
		if number%3 == 1 {
			w.step = []int64{1, 7, 30, 45, 60, 120, 300}[w.IntN(7)]
			w.heartbeat = w.step + w.Int64N(4*w.step)
			flags = append(flags, "--step", fmt.Sprint(w.step, "s"), "--heartbeat", fmt.Sprint(w.heartbeat, "s"))
		}
		w.live(300 + w.IntN(1000))
		var steps []int64
		for _, step := range []int64{w.step, 5 * w.step, 60, 120, 300, 3600} {
			if step%w.step == 0 && !slices.Contains(steps, step) {
				steps = append(steps, step)
			}
		}
		xff, more := "0.5", []string(nil)
		if number%2 == 1 {
			xff = fmt.Sprint(float64(w.IntN(100)) / 100)
			more = []string{"--xff", xff}
		}
		w.create(w.archives(xff, steps))
		files := w.write()
		if w.IntN(2) == 0 {
			w.bring(append(flags, files...)...)
		} else {
			for _, file := range files {
				w.bring(append(flags, file)...)
			}
		}
		for _, step := range steps {
			for _, cf := range functions {
				start := w.first + w.Int64N(w.last-w.first)
				if w.IntN(2) == 0 {
					start = w.first
				}
				w.compare(flags[2], cf, start, start+w.Int64N(min(w.last-w.first, 2000*step)), step, more...)
			}
		}
		sum.cells, sum.numeric = sum.cells+w.counted.cells, sum.numeric+w.counted.numeric
	}
	t.Logf("%d cells, %d of them numbers", sum.cells, sum.numeric)
	if sum.numeric < sum.cells/20 {
		t.Error("the histories hold too little to show anything")
	}
}
