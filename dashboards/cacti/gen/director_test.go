package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/collector"
	"lvs/dataplane"
	"lvs/internal/lab"
	"lvs/mib"
	"lvs/mib/agent"
	"lvs/mib/smi"
)

// A director is one with a table of the test's making, sampled and answered for
// as by the real agent: its accounts are those of a Continuity, and the agent in
// the box answers from the tree of its snapshots.
type director struct {
	source     *dataplane.Snapshot
	continuity *collector.Continuity
	snap       *dataplane.Snapshot
	tree       *mib.Tree
	agent      *agent.Agent
	samples    uint64
	// named is the only service with a name of its own.
	named dataplane.ServiceKey
}

// remember is how long a director knows what left its table, and what number it had.
const remember = 30 * 24 * time.Hour

// startDirector starts one with five services and twenty real servers.
func startDirector(t *testing.T) *director {
	t.Helper()
	d := &director{
		named:      serviceKey("tcp/[2001:db8::10]:443"),
		continuity: collector.NewContinuity(nil, remember),
		source: &dataplane.Snapshot{
			Time: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
			Director: dataplane.Director{Version: "1.2.1", ConnTableSize: 4096, HasConnections: true, HasStats: true,
				Timeouts: dataplane.Timeouts{TCP: 15 * time.Minute, TCPFin: 2 * time.Minute, UDP: 5 * time.Minute}},
		},
	}
	d.addService("tcp/192.0.2.10:80", dataplane.Masquerade, "10.0.0.1:8080", "10.0.0.2:8080", "10.0.0.3:8080", "10.0.0.4:8080", "10.0.0.5:8080", "10.0.0.6:8080")
	d.addService("tcp/[2001:db8::10]:443", dataplane.Tunnel, "[2001:db8::a:1]:443", "[2001:db8::a:2]:443", "[2001:db8::a:3]:443", "[2001:db8::a:4]:443")
	d.addService("udp/192.0.2.11:53", dataplane.Route, "10.0.0.1:53", "10.0.0.2:53", "10.0.0.7:53", "10.0.0.8:53")
	d.addService("fwm4/7", dataplane.Route, "10.0.0.1:0", "10.0.0.3:0", "10.0.0.9:0")
	d.addService("sctp/192.0.2.12:2905", dataplane.Masquerade, "10.0.0.1:2905", "10.0.0.2:2905", "10.0.0.3:2905")
	d.apply()
	var err error
	d.agent, err = agent.New(agent.Config{
		Listen:      []string{"127.0.0.1:0"},
		Communities: []agent.Community{{Name: lab.Community}},
		System:      agent.System{Name: "a-director"},
		Roots:       []smi.OID{mib.Root()},
	}, d.tree)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := d.agent.Run(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(wg.Wait) // the test's context is done by then
	return d
}

func (d *director) addService(key string, m dataplane.Method, rips ...string) {
	s := dataplane.ServiceState{Service: dataplane.Service{Key: serviceKey(key), Scheduler: "wlc"}}
	for i, rip := range rips {
		r := dataplane.RealServer{RIP: netip.MustParseAddrPort(rip), Method: m, Weight: uint32(i + 1), UpperThreshold: uint32(1000 * i), LowerThreshold: uint32(500 * i)}
		// Bytes are more than 32 bits hold, and the LVS-MIB's packets soon will be.
		began := dataplane.Counters{Connections: 1000, InPackets: 1<<32 - 20_000*uint64(i+1), InBytes: 5 << 40}
		s.Reals = append(s.Reals, dataplane.RealState{RealServer: r, Account: dataplane.Account{Kernel: began}})
		s.Kernel = s.Kernel.Add(began)
	}
	d.source.Services = append(d.source.Services, s)
}

// removeService removes a service and returns it as it was.
func (d *director) removeService(key string) dataplane.ServiceState {
	i := d.index(key)
	removed := d.source.Services[i]
	d.source.Services = slices.Delete(slices.Clone(d.source.Services), i, i+1)
	return removed
}

// forget gives everything other numbers, as a director does that lost its memory
// while its table was filled in another order.
func (d *director) forget() {
	slices.Reverse(d.source.Services)
	for i := range d.source.Services {
		slices.Reverse(d.source.Services[i].Reals)
	}
	d.continuity = collector.NewContinuity(nil, remember)
}

// index is the place of a service in the kernel's table.
func (d *director) index(key string) int {
	return slices.IndexFunc(d.source.Services, func(s dataplane.ServiceState) bool { return s.Key == serviceKey(key) })
}

func serviceKey(text string) (k dataplane.ServiceKey) {
	if err := k.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return k
}

// quiesce takes a service's first real server out of use.
func (d *director) quiesce(key string) {
	d.source.Services[d.index(key)].Reals[0].Weight = 0
}

// pass lets five minutes of traffic pass, of which each real server has its own.
func (d *director) pass() {
	d.source.Time = d.source.Time.Add(5 * time.Minute)
	d.source.Services = slices.Clone(d.source.Services)
	for i := range d.source.Services {
		s := &d.source.Services[i]
		s.Reals = slices.Clone(s.Reals)
		for j := range s.Reals {
			r := &s.Reals[j]
			n := uint64(100*len(s.Reals) + 10*i + j + 1)
			grown := dataplane.Counters{Connections: n, InPackets: 10 * n, InBytes: 7_000 * n}
			if !r.Method.RepliesBypass() {
				grown.OutPackets, grown.OutBytes = 9*n, 9_000*n
			}
			r.Kernel = r.Kernel.Add(grown)
			r.Active, r.Inactive = uint32(n), uint32(2*n)
			s.Kernel, s.Refused, s.HasRefused = s.Kernel.Add(grown), s.Refused+n, true
			d.source.Director.Kernel = d.source.Director.Kernel.Add(grown)
		}
	}
	d.source.Director.Connections += 17
	d.apply()
	d.agent.Swap(d.tree)
}

func (d *director) apply() {
	src := *d.source
	d.snap = d.continuity.Apply(&src, src.Time.Truncate(time.Second))
	for i := range d.snap.Services {
		if s := &d.snap.Services[i]; s.Key == d.named {
			s.Name = "shop"
		}
	}
	d.samples++
	d.tree = mib.Build(d.snap, mib.Figures{Samples: d.samples})
}

// title is how a row of LVS-DIRECTOR-MIB is named in titles.
func (d *director) title(owner string) string {
	return strings.Replace(owner, d.named.String(), "shop", 1)
}

// rows are the rows of a data query, by index, each with what it is the row of.
func (d *director) rows(query string) map[string]string {
	rows := map[string]string{}
	for _, s := range d.snap.Services {
		switch {
		case strings.HasSuffix(query, "_services"):
			rows[strconv.Itoa(int(s.Number))] = s.Key.String()
		case strings.HasSuffix(query, "_real_servers"):
			for _, r := range s.Reals {
				rows[fmt.Sprintf("%d.%d", s.Number, r.Number)] = s.Key.String() + " " + r.RIP.String()
			}
		}
	}
	if query == "lvsd_servers" {
		for _, h := range d.snap.Servers {
			index := smi.OID{2, 16}
			if h.Addr.Is4() {
				index = smi.OID{1, 4}
			}
			for _, b := range h.Addr.AsSlice() {
				index = append(index, uint32(b))
			}
			rows[index.String()] = h.Addr.String()
		}
	}
	return rows
}

// value is what the director answers for an object identifier with a leading dot.
func (d *director) value(t *testing.T, oid string) (uint64, bool) {
	t.Helper()
	var name smi.OID
	for _, sub := range strings.Split(strings.TrimPrefix(oid, "."), ".") {
		n, err := strconv.ParseUint(sub, 10, 32)
		if err != nil {
			t.Fatalf("%s is no object identifier", oid)
		}
		name = append(name, uint32(n))
	}
	switch v := d.tree.Get(name); v.Type {
	case smi.Integer, smi.Counter32, smi.Gauge32, smi.TimeTicks, smi.Counter64:
		return v.Int, true
	default:
		return 0, false
	}
}
