package rrdstore

import (
	"context"
	"math"
	"slices"

	"lvs/rrdstore/chunk"
	"lvs/rrdstore/rrd"
)

// cells are rows of a step whose intervals lie from start to end, made of a level
// and, beyond its frontier and before what it keeps, of finer ones. The step is a
// multiple of the level's; where windows do not hold whole rows of it, or rows may
// be made of both, they come in the level's own step. A nil level is the data points
// themselves.
func (f *fetcher) cells(ctx context.Context, l *level, g *group, start, end, step uint32) (*cellBlock, error) {
	if l == nil {
		return f.points(ctx, g, start, end, step)
	}
	if l.span%step != 0 || l.fed && f.begun(l, start, end) {
		step = l.step
	}
	b := &cellBlock{step: step, width: len(f.sources), memory: &f.r.memory}
	if err := f.stored(ctx, l, g, start, end, b); err != nil {
		return nil, err
	}
	if !l.fed {
		return b, nil
	}
	// Finer rows make what was given up and what is not made yet.
	finer, rows := f.finerFrom(l), int((end-start)/step)
	for _, made := range [][2]uint32{{start, min(end, f.kept(l))}, {max(start, l.frontier), end}} {
		from, to := max(made[0], finer), made[1]
		if from >= to {
			continue
		}
		from -= (from - start) % step
		below, err := f.cells(ctx, f.below(l), g, from, to, step)
		if err != nil {
			return nil, err
		}
		if from == start && to == end {
			return below.over(b, rows), nil
		}
		b.overlay(below, int((from-start)/step), rows)
	}
	return b, nil
}

// kept is where the rows of a level begin that are stored.
func (f *fetcher) kept(l *level) uint32 {
	if w := f.st.windows[l.step]; len(w) > 0 {
		return min(l.frontier, w[0])
	}
	return l.frontier
}

// finerFrom is where the oldest rows begin that a level can be made of.
func (f *fetcher) finerFrom(l *level) uint32 {
	from := uint32(math.MaxUint32)
	if f.st.oldest != 0 {
		from = f.st.oldest
	}
	for _, m := range f.st.levels {
		if w := f.st.windows[m.step]; m.fed && m.step < l.step && len(w) > 0 {
			from = min(from, w[0])
		}
	}
	return from
}

// begun reports whether a level has rows beyond its frontier already, as imports
// bring them.
func (f *fetcher) begun(l *level, start, end uint32) bool {
	return end > l.frontier && len(f.st.windowsIn(l.step, max(start, l.frontier), end-1)) > 0
}

// below is the next finer level that is fed; nil is the data points.
func (f *fetcher) below(l *level) *level {
	var finer *level
	for _, m := range f.st.levels {
		if m.fed && m.step != 0 && m.step < l.step {
			finer = m
		}
	}
	return finer
}

// stored reads a level's superchunks.
func (f *fetcher) stored(ctx context.Context, l *level, g *group, start, end uint32, b *cellBlock) error {
	if !g.known {
		return nil
	}
	want := func(id uint16) bool { return f.column(id) >= 0 }
	q := chunkQuery{l.step, f.st.windowsIn(l.step, start+1, end-1), []uint32{g.block}}
	var tier chunk.Tier
	return f.r.src.chunks(ctx, q, func(k chunkKey, v []byte) error {
		c, err := chunk.Parse(k.place(), v)
		if err != nil || c.Step != l.step || c.PDP == 0 {
			f.r.damaged++
			return nil
		}
		for slot := range g.series {
			if !c.Has(slot) {
				continue
			}
			v, err := c.Slot(slot)
			if err == nil {
				err = tier.Parse(v, c.Rows, c.Step/c.PDP, f.parts, want)
			}
			if err != nil {
				f.r.damaged++
				continue
			}
			f.take(&tier, c, slot, start, end, b)
		}
		return nil
	})
}

// column is the place of a source among those asked for; -1 is not among them.
func (f *fetcher) column(id uint16) int {
	return slices.IndexFunc(f.sources, func(s sourceEntry) bool { return s.id == id })
}

// take adds the rows of a slot that lie within start and end to b's.
func (f *fetcher) take(tier *chunk.Tier, c *chunk.Block, slot int, start, end uint32, b *cellBlock) {
	from, to := max(start, c.Start), min(end, c.Start+uint32(c.Rows)*c.Step)
	if from >= to {
		return
	}
	n := int(b.step / c.Step)
	for i := range tier.Columns {
		col := &tier.Columns[i]
		source := f.column(col.Source)
		if source < 0 {
			continue
		}
		rescale(&col.Cells, f.sources[source].Kind, c.PDP, f.st.step)
		part := f.slice(&col.Cells, int((from-c.Start)/c.Step), int((to-c.Start)/c.Step))
		if n > 1 {
			f.merged.Resize(len(part.Known) / n)
			rrd.Merge(&f.merged, part, n)
			part = &f.merged
		}
		at := int((from - start) / b.step)
		copyCells(sliceCells(b.make(slot, source, int((end-start)/b.step)), at, at+len(part.Known)), part)
	}
}

// slice is sliceCells where parts may not have been decoded: those are unknown.
func (f *fetcher) slice(c *rrd.Cells, from, to int) *rrd.Cells {
	for len(f.unknown) < to-from {
		f.unknown = append(f.unknown, math.NaN())
	}
	cut := func(v []float64) []float64 {
		if len(v) < to {
			return f.unknown[:to-from]
		}
		return v[from:to]
	}
	return &rrd.Cells{Known: c.Known[from:to], Sum: cut(c.Sum), Min: cut(c.Min), Max: cut(c.Max), Last: cut(c.Last)}
}
