package web

import (
	"bytes"
	"flag"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"lvs/dataplane"
)

var update = flag.Bool("update", false, "rewrite testdata")

var epoch = time.Date(2026, 11, 20, 10, 30, 0, 0, time.UTC)

func account(n uint64) dataplane.Account {
	return dataplane.Account{
		Total:      dataplane.Counters{Connections: n, InPackets: 10 * n, OutPackets: 9 * n, InBytes: 1000 * n, OutBytes: 100_000 * n},
		LastChange: epoch.Add(-time.Duration(n) * time.Second),
	}
}

func rates(n uint64) dataplane.Rates {
	return dataplane.Rates{Connections: n, InBytes: 100 * n, OutBytes: 12345 * n}
}

// director is a small table with a real server in every state.
func director() *dataplane.Snapshot {
	real := func(rip string, m dataplane.Method, weight, active uint32, n uint64) dataplane.RealState {
		return dataplane.RealState{
			RealServer: dataplane.RealServer{RIP: netip.MustParseAddrPort(rip), Method: m, Weight: weight}, Active: active, Inactive: 3,
			Rates: rates(n), HasRates: true, Recent: 90 * n, Account: account(n),
		}
	}
	web := dataplane.ServiceState{Name: "web", Rates: rates(40), HasRates: true, Account: account(400)}
	web.Key, web.Scheduler, web.Flags = dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.10:443")), "wlc", dataplane.FlagPersistent
	web.Timeout = 5 * time.Minute
	web.Reals = []dataplane.RealState{
		real("10.0.0.1:443", dataplane.Masquerade, 30, 5, 30), real("10.0.0.2:443", dataplane.Masquerade, 10, 50, 10),
		real("10.0.0.3:443", dataplane.Masquerade, 0, 2, 0), real("10.0.0.4:443", dataplane.Masquerade, 0, 0, 0),
	}
	web.Reals[0].Name, web.Reals[1].UpperThreshold, web.Reals[3].Inactive = "web1", 50, 0
	v6 := dataplane.ServiceState{Account: account(7)}
	v6.Key, v6.Scheduler = dataplane.AddrKey(dataplane.UDP, netip.MustParseAddrPort("[2001:db8::1]:53")), "rr"
	v6.Reals = []dataplane.RealState{real("[2001:db8::2]:53", dataplane.Route, 1, 0, 7)}
	mark := dataplane.ServiceState{}
	mark.Key, mark.Scheduler = dataplane.MarkKey(dataplane.INET, 257), "sh"
	return &dataplane.Snapshot{Tick: epoch, Time: epoch, Services: []dataplane.ServiceState{web, v6, mark}}
}

// fleet is a large one.
func fleet(services, reals int) *dataplane.Snapshot {
	s := &dataplane.Snapshot{Tick: epoch, Time: epoch}
	for i := range services {
		v := dataplane.ServiceState{Name: fmt.Sprintf("service-%d", i), Rates: rates(uint64(i) * 1000), HasRates: true, Account: account(uint64(i) * 12345)}
		v.Key, v.Scheduler = dataplane.AddrKey(dataplane.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(113 + i/250), byte(i % 250)}), 443)), "wlc"
		for j := range reals {
			r := dataplane.RealState{Rates: rates(uint64(j)), HasRates: true, Recent: uint64(90 * j), Active: uint32(j), Account: account(uint64(i * j))}
			r.RIP, r.Weight = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i / 250), byte(i % 250), byte(j + 1)}), 443), 1
			v.Reals = append(v.Reals, r)
		}
		s.Services = append(s.Services, v)
	}
	return s
}

func render(t testing.TB, name string, p *Page) []byte {
	t.Helper()
	site, err := NewSite()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := site.Render(&b, name, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hour is a sparkline that fits every minute.
func hour() Spark {
	values := make([]float64, 60)
	for i := range values {
		values[i] = float64(i * i % 37)
	}
	return NewSpark(values, values)
}

func listing(s *dataplane.Snapshot, q Query) *Page {
	sparks := map[dataplane.ServiceKey]Spark{}
	for i := range s.Services {
		sparks[s.Services[i].Key] = hour()
	}
	p := &Page{Title: "Virtual services", Version: "1.0", Interval: 10 * time.Second}
	NewTable(s, sparks, Agent{Source: "netlink", Interval: p.Interval, Stored: true, Used: 128_400_000, Limit: 1 << 30}).View(p, q)
	return p
}
