package graph

// grid draws what lies under the traces: a line for each labelled value and time.
func (s *sheet) grid() {
	s.timeAxis = newTimeAxis(s.start, s.end, s.right-s.left, func(t string) float64 { return s.measure(t, tickSize, false) })
	var lines, bounds [][]point
	for i := s.scale.first; i <= s.scale.last && !s.empty; i++ {
		if y := crisp(s.y(s.scale.step * float64(i))); i != 0 {
			lines = append(lines, line(s.left, y, s.right, y))
		}
	}
	for _, t := range s.timeAxis.major {
		x := crisp(s.left + t.x)
		lines = append(lines, line(x, s.top, x, s.bottom))
	}
	for _, b := range s.timeAxis.bounds {
		x := crisp(s.left + b)
		bounds = append(bounds, line(x, s.top, x, s.bottom+tickRow+groupRow-4))
	}
	s.draw(shape{lines: lines, stroke: gridInk, width: 1})
	s.draw(shape{lines: bounds, stroke: axisInk, strokeOpacity: 0.5, width: 1})
}

// axes draws the zero line and the ticks over the traces, and labels both axes.
func (s *sheet) axes() {
	zero := crisp(s.y(0))
	lines := [][]point{line(s.left, zero, s.right, zero)}
	if foot := crisp(s.bottom); foot != zero {
		lines = append(lines, line(s.left, foot, s.right, foot))
	}
	foot := crisp(s.bottom)
	for _, t := range s.timeAxis.major {
		x := crisp(s.left + t.x)
		lines = append(lines, line(x, foot, x, foot+5))
		s.timeLabel(t, tickRow-3, textInk)
	}
	for _, m := range s.timeAxis.minor {
		x := crisp(s.left + m)
		lines = append(lines, line(x, foot, x, foot+3))
	}
	s.draw(shape{lines: lines, stroke: axisInk, width: 1})
	for _, t := range s.timeAxis.groups {
		s.timeLabel(t, tickRow+groupRow-4, mutedInk)
	}
	for i := s.scale.first; i <= s.scale.last && !s.empty; i++ {
		at := point{s.left - 6, s.y(s.scale.step*float64(i)) + 4}
		s.write(text{at: at, s: s.scale.label(i, s.mirrored()), size: tickSize, anchor: atEnd, ink: textInk})
	}
}

// timeLabel writes a label below the plot unless it would leave the picture.
func (s *sheet) timeLabel(t tick, below float64, i ink) {
	x := s.left + t.x
	if w := s.measure(t.label, tickSize, false); t.label == "" || x+w/2 > s.width-2 {
		return
	}
	s.write(text{at: point{x, s.bottom + below}, s: t.label, size: tickSize, anchor: atMiddle, ink: i})
}

// rowTime is the end of row i's interval, by which tables name it.
func (s *sheet) rowTime(i int) string {
	return s.g.boundary(i + 1).In(s.start.Location()).Format("2006-01-02 15:04:05 MST")
}
