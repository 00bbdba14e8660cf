package rrdstore

import (
	"context"
	"slices"

	"go.etcd.io/bbolt"

	"lvs/rrdstore/chunk"
)

// rowsChunk is a block's rows of a window, as the head has them, merged with
// what the archive has already. It is nil if there is none.
func (s *Store) rowsChunk(ctx context.Context, a *archive, j *job, block uint32) ([]byte, error) {
	g := j.blockSeries(block)
	p := &s.part
	p.clear()
	director, withDirector := g.director()
	err := j.reader.headRows(ctx, j.window, j.end()-1, g.list(), func(row *Row) error {
		p.begin(uint32(row.Tick.Unix()))
		for i := range row.Entries {
			p.add(g.set[row.Entries[i].Series], &row.Entries[i])
		}
		if withDirector {
			e := row.directorEntry()
			p.add(director, &e)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.finish()
	part := p
	err = a.view(func(tx *bbolt.Tx) error {
		k := chunkKey{0, j.window, block}
		if v := getChunk(tx, k); v != nil {
			if old := j.reader.rawChunk(k, v, nil, nil); old != nil {
				part = mergeParts(p, old)
			}
		}
		return nil
	})
	if err != nil || len(part.ticks) == 0 {
		return nil, err
	}
	return part.append(j.window, j.place(block)), nil
}

// append encodes the part as a superchunk.
func (p *rawPart) append(window uint32, place []byte) []byte {
	h := &chunk.Header{Start: window, Rows: len(p.ticks), Ticks: p.ticks}
	var slots [chunk.Slots][]byte
	for i, raw := range p.slots {
		if raw != nil && len(raw.Columns) > 0 {
			slots[i] = raw.Append(nil, len(p.ticks))
		}
	}
	return chunk.Append(nil, place, h, &slots)
}

// clear empties the part and keeps its memory.
func (p *rawPart) clear() {
	p.ticks = p.ticks[:0]
	for slot, full := range p.full {
		if full == nil {
			continue
		}
		p.slots[slot] = nil
		for c := range full {
			full[c] = chunk.RawColumn{Source: uint16(c), Uints: full[c].Uints[:0]}
		}
	}
}

// mergeParts is all that either part has; where both have a source's update at
// one tick, it is p's.
func mergeParts(p, o *rawPart) *rawPart {
	m := &rawPart{ticks: slices.Concat(p.ticks, o.ticks)}
	slices.Sort(m.ticks)
	m.ticks = slices.Compact(m.ticks)
	for i := range m.slots {
		if p.slots[i] != nil || o.slots[i] != nil {
			m.slots[i] = mergeRaw(m.ticks, p.ticks, p.slots[i], o.ticks, o.slots[i])
		}
	}
	return m
}

func mergeRaw(ticks, aTicks []uint32, a *chunk.Raw, bTicks []uint32, b *chunk.Raw) *chunk.Raw {
	m := new(chunk.Raw)
	columns := make(map[uint16]map[uint32]Value)
	for _, from := range []struct {
		ticks []uint32
		raw   *chunk.Raw
	}{{bTicks, b}, {aTicks, a}} {
		if from.raw == nil {
			continue
		}
		for c := range from.raw.Columns {
			col := &from.raw.Columns[c]
			if columns[col.Source] == nil {
				columns[col.Source] = make(map[uint32]Value)
			}
			for i, t := range from.ticks {
				if v, has := columnValue(col, i); has {
					columns[col.Source][t] = v
				}
			}
		}
		for i, t := range from.ticks {
			if from.raw.Resets.Has(i) {
				at, _ := slices.BinarySearch(ticks, t)
				setBit(&m.Resets, at)
			}
		}
	}
	for id, values := range columns {
		m.Columns = append(m.Columns, newColumn(id, ticks, values))
	}
	slices.SortFunc(m.Columns, func(a, b chunk.RawColumn) int { return int(a.Source) - int(b.Source) })
	return m
}

// newColumn encodes values at some of the ticks.
func newColumn(id uint16, ticks []uint32, values map[uint32]Value) chunk.RawColumn {
	col := chunk.RawColumn{Source: id}
	isUint := true
	for _, v := range values {
		if _, ok := v.Uint(); !ok && v.Known() {
			isUint = false
		}
	}
	if isUint {
		col.Uints = make([]uint64, 0, len(values))
	}
	for i, t := range ticks {
		v, has := values[t]
		if !has {
			continue
		}
		setBit(&col.Has, i)
		u, _ := v.Uint()
		switch {
		case !v.Known():
			setBit(&col.Unknown, i)
		case isUint:
			col.Uints = append(col.Uints, u)
		default:
			col.Floats = append(col.Floats, v.Float())
		}
	}
	if len(values) == len(ticks) {
		col.Has = nil
	}
	return col
}
