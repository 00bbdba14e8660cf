package exporter

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// databases is how many random histories a comparison with RRDtool makes; the
// environment's LVS_RRDS is another number.
func databases(t *testing.T, usual uint64) uint64 {
	t.Helper()
	s := os.Getenv("LVS_RRDS")
	if s == "" {
		return usual
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		t.Fatalf("LVS_RRDS: %v", err)
	}
	return n
}

// A witness is a file of RRDtool's, and what somebody who knows the commands from
// their help alone makes of the same updates: files of CSV.
type witness struct {
	*testing.T
	*rand.Rand
	tool            func(args ...string) string
	dir             string
	step, heartbeat int64
	key             string
	sources         []string
	file            string
	updates         []string // as rrdtool update takes them
	lines           []string // of CSV
	first, last     int64
	counted         tally
}

// A tally counts what a comparison found.
type tally struct{ cells, numeric int }

var functions = []string{"AVERAGE", "MIN", "MAX", "LAST"}

var counters = map[string]bool{"connections": true, "in_packets": true, "out_packets": true, "in_bytes": true, "out_bytes": true, "drops": true}

func newWitness(t *testing.T, number uint64) *witness {
	w := &witness{T: t, Rand: rand.New(rand.NewPCG(number, 0xc5f)), tool: rrdtool(t), dir: t.TempDir(), step: 10, heartbeat: 20}
	w.key = []string{"tcp/192.0.2.10:443", `"udp/[2001:db8::1]:53,10.0.0.1:53"`, "director", `"fwm4/7,[2001:db8::7]:80"`}[w.IntN(4)]
	all := []string{"connections", "in_packets", "out_packets", "in_bytes", "out_bytes", "active", "inactive", "weight", "temperature", "drops"}
	w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	w.sources = all[:1+w.IntN(4)]
	w.file = filepath.Join(w.dir, "witness.rrd")
	return w
}

// live makes up updates: late ones, gaps, values that are unknown, negative,
// beyond 2^53, and that begin anew or wrap.
func (w *witness) live(updates int) {
	next := make([]func() string, len(w.sources))
	for i, source := range w.sources {
		next[i] = w.gauge
		if counters[source] {
			next[i] = w.counter()
		}
	}
	at := int64(1_700_000_000) + w.Int64N(1e7)
	onGrid := w.IntN(2) == 0
	for i := range updates {
		switch k := w.IntN(20); {
		case k == 0:
			at += 1 + w.Int64N(3*w.heartbeat)
		case k == 1 && w.IntN(4) == 0:
			at += w.Int64N(400 * w.step)
		case onGrid:
			at += w.step - at%w.step
		default:
			at += 1 + w.Int64N(w.step+w.step/5)
		}
		update := strconv.FormatInt(at, 10)
		for k, source := range w.sources {
			v := next[k]()
			if w.IntN(20) == 0 || i == 0 && !counters[source] { // RRDtool has a gauge count from the file's creation on
				v = "U"
			}
			update += ":" + v
			w.lines = append(w.lines, fmt.Sprintf("%s,%s,%s,%s", w.stamp(at), w.key, source, w.text(v)))
		}
		w.updates = append(w.updates, update)
		if i == 0 {
			w.first = at
		}
	}
	w.last = at
}

// stamp is a time in one of the forms that import reads.
func (w *witness) stamp(at int64) string {
	t := time.Unix(at, 0).UTC()
	switch w.IntN(4) {
	case 0:
		return t.Format(time.RFC3339)
	case 1:
		return t.In(time.FixedZone("", 5*3600+1800)).Format(time.RFC3339)
	}
	return strconv.FormatInt(at, 10)
}

// text is a value in one of the forms that import reads.
func (w *witness) text(v string) string {
	if v == "U" {
		return []string{"", "U", "NaN"}[w.IntN(3)]
	}
	return v
}

func (w *witness) counter() func() string {
	largest := uint64(math.Pow(10, 7*w.Float64())) + 1
	v := []uint64{0, 1<<32 - 20*largest, 1<<53 + w.Uint64(), math.MaxUint64 - w.Uint64N(50*largest)}[w.IntN(4)]
	return func() string {
		if v += w.Uint64N(largest); w.IntN(30) == 0 {
			v = w.Uint64N(largest)
		}
		return strconv.FormatUint(v, 10)
	}
}

func (w *witness) gauge() string {
	v := math.Round(1e6*(w.Float64()-0.2)) / 1000
	return strconv.FormatFloat(v, 'f', -1, 64)
}

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

// write puts the lines into files that have some lines in common, mostly in
// disorder, with and without a first line.
func (w *witness) write() (files []string) {
	w.Helper()
	if w.IntN(3) > 0 {
		w.Shuffle(len(w.lines), func(i, j int) { w.lines[i], w.lines[j] = w.lines[j], w.lines[i] })
	}
	for begin := 0; begin < len(w.lines); {
		end := min(len(w.lines), begin+1+w.IntN(len(w.lines)))
		text := strings.Join(w.lines[max(0, begin-50):end], "\n") + "\n"
		if w.IntN(2) == 0 {
			text = "time,key,source,value\n" + text
		}
		if w.IntN(4) == 0 {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		name := filepath.Join(w.dir, fmt.Sprintf("%d.csv", len(files)))
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			w.Fatal(err)
		}
		files, begin = append(files, name), end
	}
	return files
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
	for number := range databases(t, 4) {
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
