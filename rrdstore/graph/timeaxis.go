package graph

import (
	"math"
	"time"
)

// A rung is one way to label the time axis: ticks with a label each and, in a
// second row, the greater periods that those lie in.
type rung struct {
	major, minor period
	label        string // layouts of package time
	group        period
	groups       []string // layouts of the second row, the longest first
}

var (
	byDay   = period{1, days}
	byMonth = period{1, months}
	byYear  = period{1, years}

	dayNames   = []string{"Monday 2 January 2006", "Mon 2 Jan 2006", "Mon 2 Jan", "2 Jan", "2"}
	monthNames = []string{"January 2006", "Jan 2006", "Jan"}
	yearNames  = []string{"2006"}
)

// rungs are the ways from the finest to the coarsest.
func rungs() []rung {
	var all []rung
	for _, s := range [...]struct{ major, minor int }{
		{1, 1}, {2, 1}, {5, 1}, {10, 2}, {15, 5}, {30, 10},
		{60, 15}, {120, 60}, {300, 60}, {600, 120}, {900, 300}, {1800, 600},
		{3600, 900}, {2 * 3600, 1800}, {3 * 3600, 3600}, {4 * 3600, 3600}, {6 * 3600, 3600}, {12 * 3600, 3 * 3600},
	} {
		layout := "15:04"
		if s.major < 60 {
			layout = "15:04:05"
		}
		all = append(all, rung{period{s.major, seconds}, period{s.minor, seconds}, layout, byDay, dayNames})
	}
	all = append(all,
		rung{byDay, period{6 * 3600, seconds}, "Mon 2", byMonth, monthNames},
		rung{byDay, period{12 * 3600, seconds}, "2", byMonth, monthNames},
		rung{period{1, weeks}, byDay, "2 Jan", byYear, yearNames},
		rung{period{2, weeks}, period{1, weeks}, "2 Jan", byYear, yearNames},
		rung{byMonth, period{1, weeks}, "Jan", byYear, yearNames},
		rung{period{2, months}, byMonth, "Jan", byYear, yearNames},
		rung{period{3, months}, byMonth, "Jan", byYear, yearNames},
		rung{period{6, months}, byMonth, "Jan", byYear, yearNames})
	for n := 1; n <= 10000; n *= 10 {
		for _, m := range [...]int{1, 2, 5} {
			all = append(all, rung{major: period{n * m, years}, minor: period{max(n*m/5, 1), years}, label: "2006"})
		}
	}
	return all
}

// A tick is a labelled place on an axis.
type tick struct {
	x     float64 // in pixels from the plot's left edge
	label string  // empty where there is no room
}

// A timeAxis is what to draw below the plot.
type timeAxis struct {
	major  []tick
	minor  []float64
	bounds []float64 // where a greater period begins
	groups []tick    // and its label's middle
}

// The room between labels, in pixels.
const (
	labelGap = 14
	groupGap = 8
)

// newTimeAxis labels the time from start to end over a width in pixels. The
// widths of texts are what measure says.
func newTimeAxis(start, end time.Time, width float64, measure func(string) float64) timeAxis {
	perSecond := width / elapsed(start, end)
	x := func(t time.Time) float64 { return elapsed(start, t) * perSecond }
	spacing := func(p period) float64 { return p.nominal() * perSecond }
	all := rungs()
	r := all[len(all)-1]
	for _, c := range all {
		// The widest of the months and weekdays is in this one.
		if spacing(c.major) >= measure(time.Date(2026, 5, 20, 20, 0, 0, 0, time.UTC).Format(c.label))+labelGap {
			r = c
			break
		}
	}
	var a timeAxis
	free := math.Inf(-1) // where the last label ended
	before := ""
	for _, t := range r.major.ticks(start, end) {
		k := tick{x(t), t.Format(r.label)}
		// Of an hour that comes twice the second is told by its zone.
		if long := t.Format(r.label + " MST"); k.label == before && k.x-measure(long)/2 >= free+labelGap/2 {
			k.label = long
		}
		before = t.Format(r.label)
		if w := measure(k.label); k.x-w/2 < free+labelGap/2 {
			k.label = ""
		} else {
			free = k.x + w/2
		}
		a.major = append(a.major, k)
	}
	if spacing(r.minor) >= 4 {
		for _, t := range r.minor.ticks(start, end) {
			a.minor = append(a.minor, x(t))
		}
	}
	if r.groups != nil {
		a.group(r, start, end, x, measure)
	}
	return a
}

// group labels the greater periods, each in the middle of what is seen of it, in
// the longest form that all whole ones have room for.
func (a *timeAxis) group(r rung, start, end time.Time, x func(time.Time) float64, measure func(string) float64) {
	begins := append([]time.Time{start}, r.group.ticks(start, end)...)
	if len(begins) > 1 && begins[1].Equal(start) {
		begins = begins[1:]
	}
	fits := func(i int, layout string) (tick, bool) {
		left, right := x(begins[i]), x(end)
		if i+1 < len(begins) {
			right = x(begins[i+1])
		}
		k := tick{(left + right) / 2, begins[i].Format(layout)}
		return k, measure(k.label)+groupGap <= right-left
	}
	for _, b := range begins {
		if b.After(start) && b.Before(end) {
			a.bounds = append(a.bounds, x(b))
		}
	}
	for n, layout := range r.groups {
		a.groups = a.groups[:0]
		all := true
		for i := range begins {
			k, ok := fits(i, layout)
			if ok {
				a.groups = append(a.groups, k)
			}
			// Of the first and the last only a part is seen: they may go without.
			all = all && (ok || (i == 0 || i == len(begins)-1) && len(begins) > 2)
		}
		if all && len(a.groups) > 0 || n == len(r.groups)-1 {
			return
		}
	}
}
