package graph

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// A sheet is a picture in the making.
type sheet struct {
	g *Graph
	ruler
	*scene
	density    float64 // columns of pixels in a CSS pixel
	start, end time.Time
	stats      []summary // of each trace
	shown      int       // rows of the table there is room for

	left, right, top, bottom float64 // of the plot
	lattice                  lattice
	layers                   []layer
	empty                    bool // nothing is known of any
	scale                    scale
	timeAxis                 timeAxis
}

// Sizes, in CSS pixels.
const (
	titleSize, textSize, tickSize = 15, 12, 11
	titleRow, subtitleRow         = 21, 20
	unitRow, markRow              = 18, 16
	tickRow, groupRow             = 18, 16
	legendGap, legendRow          = 12, 19
	leastPlot                     = 72
)

// scene lays the picture out; density is the number of columns of pixels in a
// CSS pixel.
func (g *Graph) scene(density float64) (*scene, error) {
	s := &sheet{g: g, density: density, scene: &scene{}}
	if err := s.times(); err != nil {
		return nil, err
	}
	s.summaries()
	s.sizes()
	s.draw(shape{lines: rect(0, 0, s.width, s.height), closed: true, fill: paperInk})
	s.header()
	s.grid()
	s.traces()
	s.axes()
	s.drawMarks()
	s.peaks()
	s.legend()
	s.describe()
	s.plotLeft, s.plotRight = s.left, s.right
	return s.scene, nil
}

// times finds the ends of the time axis.
func (s *sheet) times() error {
	g := s.g
	if g.rows() > 0 && g.Step <= 0 {
		return fmt.Errorf("graph: values with a step of %v", g.Step)
	}
	zone := g.Zone
	if zone == nil {
		zone = time.UTC
	}
	s.start, s.end = g.Start.In(zone), g.End.In(zone)
	if g.Start.IsZero() {
		s.start = g.First.In(zone)
	}
	if g.End.IsZero() {
		s.end = g.boundary(g.rows()).In(zone)
	}
	if !s.end.After(s.start) || s.start.Year() < 1 || s.end.Year() > 9999 {
		return fmt.Errorf("graph: no time axis from %v to %v", s.start, s.end)
	}
	return nil
}

// elapsed is the time from a to b in seconds; unlike a Duration it may be ages.
func elapsed(a, b time.Time) float64 {
	return float64(b.Unix()-a.Unix()) + float64(b.Nanosecond()-a.Nanosecond())/1e9
}

func (s *sheet) summaries() {
	l := newLattice(s.g, s.start, s.end, 1, 1)
	for i := range s.g.Traces {
		s.stats = append(s.stats, s.g.Traces[i].summarize(l.from, l.to, s.g.Step))
	}
}

// pad is the room around everything.
func (s *sheet) pad() float64 {
	if s.width < 480 {
		return 8
	}
	return 14
}

// sizes finds where the plot is.
func (s *sheet) sizes() {
	size := func(v, otherwise, least, most int) float64 {
		if v == 0 {
			v = otherwise
		}
		return float64(min(max(v, least), most))
	}
	s.width = size(s.g.Width, defaultWidth, minWidth, maxWidth)
	pad := s.pad()
	s.top = pad + titleRow + subtitleRow*float64(len(s.subtitle(s.width-2*pad))) + unitRow
	if s.crowded() {
		s.top += markRow
	}
	below := float64(tickRow + groupRow + pad)
	legend := func() float64 {
		if s.shown == 0 {
			return 0
		}
		return legendGap + float64(s.shown+1)*legendRow
	}
	s.shown = len(s.g.Traces)
	plot := math.Round(min(max(s.width*0.27, 130), 330))
	s.height = size(s.g.Height, int(s.top+plot+below+legend()), minHeight, maxHeight)
	for s.shown > 0 && s.height-s.top-below-legend() < leastPlot {
		s.shown--
	}
	s.bottom = max(s.height-below-legend(), s.top+8)
	s.left, s.right = pad+40, s.width-pad-4
	// How wide the labels of values are depends on the scale, and that on the
	// plot's width, a little: so twice.
	for range 2 {
		s.build()
		widest := 0.0
		for i := s.scale.first; i <= s.scale.last; i++ {
			widest = max(widest, s.measure(s.scale.label(i, s.mirrored()), tickSize, false))
		}
		s.left = math.Round(pad+widest+6) + 0.5
	}
}

// build puts the traces on a lattice as wide as the plot and finds their scale.
func (s *sheet) build() {
	s.lattice = newLattice(s.g, s.start, s.end, s.right-s.left, s.density)
	s.layers = s.lattice.layers(s.g.Traces)
	low, high := 0.0, 0.0
	s.empty = true
	for i := range s.layers {
		for range runs(s.layers[i].bins) {
			s.empty = false
			break
		}
		l, h := s.layers[i].extent()
		low, high = min(low, l), max(high, h)
	}
	whole := s.g.Unit == ConnectionCount || s.g.Unit == Weight
	s.scale = newScale(low, high, int((s.bottom-s.top)/38), whole && max(high, -low) >= 1)
}

// crowded reports whether a mark is so far to the left that it needs a row of its
// own beside the unit's.
func (s *sheet) crowded() bool {
	unit := s.pad() + s.measure(clean(string(s.g.Unit)), tickSize, false) + markReach
	left := s.pad() + 24 // the plot's left edge, at least
	for _, m := range s.g.Marks {
		x := left + (s.width-s.pad()-left)*elapsed(s.start, m.Time)/elapsed(s.start, s.end)
		if x < unit && !m.Time.Before(s.start) {
			return true
		}
	}
	return false
}

// mirrored reports whether the lower side is another upper side.
func (s *sheet) mirrored() bool {
	for i := range s.g.Traces {
		if t := &s.g.Traces[i]; t.Below && !t.NotAvailable {
			return true
		}
	}
	return false
}

// y is where a value is.
func (s *sheet) y(v float64) float64 {
	f := (s.scale.high - v) / (s.scale.high - s.scale.low)
	return s.top + min(max(f, 0), 1)*(s.bottom-s.top)
}

// x is where a time is.
func (s *sheet) x(t time.Time) float64 {
	return s.left + (s.right-s.left)*elapsed(s.start, t)/elapsed(s.start, s.end)
}

// crisp is the nearest place for a line one pixel wide to cover whole pixels.
func crisp(v float64) float64 { return math.Floor(v) + 0.5 }

// header writes what the picture shows and when.
func (s *sheet) header() {
	pad, room := s.pad(), s.width-2*s.pad()
	title := s.fit(clean(s.g.Title), titleSize, true, room)
	s.write(text{at: point{pad, pad + 14}, s: title, size: titleSize, bold: true, ink: textInk})
	y := pad + titleRow + 12
	for _, l := range s.subtitle(room) {
		s.write(text{at: point{pad, y}, s: s.fit(l, textSize, false, room), size: textSize, ink: mutedInk})
		y += subtitleRow - 2
	}
	s.write(text{at: point{pad, y}, s: clean(string(s.g.Unit)), size: tickSize, ink: mutedInk})
}

// subtitle is what stands below the title, on one line if there is room: with
// the step if there still is.
func (s *sheet) subtitle(room float64) []string {
	lines := []string{s.span()}
	if s.g.Subtitle != "" {
		lines = []string{clean(s.g.Subtitle), s.span()}
	}
	fits := func(l string) bool { return s.measure(l, textSize, false) <= room }
	one := strings.Join(lines, " · ")
	if !fits(one) {
		return lines
	}
	if step := one + ", step " + stepText(s.g.Step); s.g.rows() > 0 && fits(step) {
		return []string{step}
	}
	return []string{one}
}

// span is the time shown, "2026-11-19 13:00 – 2026-11-20 13:00 CET".
func (s *sheet) span() string {
	layout := "2006-01-02 15:04"
	if s.start.Second() != 0 || s.end.Second() != 0 {
		layout += ":05"
	}
	a, b := s.start.Format(layout), s.end.Format(layout)
	before, after := s.start.Format("MST"), s.end.Format("MST")
	if before != after {
		a += " " + before
	}
	return a + " – " + b + " " + after
}

// stepText is a step in whole units, "5 min".
func stepText(d time.Duration) string {
	for _, u := range [...]struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if d >= u.d && d%u.d == 0 {
			return fmt.Sprintf("%d %s", d/u.d, u.name)
		}
	}
	return d.String()
}

// describe tells what the picture shows to those who do not see it.
func (s *sheet) describe() {
	s.title = clean(s.g.Title)
	if s.g.Subtitle != "" {
		s.title = strings.TrimPrefix(s.title+", "+clean(s.g.Subtitle), ", ")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s from %s.", clean(string(s.g.Unit)), s.span())
	heads := columns(s.g.Unit)
	for i := range s.g.Traces {
		fmt.Fprintf(&b, " %s:", clean(s.g.Traces[i].Label))
		for j, cell := range s.cells(i) {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, " %s %s", heads[j].head, cell)
		}
		b.WriteByte('.')
	}
	if n := len(s.g.Marks); n > 0 {
		fmt.Fprintf(&b, " Marks: %d.", n)
	}
	s.desc = b.String()
}
