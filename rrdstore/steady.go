package rrdstore

import (
	"math"

	"lvs/rrdstore/chunk"
)

// steady reports whether the ticks of parts, one after the other, are a step apart
// and on its grid, as a sampler's are that missed none; first is the first of them.
// Then an update's data point is the one that ends with it, and no other update has
// a share in it.
func steady(parts []*rawPart, step uint32) (first uint32, ok bool) {
	next, begun := uint32(0), false
	for _, p := range parts {
		for _, t := range p.ticks {
			if !begun {
				first, next, begun = t, t, true
			}
			if t != next || t < first { // or else the time has ended
				return 0, false
			}
			next += step
		}
	}
	return first, begun && first%step == 0
}

// steadyPoints fills values with the data points from start on of a slot's source,
// whose parts are steady from first on: counters' growth, divided by so many
// seconds, and gauges' values. It reports whether each tick has an integer and no
// counter began anew, without which it does nothing. The points are those that
// updates.dataPoints makes, in one pass over values where they are.
func (f *fetcher) steadyPoints(values []float64, start, first uint32, parts []*rawPart, slot int, src sourceEntry, seconds float64) bool {
	f.columns = f.columns[:0]
	for _, p := range parts {
		if len(p.ticks) == 0 {
			continue
		}
		v := plainColumn(p.slots[slot], src.id)
		if len(v) != len(p.ticks) {
			return false
		}
		f.columns = append(f.columns, v)
	}
	// The first update says only from when on there are data.
	before, known := f.columns[0][0], f.columns[0][1:]
	at := (int(first) - int(start)) / int(f.st.step) // the point of known's first value
	setUnknown(values[:min(max(at, 0), len(values))])
	for i := 0; ; known = f.columns[i] {
		if skip := min(max(-at, 0), len(known)); skip > 0 {
			before, known, at = known[skip-1], known[skip:], at+skip
		}
		n := max(0, min(len(known), len(values)-at))
		if n > 0 {
			before = show(values[at:at+n], known, before, src.Kind, seconds)
		}
		at += n
		if i++; i == len(f.columns) {
			break
		}
	}
	setUnknown(values[min(max(at, 0), len(values)):])
	return true
}

// show makes points of values, as many as dst is long, the first of which follows
// before; it returns the last.
func show(dst []float64, values []uint64, before uint64, kind Kind, seconds float64) (last uint64) {
	values = values[:len(dst)]
	switch {
	case kind == Gauge:
		for i, v := range values {
			dst[i] = float64(v)
		}
		return values[len(values)-1]
	case seconds == 1:
		for i, v := range values {
			dst[i] = math.NaN()
			if v >= before {
				dst[i] = float64(v - before)
			}
			before = v
		}
		return before
	}
	for i, v := range values {
		dst[i] = math.NaN()
		if v >= before {
			dst[i] = float64(v-before) / seconds
		}
		before = v
	}
	return before
}

// plainColumn is the values of a source that has an integer at every tick, in a slot
// whose counters never began anew. It is nil of others.
func plainColumn(raw *chunk.Raw, source uint16) []uint64 {
	if raw == nil || raw.Resets != nil || source == resetID {
		return nil
	}
	for i := range raw.Columns {
		if c := &raw.Columns[i]; c.Source == source {
			if c.Has != nil || c.Unknown != nil {
				return nil
			}
			return c.Uints
		}
	}
	return nil
}
