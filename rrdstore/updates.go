package rrdstore

import (
	"math"

	"lvs/rrdstore/chunk"
	"lvs/rrdstore/rrd"
)

// updates are a source's updates, gathered from one part after the other.
type updates struct {
	rrd.Updates
	kind Kind
	// The slices of Updates are a part's own after the first, if that is all there
	// is to them, and these after that.
	times  []uint32
	uints  []uint64
	floats []float64
	marks  []rrd.Mark
}

func (u *updates) reset(kind Kind) {
	u.kind, u.Updates = kind, rrd.Updates{}
}

// of gathers what parts have of a slot's source.
func (u *updates) of(parts []*rawPart, slot int, src sourceEntry) {
	u.reset(src.Kind)
	for _, p := range parts {
		raw := p.slots[slot]
		if raw == nil {
			continue
		}
		if src.id == resetID {
			u.addResets(p, raw)
			continue
		}
		for c := range raw.Columns {
			if col := &raw.Columns[c]; col.Source == src.id {
				resets := raw.Resets
				if src.id >= importedID { // which the kernel does not count
					resets = nil
				}
				u.add(p.ticks, col, resets)
				break
			}
		}
	}
}

// own makes the slices the gatherer's, so that they may be appended to.
func (u *updates) own() {
	u.times = append(u.times[:0], u.Times...)
	u.uints = append(u.uints[:0], u.Uints...)
	u.Times, u.Uints = u.times, u.uints
}

// keep remembers memory that appending may have moved.
func (u *updates) keep() {
	u.times = u.Times
	if u.Uints != nil {
		u.uints = u.Uints
	}
	if u.Floats != nil {
		u.floats = u.Floats
	}
	if u.Marks != nil {
		u.marks = u.Marks
	}
}

// add appends a column.
func (u *updates) add(ticks []uint32, col *chunk.RawColumn, resets chunk.Bits) {
	plain := col.Uints != nil && col.Has == nil && col.Unknown == nil && resets == nil
	if len(u.Times) == 0 && plain {
		u.Times, u.Uints = ticks, col.Uints
		return
	}
	if u.Floats == nil && u.Marks == nil {
		u.own()
	}
	if plain && u.Floats == nil && u.Marks == nil {
		u.Times, u.Uints = append(u.Times, ticks...), append(u.Uints, col.Uints...)
		u.keep()
		return
	}
	u.mark()
	if col.Uints == nil {
		u.float()
	}
	at := 0
	for i, t := range ticks {
		if col.Has != nil && !col.Has.Has(i) {
			continue
		}
		var mark rrd.Mark
		if resets.Has(i) {
			mark = rrd.Reset
		}
		v, f := uint64(0), math.NaN()
		switch {
		case col.Unknown.Has(i):
			mark |= rrd.Unknown
		case col.Uints != nil:
			v, f = col.Uints[at], float64(col.Uints[at])
			at++
		default:
			f = col.Floats[at]
			at++
		}
		u.append(t, v, f, mark)
	}
	u.keep()
}

func (u *updates) append(t uint32, v uint64, f float64, mark rrd.Mark) {
	u.Times, u.Marks = append(u.Times, t), append(u.Marks, mark)
	if u.Floats != nil {
		u.Floats = append(u.Floats, f)
	} else {
		u.Uints = append(u.Uints, v)
	}
}

// mark makes room for marks.
func (u *updates) mark() {
	if u.Marks == nil {
		u.Marks = append(u.marks[:0], make([]rrd.Mark, len(u.Times))...)
	}
}

// float goes over to floating-point values.
func (u *updates) float() {
	if u.Floats != nil {
		return
	}
	u.Floats = append(u.floats[:0], make([]float64, len(u.Uints))...)
	if u.Floats == nil {
		u.Floats = []float64{}
	}
	for i, v := range u.Uints {
		u.Floats[i] = float64(v)
		if u.Marks[i]&rrd.Unknown != 0 {
			u.Floats[i] = math.NaN()
		}
	}
	u.Uints = nil
}

// addResets appends a slot's resets as updates of a gauge.
func (u *updates) addResets(p *rawPart, raw *chunk.Raw) {
	if u.Marks == nil {
		u.own()
		u.mark()
	}
	for i, t := range p.ticks {
		if !present(raw, i) {
			continue
		}
		v := uint64(0)
		if raw.Resets.Has(i) {
			v = 1
		}
		u.append(t, v, float64(v), 0)
	}
	u.keep()
}

// present reports whether there is an update of anything at tick i.
func present(raw *chunk.Raw, i int) bool {
	for c := range raw.Columns {
		if has := raw.Columns[c].Has; has == nil || has.Has(i) {
			return true
		}
	}
	return false
}

// dataPoints are the data points of what was gathered: of all updates up to a
// heartbeat after the last point. A point that a source's last update left open
// counts as if there were another one some day; until then no row shows it, for
// none is over.
func (u *updates) dataPoints(pdp []float64, start, step, beat uint32) {
	src := rrd.Source{Type: rrd.Gauge, Heartbeat: beat, Min: math.NaN(), Max: math.NaN()}
	if u.kind == Counter {
		src.Type, src.Min = rrd.Derive, 0
	}
	u.Left = true
	rrd.DataPoints(pdp, start, step, src, &u.Updates)
}

// show is dataPoints as a Result has them, those of counters for a second.
func (u *updates) show(values []float64, start, step, beat uint32) {
	if len(u.Times) == 0 {
		setUnknown(values)
		return
	}
	u.dataPoints(values, start, step, beat)
	if u.kind == Counter {
		for k := range values {
			values[k] /= float64(step)
		}
	}
}
