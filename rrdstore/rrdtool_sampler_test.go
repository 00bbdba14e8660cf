package rrdstore

import (
	"math"
	"slices"
	"time"

	"lvs/dataplane"
)

// A sampled thing is the director, a service or a real server in a story of
// snapshots.
type sampled struct {
	id      identity
	number  uint32
	present bool
	// committed says that a snapshot had it: from then on its total never falls.
	committed bool
	resets    uint32
	kernel    [5]uint64 // what RRDtool is told: it falls where counters begin anew
	total     [5]uint64 // what the sampler makes of it
	gauges    [4]uint32
	most      uint64 // that a counter grows by at once
	// counters and values are what RRDtool gets of it.
	counters, values *database
}

// sample is a story of snapshots, with some imports of what was before them, of
// other sources, and of what is known already.
func (s *story) sample() {
	if s.chance(2) {
		s.live = s.IntN(len(s.ticks) / 2)
	}
	director := s.thing(identity{}, 0)
	director.present = true
	services := make([][]*sampled, 1+s.IntN(2))
	for i := range services {
		services[i] = []*sampled{s.thing(identity{key: testKey(i)}, uint32(i+1))}
		for j := range s.IntN(4) {
			services[i] = append(services[i], s.thing(identity{testKey(i), testRIP(j)}, uint32(j+1)))
		}
	}
	partial, stable := false, false
	for i := range s.ticks {
		if !stable || i == 0 {
			for _, things := range services {
				for _, t := range things {
					if i == 0 || s.chance(80) {
						t.present = !t.present && (s.chance(3) || i == 0)
					}
				}
			}
		}
		// Counters that were not read at the last tick of something would be known
		// less far than its gauges, which one file of RRDtool's cannot hold.
		stable = partial
		partial = !stable && i+1 < len(s.ticks) && s.chance(20)
		if partial {
			stable = true
		}
		s.tick(i, director, services, partial)
	}
	s.bring(director, services)
}

// thing is one with files of RRDtool's.
func (s *story) thing(id identity, number uint32) *sampled {
	t := &sampled{id: id, number: number, most: 1 + s.Uint64N(1<<s.IntN(30))}
	for i := range t.kernel {
		t.kernel[i] = 1000 + s.Uint64N(1<<(10+s.IntN(53)))
	}
	t.total = t.kernel
	all := StandardSources()
	t.counters, t.values = s.database(id, all[:5], nil), s.database(id, all[5:], nil)
	if id == (identity{}) {
		t.values.sources = all[5:6]
	}
	return t
}

// tick lets one pass.
func (s *story) tick(i int, director *sampled, services [][]*sampled, partial bool) {
	snap := &dataplane.Snapshot{Tick: tickAt(int64(s.ticks[i])), Time: tickAt(int64(s.ticks[i])), Partial: partial}
	at := s.ticks[i]
	count := func(t *sampled) {
		if !partial {
			s.count(t)
		}
		t.committed = i >= s.live
	}
	count(director)
	director.gauges[0] = s.Uint32N(1000)
	director.note(at, !partial)
	snap.Director.HasStats, snap.Director.HasConnections = !partial, true
	snap.Director.Connections, snap.Director.Account = uint64(director.gauges[0]), director.account(snap.Tick)
	for _, things := range services {
		head := things[0]
		if !head.present {
			continue
		}
		svc := dataplane.ServiceState{Service: dataplane.Service{Key: head.id.key}}
		count(head)
		svc.Account = head.account(snap.Tick)
		head.gauges = [4]uint32{}
		for _, t := range things[1:] {
			if !t.present {
				continue
			}
			count(t)
			t.gauges = [4]uint32{s.Uint32N(100), s.Uint32N(1 << 20), s.Uint32N(3), s.Uint32N(2)}
			r := dataplane.RealState{Active: t.gauges[0], Inactive: t.gauges[1], Persistent: t.gauges[2], Account: t.account(snap.Tick)}
			r.RIP, r.Weight = t.id.rip, t.gauges[3]
			svc.Reals = append(svc.Reals, r)
			for k, v := range t.gauges {
				head.gauges[k] += v
			}
			t.note(at, !partial)
		}
		head.note(at, !partial)
		snap.Services = append(snap.Services, svc)
	}
	if i >= s.live {
		s.snapshots = append(s.snapshots, snap)
	}
}

// count lets a thing's counters grow, or begin anew.
func (s *story) count(t *sampled) {
	reset := s.chance(60) && slices.Min(t.kernel[:]) > 1
	if reset && t.committed {
		t.resets++
	}
	for k := range t.kernel {
		d := s.Uint64N(t.most)
		if s.chance(5) {
			d = 0
		}
		if reset {
			t.kernel[k] /= 2
		} else {
			t.kernel[k] += d
		}
		if t.total[k] += d; !t.committed {
			t.total[k] = t.kernel[k]
		}
	}
}

func (t *sampled) account(now time.Time) dataplane.Account {
	c := dataplane.Counters{Connections: t.total[0], InPackets: t.total[1], OutPackets: t.total[2], InBytes: t.total[3], OutBytes: t.total[4]}
	a := dataplane.Account{Number: t.number, Total: c, Kernel: c, FirstSeen: tickAt(1), LastSeen: now}
	a.Resets[dataplane.Zeroed] = t.resets
	return a
}

// note tells RRDtool. Of a gauge the first value only says from when on there are
// data: that is when its file is created.
func (t *sampled) note(at uint32, counters bool) {
	if counters {
		t.counters.add(at, t.kernel[:])
	}
	var gauges [4]uint64
	for i, v := range t.gauges {
		gauges[i] = uint64(v)
	}
	t.values.add(at, gauges[:len(t.values.sources)])
	if len(t.values.times) == 1 {
		t.values.created = at
	}
}

func (d *database) add(at uint32, values []uint64) {
	if d.created == 0 {
		d.created = at - 1
	}
	d.times = append(d.times, at)
	row := make([]Value, len(values))
	for i, v := range values {
		row[i] = UintValue(v)
	}
	d.values = append(d.values, row)
}

// bring makes the imports of a story of snapshots.
func (s *story) bring(director *sampled, services [][]*sampled) {
	s.databases = slices.DeleteFunc(s.databases, func(d *database) bool { return len(d.times) == 0 })
	begin := uint32(math.MaxUint32)
	if s.live < len(s.ticks) {
		begin = s.ticks[s.live]
	}
	var before, known []Point
	for _, d := range s.databases {
		n, _ := slices.BinarySearch(d.times, begin)
		before = append(before, d.points(0, n)...)
		if i := n + s.IntN(len(d.times)-n+1); i < len(d.times) {
			known = append(known, d.points(i, i+1)...)
		}
	}
	s.shuffle(before)
	when := s.live
	for len(before) > 0 {
		n := 1 + s.IntN(len(before))
		if !s.short && s.chance(2) {
			when = min(len(s.ticks), when+s.IntN(len(s.ticks)-s.live+1))
		}
		s.imports[when] = append(s.imports[when], before[:n]...)
		before = before[n:]
	}
	for _, d := range s.databases {
		d.ready = when
	}
	if s.short {
		return
	}
	for i := range known { // what the store has, stays
		known[i].Value = UintValue(s.Uint64N(1000))
	}
	s.imports[len(s.ticks)] = append(s.imports[len(s.ticks)], known...)
	for _, things := range append(services, []*sampled{director}) {
		for _, t := range things {
			if s.chance(2) && len(t.values.times) > 0 {
				s.others(t)
			}
		}
	}
}

// others are sources that only imports bring, of a thing that is sampled.
func (s *story) others(t *sampled) {
	d := s.database(t.id, []Source{{"temperature", Gauge}, {"drops", Counter}}[s.IntN(2):], s.some(t.values.times))
	s.values(d)
	d.ready = len(s.ticks)
	middle := s.live + s.IntN(len(s.ticks)-s.live+1)
	for i, at := range d.times {
		when := len(s.ticks)
		if middle > 0 && at <= s.ticks[middle-1] && s.chance(2) {
			when = middle
		}
		s.imports[when] = append(s.imports[when], d.points(i, i+1)...)
	}
}
