package rrdstore

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"lvs/dataplane"
)

// A story is what happens to a store and to as many databases of RRDtool's: the
// same updates. It is different for every number, and always the same for one.
type story struct {
	*rand.Rand
	opts       Options
	step, beat uint32 // of data points
	archives   []archiveShape
	ticks      []uint32
	databases  []*database
	files      int  // named so far
	short      bool // rows are kept for a short time only
	// live is the first tick that a sampler commits; what came before it, and what
	// it knows nothing of, is imported.
	live int
	// snapshots are those of the ticks from live on.
	snapshots []*dataplane.Snapshot
	// imports are the points that are brought in, in this order, after so many ticks.
	imports map[int][]Point
}

func (s *story) chance(n int) bool { return s.IntN(n) == 0 }

// newStory makes one up.
func newStory(number uint64) *story {
	s := &story{Rand: rand.New(rand.NewPCG(number, 0xe9)), imports: make(map[int][]Point)}
	s.short = s.chance(4)
	s.options()
	s.step, s.beat = dataStep(s.opts.Step, usable(s.opts.Tiers, s.opts.Step)), seconds(s.opts.Heartbeat)
	s.times()
	s.shapes()
	if s.chance(2) {
		s.live = len(s.ticks)
		s.importAll()
	} else {
		s.sample()
	}
	return s
}

// options are of a store with steps, heartbeats and tiers of all kinds.
func (s *story) options() {
	step := []uint32{1, 5, 10, 10, 60, 300}[s.IntN(6)]
	if s.chance(3) {
		step = 1 + s.Uint32N(300)
	}
	beat := 2 * step
	if s.chance(2) {
		beat = step + s.Uint32N(4*step)
	}
	s.opts = Options{
		Step: time.Duration(step) * time.Second, Heartbeat: time.Duration(beat) * time.Second,
		Retention: 10000 * time.Hour, Tiers: DefaultTiers(),
	}
	if s.short {
		s.opts.Retention = time.Duration(1+s.IntN(4)) * time.Hour
	}
	switch s.IntN(5) {
	case 0:
		s.opts.Tiers = []Tier{}
	case 1, 2:
		s.opts.Tiers = s.tiers(step)
	}
	if !s.short && s.chance(3) { // what they gave up is made of rows again
		for i := range s.opts.Tiers {
			s.opts.Tiers[i].Keep = s.opts.Tiers[i].Step
		}
	}
}

// tiers are up to four that a store may have.
func (s *story) tiers(step uint32) (tiers []Tier) {
	for range 40 {
		last := step
		if len(tiers) > 0 {
			last = seconds(tiers[len(tiers)-1].Step)
		}
		next := append(slices.Clone(tiers), Tier{time.Duration(last*(1+s.Uint32N(20))) * time.Second, 365 * day})
		if CheckTiers(next) == nil && len(next) <= 4 {
			tiers = next
		}
	}
	if tiers == nil {
		return []Tier{}
	}
	return tiers
}

// times are those of a sampler, on the grid or off it, late, or without any rhythm,
// with gaps around the heartbeat and far beyond it.
func (s *story) times() {
	step := seconds(s.opts.Step)
	start := 1_600_000_000 + s.Uint32N(1e8)
	onGrid, rhythm := s.chance(2), s.IntN(3)
	if onGrid {
		start -= start % step
	}
	s.ticks = []uint32{start}
	n := 100 + s.IntN(500)
	for range n {
		last := s.ticks[len(s.ticks)-1]
		var d uint32
		switch k := s.IntN(25); {
		case k == 0:
			d = 1 + s.Uint32N(2*s.beat+2*step)
		case k == 1 && s.chance(2):
			d = s.beat + s.Uint32N(40*step)
		case k == 2 && s.chance(20):
			d = s.beat + s.Uint32N(10_000+40*step)
		case k == 3 || rhythm == 0 && !onGrid:
			d = 1 + s.Uint32N(step*3/2+1)
		default:
			d = step
			if onGrid {
				d -= last % step
			} else if rhythm == 2 {
				d += s.Uint32N(2 + step/10)
			}
		}
		s.ticks = append(s.ticks, last+d)
	}
}

// shapes are the resolutions that are asked for: those of the tiers and others,
// as far as the time allows.
func (s *story) shapes() {
	span := s.ticks[len(s.ticks)-1] - s.ticks[0]
	pers := []uint32{1}
	for _, t := range usable(s.opts.Tiers, s.opts.Step) {
		pers = append(pers, seconds(t.Step)/s.step)
		if s.chance(2) {
			pers = append(pers, seconds(t.Step)/s.step*(2+s.Uint32N(5)))
		}
	}
	for range 3 {
		pers = append(pers, 1+s.Uint32N([]uint32{4, 12, 60}[s.IntN(3)]))
	}
	slices.Sort(pers)
	for _, per := range slices.Compact(pers) {
		if row := s.step * per; row <= span {
			// RRDtool misplaces a row where an interval is longer than an archive.
			s.archives = append(s.archives, archiveShape{per, span/row + 8, float64(s.IntN(100)) / 100})
		}
	}
}

// importAll is a story of imports alone, of services, real servers and the
// director.
func (s *story) importAll() {
	ids := []identity{{key: testKey(0)}}
	for i := range s.IntN(4) {
		ids = append(ids, identity{testKey(i % 2), testRIP(i)})
	}
	if s.chance(3) {
		ids = append(ids, identity{})
	}
	var all []Point
	for _, id := range ids {
		end := len(s.ticks)
		if s.chance(3) { // it goes before the others
			end = 10 + s.IntN(end-10)
		}
		for _, sources := range s.sources() {
			d := s.database(id, sources, s.some(s.ticks[:end]))
			s.values(d)
			all = append(all, d.points(0, len(d.times))...)
		}
	}
	s.shuffle(all)
	s.imports[len(s.ticks)] = all
}

func (s *story) shuffle(points []Point) {
	s.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
}

// points are updates from one to another, of all sources.
func (d *database) points(from, to int) (all []Point) {
	for i := from; i < to; i++ {
		for k, src := range d.sources {
			all = append(all, Point{tickAt(int64(d.times[i])), d.id.key, d.id.rip, src, d.values[i][k]})
		}
	}
	return all
}

// some are most of the ticks, and the last one of them.
func (s *story) some(ticks []uint32) (some []uint32) {
	few := []int{1000, 30, 3}[s.IntN(3)]
	for i, t := range ticks {
		if i+1 == len(ticks) || !s.chance(few) {
			some = append(some, t)
		}
	}
	return some
}

// sources are some, in groups that are updated together.
func (s *story) sources() [][]Source {
	all := append(StandardSources(), Source{"temperature", Gauge}, Source{"drops", Counter}, Source{"load", Gauge})
	s.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	n := 1 + s.IntN(5)
	if s.chance(2) {
		return [][]Source{all[:n]}
	}
	return [][]Source{all[:n], all[n : n+1+s.IntN(3)]}
}

// database is a file that is created a second before the first update.
func (s *story) database(id identity, sources []Source, times []uint32) *database {
	s.files++
	d := &database{name: fmt.Sprintf("%d.rrd", s.files), id: id, sources: sources, times: times}
	if len(times) > 0 {
		d.created = times[0] - 1
	}
	s.databases = append(s.databases, d)
	return d
}

// values makes up updates whose first values of gauges are unknown: RRDtool has
// them count from the file's creation on.
func (s *story) values(d *database) {
	d.values = make([][]Value, len(d.times))
	for i := range d.values {
		d.values[i] = make([]Value, len(d.sources))
	}
	for k, src := range d.sources {
		unknowns := 3 + s.IntN(60)
		next := s.gauge()
		if src.Kind == Counter {
			next = s.counter()
		}
		for i := range d.times {
			v := next()
			if i == 0 && src.Kind == Gauge || s.chance(unknowns) {
				v = Value{}
			}
			d.values[i][k] = v
		}
	}
}

// counter grows, begins anew, and wraps where 32 and 64 bits end.
func (s *story) counter() func() Value {
	largest := uint64(math.Pow(10, 7*s.Float64())) + 1
	v := []uint64{0, 1<<32 - 1 - s.Uint64N(50*largest), 1<<53 + s.Uint64(), math.MaxUint64 - s.Uint64N(50*largest)}[s.IntN(4)]
	narrow := v < 1<<32
	return func() Value {
		switch {
		case s.chance(40):
			v = s.Uint64N(largest)
		case !s.chance(5):
			v += s.Uint64N(largest)
		}
		if narrow {
			v %= 1 << 32
		}
		return UintValue(v)
	}
}

// gauge is small and large, whole and not, and below zero.
func (s *story) gauge() func() Value {
	largest, whole := math.Pow(10, 7*s.Float64()), s.chance(2)
	return func() Value {
		v := largest * s.Float64()
		if whole {
			return UintValue(uint64(v))
		}
		switch s.IntN(8) {
		case 0:
			return UintValue(0)
		case 1:
			return UintValue(uint64(v))
		case 2:
			v = -v
		case 3:
			v = math.Round(v*1000) / 1000
		}
		return FloatValue(v)
	}
}
