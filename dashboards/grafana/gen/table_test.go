package main

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/dataplane"
)

// A live director moves on with every reading: traffic flows, real servers go and
// come back, and counters are zeroed now and then. What it shows went through the
// agent's own accounts.
type live struct {
	mu         sync.Mutex
	continuity *collector.Continuity
	readings   int
	resets     uint64
	method     dataplane.Method // of the real servers of its first service
	// table makes what the nth reading finds.
	table func(n uint64, now time.Time) *dataplane.Snapshot
}

func newLive(m dataplane.Method) *live {
	l := &live{continuity: collector.NewContinuity(nil, time.Hour), method: m}
	l.table = l.read
	return l
}

// latest is the next reading.
func (l *live) latest() *dataplane.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readings++
	now := time.Now()
	s := l.continuity.Apply(l.table(uint64(l.readings), now), now.Truncate(time.Second))
	for i := range s.Services { // names are the sampler's to give, of all but one
		v := &s.Services[i]
		v.Name = map[uint16]string{443: "web", 25: "mail"}[v.Key.VIP.Port()]
		for n := range v.Reals {
			v.Reals[n].Name = fmt.Sprintf("%s%d", v.Name, n+1)
		}
	}
	return s
}

// read makes a table of three services: one in good order, one with real servers
// at every pass, and one that has lost all of its.
func (l *live) read(n uint64, now time.Time) *dataplane.Snapshot {
	since := n % 8 // readings after the counters were zeroed
	if since == 0 {
		l.resets++
	}
	s := &dataplane.Snapshot{Time: now, Took: time.Millisecond, Director: dataplane.Director{
		Version: "1.2.1", ConnTableSize: 4096, Connections: 100 + n, HasConnections: true, Epoch: "one", HasStats: true,
		Timeouts: dataplane.Timeouts{TCP: 15 * time.Minute, TCPFin: 2 * time.Minute, UDP: 5 * time.Minute},
	}}
	s.Director.Kernel = moved(3*n, true)
	s.Director.Daemons = []dataplane.SyncDaemon{{Role: dataplane.Master, Interface: "eth1", SyncID: 7}}
	web := serviceAt("192.0.2.10:443")
	web.Kernel, web.HasRefused, web.Refused = moved(2*since, !l.method.RepliesBypass()), true, n
	for i := range uint64(3) {
		r := realAt(i, l.method)
		r.Kernel = moved(since*(i+1)/3, !l.method.RepliesBypass())
		if i == 2 && n%6 < 4 { // drains, is down, and comes back
			r.Weight, r.Active, r.Inactive = 0, uint32(3-min(3, n%6)), 0
		}
		if since == 7 {
			r.Weight = 0 // as are all: nobody is left
		}
		web.Reals = append(web.Reals, r)
	}
	if n%16 < 8 { // else somebody took it out
		web.Reals = append(web.Reals, realAt(3, l.method))
	}
	dns := serviceAt("192.0.2.11:53")
	dns.Scheduler = "rr"
	dns.Kernel = moved(n, true)
	dns.Reals = []dataplane.RealState{realAt(7, dataplane.Masquerade)}
	dns.Reals[0].Kernel = moved(n, true)
	if n%5 == 4 {
		dns.Reals[0].Weight = 0
	}
	dead := serviceAt("192.0.2.12:25")
	dead.Reals = []dataplane.RealState{realAt(9, dataplane.Masquerade)}
	dead.Reals[0].Weight, dead.Reals[0].Active, dead.Reals[0].Inactive = 0, 0, 0
	s.Services = []dataplane.ServiceState{web, dns, dead}
	return s
}

func serviceAt(vip string) dataplane.ServiceState {
	return dataplane.ServiceState{Service: dataplane.Service{
		Key: dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort(vip)), Scheduler: "wlc"}}
}

func realAt(i uint64, m dataplane.Method) dataplane.RealState {
	rip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 8080)
	return dataplane.RealState{RealServer: dataplane.RealServer{RIP: rip, Method: m, Weight: uint32(i + 1), UpperThreshold: 50},
		Active: uint32(10 + i), Inactive: 4, Persistent: 2}
}

// moved are the counters after n connections, with replies or without.
func moved(n uint64, replies bool) dataplane.Counters {
	c := dataplane.Counters{Connections: n, InPackets: 10 * n, InBytes: 1000 * n}
	if replies {
		c.OutPackets, c.OutBytes = 8*n, 9000*n
	}
	return c
}

// health is that of an agent of which everything is switched on and has happened.
func (l *live) health() prom.Health {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := uint64(l.readings)
	var resets prom.Resets
	for scope := range resets {
		resets[scope][dataplane.Zeroed] = l.resets
	}
	return prom.Health{
		Version: "1", Revision: "r", Up: true, Interval: time.Second, SampleErrors: map[string]uint64{"dump": n},
		DumpRetries: n, Inconsistent: n, LateTicks: n, SkippedTicks: n, ClockSteps: 1, Resets: resets,
		Components: map[string]bool{"kernel": true, "store": false},
		Sinks:      map[string]prom.SinkHealth{"snmp": {Dropped: n, Errors: n}},
		Store:      &prom.StoreHealth{Bytes: int64(n) << 20, Limit: 1 << 30, CommitErrors: n, LateCommits: n},
		AgentX:     &prom.AgentXHealth{Connected: true, Requests: map[prom.AgentXRequest]uint64{{PDU: "get", Result: "ok"}: n}},
		SNMP:       &prom.SNMPHealth{Requests: map[string]uint64{"2c": n}, Dropped: map[string]uint64{"community": n}, Variables: n},
		Notify:     map[string]prom.NotifyHealth{"manager": {Waiting: 1, Sent: n, Lost: map[string]uint64{"coalesced": n}}},
		Config:     &prom.ConfigHealth{ReloadOK: true, LoadedAt: time.Now()},
		Director:   &prom.DirectorHealth{Drift: map[string]int{"weight": 1}, Changes: n, Failures: n},
	}
}
