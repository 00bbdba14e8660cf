package graph

import (
	"math"
	"slices"
	"strings"
)

// A layer is a trace on the lattice.
type layer struct {
	*Trace
	index int
	ink   ink
	bins  []bin
	// base is where each bin of a stacked trace begins; nil of others.
	base []float64
	line int // the how many-th line it is, for its dashes
}

// layers puts traces on the lattice and stacks those to be stacked: the last of
// them at the bottom.
func (l *lattice) layers(traces []Trace) []layer {
	all := make([]layer, len(traces))
	inks, lines := 0, 0
	for i := range traces {
		t := &traces[i]
		all[i] = layer{Trace: t, index: i, ink: greyInk}
		switch {
		case !t.Grey:
			all[i].ink = trace(inks)
			inks++
		case t.Style == Line:
			all[i].ink = mutedInk // over what is filled, which grey would be lost on
		}
		if t.Style == Line {
			all[i].line = lines
			lines++
		}
		if t.NotAvailable {
			continue
		}
		all[i].bins = l.bins(t)
	}
	var above, below []float64
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Style != Stack || all[i].NotAvailable {
			continue
		}
		side := &above
		if all[i].Below {
			side = &below
		}
		if *side == nil {
			*side = make([]float64, l.n)
		}
		all[i].base = append([]float64(nil), *side...)
		for k, b := range all[i].bins {
			if known(b.mean) {
				(*side)[k] += b.mean
			}
		}
	}
	return all
}

// sign is -1 of a layer drawn downwards.
func (y *layer) sign() float64 {
	if y.Below {
		return -1
	}
	return 1
}

// to is up to where bin k is filled, from zero: the layers of a stack hide those
// that they stand on.
func (y *layer) to(k int) float64 {
	v := y.bins[k].mean
	if y.base != nil {
		v += y.base[k]
	}
	return y.sign() * v
}

// extent is the least and the greatest that is drawn.
func (y *layer) extent() (low, high float64) {
	for k, b := range y.bins {
		if !known(b.mean) {
			continue
		}
		a, c := y.to(k), 0.0
		if y.base == nil {
			a, c = y.sign()*b.lo, y.sign()*b.hi
		}
		low, high = min(low, a, c), max(high, a, c)
	}
	return low, high
}

// banded reports whether the extremes of a layer are to be seen beside its mean.
func (y *layer) banded() bool {
	if y.base != nil {
		return false
	}
	for _, b := range y.bins {
		if b.lo < b.hi {
			return true
		}
	}
	return false
}

// Opacities, and widths of lines in CSS pixels.
const (
	areaOpacity, bandOpacity = 0.30, 0.42
	lineWidth                = 1.3
	haloOpacity, haloWidth   = 0.75, 3.5
	mostPeaks                = 4
	leastMark                = 2.5 // so wide at least is a lone value of a line
)

// traces draws the traces: fills first, then lines, so that no fill hides a line.
func (s *sheet) traces() {
	for i := range s.layers {
		s.fill(&s.layers[i])
	}
	for i := range s.layers {
		s.stroke(&s.layers[i])
	}
	if s.empty {
		s.note()
	}
}

// note says in the plot why there is nothing in it.
func (s *sheet) note() {
	room := s.right - s.left - 16
	note := clean(s.g.Note)
	if note == "" {
		note = "no data from " + strings.Replace(s.span(), " – ", " to ", 1)
		if s.measure(note, textSize, false) > room {
			note = "no data" // the times are above
		}
	}
	note = s.fit(note, textSize, false, room)
	x, y, w := (s.left+s.right)/2, (s.top+s.bottom)/2, s.measure(note, textSize, false)+16
	s.draw(shape{lines: rect(x-w/2, y-12, w, 24), closed: true, fill: paperInk})
	s.write(text{at: point{x, y + 4}, s: note, size: textSize, anchor: atMiddle, ink: mutedInk})
}

// shift moves lines of the lattice into the plot.
func (s *sheet) shift(line []point) []point {
	for i := range line {
		line[i].x += s.left
	}
	return line
}

// between is the outline of what lies between two edges of a layer, one for each
// run of known bins. No lower edge is zero.
func (s *sheet) between(y *layer, upper, lower func(k int) float64) (lines [][]point) {
	for i, j := range runs(y.bins) {
		line := s.lattice.outline(nil, i, j, func(k int) float64 { return s.y(upper(k)) })
		if lower == nil {
			zero := s.y(0)
			line = append(line, point{s.lattice.edge(j), zero}, point{s.lattice.edge(i), zero})
		} else {
			back := s.lattice.outline(nil, i, j, func(k int) float64 { return s.y(lower(k)) })
			slices.Reverse(back)
			line = append(line, back...)
		}
		lines = append(lines, s.shift(line))
	}
	return lines
}

func (s *sheet) fill(y *layer) {
	if y.Style != Line {
		opacity := areaOpacity
		if y.Style == Stack {
			opacity = 1
		}
		s.draw(shape{lines: s.between(y, y.to, nil), closed: true, fill: y.ink, fillOpacity: opacity, tooltip: s.tooltip(y)})
	}
	if y.banded() {
		s.draw(shape{
			lines: s.between(y,
				func(k int) float64 { return y.sign() * y.bins[k].hi },
				func(k int) float64 { return y.sign() * y.bins[k].lo }),
			closed: true, fill: y.ink, fillOpacity: bandOpacity, stroke: y.ink, strokeOpacity: bandOpacity, width: 0.5, tooltip: s.tooltip(y)})
	}
}

// filled reports whether lines may lie over fills, from which a halo of paper sets
// them off.
func (s *sheet) filled() bool {
	return slices.ContainsFunc(s.layers, func(y layer) bool { return y.Style != Line })
}

// tooltip is a layer's row of the table.
func (s *sheet) tooltip(y *layer) string {
	lines := []string{clean(y.Label)}
	cells := s.cells(y.index)
	for j, c := range columns(s.g.Unit) {
		lines = append(lines, c.head+" "+cells[j])
	}
	return strings.Join(lines, "\n")
}

func (s *sheet) stroke(y *layer) {
	if y.Style == Stack {
		return
	}
	var lines [][]point
	for i, j := range runs(y.bins) {
		l := s.shift(s.lattice.outline(nil, i, j, func(k int) float64 { return s.y(y.to(k)) }))
		if a, b := &l[0], &l[len(l)-1]; y.Style == Line && b.x-a.x < leastMark {
			middle := (a.x + b.x) / 2
			a.x, b.x = middle-leastMark/2, middle+leastMark/2
		}
		lines = append(lines, l)
	}
	sh := shape{lines: lines, stroke: y.ink, width: lineWidth}
	if y.Style == Line {
		if s.filled() && !y.Grey { // a grey one is the edge of a stack
			s.draw(shape{lines: lines, stroke: paperInk, strokeOpacity: haloOpacity, width: haloWidth})
		}
		sh.dash = dash(y.line)
	}
	s.draw(sh)
}

// peaks rings the highest value of each trace, the one that the table tells.
// Of many traces it would be a swarm of rings.
func (s *sheet) peaks() {
	for i := range s.layers {
		if len(s.layers) > mostPeaks {
			return
		}
		s.peak(&s.layers[i])
	}
}

func (s *sheet) peak(y *layer) {
	row := s.stats[y.index].peak
	if row < 0 || y.Style == Stack || y.Grey || s.lattice.n < 3 {
		return
	}
	v := s.stats[y.index].max
	k := s.lattice.bin(row)
	c := point{s.left + (s.lattice.edge(k)+s.lattice.edge(k+1))/2, s.y(y.sign() * v)}
	s.draw(shape{lines: [][]point{circle(c, 2.6)}, closed: true, fill: paperInk, stroke: y.ink, width: lineWidth,
		tooltip: clean(y.Label) + ": at most " + siText(v) + " " + clean(string(s.g.Unit)) + ", " + s.rowTime(row)})
}

// circle is a polygon that looks like one.
func circle(c point, r float64) []point {
	const n = 12
	line := make([]point, n)
	for i := range line {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / n)
		line[i] = point{c.x + r*cos, c.y + r*sin}
	}
	return line
}
