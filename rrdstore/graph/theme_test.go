package graph

import (
	"image/color"
	"math"
	"testing"
)

// linear is a colour's light, each part from 0 to 1.
func linear(c color.RGBA) (l [3]float64) {
	for i, v := range [...]uint8{c.R, c.G, c.B} {
		f := float64(v) / 255
		if f <= 0.04045 {
			l[i] = f / 12.92
		} else {
			l[i] = math.Pow((f+0.055)/1.055, 2.4)
		}
	}
	return l
}

// luminance and contrast are those of the Web Content Accessibility Guidelines.
func luminance(c color.RGBA) float64 {
	l := linear(c)
	return 0.2126*l[0] + 0.7152*l[1] + 0.0722*l[2]
}

func contrast(a, b color.RGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	for theme, p := range palettes {
		for i, least := range map[ink]float64{textInk: 7, mutedInk: 4.5, markInk: 4.5, axisInk: 2.5} {
			if c := contrast(p[i], p[paperInk]); c < least {
				t.Errorf("%v: ink %d has a contrast of %.2f with the paper, want %.1f", Theme(theme), i, c, least)
			}
		}
		for i := traceInk; i < numInks; i++ {
			if c := contrast(p[i], p[paperInk]); c < 3 {
				t.Errorf("%v: trace %d has a contrast of %.2f with the paper, want 3", Theme(theme), i-traceInk, c)
			}
			if c := contrast(p[i], p[trace(int(i-traceInk)+1)]); c < 1.3 {
				t.Errorf("%v: traces %d and %d differ by %.2f in grey", Theme(theme), i-traceInk, i-traceInk+1, c)
			}
		}
	}
}

// deficiencies turn linear colours into what those see who lack one kind of cones
// (Machado, Oliveira and Fernandes 2009, severity 1).
var deficiencies = map[string][3][3]float64{
	"none":         {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// oklab is a perceptually uniform space: a distance of 0.02 is just seen.
func oklab(c color.RGBA, eye [3][3]float64) (o [3]float64) {
	l := linear(c)
	var r [3]float64
	for i := range r {
		r[i] = min(max(eye[i][0]*l[0]+eye[i][1]*l[1]+eye[i][2]*l[2], 0), 1)
	}
	x := math.Cbrt(0.4122214708*r[0] + 0.5363325363*r[1] + 0.0514459929*r[2])
	y := math.Cbrt(0.2119034982*r[0] + 0.6806995451*r[1] + 0.1073969566*r[2])
	z := math.Cbrt(0.0883024619*r[0] + 0.2817188376*r[1] + 0.6299787005*r[2])
	return [3]float64{
		0.2104542553*x + 0.7936177850*y - 0.0040720468*z,
		1.9779984951*x - 2.4285922050*y + 0.4505937099*z,
		0.0259040371*x + 0.7827717662*y - 0.8086757660*z}
}

// TestColourBlind is about every two traces of a picture, for every eye.
func TestColourBlind(t *testing.T) {
	for _, theme := range []Theme{Light, Dark} {
		p := palettes[theme]
		for name, eye := range deficiencies {
			for i := traceInk; i < numInks; i++ {
				for j := i + 1; j < numInks; j++ {
					a, b := oklab(p[i], eye), oklab(p[j], eye)
					d := math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
					want := 0.05
					if j == i+1 {
						want = 0.1 // neighbours in a stack
					}
					if d < want {
						t.Errorf("%v, %s: traces %d and %d are %.3f apart, want %.2f", theme, name, i-traceInk, j-traceInk, d, want)
					}
				}
			}
		}
	}
}

func TestParseTheme(t *testing.T) {
	for theme := Light; theme < numThemes; theme++ {
		if got, err := ParseTheme(theme.String()); got != theme || err != nil {
			t.Errorf("%v: %v, %v", theme, got, err)
		}
	}
	if _, err := ParseTheme("bright"); err == nil {
		t.Error("no error of a theme that is none")
	}
}
