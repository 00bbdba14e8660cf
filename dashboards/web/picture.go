package web

import (
	"math"
	"strconv"
	"strings"
)

// A picture is a small drawing in a cell, without axes.
type picture int

const (
	noPicture picture = iota
	shareBar          // how much it gets, and a mark where it should be
	stateBar          // real servers by state, end to end
	loadBar           // how full something is
	sparkline         // the last hour
	numPicture
)

// A drawing is how a picture is put into a page. The outlines are the cell's.
type drawing struct {
	class, box string
	paths      int
	labelled   bool // it tells what nothing beside it does
}

var drawings = [numPicture]drawing{
	shareBar:  {"bar", "0 0 100 10", 2, false},
	stateBar:  {"states", "0 0 100 10", 5, false},
	loadBar:   {"bar", "0 0 100 10", 1, false},
	sparkline: {"spark", "0 0 60 24", 2, true},
}

// box is the outline of a rectangle of height 10 from x0 to x1; none where it has
// no width.
func box(x0, x1 int) string {
	if x1 <= x0 {
		return ""
	}
	w := strconv.Itoa(x1 - x0)
	return "M" + strconv.Itoa(x0) + " 0h" + w + "v10h-" + w + "z"
}

// drawShare draws a share and the one that is expected. It is known only where
// has says so.
func drawShare(actual uint64, actualOf uint64, has bool, expected, expectedOf uint64) string {
	s := ""
	if has {
		s = box(0, hundredths(actual, actualOf))
	}
	s += ";"
	if expectedOf > 0 {
		s += "M" + strconv.Itoa(min(max(hundredths(expected, expectedOf), 1), 99)) + " 0v10"
	}
	return s
}

// drawParts draws numbers end to end. Whatever there is can be seen: a part has at
// least two hundredths, at the cost of the greatest.
func drawParts(parts ...int) string {
	sum, most, left := 0, 0, 100
	for i, n := range parts {
		if sum += n; n > parts[most] {
			most = i
		}
	}
	widths := make([]int, len(parts))
	for i, n := range parts {
		if n > 0 && i != most {
			widths[i] = max(hundredths(uint64(n), uint64(sum)), 2)
			left -= widths[i]
		}
	}
	if sum > 0 {
		widths[most] = left
	}
	list := make([]string, len(parts))
	from := 0
	for i, w := range widths {
		list[i], from = box(from, from+w), from+w
	}
	return strings.Join(list, ";")
}

// A Spark is a small graph of an hour: in above, out below.
type Spark struct {
	// Draw is the two outlines, in a picture of 60 x 24.
	Draw string
	// Title tells the greatest values, which reach the edges.
	Title string
}

// NewSpark draws bytes per second in up to 60 equal times; NaN is a gap. Where
// nothing is known of out, in has the whole height. Without any known value it is
// the zero Spark.
func NewSpark(in, out []float64) Spark {
	peakIn, okIn := peak(in)
	peakOut, okOut := peak(out)
	switch {
	case okIn && okOut:
		return Spark{
			Draw:  steps(in, peakIn, 12, -11) + ";" + steps(out, peakOut, 12, 11),
			Title: "in at most " + quantity(peakIn, "B/s") + ", out " + quantity(peakOut, "B/s"),
		}
	case okIn:
		return Spark{Draw: steps(in, peakIn, 23, -22), Title: "in at most " + quantity(peakIn, "B/s")}
	}
	return Spark{}
}

// peak is the greatest known value, rounded.
func peak(values []float64) (v uint64, ok bool) {
	greatest := math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			greatest = math.Max(greatest, v)
		}
	}
	return uint64(math.Round(math.Max(greatest, 0))), !math.IsInf(greatest, 0)
}

// steps outlines the area between a base line and values, one wide each, of which
// the greatest is height away. A value that is not zero can be seen.
func steps(values []float64, greatest uint64, base, height int) string {
	var b []byte
	last := 0 // where the pen is, while it is down
	down := false
	for i, v := range values {
		if math.IsNaN(v) {
			if down {
				b = append(strconv.AppendInt(append(b, 'V'), int64(base), 10), 'z')
			}
			down = false
			continue
		}
		y := base
		if v > 0 && greatest > 0 {
			y += int(math.Copysign(math.Max(math.Round(v/float64(greatest)*math.Abs(float64(height))), 1), float64(height)))
		}
		if !down {
			b = strconv.AppendInt(append(b, 'M'), int64(i), 10)
			b = strconv.AppendInt(append(b, ' '), int64(base), 10)
			last, down = base, true
		}
		if y != last {
			b = strconv.AppendInt(append(b, 'V'), int64(y), 10)
		}
		b, last = append(b, "h1"...), y
	}
	if down {
		b = append(strconv.AppendInt(append(b, 'V'), int64(base), 10), 'z')
	}
	return string(b)
}
