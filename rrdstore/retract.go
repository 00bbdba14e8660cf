package rrdstore

import (
	"context"
	"maps"
	"math"
	"slices"

	"go.etcd.io/bbolt"

	"lvs/rrdstore/chunk"
	"lvs/rrdstore/rrd"
)

// A change is what an import is about to do to a block.
type change struct {
	from, to uint32 // the first and the last tick of it
	aids     map[uint32]bool
}

// changesOf tells by block what points change.
func changesOf(points []staged) map[uint32]*change {
	all := make(map[uint32]*change)
	for _, p := range points {
		block, _ := blockOf(p.aid)
		c := all[block]
		if c == nil {
			c = &change{from: p.tick, to: p.tick, aids: make(map[uint32]bool)}
			all[block] = c
		}
		c.from, c.to = min(c.from, p.tick), max(c.to, p.tick)
		c.aids[p.aid] = true
	}
	return all
}

// retract takes rows of tiers that follow from what an import is about to change
// out of the archive, so that Maintain makes them again: those of steps above step.
// What came from elsewhere, or from rows that are kept no more, stays. Frontiers go
// back first, so that nothing is missing if the import ends half way.
func (im *importer) retract(ctx context.Context, step uint32, changes map[uint32]*change) error {
	if len(changes) == 0 {
		return nil
	}
	first := uint32(math.MaxUint32)
	for _, c := range changes {
		// An update changes what lies between its neighbours, as far as those are a
		// heartbeat away, and the points they are in.
		c.from, c.to = subTick(c.from, im.a.beat+im.a.step), addTick(c.to, im.a.beat+im.a.step)
		first = min(first, c.from)
	}
	if err := im.reopen(step, first); err != nil {
		return err
	}
	r, err := im.s.Reader(ctx)
	if err != nil {
		return err
	}
	f, err := r.tierFetcher(ctx)
	if err != nil {
		return err
	}
	for _, block := range slices.Sorted(maps.Keys(changes)) {
		c := changes[block]
		g := newGroup(block)
		for _, s := range r.series {
			if s.entity != nil && c.aids[s.entity.aid] {
				_, slot := blockOf(s.entity.aid)
				g.add(slot, s)
			}
		}
		if len(g.series) == 0 {
			continue // all of it is new
		}
		// Coarser rows first: they are compared with what the finer ones make.
		for _, l := range slices.Backward(f.st.levels) {
			if !l.fed || l.step <= step {
				continue
			}
			for _, w := range f.st.windowsIn(l.step, c.from, c.to) {
				if err := im.retractWindow(ctx, f, l, w, g, c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// reopen has windows of tiers above step made again from a time on.
func (im *importer) reopen(step, from uint32) error {
	var back []*level
	for _, l := range im.a.levels {
		if l.fed && l.step > step && l.floor(from) < l.frontier {
			back = append(back, l)
		}
	}
	if len(back) == 0 {
		return nil
	}
	return im.update(func(tx *bbolt.Tx) error {
		for _, l := range back {
			l.frontier = l.floor(from)
			if err := l.put(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// retractWindow makes the rows of a window unknown that are what the level below
// makes them.
func (im *importer) retractWindow(ctx context.Context, f *fetcher, l *level, window uint32, g *group, c *change) error {
	k := chunkKey{l.step, window, g.block}
	if there, err := im.has(k, g); err != nil || !there {
		return err
	}
	start, end := max(window, c.from-c.from%l.step), min(addTick(window, l.span), c.to-c.to%l.step+l.step)
	below, err := f.cells(ctx, f.below(l), g, start, end, l.step)
	if err != nil {
		return err
	}
	made := &cellBlock{step: l.step, width: len(f.sources), memory: &f.r.memory}
	made = below.over(made, int((end-start)/l.step))

	return im.update(func(tx *bbolt.Tx) error {
		v := getChunk(tx, k)
		if v == nil {
			return nil
		}
		b, err := chunk.Parse(k.place(), v)
		if err != nil || b.Step != l.step || b.PDP != f.st.step {
			return nil // damaged, or made of other points
		}
		var slots [chunk.Slots][]byte
		changed := false
		for i := range slots {
			if slots[i], err = b.Slot(i); err != nil {
				slots[i] = nil
			}
			if slots[i] == nil || g.series[i] == nil {
				continue
			}
			t := chunk.Tier{Season: int(86400 / l.step)}
			if t.Parse(slots[i], b.Rows, l.step/b.PDP, chunk.AllParts, nil) != nil {
				continue
			}
			if !f.retractSlot(&t, made, i, int((start-window)/l.step)) {
				continue
			}
			changed = true
			t.Columns = slices.DeleteFunc(t.Columns, func(c chunk.TierColumn) bool { return !anyKnown(c.Known) })
			if slots[i] = nil; len(t.Columns) > 0 {
				slots[i] = t.Append(nil, b.Rows, l.step/b.PDP)
			}
		}
		if !changed {
			return nil
		}
		return putChunk(tx, k, chunk.Append(nil, k.place(), &b.Header, &slots))
	})
}

// has reports whether a superchunk has anything of a group.
func (im *importer) has(k chunkKey, g *group) (there bool, err error) {
	err = im.a.view(func(tx *bbolt.Tx) error {
		v := getChunk(tx, k)
		if v == nil {
			return nil
		}
		b, err := chunk.Parse(k.place(), v)
		if err != nil {
			return nil // damaged
		}
		for slot := range g.series {
			there = there || b.Has(slot)
		}
		return nil
	})
	return there, err
}

// retractSlot makes the rows of t unknown that made has from row at on, and
// reports whether there are any.
func (f *fetcher) retractSlot(t *chunk.Tier, made *cellBlock, slot, at int) (changed bool) {
	for i := range t.Columns {
		col := &t.Columns[i]
		source := f.column(col.Source)
		if source < 0 {
			continue
		}
		again := made.at(slot, source)
		if again == nil {
			continue
		}
		for k := range again.Known {
			if row := at + k; col.Known[row] > 0 && sameRow(&col.Cells, row, again, k) {
				nan := math.NaN()
				col.Known[row], col.Sum[row], col.Min[row], col.Max[row], col.Last[row] = 0, nan, nan, nan, nan
				changed = true
			}
		}
	}
	return changed
}

// sameRow reports whether two rows are the same but for the rounding of sums.
func sameRow(a *rrd.Cells, i int, b *rrd.Cells, k int) bool {
	same := func(a, b []float64) bool {
		x, y := a[i], b[k]
		return x == y || x != x && y != y || math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y))
	}
	return a.Known[i] == b.Known[k] && same(a.Sum, b.Sum) && same(a.Min, b.Min) && same(a.Max, b.Max) && same(a.Last, b.Last)
}
