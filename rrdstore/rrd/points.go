package rrd

import "math"

// DataPoints fills pdp with the data points of the intervals that end at
// start+step, start+2*step and so on; NaN is unknown. The points of a Counter, a
// Derive and an Absolute are amounts, the rate times step; those of a Gauge are
// its values. Step is not 0, and start is a multiple of it.
//
// The first update only says from when on there are data, as the time does at
// which RRDtool creates a file; updates before start make known what is open at
// start, and one after pdp's end makes known its last points. The points are those
// rrdtool 1.7.2 makes of the same updates: an interval's amount is shared out by
// seconds among the points it touches; a point is unknown if more than half of it
// was unknown before the update that closes it, and otherwise is the mean over the
// seconds that are known.
func DataPoints(pdp []float64, start, step uint32, src Source, u *Updates) {
	p := newPoints(pdp, start, step, src, u)
	for i := 1; i < len(u.Times); {
		if n := p.run(i); n > 0 {
			i += n
			continue
		}
		p.update(i)
		i++
	}
	if u.Left {
		p.leave()
	}
}

// points makes data points of updates, one after the other.
type points struct {
	pdp         []float64
	start, step int64
	src         Source
	u           *Updates

	base int   // the update before
	last int64 // its time
	// The point that was open then: what it has, and how many of its seconds
	// before last are unknown.
	amount  float64
	unknown int64
}

// newPoints takes the first update and makes all points unknown.
func newPoints(pdp []float64, start, step uint32, src Source, u *Updates) *points {
	for i := range pdp {
		pdp[i] = math.NaN()
	}
	p := &points{pdp: pdp, start: int64(start), step: int64(step), src: src, u: u}
	if len(u.Times) > 0 {
		p.last = int64(u.Times[0])
		p.unknown = p.last % p.step
	}
	return p
}

// leave shuts the point that is open at the last update, as one without a value
// beyond the heartbeat does.
func (p *points) leave() {
	rest := p.step - p.last%p.step
	k := (p.last - p.start) / p.step
	if rest < p.step && p.last >= p.start && k < int64(len(p.pdp)) {
		p.pdp[k] = p.first(interval{rest, math.NaN(), math.NaN()}, rest, rest)
	}
}

// An interval is what lies between two updates.
type interval struct {
	seconds int64
	total   float64 // the rate times seconds; NaN is unknown
	point   float64 // a data point that lies within it whole
}

// update takes update i, whenever it is.
func (p *points) update(i int) {
	t := int64(p.u.Times[i])
	if t <= p.last {
		return
	}
	v := p.interval(i, t-p.last)
	known := v.total == v.total
	open, now := p.last-p.last%p.step, t-t%p.step // when the points open before and after began
	switch {
	case open != now:
		p.shut(open, now, v)
		p.amount, p.unknown = 0, 0
		if known {
			p.amount = v.share(t - now)
		} else {
			p.unknown = t - now
		}
	case known:
		p.amount += v.total
	default:
		p.unknown += v.seconds
	}
	p.base, p.last = i, t
}

// shut sets the points from the one that began at open to the one that ends at
// now: the first may have something already, the others lie within v whole.
func (p *points) shut(open, now int64, v interval) {
	if rest := open + p.step - p.last; rest < p.step {
		// An interval that shuts more points than one is split by RRDtool where the
		// first of them ends, and the heartbeat is held against that part alone.
		span := v.seconds
		if now > open+p.step {
			span = rest
		}
		if k := (open - p.start) / p.step; open >= p.start && k < int64(len(p.pdp)) {
			p.pdp[k] = p.first(v, rest, span)
		}
		open += p.step
	}
	from, to := max(open-p.start, 0)/p.step, min((now-p.start)/p.step, int64(len(p.pdp)))
	for ; from < to; from++ {
		p.pdp[from] = v.point
	}
}

// first is the point that was open at the last update; v holds the rest of its
// seconds.
func (p *points) first(v interval, rest, span int64) float64 {
	if span > int64(p.src.Heartbeat) || 2*p.unknown > p.step {
		return math.NaN()
	}
	amount, known := p.amount, p.step-p.unknown
	if v.total == v.total {
		amount += v.share(rest)
	} else {
		known -= rest // after the look at the half, as RRDtool does it
	}
	switch {
	case known == 0:
		return math.NaN()
	case p.src.Type == Gauge:
		return amount / float64(known)
	case known == p.step:
		return amount
	}
	return amount * float64(p.step) / float64(known)
}

// interval is what the seconds before update i held.
func (p *points) interval(i int, seconds int64) interval {
	v := interval{seconds, math.NaN(), math.NaN()}
	if seconds > int64(p.src.Heartbeat) || p.u.unknown(i) {
		return v
	}
	var total, rate float64
	switch p.src.Type {
	case Gauge:
		rate = p.u.value(i)
		total = rate * float64(seconds)
	case Absolute:
		total = p.u.value(i)
		rate = total / float64(seconds)
	default:
		if p.u.unknown(p.base) || p.u.reset(i) {
			return v
		}
		total = p.growth(i)
		rate = total / float64(seconds)
	}
	if rate < p.src.Min || rate > p.src.Max {
		return v
	}
	v.total, v.point = total, rate
	if p.src.Type != Gauge {
		v.point = v.share(p.step)
	}
	return v
}

// growth is by how much a Counter or Derive grew up to update i.
func (p *points) growth(i int) float64 {
	if p.u.Uints == nil {
		return growthFloat(p.src.Type, p.u.Floats[p.base], p.u.Floats[i])
	}
	return growth(p.src.Type, p.u.Uints[p.base], p.u.Uints[i])
}

// share is the part of the total that falls to some of the seconds; to all of
// them, the total exactly.
func (v interval) share(seconds int64) float64 {
	if seconds == v.seconds {
		return v.total
	}
	return v.total * float64(seconds) / float64(v.seconds)
}
