//go:build lab

package e2e

import (
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
	"lvs/rrdstore"
)

// A watch looks at every sample of an agent while an editor's table changes.
type watch struct {
	*agent
	editor     *editor
	verdict    verdict
	roster     roster
	continuity *continuity
	purpose    tally           // resets made on purpose
	alone      map[string]bool // services of which only those count
	moving     bool            // resets of services that churn does not own are under way
	own        map[string]bool // those services
	last       *document
	recent     []*document // the last few
	missed     int         // samples of which only the history was seen
	unsure     int         // sum of what documents said
	footprints []footprint
	walk       <-chan []string // takes a walk of the MIB under way; nil: there is none
	walks      int             // that were compared
}

// next waits for the sample after the last one and judges it.
func (w *watch) next() *document {
	w.t.Helper()
	if w.last != nil {
		time.Sleep(time.Until(w.last.Tick.Add(time.Second + 50*time.Millisecond)))
	}
	d := w.waitDocument("another sample", func(d *document) bool { return w.last == nil || d.Tick.After(w.last.Tick) })
	if d.Partial {
		w.verdict.fault("%v: the counters are not known", d.Tick)
	}
	if w.last != nil && d.Tick.Sub(w.last.Tick) > time.Second {
		w.catchUp(w.last.Tick.Add(time.Second), d.Tick.Add(-time.Second))
	}
	w.editor.judge(d, &w.verdict)
	w.roster.judge(d, &w.verdict)
	rows := map[row]bool{}
	for at := range d.accounts() {
		rows[at] = true
	}
	w.continuity.apply(rows, d.Unsure == 0)
	w.unsure += d.Unsure
	w.expected().check(d, &w.verdict, func(at row) bool { return w.moving && w.own[at.service] })
	w.last, w.recent = d, append(w.recent[max(0, len(w.recent)-20):], d)
	w.footprints = append(w.footprints, w.metrics("?scope=agent").footprint())
	select {
	case lines := <-w.walk:
		w.walk = nil
		w.checkWalk(lines)
	default:
	}
	return d
}

// catchUp takes samples that were not looked at in time from the history; where
// there is none, the agent left the tick out.
func (w *watch) catchUp(from, to time.Time) {
	w.t.Helper()
	r, err := rrdstore.OpenReader(w.t.Context(), w.store())
	if err != nil {
		w.t.Fatal(err)
	}
	for stored, err := range r.Rows(w.t.Context(), from, to, func(*rrdstore.Series) bool { return true }) {
		if err != nil {
			w.t.Fatal(err)
		}
		rows := map[row]bool{}
		for _, e := range stored.Entries {
			at := row{service: e.Series.Key.String()}
			if e.Series.RIP != (netip.AddrPort{}) {
				at.real = e.Series.RIP.String()
			}
			rows[at] = true
		}
		w.missed++
		w.continuity.apply(rows, true)
	}
}

// expected is the tally as it has to be by now.
func (w *watch) expected() tally { return w.continuity.expect(w.purpose, w.alone) }

// await goes on from sample to sample until one is as wanted.
func (w *watch) await(what string, ok func(*document) bool) *document {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		d := w.next()
		if ok(d) {
			return d
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// scrape is a scrape of the last sample.
func (w *watch) scrape() families {
	w.t.Helper()
	for range 30 {
		f := w.metrics("")
		at := f.sample("lvs_agent_last_sample_timestamp_seconds")
		if w.last != nil && at-float64(w.last.Time.UnixMicro())/1e6 < 1e-3 {
			return f
		}
		w.next()
	}
	w.t.Fatal("no scrape of a sample that was seen")
	return nil
}

// configFamilies are the metrics of the configured numbers, and whose they are.
var configFamilies = map[string]func(config) uint64{
	"lvs_service_persistence_timeout_seconds":     func(c config) uint64 { return c.timeout },
	"lvs_real_server_weight":                      func(c config) uint64 { return c.weight },
	"lvs_real_server_upper_threshold_connections": func(c config) uint64 { return c.upper },
	"lvs_real_server_lower_threshold_connections": func(c config) uint64 { return c.lower },
}

// checkScrape compares a scrape with the document of the same sample.
func (w *watch) checkScrape(f families) {
	w.t.Helper()
	want, err := w.last.table()
	if err != nil {
		w.t.Fatal(err)
	}
	have, err := f.table()
	if err != nil {
		w.t.Fatal(err)
	}
	wrong, cells := window{"/metrics", have, counters, all}.differences(want)
	w.verdict.note(wrong, cells)
	configs, _ := w.last.configs()
	for name, of := range configFamilies {
		var rows int
		for _, m := range f[name].GetMetric() {
			var at row
			for _, l := range m.Label {
				if l.GetName() == "service" {
					at.service = l.GetValue()
				} else {
					at.real = l.GetValue()
				}
			}
			rows++
			if c, there := configs[at]; !there || float64(of(c)) != value(m) {
				w.verdict.fault("%s of %v is %v, want %v", name, at, value(m), of(c))
			}
		}
		w.verdict.cells += rows
		for at := range configs {
			if (at.real != "") == strings.HasPrefix(name, "lvs_real") {
				rows--
			}
		}
		if rows != 0 {
			w.verdict.fault("%s has %d series too many", name, rows)
		}
	}
}

// note takes over what a comparison found.
func (v *verdict) note(wrong []string, cells int) {
	v.cells += cells
	for _, text := range wrong {
		v.fault("%s", text)
	}
}

// startWalk walks the MIB in the background, unless that is under way: it takes
// snmpd some seconds.
func (w *watch) startWalk(master *lab.MasterAgent) {
	if w.walk != nil {
		return
	}
	lines := make(chan []string, 1)
	w.walk = lines
	go func() { lines <- walk(w.t, master, "snmpbulkwalk", "2c", "-Cr40") }()
}

// checkWalk compares a walk of the MIB, which shows one sample from end to end,
// with the documents of the time it took.
func (w *watch) checkWalk(lines []string) {
	w.t.Helper()
	found, err := parseWalk(lines)
	if err != nil {
		w.t.Fatal(err)
	}
	var nearest []string
	for _, d := range w.recent {
		want, _ := d.table()
		have, err := found.table(d.numbers())
		wrong := []string{fmt.Sprint(err)}
		cells := 0
		if err == nil {
			wrong, cells = window{"snmpbulkwalk", have, counters, append(counters[:len(counters):len(counters)], "weight")}.differences(want)
		}
		if len(wrong) == 0 {
			w.walks++
			w.verdict.cells += cells
			return
		}
		if nearest == nil || len(wrong) < len(nearest) {
			nearest = wrong
		}
	}
	w.verdict.fault("a walk shows none of the samples from %v to %v; nearest:", w.recent[0].Tick, w.last.Tick)
	for _, text := range nearest[:min(5, len(nearest))] {
		w.verdict.fault("%s", text)
	}
}

// checkHistory compares the history with the recent documents.
func (w *watch) checkHistory() {
	w.t.Helper()
	out, err := fetch(w.t, w.store(), w.recent[0].Tick, w.last.Tick)
	if err != nil {
		w.t.Fatal(err)
	}
	ticks, err := parseCSV(out)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, d := range w.recent {
		want, err := d.table()
		if err != nil {
			w.t.Fatal(err)
		}
		wrong, cells := window{"history of " + d.Tick.Format(time.TimeOnly), ticks[d.Tick.UTC()], counters, all}.differences(want)
		w.verdict.note(wrong, cells)
	}
}

// checkResets compares lvs_resets_total.
func (w *watch) checkResets(f families) {
	w.t.Helper()
	want := w.expected().sums()
	for _, reason := range []string{"recreated", "zeroed", "kernel_restart", "wrap32"} {
		for _, scope := range []string{"service", "real"} {
			got := max(0, f.sample("lvs_resets_total", "scope", scope, "reason", reason))
			if n := want[[2]string{scope, reason}]; got != float64(n) {
				w.verdict.fault("%v: lvs_resets_total of %s, %s is %v, want %d", w.last.Tick, scope, reason, got, n)
			}
		}
	}
}

// A footprint is what the agent holds.
type footprint struct{ goroutines, files, memory float64 }

func (f families) footprint() footprint {
	return footprint{f.sample("go_goroutines"), f.sample("process_open_fds"), f.sample("process_resident_memory_bytes")}
}

// checkGrowth compares the least that was held early with the least held late.
func checkGrowth(t *testing.T, all []footprint) {
	t.Helper()
	third := max(1, len(all)/3)
	least := func(list []footprint) footprint {
		out := list[0]
		for _, f := range list {
			out = footprint{min(out.goroutines, f.goroutines), min(out.files, f.files), max(out.memory, f.memory)}
		}
		return out
	}
	early, late := least(all[:third]), least(all[len(all)-third:])
	t.Logf("goroutines %v early, %v late; files %v, %v; memory at most %.0f MB, %.0f MB",
		early.goroutines, late.goroutines, early.files, late.files, early.memory/1e6, late.memory/1e6)
	if early.goroutines <= 0 || early.files <= 0 || early.memory <= 0 {
		t.Fatal("the agent does not tell what it holds")
	}
	if late.goroutines > early.goroutines+2 || late.files > early.files+2 {
		t.Error("goroutines or files grow")
	}
	if late.memory > 120e6 {
		t.Error("the agent takes more than 120 MB")
	}
}

// counted are the rows that counted anything, of those that keep wants.
func counted(tb table, keep func(row) bool) table {
	out := maps.Clone(tb)
	maps.DeleteFunc(out, func(r row, c cells) bool { return !keep(r) || !c.counted() })
	return out
}
