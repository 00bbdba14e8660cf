//go:build lab

package e2e

import (
	"fmt"
	"strings"
	"time"

	"lvs/internal/lab"
)

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

// configFamilies are the metrics that tell a configured number, or as a label a
// configured word, and whose.
var configFamilies = []struct {
	name, label string // no label: the value
	of          func(config) string
}{
	{"lvs_service_info", "scheduler", func(c config) string { return c.scheduler }},
	{"lvs_service_persistence_timeout_seconds", "", func(c config) string { return fmt.Sprint(c.timeout) }},
	{"lvs_real_server_info", "forwarding_method", func(c config) string { return c.method }},
	{"lvs_real_server_weight", "", func(c config) string { return fmt.Sprint(c.weight) }},
	{"lvs_real_server_upper_threshold_connections", "", func(c config) string { return fmt.Sprint(c.upper) }},
	{"lvs_real_server_lower_threshold_connections", "", func(c config) string { return fmt.Sprint(c.lower) }},
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
	configs, err := w.last.configs()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, family := range configFamilies {
		told := map[row]string{}
		for _, m := range f[family.name].GetMetric() {
			labels := map[string]string{}
			for _, l := range m.Label {
				labels[l.GetName()] = l.GetValue()
			}
			text := fmt.Sprint(uint64(value(m)))
			if family.label != "" {
				text = labels[family.label]
			}
			told[row{labels["service"], labels["real"]}] = text
		}
		for at, c := range configs {
			if (at.real != "") != strings.HasPrefix(family.name, "lvs_real") {
				continue
			}
			w.verdict.cells++
			if told[at] != family.of(c) {
				w.verdict.fault("%s of %v is %q, want %q", family.name, at, told[at], family.of(c))
			}
			delete(told, at)
		}
		for at := range told {
			w.verdict.fault("%s of %v should not be there", family.name, at)
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

// startWalk walks a table of the LVS-MIB in the background, the one after the
// other, unless that is under way: it takes snmpd some seconds.
func (w *watch) startWalk(master *lab.MasterAgent) {
	if w.walk != nil {
		return
	}
	lines := make(chan []string, 1)
	w.walk, w.walkFrom = lines, w.last.Tick.Add(-time.Second)
	w.walkReals = !w.walkReals
	table := ".17"
	if w.walkReals {
		table = ".18"
	}
	go func() { lines <- walk(w.t, master, table) }()
}

// checkWalk compares a walk of a table, which shows one sample from end to end,
// with the documents of the time it took, and with the history where no document
// was seen in time.
func (w *watch) checkWalk(lines []string) {
	w.t.Helper()
	found, err := parseWalk(lines)
	if err != nil {
		w.t.Fatal(err)
	}
	var nearest []string
	shows := func(want table, numbers map[number]row) bool {
		want = want.only(func(at row) bool { return (at.real != "") == w.walkReals })
		have, err := found.table(numbers)
		wrong := []string{fmt.Sprint(err)}
		cells := 0
		if err == nil {
			wrong, cells = window{"snmpbulkwalk", have, counters, append(counters[:len(counters):len(counters)], "weight")}.differences(want)
		}
		if len(wrong) == 0 {
			w.walks++
			w.verdict.cells += cells
			return true
		}
		if nearest == nil || len(wrong) < len(nearest) {
			nearest = wrong
		}
		return false
	}
	for _, d := range w.recent {
		if want, _ := d.table(); !d.Tick.Before(w.walkFrom) && shows(want, d.numbers()) {
			return
		}
	}
	for _, tick := range w.unseen {
		if tick.Before(w.walkFrom) {
			continue
		}
		want, err := historyTable(w.t, w.store(), tick)
		if err != nil {
			w.t.Fatal(err)
		}
		if shows(want, w.catalog()) {
			return
		}
	}
	w.verdict.fault("a walk shows none of the samples from %v to %v; nearest:", w.walkFrom, w.last.Tick)
	for _, text := range nearest[:min(5, len(nearest))] {
		w.verdict.fault("%s", text)
	}
}

// checkHistory compares the history with the recent documents.
func (w *watch) checkHistory() {
	w.t.Helper()
	recent := w.recent[max(0, len(w.recent)-20):]
	var ticks map[time.Time]table
	lab.Wait(w.t, "a sample that was served is stored", func() bool {
		out, err := fetch(w.t, w.store(), recent[0].Tick, w.last.Tick)
		if err == nil {
			ticks, err = parseCSV(out)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		return ticks[w.last.Tick.UTC()] != nil
	})
	for _, d := range recent {
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
