package rrdstore

import (
	"context"
	"slices"

	"go.etcd.io/bbolt"

	"lvs/rrdstore/chunk"
)

// rowChunks are blocks of a window's rows, as the head has them, merged with what
// the archive has already. Those of which there is none are nil.
func (s *Store) rowChunks(ctx context.Context, a *archive, j *job, blocks []uint32) ([][]byte, error) {
	for i := range blocks {
		s.parts[i].expected = int(j.level.span / max(a.step, 1))
	}
	if err := s.gather(ctx, j, blocks); err != nil {
		return nil, err
	}
	chunks := make([][]byte, len(blocks))
	for i, block := range blocks {
		part := &s.parts[i]
		part.columns = s.columns // of the part before, which is encoded
		part.finish()
		s.columns, part.columns = part.columns, nil
		err := a.view(func(tx *bbolt.Tx) error {
			k := chunkKey{0, j.window, block}
			if v := getChunk(tx, k); v != nil {
				if old := j.reader.rawChunk(k, v, nil, nil); old != nil {
					part = mergeParts(part, old)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if len(part.ticks) > 0 {
			chunks[i] = s.encoded.part(part, j.window, j.place(block), a.beatOf(j.window))
		}
	}
	return chunks, nil
}

// beatOf is the heartbeat of the rows of a window.
func (a *archive) beatOf(window uint32) uint32 {
	if window <= a.oldUntil {
		return max(a.beat, a.oldBeat)
	}
	return a.beat
}

// gather reads the window's rows of blocks from the head.
func (s *Store) gather(ctx context.Context, j *job, blocks []uint32) error {
	type place struct {
		part *rawPart
		slot int
	}
	var wanted []*Series
	var places []place // of those
	var director place
	for i, block := range blocks {
		s.parts[i].clear()
		for slot, series := range j.blockSeries(block).series {
			at := place{&s.parts[i], slot}
			if series.IsDirector() {
				director = at
				continue
			}
			wanted, places = append(wanted, series), append(places, at)
		}
	}
	as := newAssembly(wanted, j.window)
	return j.reader.scan(ctx, as, j.end()-1, func() error {
		for i := range blocks {
			s.parts[i].begin(as.rows.tick)
		}
		for i := range as.slots {
			p := &places[as.slots[i].at]
			as.put(&as.slots[i], p.part, p.slot)
		}
		if director.part != nil {
			as.putDirector(director.part, director.slot)
		}
		return nil
	})
}

// put adds what the row has of a slot to a part.
func (a *assembly) put(w *wantedSlot, p *rawPart, slot int) {
	if a.rows.has(w.slot) {
		p.add(slot, &a.rows.state.values[w.slot], !a.rows.header.partial, len(gaugeOrder), a.rows.reset(w.slot))
	}
}

// putDirector adds what the row has of the director to a part.
func (a *assembly) putDirector(p *rawPart, slot int) {
	h := &a.rows.header
	p.add(slot, &a.rows.state.director, h.hasStats, btoi(h.hasConnections), h.reset)
}

// An encoding is the slots of a superchunk on their way, in memory that is used
// for one after the other.
type encoding struct {
	buf   []byte
	slots [chunk.Slots][]byte
}

func (e *encoding) clear() { e.buf, e.slots = e.buf[:0], [chunk.Slots][]byte{} }

// add takes what is appended as a slot. Where buf had to move, the slots before
// stay where they were.
func (e *encoding) add(slot int, appendTo func([]byte) []byte) {
	start := len(e.buf)
	e.buf = appendTo(e.buf)
	e.slots[slot] = e.buf[start:len(e.buf):len(e.buf)]
}

// part is a superchunk of raw rows.
func (e *encoding) part(p *rawPart, window uint32, place []byte, beat uint32) []byte {
	h := &chunk.Header{PDP: max(beat, p.beat), Start: window, Rows: len(p.ticks), Ticks: p.ticks}
	e.clear()
	for i, raw := range p.slots {
		if raw != nil && len(raw.Columns) > 0 {
			e.add(i, func(b []byte) []byte { return raw.Append(b, len(p.ticks)) })
		}
	}
	return chunk.Append(nil, place, h, &e.slots)
}

// clear empties the part and keeps its memory.
func (p *rawPart) clear() {
	p.ticks = p.ticks[:0]
	clear(p.slots[:])
	for _, b := range p.full {
		if b == nil {
			continue
		}
		b.rows, b.counters, b.gauges, b.resets = b.rows[:0], b.counters[:0], b.gauges[:0], nil
		b.ragged = false
	}
}

// mergeParts is all that either part has; where both have a source's update at
// one tick, it is p's.
func mergeParts(p, o *rawPart) *rawPart {
	m := &rawPart{beat: max(p.beat, o.beat), ticks: slices.Concat(p.ticks, o.ticks)}
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
