package graph

import (
	"fmt"
	"io"
	"math"
	"time"
)

// A Graph is a picture to be drawn: traces over a common grid of times. The zero
// values of its fields are sensible, except those of First and Step.
type Graph struct {
	// Title is the first line; Subtitle begins the second, which tells the times
	// shown and the step as well.
	Title, Subtitle string
	// Unit of all values.
	Unit Unit
	// Start and End are the ends of the time axis. Zero: those of the values.
	Start, End time.Time
	// Zone is where the viewer is: its days begin at the marks on the time axis.
	// Nil is UTC.
	Zone *time.Location
	// Width and Height of the whole picture, in CSS pixels, from 160 x 100 to
	// 8192 x 8192; what is beyond is taken as that. Zero: 900, and as high as the
	// plot and the table need. In a picture too low the table is cut short first.
	Width, Height int
	// Scale is how many pixels a PNG has for each CSS pixel, 0.5 to 4. Zero is 1.
	Scale float64
	Theme Theme

	// First is where the interval of the first values begins, Step how long each
	// interval is. All traces share them.
	First time.Time
	Step  time.Duration
	// Traces in the order of the table.
	Traces []Trace
	Marks  []Mark
	// Note is shown in the plot where no trace has a known value in the time
	// shown. Empty: "no data from … to …".
	Note string
}

// A Style is how a trace is drawn.
type Style uint8

// The styles.
const (
	// Area fills from zero to the values.
	Area Style = iota
	// Line draws the values alone.
	Line
	// Stack fills upon the traces of this style that follow on the same side: the
	// first of them is on top, in the picture as in the table.
	Stack
)

// A Trace is one quantity over time.
type Trace struct {
	Label string
	Style Style
	// Below draws the trace downwards from zero, as outgoing traffic is; the axis
	// there is labelled without a sign.
	Below bool
	// Grey draws the trace in grey, for what is nobody's own ("8 others").
	Grey bool
	// NotAvailable says that there can be no values: the table says "n/a".
	NotAvailable bool
	// Values are the means of the intervals. NaN, infinite and beyond ±1e100 is
	// unknown, and so is what is missing at the end.
	Values []float64
	// Min and Max are the extremes within each interval; of a trace that is not
	// stacked they are drawn as a band. Nil: those of Values.
	Min, Max []float64
}

// A Mark is an event on the time axis.
type Mark struct {
	Time time.Time
	Kind MarkKind
	// Text is its label, short; empty is the kind's own.
	Text string
}

// A MarkKind says what happened.
type MarkKind uint8

// The kinds of marks.
const (
	Reset    MarkKind = iota // the kernel's counters began anew
	Quiesced                 // the weight became zero: no new connections
	Restored                 // the weight was zero and is no longer
	Added                    // it came into the table
	Removed                  // it was taken out of the table
	numMarkKinds
)

// String is what marks without a text are labelled with, "reset".
func (k MarkKind) String() string {
	if k < numMarkKinds {
		return [...]string{"reset", "quiesced", "in service", "added", "removed"}[k]
	}
	return fmt.Sprintf("mark %d", uint8(k))
}

// The bounds of what can be drawn, and what is drawn unless told.
const (
	defaultWidth         = 900
	minWidth, maxWidth   = 160, 8192
	minHeight, maxHeight = 100, 8192
	minScale, maxScale   = 0.5, 4
	maxPixels            = 1 << 26
	leastValue, maxValue = 1e-100, 1e100 // of what differs from zero
)

// SVG writes the picture as an SVG document, which may stand alone or in an HTML
// page. It fails where w does and on times that cannot be an axis.
func (g *Graph) SVG(w io.Writer) error {
	s, err := g.scene(1)
	if err != nil {
		return err
	}
	return s.writeSVG(w, g.Theme)
}

// PNG writes the picture as a PNG image; the theme Auto is Light there. It fails
// where w does, on times that cannot be an axis and on more than 2^26 pixels.
func (g *Graph) PNG(w io.Writer) error {
	scale := g.Scale
	if scale == 0 || math.IsNaN(scale) {
		scale = 1
	}
	scale = min(max(scale, minScale), maxScale)
	s, err := g.scene(scale)
	if err != nil {
		return err
	}
	if n := s.width * s.height * scale * scale; n > maxPixels {
		return fmt.Errorf("graph: %.0f pixels are too many, at most %d", n, maxPixels)
	}
	return s.writePNG(w, g.Theme, scale)
}

// known reports whether v can be drawn.
func known(v float64) bool { return math.Abs(v) <= maxValue }

// at is value i, unknown where there is none.
func at(values []float64, i int) float64 {
	if i < len(values) && known(values[i]) {
		return values[i]
	}
	return math.NaN()
}

// extremes are the least and the greatest of row i, which lie on either side of
// its mean v whatever the trace says.
func (t *Trace) extremes(i int, v float64) (lo, hi float64) {
	lo, hi = v, v
	if m := at(t.Min, i); m < lo {
		lo = m
	}
	if m := at(t.Max, i); m > hi {
		hi = m
	}
	return lo, hi
}

// boundary is where the interval of row i begins. No Duration is as long as the
// ages that a fuzzer likes.
func (g *Graph) boundary(i int) time.Time {
	n := int64(i)
	return time.Unix(g.First.Unix()+n*int64(g.Step/time.Second), int64(g.First.Nanosecond())+n*int64(g.Step%time.Second))
}

// rows is how many intervals the longest trace has.
func (g *Graph) rows() (n int) {
	for i := range g.Traces {
		n = max(n, len(g.Traces[i].Values))
	}
	return n
}
