package exporter

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

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
