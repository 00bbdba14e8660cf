package graph

import (
	"time"

	"lvs/rrdstore"
)

// events are the marks of a series, in no order; name goes before their text.
func (x *indexed) events(s *rrdstore.Series, name string) []Mark {
	var marks []Mark
	add := func(row int, k MarkKind) {
		m := Mark{Time: x.Time(row - 1), Kind: k}
		if name != "" {
			m.Text = name + " " + k.String()
		}
		marks = append(marks, m)
	}
	resets := x.values(s, rrdstore.ResetSource, rrdstore.Max)
	for i := range resets {
		if at(resets, i) > 0 {
			add(i, Reset)
		}
	}
	x.weights(s, add)
	x.presence(s, add)
	return marks
}

// weights finds where the weight became zero and where it was no longer. A row in
// which it was both is a change under way, or one there and back.
func (x *indexed) weights(s *rrdstore.Series, add func(row int, k MarkKind)) {
	least, most := x.values(s, weightSource, rrdstore.Min), x.values(s, weightSource, rrdstore.Max)
	var before, now bool // in service
	begun := false
	mixed := -1 // the first row since the last clear one that was both
	for i := range most {
		lo, hi := at(least, i), at(most, i)
		switch {
		case !known(hi):
			continue
		case hi == 0:
			now = false
		case lo > 0 || !known(lo):
			now = true
		default:
			if mixed < 0 {
				mixed = i
			}
			continue
		}
		when := i
		if mixed >= 0 {
			when = mixed
		}
		switch {
		case !begun:
		case before && !now:
			add(when, Quiesced)
		case !before && now:
			add(when, Restored)
		case mixed >= 0 && now:
			add(mixed, Quiesced)
			add(mixed+1, Restored)
		}
		before, begun, mixed = now, true, -1
	}
}

// presence finds where a series came and went. That there is no data of it can
// mean as much that nobody looked: so others must have data then, or the series
// must be known to begin or end there.
func (x *indexed) presence(s *rrdstore.Series, add func(row int, k MarkKind)) {
	const least = 2 // rows, for less is an accident
	first, last := -1, -1
	for i, seen := range x.seen[s] {
		if !seen {
			continue
		}
		if first < 0 {
			first = i
		} else if last < i-least {
			if x.anySeen(s, last+1, i) {
				add(last+1, Removed)
				add(i, Added)
			}
		}
		last = i
	}
	if first < 0 {
		return
	}
	near := func(t time.Time, row int) bool {
		return !t.IsZero() && t.After(x.Time(row-2)) && !t.After(x.Time(row+1))
	}
	if first >= least && (near(s.First, first) || x.anySeen(s, 0, first)) {
		add(first, Added)
	}
	if x.Rows-1-last >= least && (near(s.Last, last) || x.anySeen(s, last+1, x.Rows)) {
		add(last+1, Removed)
	}
}

// anySeen reports whether anything of another series is known in the rows from i
// up to j (excluded), of which half will do: where all came at once nobody did.
func (x *indexed) anySeen(s *rrdstore.Series, i, j int) bool {
	for _, other := range x.series {
		if other == s {
			continue
		}
		n := 0
		for row := i; row < j; row++ {
			if x.seen[other][row] {
				n++
			}
		}
		if 2*n > j-i {
			return true
		}
	}
	return false
}
