package rrdstore

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"lvs/dataplane"
)

// A load is a table under traffic like a director's: rates spread over decades, a
// fifth idle, two thirds answering past the director.
type load struct {
	rnd  *rand.Rand
	rate []float64 // connections a second, by real server
	snap *dataplane.Snapshot
}

func newLoad(services, reals int, tick int64) *load {
	l := &load{rnd: rand.New(rand.NewPCG(7, 7)), snap: table(services, reals, tick, 1)}
	for range services * reals {
		rate := 0.0
		if l.rnd.IntN(5) > 0 {
			rate = 20 * (0.1 + l.rnd.ExpFloat64())
		}
		l.rate = append(l.rate, rate)
	}
	return l
}

// next is the snapshot of the following tick, in the same memory.
func (l *load) next(seconds int64) *dataplane.Snapshot {
	l.snap.Tick = l.snap.Tick.Add(time.Duration(seconds) * time.Second)
	l.snap.Time = l.snap.Tick.Add(time.Duration(l.rnd.IntN(1e7)))
	n := 0
	for i := range l.snap.Services {
		svc := &l.snap.Services[i]
		var sum dataplane.Counters
		for j := range svc.Reals {
			real := &svc.Reals[j]
			rate := l.rate[n]
			n++
			real.LastSeen = l.snap.Time
			if rate == 0 {
				continue
			}
			conns := uint64(rate*float64(seconds)*(0.8+0.4*l.rnd.Float64())) + 1
			d := dataplane.Counters{Connections: conns, InPackets: conns * 12, InBytes: conns*12*180 + l.rnd.Uint64N(1000)}
			if n%3 == 0 {
				d.OutPackets, d.OutBytes = conns*15, conns*15*900+l.rnd.Uint64N(5000)
			}
			real.Kernel, real.Total = real.Kernel.Add(d), real.Total.Add(d)
			real.Active, real.Inactive = uint32(rate*3)+l.rnd.Uint32N(8), uint32(rate*60)+l.rnd.Uint32N(60)
			sum = sum.Add(d)
		}
		svc.Kernel, svc.Total, svc.LastSeen = svc.Kernel.Add(sum), svc.Total.Add(sum), l.snap.Time
	}
	l.snap.Director.LastSeen = l.snap.Time
	return l.snap
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkCommit(b *testing.B) {
	for name, size := range map[string][2]int{"reals=100": {10, 10}, "reals=10000": {1000, 10}} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			s := mustOpen(b, dir, Options{})
			l := newLoad(size[0], size[1], 1_700_000_000)
			mustCommit(b, s, l.next(10))
			var cpu time.Duration
			rowBytes := 0
			before := s.db.Stats().TxStats
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				b.StopTimer()
				snap := l.next(10)
				b.StartTimer()
				start := cpuTime()
				mustCommit(b, s, snap)
				cpu += cpuTime() - start
				rowBytes += s.Stats().RowBytes
			}
			b.StopTimer()
			after := s.db.Stats().TxStats
			entities := float64(size[0]*(size[1]+1)) * float64(b.N)
			b.ReportMetric(float64(cpu.Microseconds())/float64(b.N), "cpu-us/tick")
			b.ReportMetric(float64(rowBytes)/entities, "row-B/entity")
			b.ReportMetric(float64(after.GetPageAlloc()-before.GetPageAlloc())/entities, "written-B/entity")
		})
	}
}

func BenchmarkReadHour(b *testing.B) {
	dir := b.TempDir()
	s := mustOpen(b, dir, Options{})
	l := newLoad(1000, 10, 1_700_000_000)
	for range 360 {
		mustCommit(b, s, l.next(10))
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	r, err := OpenReader(b.Context(), dir)
	if err != nil {
		b.Fatal(err)
	}
	for name, want := range map[string]func(*Series) bool{
		"series=1":   func(s *Series) bool { return s.Number == 500 && s.RealNumber == 5 },
		"series=all": func(*Series) bool { return true },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				rows := 0
				for _, err := range r.Rows(b.Context(), tickAt(0), tickAt(1<<32), want) {
					if err != nil {
						b.Fatal(err)
					}
					rows++
				}
				if rows != 360 {
					b.Fatalf("%d rows", rows)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	l := newLoad(1000, 10, 1_700_000_000)
	for range 360 {
		mustCommit(b, s, l.next(10))
	}
	defer func() { s.Close() }()
	for _, clean := range []bool{true, false} {
		b.Run(map[bool]string{true: "after=close", false: "after=kill"}[clean], func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				if !clean {
					removeClean(b, dir)
				}
				b.StartTimer()
				if s, err = Open(dir, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHistory takes three hours of ticks with all that is made of them.
func BenchmarkHistory(b *testing.B) {
	const ticks = 3 * 360
	for range b.N {
		dir := b.TempDir()
		s := mustOpen(b, dir, Options{})
		l := newLoad(1000, 10, 1_700_000_000/3600*3600)
		var commit, tend, worst time.Duration
		for range ticks {
			snap := l.next(10)
			begin := cpuTime()
			mustCommit(b, s, snap)
			commit += cpuTime() - begin
			for more := true; more; {
				begin = cpuTime()
				var err error
				if more, err = s.Maintain(b.Context()); err != nil {
					b.Fatal(err)
				}
				took := cpuTime() - begin
				tend, worst = tend+took, max(worst, took)
			}
		}
		a := s.arch.Load()
		b.ReportMetric(float64(commit.Microseconds())/ticks, "commit-us/tick")
		b.ReportMetric(float64(tend.Microseconds())/ticks, "tend-us/tick")
		b.ReportMetric(float64(worst.Microseconds()), "worst-us")
		b.ReportMetric(float64(a.used)/(11001*9*3*360), "arch-B/value")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFetch asks for what people look at most, with an hour and a half in
// the head.
func BenchmarkFetch(b *testing.B) {
	const ticks = 540 + 360
	s := mustOpen(b, b.TempDir(), Options{})
	l := newLoad(1000, 10, 1_700_000_000/3600*3600)
	for range ticks {
		mustTend(b, s, l.next(10))
	}
	r, err := s.Reader(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	all, now := r.Series()[1:], l.snap.Tick
	for name, q := range map[string]Query{
		"one/24h": {Series: all[500:501], Start: now.Add(-24 * time.Hour), End: now},
		"one/24h/1m": {Series: all[500:501], Start: now.Add(-24 * time.Hour), End: now, Resolution: time.Minute,
			Functions: []Function{Average, Min, Max}},
		"all/1h": {Series: all, Start: now.Add(-time.Hour), End: now},
	} {
		b.Run(name, func(b *testing.B) {
			values := 0
			for b.Loop() {
				res, err := r.Fetch(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				values = len(res.Columns) * res.Rows
			}
			b.ReportMetric(float64(values), "values")
		})
	}
}
