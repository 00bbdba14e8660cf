package graph

import (
	"iter"
	"math"
	"time"
)

// A lattice divides the plot's width into bins, which all traces share: one for
// each row where rows are wide enough to be seen, otherwise one for each column
// of pixels.
type lattice struct {
	first float64 // the left edge of bin 0, in pixels from the plot's left edge
	pitch float64 // the width of a bin
	width float64 // of the plot; bins are cut off there
	n     int
	// Rows from to (excluded) are in the time shown, row from in bin 0. Row i has
	// its middle at offset + i*advance.
	from, to        int
	offset, advance float64
}

// newLattice is for the time from start to end over a width in pixels; a column
// is 1/scale wide.
func newLattice(g *Graph, start, end time.Time, width, scale float64) lattice {
	perSecond := width / elapsed(start, end)
	l := lattice{width: width, advance: g.Step.Seconds() * perSecond}
	left := elapsed(start, g.First) * perSecond // of row 0
	l.offset = left + l.advance/2
	// Rows whose intervals overlap the plot.
	n := float64(g.rows())
	l.from = int(min(max(math.Floor(-left/l.advance), 0), n))
	l.to = int(min(max(math.Ceil((width-left)/l.advance), float64(l.from)), n))
	if l.advance*scale >= 1 {
		l.first, l.pitch, l.n = left+float64(l.from)*l.advance, l.advance, l.to-l.from
		return l
	}
	l.pitch = 1 / scale
	l.n = int(math.Ceil(width * scale))
	return l
}

// bin is which bin row i is in.
func (l *lattice) bin(i int) int {
	if l.pitch == l.advance {
		return i - l.from
	}
	c := int((l.offset + float64(i)*l.advance - l.first) / l.pitch)
	return min(max(c, 0), l.n-1)
}

// edge is where bin i begins and bin i-1 ends.
func (l *lattice) edge(i int) float64 {
	return min(max(l.first+float64(i)*l.pitch, 0), l.width)
}

// stairs reports whether bins are so wide that each is drawn as a level of its
// own, as rrdtool does, rather than connected to the next by a slope.
func (l *lattice) stairs() bool { return l.pitch >= 3 }

// A bin is what a trace comes to in one bin of the lattice: the least, the mean
// and the greatest of the known values. It is unknown where mean is NaN.
type bin struct{ lo, mean, hi float64 }

// bins puts a trace on the lattice.
func (l *lattice) bins(t *Trace) []bin {
	all := make([]bin, l.n)
	count := make([]int32, l.n)
	for i := l.from; i < l.to; i++ {
		v := at(t.Values, i)
		if !known(v) {
			continue
		}
		lo, hi := t.extremes(i, v)
		c := l.bin(i)
		b := &all[c]
		if count[c] == 0 {
			*b = bin{lo, v, hi}
		} else {
			*b = bin{min(b.lo, lo), b.mean + v, max(b.hi, hi)}
		}
		count[c]++
	}
	for c := range all {
		if count[c] == 0 {
			all[c] = bin{math.NaN(), math.NaN(), math.NaN()}
		} else {
			all[c].mean /= float64(count[c])
		}
	}
	return all
}

// runs are the stretches of known bins, from i up to and excluding j.
func runs(bins []bin) iter.Seq2[int, int] {
	return func(yield func(i, j int) bool) {
		for i := 0; i < len(bins); i++ {
			j := i
			for j < len(bins) && known(bins[j].mean) {
				j++
			}
			if j > i && !yield(i, j) {
				return
			}
			i = j
		}
	}
}

// outline appends the line through bins i to j (excluded) at heights y.
func (l *lattice) outline(line []point, i, j int, y func(k int) float64) []point {
	for k := i; k < j; k++ {
		switch a, b := l.edge(k), l.edge(k+1); {
		case l.stairs():
			line = append(line, point{a, y(k)}, point{b, y(k)})
		default:
			// The ends of a run are its ends in time; in between, from middle to middle.
			if k == i {
				line = append(line, point{a, y(k)})
			}
			line = append(line, point{(a + b) / 2, y(k)})
			if k == j-1 {
				line = append(line, point{b, y(k)})
			}
		}
	}
	return line
}
