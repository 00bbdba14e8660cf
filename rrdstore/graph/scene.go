package graph

// A scene is the picture as a list of things to be painted one over the other,
// in CSS pixels from the upper left corner. It is what the SVG and the PNG have in
// common.
type scene struct {
	width, height float64
	title, desc   string // for those who do not see it
	// plotLeft and plotRight are where the time axis begins and ends.
	plotLeft, plotRight float64
	items               []item
}

// An item is a shape or a text.
type item struct {
	shape *shape
	text  *text
}

type point struct{ x, y float64 }

// A shape is lines that are filled, or stroked, or both.
type shape struct {
	lines  [][]point
	closed bool
	fill   ink
	stroke ink
	// Of 1; zero stands for 1.
	fillOpacity, strokeOpacity float64
	width                      float64   // of the stroke
	dash                       []float64 // lengths of strokes and gaps in turn; nil is none
	tooltip                    string
}

// An anchor is which point of a text its position is.
type anchor uint8

const (
	atStart anchor = iota
	atMiddle
	atEnd
)

type text struct {
	at     point // on the baseline
	s      string
	size   float64
	bold   bool
	anchor anchor
	ink    ink
}

func (s *scene) draw(sh shape) { s.items = append(s.items, item{shape: &sh}) }
func (s *scene) write(t text)  { s.items = append(s.items, item{text: &t}) }

// rect is a rectangle's outline.
func rect(x, y, w, h float64) [][]point {
	return [][]point{{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}}}
}

// line is a straight line.
func line(x0, y0, x1, y1 float64) []point { return []point{{x0, y0}, {x1, y1}} }
