//go:build lab

package e2e

import (
	"maps"
)

// A continuity says from the samples' rows alone which of those that never count
// anything are taken for recreated, by the collector's documentation: a service
// that was missing in a consistent sample in between, and with it those of its
// real servers that are from before.
type continuity struct {
	samples, solid int
	last           map[row]int    // sample a row was last in
	since          map[string]int // sample a service was made anew in
	recreated      map[row]uint64
}

func newContinuity() *continuity {
	return &continuity{last: map[row]int{}, since: map[string]int{}, recreated: map[row]uint64{}}
}

// apply takes the rows of the next sample.
func (c *continuity) apply(rows map[row]bool, consistent bool) {
	c.samples++
	for r := range rows {
		if last, known := c.last[r]; known && r.real == "" && last < c.solid {
			c.since[r.service] = c.samples
			c.recreated[r]++
		}
	}
	for r := range rows {
		if last, known := c.last[r]; known && r.real != "" && last < c.since[r.service] {
			c.recreated[r]++
		}
		c.last[r] = c.samples
	}
	if consistent {
		c.solid = c.samples
	}
}

// A tally is how often counters of a row began anew, by reason.
type tally map[row]map[string]uint64

func (y tally) add(r row, reason string, n uint64) {
	if n == 0 {
		return
	}
	if y[r] == nil {
		y[r] = map[string]uint64{}
	}
	y[r][reason] += n
}

// expect joins the tally of what was done on purpose with what churn brings about.
// Of services that were made anew on purpose, the purpose counts alone.
func (c *continuity) expect(purpose tally, alone map[string]bool) tally {
	out := tally{}
	for r, reasons := range purpose {
		for reason, n := range reasons {
			out.add(r, reason, n)
		}
	}
	for r, n := range c.recreated {
		if !alone[r.service] {
			out.add(r, "recreated", n)
		}
	}
	return out
}

// check holds the resets of a document's rows against the tally, leaving out
// those that skip says.
func (y tally) check(d *document, v *verdict, skip func(row) bool) {
	for r, a := range d.accounts() {
		if !skip(r) && !maps.Equal(y[r], a.Resets) {
			v.fault("%v: %v has resets %v, want %v", d.Tick, r, a.Resets, y[r])
		}
	}
}

// sums are the resets by scope and reason, as lvs_resets_total counts them.
func (y tally) sums() map[[2]string]uint64 {
	out := map[[2]string]uint64{}
	for r, reasons := range y {
		scope := "service"
		if r.real != "" {
			scope = "real"
		}
		for reason, n := range reasons {
			out[[2]string{scope, reason}] += n
		}
	}
	return out
}
