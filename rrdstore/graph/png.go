package graph

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// writePNG paints the scene.
func (s *scene) writePNG(w io.Writer, theme Theme, scale float64) error {
	img := image.NewRGBA(image.Rect(0, 0, int(math.Round(s.width*scale)), int(math.Round(s.height*scale))))
	p := painter{img: img, scale: scale, colours: theme.colours(), faces: map[faceKey]font.Face{}}
	for _, it := range s.items {
		if it.shape != nil {
			p.shape(it.shape)
		} else if err := p.text(it.text); err != nil {
			return err
		}
	}
	return png.Encode(w, reduce(img))
}

// A painter paints a scene, scaled, on an image.
type painter struct {
	img     *image.RGBA
	scale   float64
	colours *palette
	faces   map[faceKey]font.Face
	pen     pen
}

type faceKey struct {
	size float64
	bold bool
}

// colour is an ink's with an opacity, of which zero stands for one.
func (p *painter) colour(i ink, opacity float64) image.Image {
	c := p.colours[i]
	if opacity == 0 {
		return image.NewUniform(c)
	}
	return image.NewUniform(color.NRGBA{c.R, c.G, c.B, uint8(math.Round(255 * opacity))})
}

func (p *painter) shape(s *shape) {
	lines := make([][]point, len(s.lines))
	for i, l := range s.lines {
		lines[i] = make([]point, len(l))
		for j, q := range l {
			lines[i][j] = point{q.x * p.scale, q.y * p.scale}
		}
	}
	if s.fill != noInk {
		p.pen.fill(p.img, lines, p.colour(s.fill, s.fillOpacity))
	}
	if s.stroke == noInk {
		return
	}
	width := s.width * p.scale
	src := p.colour(s.stroke, s.strokeOpacity)
	for _, l := range lines {
		if s.closed && len(l) > 0 {
			l = append(l, l[0])
		}
		if s.dash != nil {
			p.pen.stroke(p.img, dashed(l, s.dash, p.scale), width, src)
		} else {
			p.pen.stroke(p.img, [][]point{l}, width, src)
		}
	}
}

func (p *painter) text(t *text) error {
	key := faceKey{t.size, t.bold}
	face, ok := p.faces[key]
	if !ok {
		var err error
		face, err = opentype.NewFace(fontOf(t.bold), &opentype.FaceOptions{Size: t.size * p.scale, DPI: 72})
		if err != nil {
			return fmt.Errorf("graph: font: %w", err)
		}
		p.faces[key] = face
	}
	d := font.Drawer{Dst: p.img, Src: image.NewUniform(p.colours[t.ink]), Face: face}
	x := t.at.x * p.scale
	switch t.anchor {
	case atMiddle:
		x -= float64(d.MeasureString(t.s)) / 128
	case atEnd:
		x -= float64(d.MeasureString(t.s)) / 64
	}
	d.Dot = fixed.Point26_6{X: fixed.Int26_6(math.Round(x * 64)), Y: fixed.I(int(math.Round(t.at.y * p.scale)))}
	d.DrawString(t.s)
	return nil
}
