package graph

import (
	"fmt"
	"image/color"
	"strings"
)

// A Theme is a set of colours.
type Theme uint8

// The themes.
const (
	Light Theme = iota
	Dark
	Print // black on white, traces in greys
	Auto  // of an SVG: Light or Dark as its viewer prefers
	numThemes
)

var themeNames = [numThemes]string{"light", "dark", "print", "auto"}

// String is "light", "dark", "print" or "auto".
func (t Theme) String() string {
	if t < numThemes {
		return themeNames[t]
	}
	return fmt.Sprintf("theme %d", uint8(t))
}

// ParseTheme is the inverse of String.
func ParseTheme(s string) (Theme, error) {
	for t, name := range themeNames {
		if s == name {
			return Theme(t), nil
		}
	}
	return 0, fmt.Errorf("no theme %q; there are %s", s, strings.Join(themeNames[:], ", "))
}

// An ink is a colour by its use; the theme says which it is. The zero ink is
// none.
type ink uint8

const (
	noInk ink = iota
	paperInk
	textInk
	mutedInk // of secondary texts
	gridInk
	axisInk
	markInk
	greyInk  // of traces that are nobody's own
	traceInk // of the first trace; more follow
	numInks  = traceInk + traceInks
)

// traceInks is how many colours there are for traces.
const traceInks = 12

// A palette has a colour for each ink.
type palette [numInks]color.RGBA

// hex reads colours such as "0072b2", one for each ink but none.
func hex(list string) (p palette) {
	for i, s := range strings.Fields(list) {
		var r, g, b uint8
		fmt.Sscanf(s, "%02x%02x%02x", &r, &g, &b)
		p[i+1] = color.RGBA{r, g, b, 255}
	}
	return p
}

// The colours of traces were searched for: of all sets whose colours have a
// contrast of 3:1 and more with the paper, and of which neighbours differ in
// lightness too (so that they do in grey), these are the farthest apart for those
// who lack one kind of cones and for those who have all three.
var palettes = [...]palette{
	Light: hex("ffffff 1f2328 59636e e3e7eb 8b949e a0207e 8a929a " +
		"0166bf d4711b 066447 b979a5 6e2007 b4613e 6a477f 249273 794102 7f78d0 123a8c 9f65a1"),
	Dark: hex("14181d e6edf3 9aa5b1 2a3139 6b7682 f08fd0 7d8791 " +
		"4395f4 fda24b a65692 aceab1 d86b6e 35f8fa 546ec8 d7a8f3 b778ab fbd464 708517 73cea9"),
	Print: hex("ffffff 000000 333333 d4d4d4 666666 000000 bdbdbd " +
		"111111 757575 3d3d3d 909090 1a1a1a 7a7a7a 333333 949494 474747 888888 2b2b2b 7f7f7f"),
}

// colours are those of a theme, in a picture that cannot change them.
func (t Theme) colours() *palette {
	if t == Dark || t == Print {
		return &palettes[t]
	}
	return &palettes[Light]
}

// trace is the ink of the i-th trace.
func trace(i int) ink { return traceInk + ink(i%traceInks) }

// dash tells the i-th of several lines from the others without colours.
func dash(i int) []float64 {
	return [...][]float64{nil, {6, 3}, {2, 2}, {8, 2, 2, 2}, {12, 3}}[i%5]
}
