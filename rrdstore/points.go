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
	b := &cellBlock{step: step, width: len(f.sources), memory: &f.r.memory}
	rows, per := int((end-start)/step), int(step/f.st.step)
	from, to := spanned(parts, start, end, step)
	pdp := make([]float64, int(to-from)/int(f.st.step))
	var u updates
	beat := f.beat(parts)
	first, even := steady(parts, f.st.step)
	even = even && f.st.step <= beat
	for slot := range g.series {
		for i, src := range f.sources {
			if !even || !f.steadyPoints(pdp, from, first, parts, slot, src, 1) {
				u.of(parts, slot, src)
				if len(u.Times) == 0 {
					continue
				}
				u.dataPoints(pdp, from, f.st.step, beat)
			}
			all := b.make(slot, i, rows)
			rrd.Consolidate(sliceCells(all, int((from-start)/step), int((to-start)/step)), pdp, per)
		}
	}
	return b, nil
}

// spanned are the rows of a step, of those from start to end, of which parts may
// tell anything.
func spanned(parts []*rawPart, start, end, step uint32) (from, to uint32) {
	from, to = end, start
	for _, p := range parts {
		if n := len(p.ticks); n > 0 {
			from, to = min(from, p.ticks[0]), max(to, p.ticks[n-1])
		}
	}
	from = max(from, start)
	from -= (from - start) % step
	to = min(addTick(to, step-1), end)
	to -= (to - start) % step
	return from, max(from, to)
}

// showPoints makes values of data points, where each is a row: every function's value
// is the point itself.
func (f *fetcher) showPoints(ctx context.Context, g *group, columns func(*Series) []Column) error {
	parts, err := f.raw(ctx, g, f.start, f.end)
	if err != nil {
		return err
	}
	defer f.r.release(parts)
	var u updates
	beat := f.beat(parts)
	first, even := steady(parts, f.step)
	even = even && f.step <= beat
	for slot, s := range g.series {
		all := columns(s)
		for i, src := range f.sources {
			own := all[i*len(f.functions) : (i+1)*len(f.functions)]
			values := own[0].Values
			if !even || !f.steadyPoints(values, f.start, first, parts, slot, src, float64(f.step)) {
				u.of(parts, slot, src)
				u.show(values, f.start, f.step, beat)
			}
			for _, c := range own[1:] {
				copy(c.Values, values)
			}
		}
		f.cut(all, f.st.last(s))
	}
	return nil
}

// beat is the heartbeat of rows: the present one, or what it was when rows came at
// longer intervals.
func (f *fetcher) beat(parts []*rawPart) uint32 {
	beat := f.st.beat
	for _, p := range parts {
		beat = max(beat, p.beat)
	}
	return beat
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
	from := subTick(start, f.st.beat+f.st.step) // what was open then has a heartbeat of its own
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
	head, err := f.head(ctx, g, from, to)
	if err == nil && len(head.ticks) > 0 {
		parts = appendPart(parts, head)
	}
	return parts, err
}

// appendPart adds what the head has to parts of the archive. Imports may have
// brought some of the same time.
func appendPart(parts []*rawPart, head *rawPart) []*rawPart {
	for n := len(parts); n > 0 && len(parts[n-1].ticks) > 0; n-- {
		if t := parts[n-1].ticks; t[len(t)-1] < head.ticks[0] {
			break
		}
		head, parts = mergeParts(head, parts[n-1]), parts[:n-1]
	}
	return append(parts, head)
}

// head is what the head has of a group from from to to.
func (f *fetcher) head(ctx context.Context, g *group, from, to uint32) (*rawPart, error) {
	if p := f.heads[g]; p != nil && from >= f.headFrom && to <= f.headTo {
		return p, nil
	}
	p := new(rawPart)
	if err := f.gather(ctx, []*group{g}, []*rawPart{p}, from, to); err != nil {
		return nil, err
	}
	return p, nil
}

// gather reads what the head has of groups into a part for each.
func (f *fetcher) gather(ctx context.Context, groups []*group, parts []*rawPart, from, to uint32) error {
	type place struct {
		part *rawPart
		slot int
	}
	var wanted []*Series
	var places []place // of those
	var director place
	for i, g := range groups {
		for slot, s := range g.series {
			at := place{parts[i], slot}
			if s.IsDirector() {
				director = at
			}
			wanted, places = append(wanted, s), append(places, at)
		}
	}
	withDirector := director.part != nil
	a := newAssembly(wanted, max(from, f.st.frontier()))
	for _, p := range parts {
		p.expected = int(subTick(min(to, f.st.newest), a.start)/f.st.step) + 1
	}
	if len(a.sids) == 0 && !withDirector {
		return nil
	}
	err := f.r.scan(ctx, a, to, func() error {
		for _, p := range parts {
			p.begin(a.rows.tick)
		}
		for i := range a.slots {
			p := &places[a.slots[i].at]
			a.put(&a.slots[i], p.part, p.slot)
		}
		if withDirector {
			a.putDirector(director.part, director.slot)
		}
		return nil
	})
	for _, p := range parts {
		p.finish()
	}
	return err
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
