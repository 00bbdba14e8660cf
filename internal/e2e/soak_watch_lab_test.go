//go:build lab

package e2e

import (
	"net/netip"
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
	missed     int         // samples that only the history was asked for
	unseen     []time.Time // the ticks of the last few of those
	unsure     int         // sum of what documents said
	footprints []footprint
	walk       <-chan []string // takes a walk of the MIB under way; nil: there is none
	walkFrom   time.Time       // the oldest tick it may show
	walkReals  bool            // it is of the real servers, not of the services
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
	from := time.Unix(0, 0)
	if w.last != nil {
		from = w.last.Tick.Add(time.Second)
	}
	if from.Before(d.Tick) {
		w.catchUp(from, d.Tick.Add(-time.Second))
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
	w.last, w.recent = d, append(w.recent[max(0, len(w.recent)-60):], d)
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
		w.unseen = append(w.unseen[max(0, len(w.unseen)-60):], stored.Tick)
		w.continuity.apply(rows, true)
	}
}

// expected is the tally as it has to be by now.
func (w *watch) expected() tally { return w.continuity.expect(w.purpose, w.alone) }

// await goes on from sample to sample until one is as wanted.
func (w *watch) await(what string, ok func(*document) bool) *document {
	w.t.Helper()
	for deadline := time.Now().Add(lab.Patience); ; {
		d := w.next()
		if ok(d) {
			return d
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain: %s", what)
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

// counted are the rows that counted anything.
func (tb table) counted() table { return tb.only(func(at row) bool { return tb[at].counted() }) }
