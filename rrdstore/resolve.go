package rrdstore

import (
	"math"
	"slices"
	"time"

	"lvs/rrdstore/rrd"
)

// resolve picks the level to read and the grid of rows. A resolution is met
// exactly by the coarsest level that divides it and would have kept what is asked
// for; otherwise it is as rrdtool chooses among what there is, and still met if that
// is a level that is fed and divides it.
func (f *fetcher) resolve(start, end uint32, resolution time.Duration) {
	want := uint32(min(max(resolution/time.Second, 0), math.MaxInt32))
	levels := []*level{nil}
	for _, l := range f.st.levels {
		if l.step != 0 {
			levels = append(levels, l)
		}
	}
	from := max(start, f.r.earliest) // nothing is asked for before there was anything
	archives := make([]rrd.Archive, len(levels))
	best := -1
	for i, l := range levels {
		archives[i] = rrd.Archive{Step: f.stepOf(l), First: f.oldest(l)}
		if want != 0 && want%archives[i].Step == 0 && f.covers(l, from) && (best < 0 || archives[i].Step > archives[best].Step) {
			best = i
		}
	}
	f.step = want
	if best < 0 {
		best = rrd.Choose(archives, from, want)
		if l := levels[best]; want == 0 || want%archives[best].Step != 0 || l != nil && !l.fed {
			f.step = archives[best].Step
		}
	}
	f.lvl = levels[best]
	first, rows := rrd.Grid(start, end, f.step)
	rows = min(rows, int((math.MaxUint32-first)/f.step)) // ticks end in 2106
	f.start, f.end = first, first+uint32(rows)*f.step
}

func (f *fetcher) stepOf(l *level) uint32 {
	if l == nil {
		return f.st.step
	}
	return l.step
}

// covers reports whether a level that is fed would have kept rows of that time, or
// did so.
func (f *fetcher) covers(l *level, start uint32) bool {
	if l != nil && !l.fed {
		return false
	}
	return f.oldest(l) <= start || f.anyMade(l, func(m *level) bool {
		return m.keep == 0 || subTick(f.st.newest, m.keep) <= start
	})
}

// oldest is where a level's rows begin: of one that is fed, those that are made of
// finer ones included.
func (f *fetcher) oldest(l *level) uint32 {
	first := f.st.newest
	if l != nil && !l.fed && l.first != 0 {
		return min(first, l.first)
	}
	if f.st.oldest != 0 && (l == nil || l.fed) {
		first = min(first, f.st.oldest)
	}
	f.anyMade(l, func(m *level) bool {
		if w := f.st.windows[m.step]; len(w) > 0 {
			first = min(first, max(w[0], f.r.earliest)) // a window may begin long before its first row
		}
		return false
	})
	return first
}

// anyMade calls is with a level and, if it is fed, with those that it is made of
// until one is what is asked for.
func (f *fetcher) anyMade(l *level, is func(*level) bool) bool {
	for _, m := range f.st.levels {
		made := m.fed && (m.step == 0 || l != nil && l.fed && m.step <= l.step)
		if (m == l || made && (l == nil || l.fed)) && is(m) {
			return true
		}
	}
	return false
}

// beside are the levels that may know what the one that is read does not: what
// imports brought, the coarsest first, for its rows are nearest to those that are
// wanted; and beside those what is fed.
func (f *fetcher) beside() (others []*level) {
	var fed *level
	found := f.step%f.st.step == 0 // the data points, if there is nothing coarser
	for _, l := range slices.Backward(f.st.levels) {
		switch {
		case l.step == 0 || l == f.lvl || f.step%l.step != 0:
		case l.fed && fed == nil:
			fed, found = l, true
		case !l.fed && len(f.st.windowsIn(l.step, f.start, f.end)) > 0:
			others = append(others, l)
		}
	}
	if f.lvl != nil && !f.lvl.fed && found {
		others = append(others, fed)
	}
	return others
}
