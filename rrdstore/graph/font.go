package graph

import (
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// fonts are parsed once; they are read only.
var fonts = sync.OnceValue(func() (f struct{ regular, bold *sfnt.Font }) {
	var err, err2 error
	f.regular, err = sfnt.Parse(goregular.TTF)
	f.bold, err2 = sfnt.Parse(gobold.TTF)
	if err != nil || err2 != nil {
		panic("graph: the Go fonts do not parse") // they are part of the program
	}
	return f
})

func fontOf(bold bool) *sfnt.Font {
	if bold {
		return fonts().bold
	}
	return fonts().regular
}

// A ruler measures texts in the Go fonts. It belongs to one goroutine.
type ruler struct {
	buf  sfnt.Buffer
	seen map[rulerKey]float64 // advances of runes at a size of 1
}

type rulerKey struct {
	r    rune
	bold bool
}

// slack is how much wider than the Go fonts those are that the viewer of an SVG
// may have: DejaVu Sans and Verdana, the widest of the usual ones.
const slack = 1.12

// advance is the width of a rune at a size of 1, in the Go fonts.
func (m *ruler) advance(r rune, bold bool) float64 {
	if m.seen == nil {
		m.seen = map[rulerKey]float64{}
	}
	k := rulerKey{r, bold}
	a, ok := m.seen[k]
	if !ok {
		const em = 1000
		f := fontOf(bold)
		glyph, _ := f.GlyphIndex(&m.buf, r) // 0 is the box for what is missing
		if units, err := f.GlyphAdvance(&m.buf, glyph, fixed.I(em), font.HintingNone); err == nil {
			a = float64(units) / 64 / em
		}
		m.seen[k] = a
	}
	return a
}

// measure is the width of a text in pixels, at most.
func (m *ruler) measure(s string, size float64, bold bool) (w float64) {
	for _, r := range s {
		w += m.advance(r, bold)
	}
	return w * size * slack
}

// fit cuts a text to a width, with an ellipsis.
func (m *ruler) fit(s string, size float64, bold bool, width float64) string {
	const ellipsis = '…'
	room := width / size / slack * (1 + 1e-9) // of what was measured to fit exactly
	cut, w := 0, 0.0                          // where the ellipsis still fits
	for i, r := range s {
		if w+m.advance(ellipsis, bold) <= room {
			cut = i
		}
		if w += m.advance(r, bold); w > room {
			if cut == 0 {
				return ""
			}
			return strings.TrimRight(s[:cut], " ") + string(ellipsis)
		}
	}
	return s
}

// clean makes a text one line of characters that XML may hold and that do not
// turn the direction of those around them.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.IsControl(r) || r == 0xfffe || r == 0xffff || unicode.Is(unicode.Bidi_Control, r):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
}
