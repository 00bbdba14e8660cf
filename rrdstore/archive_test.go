package rrdstore

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/rrdstore/rrd"
)

// A witness keeps the updates that a store was given, and says what any question
// about them must be answered.
type witness struct {
	step, beat uint32
	updates    map[string]*rrd.Updates // by series and source
	kinds      map[string]Kind
	last       map[string]uint32 // by series

	// What values was asked for last, and its cells.
	name   string
	result *Result
	cells  rrd.Cells
}

func newWitness(step, beat uint32) *witness {
	return &witness{step: step, beat: beat, updates: make(map[string]*rrd.Updates), kinds: make(map[string]Kind), last: make(map[string]uint32)}
}

func (w *witness) add(name string, kind Kind, tick uint32, v uint64, mark rrd.Mark) {
	u := w.updates[name]
	if u == nil {
		u = new(rrd.Updates)
		w.updates[name], w.kinds[name] = u, kind
	}
	w.last[name[:strings.LastIndexByte(name, ' ')]] = tick
	u.Times, u.Uints, u.Marks = append(u.Times, tick), append(u.Uints, v), append(u.Marks, mark)
}

// snapshot notes all that a snapshot tells.
func (w *witness) snapshot(snap *dataplane.Snapshot, reset func(string) bool) {
	tick := uint32(snap.Tick.Unix())
	note := func(id identity, known bool, c dataplane.Counters, gauges ...uint64) {
		name := id.String()
		mark := rrd.Mark(0)
		if known && reset(name) {
			mark = rrd.Reset
		}
		for i, v := range [...]uint64{c.Connections, c.InPackets, c.OutPackets, c.InBytes, c.OutBytes} {
			if known {
				w.add(name+" "+standardSources[i].Name, Counter, tick, v, mark)
			}
		}
		for i, v := range gauges {
			w.add(name+" "+standardSources[5+i].Name, Gauge, tick, v, 0)
		}
	}
	for i := range snap.Services {
		svc := &snap.Services[i]
		var sum [4]uint64
		for j := range svc.Reals {
			r := &svc.Reals[j]
			g := [4]uint64{uint64(r.Active), uint64(r.Inactive), uint64(r.Persistent), uint64(r.Weight)}
			for k := range g {
				sum[k] += g[k]
			}
			note(identity{svc.Key, r.RIP}, !snap.Partial, r.Total, g[:]...)
		}
		note(identity{key: svc.Key}, !snap.Partial, svc.Total, sum[:]...)
	}
}

// values are what a column of a result must be. Columns of one source come one
// after the other.
func (w *witness) values(name string, res *Result, f Function, xff float64) []float64 {
	values := make([]float64, res.Rows)
	if w.updates[name] == nil {
		setUnknown(values)
		return values
	}
	per := int(uint32(res.Step/time.Second) / w.step)
	if w.name != name || w.result != res {
		w.name, w.result = name, res
		w.consolidate(per)
	}
	w.cells.Values(values, rrd.Function(f), uint32(per), xff)
	if w.kinds[name] == Counter {
		for i := range values {
			values[i] /= float64(w.step)
		}
	}
	// Those that were not over when the series was last there.
	last := tickAt(int64(w.last[name[:strings.LastIndexByte(name, ' ')]]))
	over := max(0, int(last.Sub(res.Start)/res.Step))
	setUnknown(values[min(over, len(values)):])
	return values
}

// consolidate makes cells of the updates of the source and for the result at hand.
func (w *witness) consolidate(per int) {
	pdp := make([]float64, w.result.Rows*per)
	src := rrd.Source{Type: rrd.Gauge, Heartbeat: w.beat, Min: math.NaN(), Max: math.NaN()}
	if w.kinds[w.name] == Counter {
		src.Type, src.Min = rrd.Derive, 0
	}
	points := *w.updates[w.name]
	points.Left = true
	rrd.DataPoints(pdp, uint32(w.result.Start.Unix()), w.step, src, &points)
	w.cells.Resize(w.result.Rows)
	rrd.Consolidate(&w.cells, pdp, per)
}

// compare asks a reader and the witness, and returns how many values were known.
func (w *witness) compare(t *testing.T, r *Reader, q Query) (known int) {
	t.Helper()
	res, err := r.Fetch(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	xff := DefaultXFF
	if q.XFF != nil {
		xff = *q.XFF
	}
	wrong := 0
	for _, c := range res.Columns {
		name := identity{c.Series.Key, c.Series.RIP}.String() + " " + c.Source.Name
		want := w.values(name, res, c.Function, xff)
		for i, v := range c.Values {
			if Known(v) {
				known++
			}
			if same(v, want[i]) {
				continue
			}
			if wrong++; wrong <= 5 {
				t.Errorf("%s %s at %s, step %s, xff %v: %v, want %v", name, c.Function, res.Time(i).Format(time.DateTime), res.Step, xff, v, want[i])
			}
		}
	}
	if wrong > 0 {
		t.Fatalf("%d values differ", wrong)
	}
	return known
}

func same(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b))
}

// life is a director's table over simulated days: entries come and go, are zeroed
// and are missed; the ticks are not always where they should be.
type life struct {
	rng    *rand.Rand
	tick   int64
	total  map[identity]dataplane.Counters
	resets map[identity]uint32
	fresh  map[string]bool // whose counters began anew with the last step
	// partial: nothing was counted in the last step.
	partial bool
}

func newLife(seed uint64, start int64) *life {
	return &life{rng: rand.New(rand.NewPCG(seed, 7)), tick: start, total: map[identity]dataplane.Counters{}, resets: map[identity]uint32{}}
}

func (l *life) account(id identity, n int) dataplane.Account {
	if l.partial {
		return l.last(id, n)
	}
	l.total[id] = l.total[id].Add(dataplane.Counters{
		Connections: l.rng.Uint64N(50), InPackets: l.rng.Uint64N(1000), InBytes: l.rng.Uint64N(1 << 20), OutBytes: l.rng.Uint64N(3),
	})
	if l.rng.IntN(200) == 0 {
		l.resets[id]++
		l.fresh[id.String()] = true
	}
	return l.last(id, n)
}

func (l *life) last(id identity, n int) dataplane.Account {
	a := dataplane.Account{Number: uint32(n), Total: l.total[id], Kernel: l.total[id], FirstSeen: tickAt(1), LastSeen: tickAt(l.tick)}
	a.Resets[dataplane.Zeroed] = l.resets[id]
	return a
}

func (l *life) step(services, reals int) *dataplane.Snapshot {
	l.fresh = map[string]bool{}
	switch n := l.rng.IntN(60); n {
	case 0:
		l.tick += 20
	case 1:
		l.tick += 10 * (3 + l.rng.Int64N(60))
	case 2:
		l.tick += 7
	default:
		l.tick += 10 - l.tick%10
	}
	l.partial = l.rng.IntN(100) == 0
	snap := &dataplane.Snapshot{Tick: tickAt(l.tick), Time: tickAt(l.tick), Partial: l.partial}
	phase := int(l.tick / 1800)
	for i := range services {
		if (i+phase)%7 == 0 {
			continue
		}
		svc := dataplane.ServiceState{Service: dataplane.Service{Key: testKey(i)}}
		svc.Account = l.account(identity{key: svc.Key}, i+1)
		for j := range reals {
			if (i+j+phase)%5 == 0 {
				continue
			}
			r := dataplane.RealState{Active: l.rng.Uint32N(9), Inactive: l.rng.Uint32N(100)}
			r.RIP, r.Weight = testRIP(j), uint32(j)
			r.Account = l.account(identity{svc.Key, r.RIP}, j+1)
			svc.Reals = append(svc.Reals, r)
		}
		snap.Services = append(snap.Services, svc)
	}
	return snap
}

// TestHistoryAgreesWithRRDArithmetic lives through days with restarts in between
// and compares every kind of question with what the updates themselves say.
func TestHistoryAgreesWithRRDArithmetic(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := t.TempDir()
			checkAfter(t, dir)
			opts := Options{
				Retention: 40 * time.Hour,
				Tiers:     []Tier{{time.Minute, 100 * day}, {5 * time.Minute, 100 * day}, {time.Hour, 400 * day}},
			}
			l, w := newLife(seed, firstTick), newWitness(10, 20)
			s := mustOpen(t, dir, opts)
			for i := range 4500 {
				snap := l.step(3, 4)
				w.snapshot(snap, func(id string) bool { return l.fresh[id] })
				mustTend(t, s, snap)
				if i%1500 == 1499 {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					s = mustOpen(t, dir, opts)
				}
			}
			r, err := s.Reader(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			questions(t, l, w, r)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if r, err = OpenReader(t.Context(), dir); err != nil {
				t.Fatal(err)
			}
			questions(t, l, w, r)
		})
	}
}

func questions(t *testing.T, l *life, w *witness, r *Reader) {
	t.Helper()
	series := r.Series()[1:]
	all := []Function{Average, Min, Max, Last}
	known := 0
	for i, resolution := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour, 2 * time.Minute, 30 * time.Second, 3 * time.Hour, 70 * time.Second} {
		for _, xff := range []float64{0, 0.5, 0.9} {
			from := firstTick + l.rng.Int64N(l.tick-firstTick)
			if resolution == 10*time.Second {
				from = max(from, l.tick-30*3600)
			}
			q := Query{
				Series: series, Functions: all, Start: tickAt(from), End: tickAt(from + 10000 + l.rng.Int64N(20000)),
				Resolution: resolution, XFF: &xff,
			}
			if i == 0 {
				q.Series = series[:4]
			}
			known += w.compare(t, r, q)
		}
	}
	if known < 10000 {
		t.Errorf("only %d values were known", known)
	}
}

func TestArchiveCopyIsReadable(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	s := mustOpen(t, dir, Options{})
	l, w := newLife(9, firstTick), newWitness(10, 20)
	for range 1000 {
		snap := l.step(2, 3)
		w.snapshot(snap, func(id string) bool { return l.fresh[id] })
		mustTend(t, s, snap)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{headName, archName} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r, err := OpenReader(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	if n := w.compare(t, r, Query{Series: r.Series()[1:], Start: tickAt(firstTick), End: tickAt(l.tick), Resolution: time.Minute}); n == 0 {
		t.Error("nothing was known")
	}
}
