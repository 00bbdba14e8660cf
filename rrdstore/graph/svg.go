package graph

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"
	"strings"
)

// fontFamily is what the text of an SVG is set in: the viewer's own. Nothing is
// loaded.
const fontFamily = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif"

// An svgWriter builds a document in memory.
type svgWriter struct {
	b       []byte
	colours *palette
	auto    bool
}

// writeSVG writes the scene. Colours are attributes, so that a picture needs no
// style sheet; of the theme Auto they are classes as well, which dark rules
// override. The root's data-plot is where the time axis begins and ends, for pages
// on which a time is picked from the picture.
func (s *scene) writeSVG(w io.Writer, theme Theme) error {
	o := svgWriter{colours: theme.colours(), auto: theme == Auto}
	o.b = fmt.Appendf(make([]byte, 0, 64<<10), `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="%s" viewBox="0 0 %[1]s %[2]s" data-plot="%s %s" role="img" font-family="%s"`,
		number(s.width), number(s.height), number(s.plotLeft), number(s.plotRight), fontFamily)
	if o.auto {
		o.b = append(o.b, ` class="lvs-auto"`...)
	}
	o.raw(">\n<title>").escape(s.title).raw("</title>\n<desc>").escape(s.desc).raw("</desc>\n")
	if o.auto {
		o.darkRules()
	}
	for _, it := range s.items {
		if it.shape != nil {
			o.shape(it.shape)
		} else {
			o.text(it.text)
		}
	}
	o.raw("</svg>\n")
	_, err := w.Write(o.b)
	return err
}

func (o *svgWriter) raw(s string) *svgWriter {
	o.b = append(o.b, s...)
	return o
}

func (o *svgWriter) escape(s string) *svgWriter {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return o.raw(b.String())
}

func (o *svgWriter) attr(name, value string) *svgWriter {
	return o.raw(" ").raw(name).raw(`="`).raw(value).raw(`"`)
}

// darkRules are the colours for viewers who prefer dark ones.
func (o *svgWriter) darkRules() {
	o.raw("<style>@media(prefers-color-scheme:dark){")
	for i := paperInk; i < numInks; i++ {
		c := cssColour(palettes[Dark][i])
		fmt.Fprintf(o, ".lvs-auto .f%d{fill:%s}.lvs-auto .s%[1]d{stroke:%s}", i, c, c)
	}
	o.raw("}</style>\n")
}

// Write makes an svgWriter an io.Writer.
func (o *svgWriter) Write(b []byte) (int, error) {
	o.b = append(o.b, b...)
	return len(b), nil
}

// inks writes the fill and the stroke of an element.
func (o *svgWriter) inks(fill, stroke ink) {
	var classes []string
	if fill != noInk {
		o.attr("fill", cssColour(o.colours[fill]))
		classes = append(classes, "f"+strconv.Itoa(int(fill)))
	} else {
		o.attr("fill", "none")
	}
	if stroke != noInk {
		o.attr("stroke", cssColour(o.colours[stroke]))
		classes = append(classes, "s"+strconv.Itoa(int(stroke)))
	}
	if o.auto {
		o.attr("class", strings.Join(classes, " "))
	}
}

func (o *svgWriter) shape(s *shape) {
	o.raw("<path")
	o.inks(s.fill, s.stroke)
	if s.fill != noInk && s.fillOpacity != 0 {
		o.attr("fill-opacity", number(s.fillOpacity))
	}
	if s.stroke != noInk {
		if s.strokeOpacity != 0 {
			o.attr("stroke-opacity", number(s.strokeOpacity))
		}
		o.attr("stroke-width", number(s.width)).attr("stroke-linejoin", "round")
		if s.dash != nil {
			var list []string
			for _, d := range s.dash {
				list = append(list, number(d))
			}
			o.attr("stroke-dasharray", strings.Join(list, " "))
		}
	}
	o.raw(` d="`)
	for _, l := range s.lines {
		o.line(l, s.closed)
	}
	if s.tooltip == "" {
		o.raw("\"/>\n")
		return
	}
	o.raw(`"><title>`).escape(s.tooltip).raw("</title></path>\n")
}

// tenth is a coordinate in tenths of a pixel, which is as exact as is written.
func tenth(v float64) int { return int(math.Round(v * 10)) }

// line writes one line as a path: where it begins, then differences, which are
// short. Rounded differences of rounded coordinates add up without an error.
func (o *svgWriter) line(points []point, closed bool) {
	var px, py int
	var last byte
	for i, p := range points {
		x, y := tenth(p.x), tenth(p.y)
		dx, dy := x-px, y-py
		px, py = x, y
		switch {
		case i == 0:
			o.step(&last, 'M', dx, dy)
			last = 'm'
		case dx == 0 && dy == 0:
		case dy == 0:
			o.step(&last, 'h', dx)
		case dx == 0:
			o.step(&last, 'v', dy)
		default:
			o.step(&last, 'l', dx, dy)
		}
	}
	if closed {
		o.raw("z")
	}
}

// step writes a path command, without its letter where it is the last one's, and
// without spaces that are not needed.
func (o *svgWriter) step(last *byte, command byte, args ...int) {
	separate := *last == command
	if !separate {
		o.b = append(o.b, command)
		*last = command
	}
	for i, a := range args {
		if a >= 0 && (separate || i > 0) {
			o.b = append(o.b, ' ')
		}
		o.b = appendTenth(o.b, a)
	}
}

// appendTenth writes v/10: "-.5", "12", "3.2".
func appendTenth(b []byte, v int) []byte {
	if v < 0 {
		b, v = append(b, '-'), -v
	}
	if v >= 10 || v == 0 {
		b = strconv.AppendInt(b, int64(v/10), 10)
	}
	if v%10 != 0 {
		b = append(b, '.', byte('0'+v%10))
	}
	return b
}

func (o *svgWriter) text(t *text) {
	o.raw("<text").attr("x", number(t.at.x)).attr("y", number(t.at.y)).attr("font-size", number(t.size))
	if t.bold {
		o.attr("font-weight", "700")
	}
	if t.anchor != atStart {
		o.attr("text-anchor", [...]string{"start", "middle", "end"}[t.anchor])
	}
	o.inks(t.ink, noInk)
	o.raw(">").escape(t.s).raw("</text>\n")
}

// number is v with at most two decimals.
func number(v float64) string { return trimZeros(strconv.FormatFloat(v, 'f', 2, 64)) }

func cssColour(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
