package rrd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A database is what one file of rrdtool's is made of, and the updates it gets.
// The first update, unknown to all, is the creation.
type database struct {
	step     uint32
	times    []uint32
	series   []series
	archives []archive
}

// A series is one source and its updates.
type series struct {
	Source
	Updates
}

// An archive is how rows are made: RRDtool's RRA.
type archive struct {
	function Function
	per      int // data points in a row
	rows     int
	xff      float64
}

// randomDatabase is different for every number, and always the same for one.
func randomDatabase(number uint64) *database {
	r := &random{rand.New(rand.NewPCG(number, 0x5eed))}
	d := &database{step: r.step()}
	var longest uint32
	heartbeat := r.heartbeat(d.step)
	d.times, longest = r.times(d.step, heartbeat)
	for range 1 + r.IntN(5) {
		if r.IntN(4) == 0 { // sources differ in heartbeats too
			heartbeat = r.heartbeat(d.step)
		}
		d.series = append(d.series, r.series(d.times, heartbeat))
	}
	span := d.times[len(d.times)-1] - d.times[0]
	for range 1 + r.IntN(6) {
		a := archive{function: Function(r.IntN(4)), per: 1, xff: float64(r.IntN(100)) / 100}
		if r.IntN(5) > 0 {
			a.per = 1 + r.IntN([]int{4, 12, 60}[r.IntN(3)])
		}
		// RRDtool misplaces a row where an interval is longer than an archive.
		row := d.step * uint32(a.per)
		a.rows = int(longest/row) + 2 + r.IntN(int(span/row)+2)
		d.archives = append(d.archives, a)
	}
	return d
}

// create is the command that makes the file.
func (d *database) create() string {
	var b strings.Builder
	fmt.Fprintf(&b, "create db.rrd --start %d --step %d", d.times[0], d.step)
	for i, s := range d.series {
		fmt.Fprintf(&b, " DS:s%d:%v:%d:%s:%s", i, s.Type, s.Heartbeat, bound(s.Min), bound(s.Max))
	}
	for _, a := range d.archives {
		fmt.Fprintf(&b, " RRA:%s:%s:%d:%d", functionNames[a.function], strconv.FormatFloat(a.xff, 'f', -1, 64), a.per, a.rows)
	}
	return b.String()
}

func bound(v float64) string {
	if v != v {
		return "U"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// text is update i as rrdtool reads it.
func (s *series) text(i int) string {
	switch {
	case s.unknown(i):
		return "U"
	case s.Uints != nil:
		return strconv.FormatUint(s.Uints[i], 10)
	}
	return strconv.FormatFloat(s.Floats[i], 'f', -1, 64)
}

type random struct{ *rand.Rand }

// chance is true once in n times.
func (r random) chance(n int) bool { return r.IntN(n) == 0 }

func (r random) step() uint32 {
	if r.chance(2) {
		return []uint32{1, 5, 10, 60, 300}[r.IntN(5)]
	}
	return 1 + r.Uint32N(300)
}

func (r random) heartbeat(step uint32) uint32 {
	if r.chance(10) {
		return 1 + r.Uint32N(step)
	}
	return step + r.Uint32N(4*step)
}

// times are of the creation and some hundred updates, and the longest of their
// intervals: those of a sampler on the grid or off it, late, or without any
// rhythm, with gaps around the heartbeat and far beyond.
func (r random) times(step, heartbeat uint32) (times []uint32, longest uint32) {
	start := 1_000_000_000 + r.Uint32N(1e9)
	if r.chance(10) {
		start = math.MaxUint32 - 1000*step // the last there is room for
	}
	onGrid, rhythm := r.chance(2), 1+r.IntN(3)
	if onGrid {
		start -= start % step
	}
	times = []uint32{start}
	for range 30 + r.IntN(720) {
		last := times[len(times)-1]
		var d uint32
		switch k := r.IntN(20); {
		case k == 0:
			d = 1 + r.Uint32N(2*heartbeat)
		case k == 1 && r.chance(4):
			d = heartbeat + r.Uint32N(40*step)
		case k == 2 || rhythm == 1 && !onGrid:
			d = 1 + r.Uint32N(step*3/2+1)
		default:
			d = step
			if onGrid {
				d -= last % step // back to the grid
			} else if rhythm == 2 {
				d += r.Uint32N(2 + step/10)
			}
		}
		if d > math.MaxUint32-last-60*step {
			break
		}
		longest = max(longest, d)
		times = append(times, last+d)
	}
	return times, longest
}

// series is a source of any type whose values do all that values do.
func (r random) series(times []uint32, heartbeat uint32) series {
	n := len(times)
	s := series{Source{Type(r.IntN(4)), heartbeat, math.NaN(), math.NaN()}, Updates{Times: times, Marks: make([]Mark, n)}}
	largest := math.Pow(10, 7*r.Float64())
	switch {
	case s.Type == Counter, s.Type == Derive && r.chance(2):
		s.Uints = r.counter(n, uint64(largest)+1)
	case s.Type == Derive:
		s.Floats = r.walk(n, largest)
	default:
		s.Floats = r.values(n, largest)
	}
	s.Marks[0] = Unknown
	unknowns := 3 + r.IntN(60)
	for i := range s.Marks {
		if r.chance(unknowns) {
			s.Marks[i] = Unknown
		}
	}
	if r.chance(3) {
		s.Min = 0
	} else if r.chance(3) {
		s.Min = math.Round(largest / 50 * r.Float64())
	}
	if r.chance(3) {
		s.Max = max(s.Min, 0) + math.Ceil(largest*r.Float64())
	}
	return s
}

// counter grows, begins anew, and wraps where 32 and 64 bits end.
func (r random) counter(n int, largest uint64) []uint64 {
	v := []uint64{0, 1<<32 - 1 - r.Uint64N(50*largest), 1<<53 + r.Uint64(), math.MaxUint64 - r.Uint64N(50*largest)}[r.IntN(4)]
	narrow := v < 1<<32
	values := make([]uint64, n)
	for i := range values {
		switch {
		case r.chance(40):
			v = r.Uint64N(largest)
		case !r.chance(5):
			v += r.Uint64N(largest)
		}
		if narrow {
			v %= 1 << 32
		}
		values[i] = v
	}
	return values
}

// walk is integers that rise and fall, above zero and below.
func (r random) walk(n int, largest float64) []float64 {
	v, values := 0.0, make([]float64, n)
	for i := range values {
		v += math.Round(largest * (r.Float64() - 0.45))
		values[i] = v
	}
	return values
}

// values are small and large, whole and not, seldom below zero.
func (r random) values(n int, largest float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		v := largest * r.Float64()
		switch r.IntN(8) {
		case 0:
			v = 0
		case 1:
			v = math.Round(v)
		case 2:
			v = -v
		case 3:
			v = math.Round(v*1000) / 1000
		}
		values[i] = v
	}
	return values
}
