package rrdstore

import (
	"math"

	"lvs/rrdstore/chunk"
	"lvs/rrdstore/rrd"
)

// A cellBlock is consolidated rows of a group, for each slot and source.
type cellBlock struct {
	step  uint32
	width int // sources
	// imported says that imports brought the rows, or an earlier configuration made
	// them.
	imported bool
	cells    [chunk.Slots][]*rrd.Cells
	memory   *memory
}

// at is nil where nothing is known.
func (b *cellBlock) at(slot, source int) *rrd.Cells {
	if b.cells[slot] == nil {
		return nil
	}
	return b.cells[slot][source]
}

// make is at, made where it was not.
func (b *cellBlock) make(slot, source, rows int) *rrd.Cells {
	if b.cells[slot] == nil {
		b.cells[slot] = make([]*rrd.Cells, b.width)
	}
	if b.cells[slot][source] == nil {
		b.cells[slot][source] = b.memory.takeCells(rows)
	}
	return b.cells[slot][source]
}

// takeCells are unknown rows, in memory that was given back if there is some.
func (m *memory) takeCells(rows int) *rrd.Cells {
	if n := len(m.cells); n > 0 {
		c := m.cells[n-1]
		if m.cells = m.cells[:n-1]; cap(c.Known) >= rows {
			c.Resize(rows)
			return c
		}
	}
	return newCells(rows)
}

// giveBack lets the cells of a block, which nobody looks at any more, be used for
// others.
func (m *memory) giveBack(b *cellBlock) {
	for _, columns := range b.cells {
		for _, c := range columns {
			if c != nil {
				m.cells = append(m.cells, c)
			}
		}
	}
}

// over lies b, of as many rows, under what is stored.
func (b *cellBlock) over(stored *cellBlock, rows int) *cellBlock {
	if b.step == stored.step && stored.empty() {
		return b
	}
	stored.overlay(b, 0, rows)
	return stored
}

func (b *cellBlock) empty() bool {
	for _, columns := range b.cells {
		if columns != nil {
			return false
		}
	}
	return true
}

// newCells are unknown rows, in two pieces of memory.
func newCells(rows int) *rrd.Cells {
	v := make([]float64, 4*rows)
	for i := range v {
		v[i] = math.NaN()
	}
	part := func(i int) []float64 { return v[i*rows : (i+1)*rows : (i+1)*rows] }
	return &rrd.Cells{Known: make([]uint32, rows), Sum: part(0), Min: part(1), Max: part(2), Last: part(3)}
}

// overlay fills what b does not know from finer rows, whose first is b's row at.
func (b *cellBlock) overlay(finer *cellBlock, at, rows int) {
	n := int(b.step / finer.step)
	var part rrd.Cells
	for slot, columns := range finer.cells {
		for source, c := range columns {
			if c == nil {
				continue
			}
			from := c
			if n > 1 {
				part.Resize(len(c.Known) / n)
				rrd.Merge(&part, c, n)
				from = &part
			}
			to := sliceCells(b.make(slot, source, rows), at, at+len(from.Known))
			to.Overlay(from)
		}
	}
}

// sliceCells is rows from to to of c, in the same memory.
func sliceCells(c *rrd.Cells, from, to int) *rrd.Cells {
	return &rrd.Cells{Known: c.Known[from:to], Sum: c.Sum[from:to], Min: c.Min[from:to], Max: c.Max[from:to], Last: c.Last[from:to]}
}

func copyCells(dst, src *rrd.Cells) {
	copy(dst.Known, src.Known)
	copy(dst.Sum, src.Sum)
	copy(dst.Min, src.Min)
	copy(dst.Max, src.Max)
	copy(dst.Last, src.Last)
}

// rescale turns rows that were made of data points of another step into rows of
// as much known time and the same rates.
func rescale(c *rrd.Cells, kind Kind, from, to uint32) {
	if from == to {
		return
	}
	factor := 1.0 // of a data point
	if kind == Counter {
		factor = float64(to) / float64(from)
	}
	for i, n := range c.Known {
		if n == 0 {
			continue
		}
		known := max(1, uint32(uint64(n)*uint64(from)/uint64(to)))
		if len(c.Sum) > 0 {
			c.Sum[i] *= factor * float64(known) / float64(n)
		}
		c.Known[i] = known
		for _, v := range [][]float64{c.Min, c.Max, c.Last} {
			if len(v) > 0 {
				v[i] *= factor
			}
		}
	}
}
