package rrdstore

import (
	"context"

	"lvs/rrdstore/rrd"
)

// points are rows of a step made of the data points themselves.
func (f *fetcher) points(ctx context.Context, g *group, start, end, step uint32) (*cellBlock, error) {
	parts, err := f.raw(ctx, g, start, end)
	if err != nil {
		return nil, err
	}
	defer f.r.release(parts)
	b := &cellBlock{step: step, width: len(f.sources)}
	rows, per := int((end-start)/step), int(step/f.st.step)
	pdp := make([]float64, rows*per)
	var u updates
	for slot := range g.series {
		for i, src := range f.sources {
			u.reset(src.Kind)
			for _, p := range parts {
				if src.id == resetID {
					p.resets(slot, &u)
				} else {
					p.updates(slot, src.id, &u)
				}
			}
			if len(u.Times) == 0 {
				continue
			}
			u.dataPoints(pdp, start, f.st.step, f.st.beat)
			rrd.Consolidate(b.make(slot, i, rows), pdp, per)
		}
	}
	return b, nil
}

// raw are the raw rows of a group that the data points from start to end follow
// from: also the last before start and the first after end, as far as they
// matter.
func (f *fetcher) raw(ctx context.Context, g *group, start, end uint32) ([]*rawPart, error) {
	to := addTick(end, f.st.beat)
	parts, err := f.rawChunks(ctx, g, f.st.windowsIn(0, start, to))
	if err != nil {
		return nil, err
	}
	// The point that was open at the last update has its own heartbeat; see
	// rrd.DataPoints. The same makes the next update count however late it is,
	// unless the last one fell on the end of a point, as a sampler's always do.
	from := subTick(start, f.st.beat+f.st.step)
	if offGrid(parts, f.st.step) {
		to = f.next(to)
		if parts, err = f.rawChunks(ctx, g, f.st.windowsIn(0, start, to)); err != nil {
			return nil, err
		}
	}
	if len(parts) == 0 || !parts[0].begins(start, g) {
		earlier := f.st.windowsIn(0, from, start)
		if n := len(earlier); n > 0 && earlier[n-1]+f.st.levels[0].span > start {
			earlier = earlier[:n-1] // read already
		}
		before, err := f.rawChunks(ctx, g, earlier)
		if err != nil {
			return nil, err
		}
		parts = append(before, parts...)
	}
	head := new(rawPart) // its slots are not decoded into, so it is no harm to release it
	frontier := f.st.frontier()
	err = f.r.headRows(ctx, max(from, frontier), to, g.list(), func(row *Row) error {
		head.begin(uint32(row.Tick.Unix()))
		for i := range row.Entries {
			head.add(g.set[row.Entries[i].Series], &row.Entries[i])
		}
		if slot, ok := g.director(); ok {
			e := row.directorEntry()
			head.add(slot, &e)
		}
		return nil
	})
	if len(head.ticks) > 0 {
		head.finish()
		parts = append(parts, head)
	}
	return parts, err
}

// offGrid reports whether there are ticks that end no data point.
func offGrid(parts []*rawPart, step uint32) bool {
	for _, p := range parts {
		for _, t := range p.ticks {
			if t%step != 0 {
				return true
			}
		}
	}
	return false
}

// next is the end of the window after t, or of all there is.
func (f *fetcher) next(t uint32) uint32 {
	for _, w := range f.st.windows[0] {
		if w > t {
			return addTick(w, f.st.levels[0].span-1)
		}
	}
	return max(t, f.st.newest)
}

// rawChunks decodes a group's superchunks of windows of raw rows.
func (f *fetcher) rawChunks(ctx context.Context, g *group, windows []uint32) (parts []*rawPart, err error) {
	if !g.known || len(windows) == 0 {
		return nil, nil
	}
	err = f.r.src.chunks(ctx, chunkQuery{0, windows, []uint32{g.block}}, func(k chunkKey, v []byte) error {
		if p := f.r.rawChunk(k, v, g.picked, func(id uint16) bool { return f.column(id) >= 0 }); p != nil {
			parts = append(parts, p)
		}
		return nil
	})
	return parts, err
}

// begins reports whether everything that a group has in the part was updated at
// its first tick, which is start: then nothing of before matters.
func (p *rawPart) begins(start uint32, g *group) bool {
	if len(p.ticks) == 0 || p.ticks[0] != start {
		return false
	}
	for slot := range g.series {
		raw := p.slots[slot]
		if raw == nil {
			return false
		}
		for c := range raw.Columns {
			if has := raw.Columns[c].Has; has != nil && !has.Has(0) {
				return false
			}
		}
	}
	return true
}

// director is the slot of the director, if it is in the group.
func (g *group) director() (slot int, ok bool) {
	for s, slot := range g.set {
		if s.IsDirector() {
			return slot, true
		}
	}
	return 0, false
}

// directorEntry is what the row has of the director.
func (row *Row) directorEntry() Entry {
	e := Entry{Total: row.Total, Active: row.Connections}
	if row.HasStats {
		e.Known = knownCounters
	}
	if row.HasConnections {
		e.Known |= 1 << valueOrder[valueActive]
	}
	return e
}

// resets appends a slot's resets as updates of a gauge.
func (p *rawPart) resets(slot int, u *updates) {
	raw := p.slots[slot]
	if raw == nil {
		return
	}
	for i, t := range p.ticks {
		present := false
		for c := range raw.Columns {
			if has := raw.Columns[c].Has; has == nil || has.Has(i) {
				present = true
				break
			}
		}
		if !present {
			continue
		}
		v := uint64(0)
		if raw.Resets.Has(i) {
			v = 1
		}
		u.Times, u.Uints, u.Marks = append(u.Times, t), append(u.Uints, v), append(u.Marks, 0)
	}
}
