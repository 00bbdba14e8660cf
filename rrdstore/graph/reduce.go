package graph

import (
	"cmp"
	"image"
	"image/color"
	"slices"
)

// A paint is a colour of an image and how many pixels have it.
type paint struct {
	colour uint32 // 0xrrggbb
	pixels int
	index  uint8 // in the palette
}

// paints counts the colours of an image: an open hash table, as a map would take
// most of the time that a picture takes.
type paints struct {
	slots []paint // pixels is zero where a slot is free
	used  int
}

func hashOf(colour uint32) uint32 { return colour * 0x9e3779b1 >> 7 }

// slot is where a colour is, or where it is to be.
func (p *paints) slot(colour uint32) *paint {
	for h := hashOf(colour); ; h++ {
		s := &p.slots[h%uint32(len(p.slots))]
		if s.pixels == 0 || s.colour == colour {
			return s
		}
	}
}

func (p *paints) add(colour uint32, pixels int) {
	s := p.slot(colour)
	if s.pixels == 0 {
		s.colour = colour
		if p.used++; 2*p.used > len(p.slots) {
			s.pixels = pixels
			old := p.slots
			p.slots = make([]paint, 2*len(old))
			for _, o := range old {
				if o.pixels > 0 {
					*p.slot(o.colour) = o
				}
			}
			return
		}
	}
	s.pixels += pixels
}

// reduce makes an opaque image one of 256 colours, which as a PNG is a third as
// large and takes half the time. The colours are those with the most pixels, no
// two of them all but the same; what is left are blends at the edges of shapes,
// which take the nearest.
func reduce(img *image.RGBA) *image.Paletted {
	all := paints{slots: make([]paint, 1<<12)}
	pix := img.Pix
	at := func(i int) uint32 { return uint32(pix[i])<<16 | uint32(pix[i+1])<<8 | uint32(pix[i+2]) }
	for i := 0; i < len(pix); {
		c, j := at(i), i+4
		for j < len(pix) && at(j) == c {
			j += 4
		}
		all.add(c, (j-i)/4)
		i = j
	}
	colours := all.palette()
	out := image.NewPaletted(img.Rect, colours)
	for i := 0; i < len(pix); {
		c, j := at(i), i+4
		index := all.slot(c).index
		out.Pix[i/4] = index
		for ; j < len(pix) && at(j) == c; j += 4 {
			out.Pix[j/4] = index
		}
		i = j
	}
	return out
}

// palette chooses at most 256 colours and gives each paint its index.
func (p *paints) palette() color.Palette {
	list := make([]*paint, 0, p.used)
	for i := range p.slots {
		if s := &p.slots[i]; s.pixels > 0 {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *paint) int {
		return cmp.Or(cmp.Compare(b.pixels, a.pixels), cmp.Compare(a.colour, b.colour))
	})
	// As far apart as is needed to have all colours within reach of one chosen.
	for apart := 0; ; apart += apart/2 + 8 {
		var chosen []uint32
		fits := true
		for _, s := range list {
			i, d := nearest(chosen, s.colour)
			if len(chosen) == 0 || d > apart {
				if len(chosen) == 256 {
					fits = false
					break
				}
				i = len(chosen)
				chosen = append(chosen, s.colour)
			}
			s.index = uint8(i)
		}
		if !fits {
			continue
		}
		colours := make(color.Palette, len(chosen))
		for i, c := range chosen {
			colours[i] = color.RGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 255}
		}
		return colours
	}
}

// nearest is which of the colours is nearest, and the square of its distance.
func nearest(colours []uint32, c uint32) (index, distance int) {
	distance = 1 << 30
	r, g, b := int(c>>16), int(c>>8&0xff), int(c&0xff)
	for i, o := range colours {
		dr, dg, db := int(o>>16)-r, int(o>>8&0xff)-g, int(o&0xff)-b
		if d := dr*dr + dg*dg + db*db; d < distance {
			index, distance = i, d
		}
	}
	return index, distance
}
