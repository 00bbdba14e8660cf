//go:build lab

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"lvs/rrdstore"
)

// A witness remembers every tick that an agent served, through all its lives, and
// holds the history against it.
type witness struct {
	*agent
	ticks   []time.Time // served, in order
	served  map[time.Time]table
	late    map[time.Time]bool // served before they were durable, as the agent said
	excused map[time.Time]bool // those that are not in the history
	lost    map[time.Time]bool // not in the history without excuse
	floor   table              // the highest counters served so far
	falls   int                // counters that were below what was served or stored before
	roster  roster
	verdict verdict

	scrapes int // that were compared as well
	unseen  int // lives that served nothing
	logged  int // lines of the log that were read
	stored  int // rows in the history
	checked int // how often it was verified
}

func newWitness(a *agent) *witness {
	ticks := func() map[time.Time]bool { return map[time.Time]bool{} }
	return &witness{agent: a, served: map[time.Time]table{}, late: ticks(), excused: ticks(), lost: ticks(), floor: table{}}
}

// look reads documents and metrics as fast as they come until ctx ends. An answer
// that was cut off was not served.
func (w *witness) look(ctx context.Context, seen chan<- time.Time) {
	for {
		body, err := w.ask(http.MethodGet, "/api/v1/snapshot", "")
		d := &document{}
		if err == nil {
			err = json.Unmarshal(body, d)
		}
		if err == nil && (len(w.ticks) == 0 || d.Tick.After(w.ticks[len(w.ticks)-1])) {
			w.take(d)
			seen <- d.Tick
			w.scrape()
		} else if err == nil && w.served[d.Tick] == nil {
			w.verdict.fault("tick %v came after %v", d.Tick, w.ticks[len(w.ticks)-1])
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause()):
		}
	}
}

// pause is short when ticks come, so that one is seen, and its server killed, at
// once.
func pause() time.Duration {
	if time.Now().Nanosecond() < int(200*time.Millisecond) {
		return 2 * time.Millisecond
	}
	return 20 * time.Millisecond
}

// take notes what a document says.
func (w *witness) take(d *document) {
	tb, err := d.table()
	if err != nil {
		w.verdict.fault("%v: %v", d.Tick, err)
		return
	}
	w.ticks = append(w.ticks, d.Tick)
	w.served[d.Tick] = tb
	w.roster.judge(d, &w.verdict)
	w.rise("/api/v1/snapshot", tb)
}

// scrape notes what the metrics say.
func (w *witness) scrape() {
	body, err := w.ask(http.MethodGet, "/metrics", "")
	if err != nil {
		return // it was killed
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	f, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		w.verdict.fault("/metrics: %v", err)
		return
	}
	tb, err := families(f).table()
	if err != nil {
		w.verdict.fault("/metrics: %v", err)
		return
	}
	w.scrapes++
	w.rise("/metrics", tb)
}

// rise checks that no counter is below what any window showed before.
func (w *witness) rise(name string, tb table) {
	for at, c := range tb {
		for _, column := range counters {
			if floor := w.floor[at][column]; c[column] < floor {
				w.falls++
				w.verdict.fault("%s: %v %s fell from %d to %d", name, at, column, floor, c[column])
			}
		}
		w.floor[at] = c
	}
}

// What the agent says of a machine too slow for it, which is nobody's fault here.
const (
	servedEarly = "are served before they are kept"
	openedLate  = "are served without being kept"
	readTooSlow = "context deadline exceeded"
)

// complaints counts the lines that speak of a slow machine. Other warnings and
// errors, and what is no log line at all, as a panic, fail the test.
func (a *agent) complaints(lines []logLine) (slow int) {
	a.t.Helper()
	for _, line := range lines {
		switch {
		case line.level == "INFO":
		case strings.Contains(line.text, servedEarly), strings.Contains(line.text, openedLate), strings.Contains(line.text, readTooSlow):
			slow++
		default:
			a.t.Errorf("the agent logs: %s %s", line.level, line.text)
		}
	}
	return slow
}

// readLog reads what the agent logged in the life that served the ticks from
// first on. Those served after it said that it cannot wait for its store are not
// promised to be in it.
func (w *witness) readLog(first int) {
	lines := w.logLines()
	for _, line := range lines[w.logged:] {
		if !strings.Contains(line.text, servedEarly) && !strings.Contains(line.text, openedLate) {
			continue
		}
		from := line.time(w.t)
		for _, tick := range w.ticks[first:] {
			if tick.Add(10 * time.Second).After(from) { // the one at hand, too
				w.late[tick] = true
			}
		}
	}
	w.complaints(lines[w.logged:])
	w.logged = len(lines)
}

// check compares the history of a time with what was served.
func (w *witness) check(start, end time.Time) map[time.Time]table {
	w.t.Helper()
	out, err := fetch(w.t, w.store(), start, end)
	if err != nil {
		w.t.Fatalf("lvs-exporter fetch: %v", err)
	}
	stored, err := parseCSV(out)
	if err != nil {
		w.t.Fatalf("lvs-exporter fetch: %v", err)
	}
	for _, tick := range w.ticks {
		if tick.Before(start) || tick.After(end) {
			continue
		}
		tb := stored[tick.UTC()]
		switch {
		case tb == nil && w.late[tick]:
			w.excused[tick] = true
		case tb == nil:
			w.lost[tick] = true
			w.t.Errorf("tick %v was served and is lost", tick)
		default:
			wrong, cells := window{"history of " + tick.String(), tb, counters, all}.differences(w.served[tick])
			w.verdict.note(wrong, cells)
		}
	}
	if w.verdict.faults > 0 {
		w.t.Errorf("%d wrong cells:\n\t%s", w.verdict.faults, strings.Join(w.verdict.wrong, "\n\t"))
	}
	return stored
}

// checkAll compares the whole history, in which no counter may fall.
func (w *witness) checkAll() {
	w.t.Helper()
	stored := w.check(time.Unix(0, 0), time.Now().Add(time.Minute))
	w.stored = len(stored)
	highest := table{}
	for _, tick := range slices.SortedFunc(maps.Keys(stored), time.Time.Compare) {
		for at, c := range stored[tick] {
			for _, column := range counters {
				if was := highest[at][column]; c[column] < was {
					w.falls++
					w.t.Errorf("history of %v: %v %s fell from %d to %d", tick, at, column, was, c[column])
				}
			}
			highest[at] = c
		}
	}
	for at := range w.floor {
		if highest[at] == nil {
			w.t.Errorf("%v was served and is nowhere in the history", at)
		}
	}
}

// checkStore verifies the file that a dead agent left. Before anything was served
// it may not be a whole one yet.
func (w *witness) checkStore() {
	w.t.Helper()
	switch err := rrdstore.Check(filepath.Join(w.store(), "head.db")); {
	case err != nil && len(w.ticks) == 0:
	case err != nil:
		w.t.Errorf("the store after SIGKILL: %v", err)
	default:
		w.checked++
	}
	if aside, _ := filepath.Glob(filepath.Join(w.store(), "*damaged*")); len(aside) > 0 {
		w.t.Errorf("the agent put its store aside: %v", aside)
	}
}

// checkCatalog compares the row numbers of the store with those that were served.
func (w *witness) checkCatalog() {
	w.t.Helper()
	stored := w.catalog()
	for n, at := range w.roster.to {
		if stored[n] != at {
			w.t.Errorf("number %v was served as %v and is kept as %v", n, at, stored[n])
		}
	}
}

// catalog is what the numbers of rows are in the store, of which none may have two.
func (a *agent) catalog() map[number]row {
	a.t.Helper()
	r, err := rrdstore.OpenReader(a.t.Context(), a.store())
	if err != nil {
		a.t.Fatal(err)
	}
	stored := map[number]row{}
	for _, s := range r.Series() {
		at := row{service: s.Key.String()}
		if s.RIP != (netip.AddrPort{}) {
			at.real = s.RIP.String()
		}
		n := number{s.Number, s.RealNumber}
		if was, twice := stored[n]; twice {
			a.t.Errorf("number %v passed from %v to %v", n, was, at)
		}
		stored[n] = at
	}
	return stored
}

// report prints the figures.
func (w *witness) report(kills int) {
	w.t.Helper()
	w.t.Logf("%d kills, %d lives too short to serve anything; %d ticks and %d scrapes served, %d of those ticks before they were durable; %d rows stored",
		kills, w.unseen, len(w.ticks), w.scrapes, len(w.late), w.stored)
	w.t.Logf("%d ticks lost, and %d of those before they were durable; %d counters fell, %d cells of the history wrong of %d; %d rows kept their numbers; file verified %d times",
		len(w.lost), len(w.excused), w.falls, w.verdict.faults, w.verdict.cells, len(w.roster.of), w.checked)
}
