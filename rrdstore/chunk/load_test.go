package chunk

import (
	"math"
	"math/rand/v2"

	"lvs/rrdstore/rrd"
)

// numSources are kept of an entity: five counters and four gauges, the last of
// which hardly ever change.
const numSources = 9

const (
	srcConnections = iota
	srcInPackets
	srcOutPackets
	srcInBytes
	srcOutBytes
	srcActive
	srcInactive
	srcPersistent
	srcWeight
)

const (
	pdp    = 10 // seconds
	perDay = 86400 / pdp
)

// A load is one real server's traffic: rates spread over decades from one to the
// next, a fifth idle, 70 % answering past the director, more by day than by
// night and less at weekends, no day like another, with bursts, and with the
// noise of connections that come independently.
type load struct {
	rnd                      *rand.Rand
	rate                     float64 // connections in a data point, on average
	packets, inSize, outSize float64 // of a connection; bytes of a packet
	open, closing            float64 // seconds a connection is
	phase                    float64
	outgoing, persistent     bool
	weight                   uint64
	mood, day                float64
	now                      [numSources]float64
}

func newLoad(seed uint64) *load {
	rnd := rand.New(rand.NewPCG(seed, 20))
	l := &load{
		rnd: rnd, rate: math.Exp(math.Log(80) + 1.6*rnd.NormFloat64()),
		packets: 4 + 12*rnd.ExpFloat64(), inSize: 60 + 100*rnd.Float64(), outSize: 400 + 800*rnd.Float64(),
		open: 1 + 10*rnd.ExpFloat64(), closing: 60, phase: 0.3 * rnd.NormFloat64(),
		outgoing: rnd.Float64() < 0.3, persistent: rnd.Float64() < 0.05, weight: 1 + rnd.Uint64N(100),
	}
	if rnd.Float64() < 0.2 {
		l.rate = 0
	}
	return l
}

// poisson is a number of independent events, of so many on average.
func (l *load) poisson(mean float64) float64 {
	if mean > 50 {
		return max(0, math.Round(mean+math.Sqrt(mean)*l.rnd.NormFloat64()))
	}
	n, p := 0.0, math.Exp(-mean)
	for u := l.rnd.Float64(); u > p; u *= l.rnd.Float64() {
		n++
	}
	return n
}

// next is data point i since a Monday's midnight: amounts and gauges.
func (l *load) next(i int) *[numSources]float64 {
	v := &l.now
	v[srcWeight] = float64(l.weight)
	if l.rate == 0 {
		return v
	}
	if i%perDay == 0 {
		l.day = 0.08 * l.rnd.NormFloat64()
		if i/perDay%7 >= 5 {
			l.day -= 0.4
		}
	}
	l.mood += -l.mood/60 + 0.02*l.rnd.NormFloat64() // minutes long
	level := l.rate * math.Exp(l.mood+l.day) * (1 + 0.7*math.Sin(2*math.Pi*float64(i)/perDay+l.phase))
	if l.rnd.Float64() < 0.002 {
		level *= 1 + 3*l.rnd.ExpFloat64()
	}
	conns := l.poisson(level)
	v[srcConnections] = conns
	v[srcInPackets] = conns + l.poisson(conns*(l.packets-1))
	v[srcInBytes] = l.bytes(v[srcInPackets], l.inSize)
	if l.outgoing {
		v[srcOutPackets] = conns + l.poisson(conns*l.packets*1.2)
		v[srcOutBytes] = l.bytes(v[srcOutPackets], l.outSize)
	}
	l.stay(&v[srcActive], level, l.open)
	l.stay(&v[srcInactive], level, l.closing)
	if l.persistent {
		l.stay(&v[srcPersistent], level/10, 300)
	}
	return v
}

func (l *load) bytes(packets, size float64) float64 {
	return math.Round(max(40*packets, packets*size+0.5*size*math.Sqrt(packets)*l.rnd.NormFloat64()))
}

// stay makes a gauge the number of those that come at a rate and stay a while.
func (l *load) stay(gauge *float64, perPDP, seconds float64) {
	mean := perPDP / pdp * seconds
	keep := math.Exp(-pdp / seconds)
	left := *gauge * (1 - keep)
	*gauge = max(0, math.Round(*gauge-left+math.Sqrt(left*keep)*l.rnd.NormFloat64())) + l.poisson(mean*(1-keep))
}

// raw is n ticks of a load as read from the kernel: totals and gauges.
func (l *load) raw(from, n int, totals *[numSources]uint64) *Raw {
	r := &Raw{Columns: make([]RawColumn, numSources)}
	for s := range r.Columns {
		r.Columns[s] = RawColumn{Source: uint16(s), Uints: make([]uint64, n)}
	}
	for i := range n {
		for s, v := range l.next(from + i) {
			if s < srcActive {
				totals[s] += uint64(v)
				r.Columns[s].Uints[i] = totals[s]
			} else {
				r.Columns[s].Uints[i] = uint64(v)
			}
		}
	}
	return r
}

// tier is rows of per data points each.
func (l *load) tier(from, rows, per int) *Tier {
	t := &Tier{Columns: make([]TierColumn, numSources), Season: perDay / per}
	for s := range t.Columns {
		t.Columns[s].Source = uint16(s)
		t.Columns[s].Resize(rows)
	}
	for i := range rows * per {
		for s, v := range l.next(from + i) {
			accumulateInto(&t.Columns[s].Cells, i/per, v)
		}
	}
	return t
}

func accumulateInto(c *rrd.Cells, row int, v float64) {
	if c.Known[row]++; c.Known[row] == 1 {
		c.Sum[row], c.Min[row], c.Max[row] = 0, v, v
	}
	c.Sum[row] += v
	c.Min[row], c.Max[row], c.Last[row] = min(c.Min[row], v), max(c.Max[row], v), v
}
