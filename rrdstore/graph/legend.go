package graph

import "fmt"

// A column is a column of figures in the table.
type column struct {
	head  string
	keep  int // the column with the least goes first where there is no room
	value func(*summary) float64
}

// columns are those of a unit.
func columns(u Unit) []column {
	all := []column{
		{"last", 4, func(s *summary) float64 { return s.last }},
		{"min", 1, func(s *summary) float64 { return s.min }},
		{"avg", 5, func(s *summary) float64 { return s.avg }},
		{"max", 6, func(s *summary) float64 { return s.max }},
		{"95th %", 3, func(s *summary) float64 { return s.p95 }},
	}
	if name, ok := u.total(); ok {
		all = append(all, column{"total " + clean(name), 2, func(s *summary) float64 { return s.total }})
	}
	return all
}

// cells are the figures of trace i.
func (s *sheet) cells(i int) (cells []string) {
	for _, c := range columns(s.g.Unit) {
		if s.g.Traces[i].NotAvailable {
			cells = append(cells, "n/a")
		} else {
			cells = append(cells, siText(c.value(&s.stats[i])))
		}
	}
	return cells
}

// The table's measures, in CSS pixels.
const (
	swatch, swatchGap = 14, 7
	leastLabel        = 70 // of a label that is longer
)

// A table is the figures as they are to be set.
type table struct {
	gap    float64 // before each column
	heads  []string
	rows   [][]string
	widths []float64
	keep   []int
}

// drop takes column j out.
func (t *table) drop(j int) {
	t.heads = append(t.heads[:j:j], t.heads[j+1:]...)
	t.widths = append(t.widths[:j:j], t.widths[j+1:]...)
	t.keep = append(t.keep[:j:j], t.keep[j+1:]...)
	for i, r := range t.rows {
		t.rows[i] = append(r[:j:j], r[j+1:]...)
	}
}

// width is that of all columns, with the gaps before them.
func (t *table) width() (w float64) {
	for _, c := range t.widths {
		w += t.gap + c
	}
	return w
}

// table sets the figures of the traces shown, with the columns there is room for
// beside a label.
func (s *sheet) table(room, label float64) table {
	t := table{gap: 22}
	if s.width < 480 {
		t.gap = 12
	}
	for i := range s.shown {
		t.rows = append(t.rows, s.cells(i))
	}
	for j, c := range columns(s.g.Unit) {
		w := s.measure(c.head, tickSize, false)
		for _, r := range t.rows {
			w = max(w, s.measure(r[j], textSize, false))
		}
		t.heads, t.widths, t.keep = append(t.heads, c.head), append(t.widths, w), append(t.keep, c.keep)
	}
	for len(t.widths) > 0 && room-t.width() < label {
		least := 0
		for j, k := range t.keep {
			if k < t.keep[least] {
				least = j
			}
		}
		t.drop(least)
	}
	return t
}

// legend writes the table below the plot.
func (s *sheet) legend() {
	if s.shown == 0 {
		return
	}
	left := s.pad() + swatch + swatchGap
	room := s.width - s.pad() - left
	widest := s.measure(clean(string(s.g.Unit)), tickSize, false)
	for i := range s.shown {
		widest = max(widest, s.measure(clean(s.g.Traces[i].Label), textSize, false))
	}
	t := s.table(room, min(widest, leastLabel))
	widest = min(widest, room-t.width())
	y := s.bottom + tickRow + groupRow + legendGap + 10
	edges := make([]float64, len(t.widths)) // right edges
	x := left + widest
	for j, w := range t.widths {
		x += t.gap + w
		edges[j] = x
		s.write(text{at: point{x, y}, s: t.heads[j], size: tickSize, anchor: atEnd, ink: mutedInk})
	}
	unit := clean(string(s.g.Unit))
	if rest := len(s.g.Traces) - s.shown; rest > 0 {
		unit = fmt.Sprintf("%d more, ", rest) + unit
	}
	s.write(text{at: point{left, y}, s: s.fit(unit, tickSize, false, widest), size: tickSize, ink: mutedInk})
	s.draw(shape{lines: [][]point{line(s.pad(), crisp(y+5), max(x, left+widest), crisp(y+5))}, stroke: gridInk, width: 1})
	for i := range s.shown {
		y += legendRow
		s.swatch(&s.layers[i], y-4)
		s.write(text{at: point{left, y}, s: s.fit(clean(s.g.Traces[i].Label), textSize, false, widest), size: textSize, ink: textInk})
		for j, cell := range t.rows[i] {
			colour := textInk
			if cell == "n/a" || cell == "–" {
				colour = mutedInk
			}
			s.write(text{at: point{edges[j], y}, s: cell, size: textSize, anchor: atEnd, ink: colour})
		}
	}
}

// swatch draws a sample of a layer around height y.
func (s *sheet) swatch(l *layer, y float64) {
	x := s.pad()
	sh := shape{lines: rect(x+0.5, crisp(y-5), swatch-1, 9), closed: true, fill: l.ink, stroke: l.ink, width: 1}
	switch {
	case l.Style == Line:
		sh = shape{lines: [][]point{line(x, crisp(y), x+swatch, crisp(y))}, stroke: l.ink, width: 2, dash: dash(l.line)}
	case l.NotAvailable:
		sh.fill = noInk
	case l.Style == Stack:
		sh.fillOpacity = 1
	default:
		sh.fillOpacity = areaOpacity + bandOpacity
	}
	s.draw(sh)
}
