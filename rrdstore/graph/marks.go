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

// labels are the texts that a cluster may have beside its sign, the best first.
func (c *cluster) labels() []string {
	k, ok := c.kind()
	switch {
	case len(c.marks) == 1 && c.marks[0].Text != "":
		return []string{c.marks[0].label(), k.String()}
	case len(c.marks) == 1:
		return []string{k.String()}
	case ok && k == Reset:
		return []string{fmt.Sprintf("%d resets", len(c.marks))}
	case ok:
		return []string{fmt.Sprintf("%d %s", len(c.marks), k)}
	}
	return []string{fmt.Sprintf("%d changes", len(c.marks))}
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
		sign := numMarkKinds // of several kinds
		if k, ok := c.kind(); ok {
			sign = k
		}
		sh := shape{closed: true, stroke: markInk, width: 1, tooltip: tip}
		sh.lines, sh.fill = sign.sign(x, y)
		s.draw(sh)
		end := s.right
		if i+1 < len(clusters) {
			end = crisp(clusters[i+1].x) - signSize - 3
		}
		free = s.markLabel(c.labels(), x, y, free, end)
	}
}

// markLabel writes the first of labels that there is room for right of x, or left
// of it, between free and end. It returns where the free room begins then.
func (s *sheet) markLabel(labels []string, x, y, free, end float64) float64 {
	const gap = signSize + 4
	for _, l := range labels {
		w := s.measure(l, tickSize, false)
		if x+gap+w <= end {
			s.write(text{at: point{x + gap, y + 4}, s: l, size: tickSize, ink: markInk})
			return x + gap + w
		}
		if x-gap-w >= free+4 {
			s.write(text{at: point{x - gap, y + 4}, s: l, size: tickSize, anchor: atEnd, ink: markInk})
			return x + signSize
		}
	}
	return x + signSize
}

// sign is the shape of a kind of mark around a point. They differ without colour:
// a full diamond for a reset, triangles down and up for quiesced and in service,
// a plus and a minus for added and removed, an empty square for several kinds.
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
	case Reset:
		return [][]point{{{x, y - r - 1}, {x + r + 1, y}, {x, y + r + 1}, {x - r - 1, y}}}, markInk
	}
	return rect(x-r, y-r, 2*r, 2*r), noInk
}
