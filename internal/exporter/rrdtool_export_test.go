package exporter

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
)

// imported is a new store of the witness's updates.
func (w *witness) imported() (store string) {
	w.Helper()
	store = filepath.Join(w.dir, "store")
	w.bring(append([]string{"import", "--store", store, "--counter", "drops"}, w.write()...)...)
	return store
}

// TestExportedRRDEqualsFetch restores what is exported, and compares what rrdtool
// reads of it with what is fetched, of all functions and resolutions.
func TestExportedRRDEqualsFetch(t *testing.T) {
	for number := range lab.Repeat(t, "LVS_RRDS", 2) {
		w := newWitness(t, 1000+number)
		w.live(300 + w.IntN(1500))
		store, xml := w.imported(), filepath.Join(w.dir, "exported.xml")
		exportNow(t, "export", "--store", store, "--format", "rrd", "--source", strings.Join(w.sources, ","), "-o", xml, strings.Trim(w.key, `"`))
		w.tool("restore", xml, w.file)
		w.sources = strings.Fields(strings.SplitN(w.tool("fetch", w.file, "LAST", "-s", fmt.Sprint(w.first), "-e", fmt.Sprint(w.first+1)), "\n", 2)[0])
		for _, step := range []int64{10, 60, 300, 3600} {
			for _, cf := range functions {
				start := w.first + w.Int64N(w.last-w.first)
				w.compare(store, cf, start, min(w.last, start+1000*step), step)
				w.compare(store, cf, w.first, min(w.last, w.first+2000*step), step)
			}
		}
		if w.counted.numeric < w.counted.cells/50 {
			t.Errorf("history %d: of %d values %d were known", number, w.counted.cells, w.counted.numeric)
		}
	}
}

// promtool runs the program.
func promtool(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Fatal("promtool is missing (Debian's package prometheus)")
	}
	out, err := exec.Command("promtool", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("promtool %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// TestPromtoolReadsWhatIsExported makes blocks of OpenMetrics, totals as they came
// and rates, and compares each source's samples with what is fetched.
func TestPromtoolReadsWhatIsExported(t *testing.T) {
	for number := range lab.Repeat(t, "LVS_RRDS", 1) {
		w := newWitness(t, 2000+number)
		w.live(300 + w.IntN(300))
		store := w.imported()
		for i, source := range w.sources {
			ask := []string{"--store", store, "--start", fmt.Sprint(w.first), "--end", fmt.Sprint(w.last), "--source", source, strings.Trim(w.key, `"`)}
			for _, more := range [][]string{nil, {"--resolution", "1m", "--cf", functions[w.IntN(3)]}} {
				dir := filepath.Join(w.dir, fmt.Sprint(i, len(more)))
				metrics := filepath.Join(w.dir, "exported.om")
				exportNow(t, append(append([]string{"export", "--format", "openmetrics", "-o", metrics}, ask...), more...)...)
				if err := os.MkdirAll(filepath.Join(dir, "wal"), 0o755); err != nil { // dump wants one, if empty
					t.Fatal(err)
				}
				promtool(t, "tsdb", "create-blocks-from", "openmetrics", metrics, dir)
				got := w.samples(promtool(t, "tsdb", "dump", dir))
				w.sources = []string{source}
				want := w.fetched(exportNow(t, append(append([]string{"fetch", "-o", "csv"}, ask...), more...)...))
				for at, values := range want {
					if values[0] != values[0] {
						delete(want, at)
					}
				}
				if len(got) != len(want) || len(want) < 10 {
					t.Errorf("history %d, %s %q: %d samples, want %d", number, source, more, len(got), len(want))
				}
				for at, values := range want {
					if got[at] == nil || got[at][0] != values[0] {
						t.Fatalf("history %d, %s %q at %v: %v, want %v", number, source, more, time.Unix(at, 0).UTC(), got[at], values[0])
					}
				}
			}
		}
	}
}

// samples are what promtool dumps of one series: values by time.
func (w *witness) samples(text string) map[int64][]float64 {
	w.Helper()
	all := make(map[int64][]float64)
	var series []string
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, "} ")
		fields := strings.Fields(rest)
		if len(fields) != 2 {
			w.Fatalf("promtool dumped %q", line)
		}
		if !slices.Contains(series, name) {
			series = append(series, name)
		}
		at := int64(w.number(fields[1])) / 1000
		all[at] = append(all[at], w.number(fields[0]))
	}
	if len(series) != 1 {
		w.Fatalf("promtool dumped %q, want one series", series)
	}
	return all
}
