package graph

import (
	"fmt"
	"slices"
	"strings"
)

// A cluster is marks too close to each other to be told apart: one sign for all.
type cluster struct {
	x     float64
	marks []Mark
}

// Sizes of marks, in CSS pixels, and how many a tooltip tells one by one.
const (
	markReach   = 9
	signSize    = 3.6
	mostTooltip = 12
	mostStrong  = 16 // marks whose lines are drawn strongly; more would hide the traces
)

// cluster gathers the marks in the time shown, in their order.
func (s *sheet) cluster() (all []cluster) {
	marks := slices.Clone(s.g.Marks)
	slices.SortStableFunc(marks, func(a, b Mark) int { return a.Time.Compare(b.Time) })
	for _, m := range marks {
		if m.Time.Before(s.start) || m.Time.After(s.end) {
			continue
		}
		x := s.x(m.Time)
		if n := len(all); n > 0 && x-all[n-1].x < markReach {
			all[n-1].marks = append(all[n-1].marks, m)
			continue
		}
		all = append(all, cluster{x, []Mark{m}})
	}
	return all
}

// label is the short text of a mark.
func (m *Mark) label() string {
	if m.Text != "" {
		return clean(m.Text)
	}
	return m.Kind.String()
}

// kind is that of all marks; ok is false where they differ.
func (c *cluster) kind() (k MarkKind, ok bool) {
	k = c.marks[0].Kind
	for _, m := range c.marks {
		if m.Kind != k {
			return 0, false
		}
	}
	return k, true
}

// label is the text of a cluster beside its sign.
func (c *cluster) label() string {
	if len(c.marks) == 1 {
		return c.marks[0].label()
	}
	if k, ok := c.kind(); ok {
		return fmt.Sprintf("%d %s", len(c.marks), [...]string{"resets", "quiesced", "in service", "added", "removed"}[min(k, numMarkKinds-1)])
	}
	return fmt.Sprintf("%d changes", len(c.marks))
}

// tooltip tells the marks of a cluster with their times.
func (c *cluster) tooltip(s *sheet) string {
	var lines []string
	for i, m := range c.marks {
		if i == mostTooltip {
			lines = append(lines, fmt.Sprintf("and %d more", len(c.marks)-i))
			break
		}
		lines = append(lines, m.Time.In(s.start.Location()).Format("2006-01-02 15:04:05 MST")+" "+m.label())
	}
	return strings.Join(lines, "\n")
}

// drawMarks draws a sign above the plot, and a line through it, for each cluster,
// and labels those that leave room for it.
func (s *sheet) drawMarks() {
	clusters := s.cluster()
	y := s.top - markRow/2 - 1
	free := max(s.left, s.pad()+s.measure(clean(string(s.g.Unit)), tickSize, false))
	if s.crowded() {
		free = s.left
	}
	opacity := 0.75
	if len(clusters) > mostStrong {
		opacity = 0.3
	}
	for i := range clusters {
		c := &clusters[i]
		x := crisp(c.x)
		tip := c.tooltip(s)
		s.draw(shape{lines: [][]point{line(x, s.top-3, x, s.bottom)}, stroke: markInk, strokeOpacity: opacity, width: 1, dash: []float64{3, 2}, tooltip: tip})
		sh := shape{lines: [][]point{{{x, y - signSize}, {x + signSize, y}, {x, y + signSize}, {x - signSize, y}}}, closed: true, fill: markInk, stroke: markInk, width: 1, tooltip: tip}
		if k, ok := c.kind(); ok {
			sh.lines, sh.fill = k.sign(x, y)
		}
		s.draw(sh)
		end := s.right
		if i+1 < len(clusters) {
			end = crisp(clusters[i+1].x) - signSize - 3
		}
		label := c.label()
		w := s.measure(label, tickSize, false)
		switch {
		case x+signSize+4+w <= end:
			s.write(text{at: point{x + signSize + 4, y + 4}, s: label, size: tickSize, ink: markInk})
			free = x + signSize + 4 + w
		case x-signSize-4-w >= free+4:
			s.write(text{at: point{x - signSize - 4, y + 4}, s: label, size: tickSize, anchor: atEnd, ink: markInk})
			free = x + signSize
		default:
			free = x + signSize
		}
	}
}

// sign is the shape of a kind of mark around a point. They differ without colour:
// a full diamond for a reset, triangles down and up for quiesced and in service,
// a plus and a minus for added and removed.
func (k MarkKind) sign(x, y float64) (lines [][]point, fill ink) {
	const r = signSize
	switch k {
	case Quiesced:
		return [][]point{{{x - r, y - r}, {x + r, y - r}, {x, y + r}}}, markInk
	case Restored:
		return [][]point{{{x - r, y + r}, {x + r, y + r}, {x, y - r}}}, markInk
	case Added:
		return [][]point{line(x-r, y, x+r, y), line(x, y-r, x, y+r)}, noInk
	case Removed:
		return [][]point{line(x-r, y, x+r, y)}, noInk
	default:
		return [][]point{{{x, y - r - 1}, {x + r + 1, y}, {x, y + r + 1}, {x - r - 1, y}}}, markInk
	}
}
