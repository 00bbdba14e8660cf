package rrd

import "math"

// run takes the updates from i on that are on the grid: each at the end of the
// data point after the last one's, as a sampler's are but for gaps. It makes the
// same points as update does, many at once, and returns how many updates it took.
// On the grid no point is open, so nothing else has to be kept.
func (p *points) run(i int) int {
	if p.base != i-1 || p.last%p.step != 0 || p.step > int64(p.src.Heartbeat) || p.u.unknown(p.base) {
		return 0
	}
	n := p.onGrid(i)
	if n == 0 {
		return 0
	}
	first := (p.last - p.start) / p.step // the point of update i
	from, to := max(first, 0), min(first+int64(n), int64(len(p.pdp)))
	if from < to {
		p.fill(p.pdp[from:to], i+int(from-first))
		p.bound(p.pdp[from:to])
	}
	p.base, p.last = i+n-1, p.last+int64(n)*p.step
	return n
}

// onGrid counts the updates from i on that are a step apart and have no marks.
func (p *points) onGrid(i int) int {
	t := p.last
	for n, next := range p.u.Times[i:] {
		t += p.step
		if int64(next) != t || p.u.Marks != nil && p.u.Marks[i+n] != 0 {
			return n
		}
	}
	return len(p.u.Times) - i
}

// fill sets dst to the points of the updates from i on, all of them on the grid:
// there an interval's total is the point.
func (p *points) fill(dst []float64, i int) {
	floats := p.u.Uints == nil
	switch {
	case p.src.Type == Gauge || p.src.Type == Absolute:
		if floats {
			copy(dst, p.u.Floats[i:])
			return
		}
		for k, v := range p.u.Uints[i : i+len(dst)] {
			dst[k] = float64(v)
		}
	case floats:
		for k := range dst {
			dst[k] = growthFloat(p.src.Type, p.u.Floats[i+k-1], p.u.Floats[i+k])
		}
	default:
		a := p.u.Uints[i-1]
		for k, b := range p.u.Uints[i : i+len(dst)] {
			if b >= a {
				dst[k] = float64(b - a)
			} else {
				dst[k] = growth(p.src.Type, a, b)
			}
			a = b
		}
	}
}

// bound makes unknown the points whose rates are out of bounds.
func (p *points) bound(dst []float64) {
	least, most := p.src.Min, p.src.Max
	if least != least && most != most {
		return
	}
	if least == 0 && most != most { // the store's counters, which need no rate for it
		for k, v := range dst {
			if v < 0 {
				dst[k] = math.NaN()
			}
		}
		return
	}
	seconds := float64(p.step)
	if p.src.Type == Gauge {
		seconds = 1
	}
	for k, v := range dst {
		if rate := v / seconds; rate < least || rate > most {
			dst[k] = math.NaN()
		}
	}
}
