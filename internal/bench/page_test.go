package main

import (
	"testing"
	"time"

	"lvs/internal/bench/pagebench"
)

// Each of the page's figures has a limit that binds: it holds for one result, and
// for none that is ten times as large. What a page must come to is not there by
// itself; only what gets in its way may be nothing.
func TestPageFiguresAreHeldToTheirLimits(t *testing.T) {
	result := func(times float64) *pagebench.Result {
		page := pagebench.Page{Paint: pagebench.Paint{First: 300 * times, Load: 1000 * times, Sent: 1e6 * times, Bytes: 1e6 * times, Nodes: 20000 * times}, View: time.Duration(times) * 40 * time.Millisecond}
		peer := pagebench.Page{Paint: pagebench.Paint{First: 300, Load: 5000, Sent: 4e6, Bytes: 4e6, Nodes: 90000}, View: 50 * time.Millisecond}
		open := pagebench.Followed{Without: 0.02, With: 0.02 + 0.03*times, Anon: 90e6 * times, Windows: []pagebench.Window{
			{Frames: 500 / times, LongestTask: 60 * times, Script: 200 * times, Layout: 50 * times, Shift: 0.05 * times, Samples: 10 / times},
			{Frames: 500 / times, LongestTask: 800 * times, Script: 200 * times, Layout: 50 * times, Shift: 0.01 * times, Samples: 10 / times},
		}, Still: []pagebench.Window{{Frames: 590}, {Frames: 400}}}
		return &pagebench.Result{Ours: page, All: page, HAProxy: peer, Reloaded: 0.05, Calm: open, Flapping: open, AllShown: open}
	}
	bad := pageFigures(result(10))
	for i, f := range pageFigures(result(1)) {
		if !f.ok() {
			t.Errorf("%s: %v, limit %v", f.name, f.measured(), f.limit)
		}
		if bad[i].ok() {
			t.Errorf("%s: %v is within the limit %v", f.name, bad[i].measured(), f.limit)
		}
	}
	for _, f := range pageFigures(&pagebench.Result{}) {
		if f.ok() && !f.none {
			t.Errorf("%s: nothing was measured, and that is good", f.name)
		}
	}
}
