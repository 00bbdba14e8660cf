package graph

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"
	"time"
)

func decode(t testing.TB, g *Graph) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := g.PNG(&b); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// far is how far two colours are apart, from 0 to 441.
func far(a, b color.Color) float64 {
	r, g, u, _ := a.RGBA()
	x, y, z, _ := b.RGBA()
	d := func(p, q uint32) float64 { return float64(p>>8) - float64(q>>8) }
	return math.Sqrt(d(r, x)*d(r, x) + d(g, y)*d(g, y) + d(u, z)*d(u, z))
}

func TestPNGSize(t *testing.T) {
	for _, tt := range []struct {
		width, height int
		scale         float64
		want          image.Point
	}{
		{900, 400, 0, image.Pt(900, 400)},
		{900, 400, 2, image.Pt(1800, 800)},
		{321, 201, 1.5, image.Pt(482, 302)},
		{1, 1, 0.1, image.Pt(80, 50)},
		{300, 150, math.NaN(), image.Pt(300, 150)},
	} {
		g := goldens(t)["lines"]
		g.Width, g.Height, g.Scale = tt.width, tt.height, tt.scale
		if got := decode(t, g).Bounds().Size(); got != tt.want {
			t.Errorf("%d x %d at %v: the image is %v, want %v", tt.width, tt.height, tt.scale, got, tt.want)
		}
	}
	g := goldens(t)["lines"]
	g.Width, g.Height, g.Scale = 8192, 8192, 4
	if err := g.PNG(&bytes.Buffer{}); err == nil {
		t.Error("a picture of 2^30 pixels: no error")
	}
}

// TestPNGInk looks at pixels: there is ink where there are values, none in a gap,
// in every theme and at every scale, with more values than pixels and with fewer.
func TestPNGInk(t *testing.T) {
	for i, rows := range []int{12, 100, 1200, 12_000} {
		for theme := Light; theme < numThemes; theme++ {
			scale := float64(1 + (i+int(theme))%2)
			t.Run(fmt.Sprintf("%d rows, %v, scale %v", rows, theme, scale), func(t *testing.T) { checkInk(t, rows, theme, scale) })
		}
	}
}

// checkInk draws a level with a gap from the half to three quarters of the time.
func checkInk(t *testing.T, rows int, theme Theme, scale float64) {
	values := make([]float64, rows)
	for i := range values {
		values[i] = 10
	}
	unknown(values, rows/2, rows*3/4)
	g := &Graph{Theme: theme, Scale: scale, Width: 900, First: noon, Step: time.Hour / time.Duration(rows), Traces: []Trace{{Values: values}}}
	s, err := sheetOf(g)
	if err != nil {
		t.Fatal(err)
	}
	img := decode(t, g)
	paper := theme.colours()[paperInk]
	// Half way up, at 1/8 to 7/8 of the time, off the grid.
	for eighth := 1; eighth < 8; eighth += 2 {
		x := s.left + (s.right-s.left)*(float64(eighth)+0.1)/8
		y := (s.y(5) + s.y(0)) / 2
		d := far(img.At(int(x*scale), int(y*scale)), paper)
		if gap := eighth == 5; gap && d > 3 || !gap && d < 30 {
			t.Errorf("at %d/8 the ink is %.0f from paper", eighth, d)
		}
	}
}

// TestPNGLoneValue is about one known value among thousands: it can be seen as
// an area and as a line.
func TestPNGLoneValue(t *testing.T) {
	for _, style := range []Style{Area, Line, Stack} {
		values := unknown(make([]float64, 8640), 0, 8640)
		values[4000] = 1
		g := &Graph{First: noon, Step: 10 * time.Second, Traces: []Trace{{Style: style, Values: values}, {Label: "another", Values: nil}}}
		with := decode(t, g)
		values[4000] = math.NaN()
		g.Note = " "
		without := decode(t, g)
		changed := 0
		s, err := sheetOf(g)
		if err != nil {
			t.Fatal(err)
		}
		for y := int(s.top); y < int(s.bottom)-2; y++ {
			for x := int(s.left); x < int(s.right); x++ {
				if far(with.At(x, y), without.At(x, y)) > 60 {
					changed++
				}
			}
		}
		if changed < 3 {
			t.Errorf("style %d: a lone value changes %d pixels", style, changed)
		}
	}
}

// TestPNGPeak is about one high value among thousands: its height is reached.
func TestPNGPeak(t *testing.T) {
	values := make([]float64, 8640)
	for i := range values {
		values[i] = 1
	}
	values[4000] = 100
	g := &Graph{First: noon, Step: 10 * time.Second, Traces: []Trace{{Values: values}}}
	s, err := sheetOf(g)
	if err != nil {
		t.Fatal(err)
	}
	img := decode(t, g)
	x := int(s.left + (s.right-s.left)*4000.5/8640)
	paper := palettes[Light][paperInk]
	for _, v := range []float64{20, 60, 90} {
		d := 0.0
		for dx := -2; dx <= 2; dx++ {
			d = max(d, far(img.At(x+dx, int(s.y(v))), paper))
		}
		if d < 40 {
			t.Errorf("at %v of 100 the ink is %.0f from paper", v, d)
		}
	}
}

// sheetOf lays a picture out, to know where things are in it.
func sheetOf(g *Graph) (*sheet, error) {
	s := &sheet{g: g, density: 1, scene: &scene{}}
	if err := s.times(); err != nil {
		return nil, err
	}
	s.summaries()
	s.sizes()
	return s, nil
}

// TestReduce is about images with few colours, which stay as they are, and with
// many, of which no pixel goes far.
func TestReduce(t *testing.T) {
	for _, colours := range []int{2, 256, 5000, 60_000} {
		img := image.NewRGBA(image.Rect(0, 0, 300, 200))
		for i := range 300 * 200 {
			c := i % colours
			img.SetRGBA(i%300, i/300, color.RGBA{uint8(c), uint8(c / 256 * 8), uint8(c * 7), 255})
		}
		out := reduce(img)
		if len(out.Palette) > 256 {
			t.Fatalf("%d colours become %d", colours, len(out.Palette))
		}
		worst := 0.0
		for y := range 200 {
			for x := range 300 {
				worst = max(worst, far(img.At(x, y), out.At(x, y)))
			}
		}
		if colours <= 256 && worst > 0 || worst > 50 {
			t.Errorf("%d colours: a pixel goes %.0f from what it was", colours, worst)
		}
	}
}
