package rrdstore

import (
	"slices"

	"lvs/rrdstore/chunk"
)

// newPart makes columns of points.
func newPart(points []staged) *rawPart {
	p := new(rawPart)
	type place struct {
		slot   int
		source uint16
	}
	columns := make(map[place]map[uint32]Value)
	for _, pt := range points {
		_, slot := blockOf(pt.aid)
		at := place{slot, pt.source}
		if columns[at] == nil {
			columns[at] = make(map[uint32]Value)
		}
		if _, twice := columns[at][pt.tick]; !twice {
			columns[at][pt.tick] = pt.value
		}
		p.ticks = append(p.ticks, pt.tick)
	}
	slices.Sort(p.ticks)
	p.ticks = slices.Compact(p.ticks)
	for at, values := range columns {
		if p.slots[at.slot] == nil {
			p.slots[at.slot] = new(chunk.Raw)
		}
		raw := p.slots[at.slot]
		raw.Columns = append(raw.Columns, newColumn(at.source, p.ticks, values))
	}
	for _, raw := range p.slots {
		if raw != nil {
			slices.SortFunc(raw.Columns, func(a, b chunk.RawColumn) int { return int(a.Source) - int(b.Source) })
		}
	}
	return p
}

// count is how many updates the part holds.
func (p *rawPart) count() (n int) {
	for _, raw := range p.slots {
		if raw == nil {
			continue
		}
		for c := range raw.Columns {
			if has := raw.Columns[c].Has; has != nil {
				n += has.Count(len(p.ticks))
			} else {
				n += len(p.ticks)
			}
		}
	}
	return n
}
