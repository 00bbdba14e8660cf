// Package load makes up the traffic of a director for benchmarks, the same for
// all who are measured with the same seed. It is like what large directors show:
// rates that spread over decades (log-normal), a fifth of the real servers idle,
// seven in ten answering past the director (LVS/DR), so that they have no outgoing
// counters, a daily curve, and the noise of independent arrivals (Poisson).
package load

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"lvs/dataplane"
)

// Config says what director to make up.
type Config struct {
	Services int // at most 65,535
	Reals    int // of each service, at most 255
	Seed     uint64
	Start    time.Time // the first tick is Step after it
	Step     time.Duration
}

// Start is where loads begin: a midnight, one day before a week ends as Unix time
// counts them from 1970. A run of a day and some hours so sees windows of an hour
// and of a day end in their due proportion to the ticks; and a window of a week
// once too often, but with a day in it only, so that it costs what is its share.
var Start = time.Unix((2800*7-1)*86400, 0)

// Entities is how many things are counted: services, real servers and the
// director itself.
func (c Config) Entities() int { return c.Services*(c.Reals+1) + 1 }

// A Load is a director under traffic.
type Load struct {
	Config
	rnd     *rand.Rand
	traffic []traffic // of real servers, service by service
	snap    dataplane.Snapshot
}

// A traffic is what one real server gets on average.
type traffic struct {
	connections           float64 // a second
	inPackets, outPackets float64 // of a connection
	inBytes, outBytes     float64 // of a packet
	active, inactive      float64 // seconds that a connection is in either state
	phase                 float64 // of the daily curve, in days
	idle, repliesBypass   bool
}

const (
	idleShare   = 0.2
	bypassShare = 0.7
	// swing is how far the daily curve goes up and down from the mean of 1.
	swing = 0.6
	// spread is the standard deviation of a packet's size, as a share of its mean.
	spread = 0.6
	// past is for how long everything has been counting when the load begins.
	past = 30 * 24 * time.Hour
)

// New makes the director as it is at c.Start.
func New(c Config) *Load {
	l := &Load{Config: c, rnd: rand.New(rand.NewPCG(c.Seed, 0))}
	l.snap = dataplane.Snapshot{Tick: c.Start, Time: c.Start, Director: dataplane.Director{
		Version: "1.2.1", ConnTableSize: 1 << 20, Epoch: "benchmark", HasStats: true, HasConnections: true}}
	l.snap.Director.FirstSeen = c.Start
	for i := range c.Services {
		l.addService(i)
	}
	l.sum(c.Start)
	return l
}

func (l *Load) addService(i int) {
	method, phase := dataplane.Masquerade, 0.03*l.rnd.NormFloat64()
	if l.rnd.Float64() < bypassShare {
		method = dataplane.Route
	}
	vip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 443)
	svc := dataplane.ServiceState{
		Service: dataplane.Service{Key: dataplane.AddrKey(dataplane.TCP, vip), Scheduler: "wlc"},
		Account: dataplane.Account{Number: uint32(i + 1), FirstSeen: l.Start},
		Reals:   make([]dataplane.RealState, l.Reals),
	}
	for j := range svc.Reals {
		t := traffic{
			connections: l.logNormal(2, 1.5), inPackets: 2 + l.logNormal(10, 0.7), inBytes: 60 + l.logNormal(150, 0.6),
			active: l.logNormal(3, 1), inactive: 60, phase: phase, idle: l.rnd.Float64() < idleShare, repliesBypass: method.RepliesBypass(),
		}
		t.outPackets, t.outBytes = t.inPackets*1.2, 60+l.logNormal(600, 0.4)
		l.traffic = append(l.traffic, t)
		rip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(16 + i>>8), byte(i), byte(j + 1)}), 8080)
		r := dataplane.RealState{
			RealServer: dataplane.RealServer{RIP: rip, Method: method, Weight: 100},
			Account:    dataplane.Account{Number: uint32(j + 1), FirstSeen: l.Start, LastChange: l.Start},
		}
		if !t.idle {
			r.Total = l.arrivals(&t, t.connections*past.Seconds())
		}
		svc.Reals[j] = r
	}
	l.snap.Services = append(l.snap.Services, svc)
}

// Next is the snapshot of the following tick. It lies in the memory of the one
// before, so that nothing is allocated.
func (l *Load) Next() *dataplane.Snapshot {
	l.snap.Tick = l.snap.Tick.Add(l.Step)
	now := l.snap.Tick.Add(time.Duration(l.rnd.IntN(20)) * time.Millisecond)
	day := float64(l.snap.Tick.Unix()) / 86400
	n := 0
	for i := range l.snap.Services {
		// The curve of a service's real servers is one: its sine is taken once.
		curve := 1 + swing*math.Sin(2*math.Pi*(day+l.traffic[n].phase))
		reals := l.snap.Services[i].Reals
		for j := range reals {
			t, r := &l.traffic[n], &reals[j]
			n++
			if t.idle {
				continue
			}
			rate := t.connections * curve
			r.Total = r.Total.Add(l.arrivals(t, rate*l.Step.Seconds()))
			r.Active, r.Inactive = uint32(l.poisson(rate*t.active)), uint32(l.poisson(rate*t.inactive))
		}
	}
	l.sum(now)
	return &l.snap
}

// arrivals is what so many connections, on average, count.
func (l *Load) arrivals(t *traffic, connections float64) (c dataplane.Counters) {
	c.Connections = l.poisson(connections)
	c.InPackets = l.poisson(float64(c.Connections) * t.inPackets)
	c.InBytes = l.bytes(c.InPackets, t.inBytes)
	if !t.repliesBypass {
		c.OutPackets = l.poisson(float64(c.Connections) * t.outPackets)
		c.OutBytes = l.bytes(c.OutPackets, t.outBytes)
	}
	return c
}

// sum makes services and director the sums of what they are made of, seen now.
func (l *Load) sum(now time.Time) {
	l.snap.Time = now
	d := &l.snap.Director
	d.Total, d.Connections, d.LastSeen = dataplane.Counters{}, 0, now
	for i := range l.snap.Services {
		svc := &l.snap.Services[i]
		svc.Total, svc.LastSeen = dataplane.Counters{}, now
		for j := range svc.Reals {
			r := &svc.Reals[j]
			r.Kernel, r.LastSeen = r.Total, now
			svc.Total = svc.Total.Add(r.Total)
			d.Connections += uint64(r.Active) + uint64(r.Inactive)
		}
		svc.Kernel = svc.Total
		d.Total = d.Total.Add(svc.Total)
	}
	d.Kernel = d.Total
}

// poisson draws from the distribution of that mean; where it is large, from the
// normal one, which then is as good.
func (l *Load) poisson(mean float64) uint64 {
	if mean > 16 {
		return uint64(max(0, math.Round(mean+math.Sqrt(mean)*l.rnd.NormFloat64())))
	}
	n, limit := uint64(0), math.Exp(-mean)
	for p := l.rnd.Float64(); p > limit; p *= l.rnd.Float64() {
		n++
	}
	return n
}

// bytes is the size of that many packets.
func (l *Load) bytes(packets uint64, mean float64) uint64 {
	n := float64(packets)
	return uint64(max(40*n, math.Round(n*mean+math.Sqrt(n)*mean*spread*l.rnd.NormFloat64())))
}

func (l *Load) logNormal(median, sigma float64) float64 {
	return median * math.Exp(sigma*l.rnd.NormFloat64())
}
