package graph

import (
	"image"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// A pen fills and strokes lines on an image. The zero pen is ready; it keeps its
// buffers.
type pen struct{ z vector.Rasterizer }

// fill paints the inside of lines, of which the last point is joined to the
// first.
func (p *pen) fill(dst *image.RGBA, lines [][]point, src image.Image) {
	p.paint(dst, lines, 0, src, func(move, to func(x, y float64)) {
		for _, l := range lines {
			for i, q := range l {
				if i == 0 {
					move(q.x, q.y)
				} else {
					to(q.x, q.y)
				}
			}
			if len(l) > 0 {
				to(l[0].x, l[0].y)
			}
		}
	})
}

// stroke paints lines of a width. Every part of a line is a polygon turned the
// same way round, so that where they lie over each other they do not cancel out.
func (p *pen) stroke(dst *image.RGBA, lines [][]point, width float64, src image.Image) {
	r := width / 2
	p.paint(dst, lines, r, src, func(move, to func(x, y float64)) {
		polygon := func(q ...point) {
			area := 0.0
			for i, a := range q {
				b := q[(i+1)%len(q)]
				area += a.x*b.y - b.x*a.y
			}
			for i := range q {
				k := i
				if area < 0 {
					k = len(q) - 1 - i
				}
				if i == 0 {
					move(q[k].x, q[k].y)
				} else {
					to(q[k].x, q[k].y)
				}
			}
			first := q[0]
			if area < 0 {
				first = q[len(q)-1]
			}
			to(first.x, first.y)
		}
		for _, l := range lines {
			var px, py float64 // the normal of the segment before
			for i := 1; i < len(l); i++ {
				a, b := l[i-1], l[i]
				d := math.Hypot(b.x-a.x, b.y-a.y)
				if d == 0 {
					continue
				}
				nx, ny := -(b.y-a.y)/d*r, (b.x-a.x)/d*r
				polygon(point{a.x + nx, a.y + ny}, point{b.x + nx, b.y + ny}, point{b.x - nx, b.y - ny}, point{a.x - nx, a.y - ny})
				if px != 0 || py != 0 {
					// A bevel on the outer side of the bend.
					if nx*py-ny*px < 0 {
						polygon(a, point{a.x - px, a.y - py}, point{a.x - nx, a.y - ny})
					} else {
						polygon(a, point{a.x + px, a.y + py}, point{a.x + nx, a.y + ny})
					}
				}
				px, py = nx, ny
			}
		}
	})
}

// paint rasterizes what trace draws, within the bounds of lines and margin.
func (p *pen) paint(dst *image.RGBA, lines [][]point, margin float64, src image.Image, trace func(move, to func(x, y float64))) {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, l := range lines {
		for _, q := range l {
			x0, x1 = min(x0, q.x), max(x1, q.x)
			y0, y1 = min(y0, q.y), max(y1, q.y)
		}
	}
	if x0 > x1 {
		return
	}
	box := image.Rect(int(math.Floor(x0-margin)), int(math.Floor(y0-margin)), int(math.Ceil(x1+margin))+1, int(math.Ceil(y1+margin))+1).Intersect(dst.Bounds())
	if box.Empty() {
		return
	}
	p.z.Reset(box.Dx(), box.Dy())
	p.z.DrawOp = draw.Over
	ox, oy := float64(box.Min.X), float64(box.Min.Y)
	trace(
		func(x, y float64) { p.z.MoveTo(float32(x-ox), float32(y-oy)) },
		func(x, y float64) { p.z.LineTo(float32(x-ox), float32(y-oy)) })
	p.z.Draw(dst, box, src, image.Point{})
}

// dashed cuts a line into dashes, whose lengths are scaled.
func dashed(l []point, dash []float64, scale float64) (all [][]point) {
	on, n := true, 0
	left := dash[0] * scale
	var current []point
	for i := 1; i < len(l); i++ {
		a, b := l[i-1], l[i]
		length := math.Hypot(b.x-a.x, b.y-a.y)
		for done := 0.0; done < length; {
			if on && current == nil {
				f := done / length
				current = []point{{a.x + f*(b.x-a.x), a.y + f*(b.y-a.y)}}
			}
			part := min(left, length-done)
			done += part
			left -= part
			f := done / length
			if on {
				current = append(current, point{a.x + f*(b.x-a.x), a.y + f*(b.y-a.y)})
			}
			if left > 1e-9 {
				continue
			}
			if on {
				all = append(all, current)
				current = nil
			}
			n++
			on, left = !on, dash[n%len(dash)]*scale
		}
	}
	if len(current) > 1 {
		all = append(all, current)
	}
	return all
}
