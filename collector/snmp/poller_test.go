package snmp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"lvs/collector/snmp/snmptest"
	"lvs/dataplane"
	"lvs/mib"
	"lvs/mib/smi"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// serve has a fake agent answer from a tree.
func serve(t testing.TB, tree smi.Tree) *snmptest.Agent {
	t.Helper()
	a, err := snmptest.New("127.0.0.1:0", tree)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// tree is what an agent has of a snapshot.
func tree(s *dataplane.Snapshot) smi.Tree { return mib.Build(s, mib.Figures{}) }

// poller makes a poller that waits for an answer as long as it takes, unless cfg says
// otherwise.
func poller(t testing.TB, cfg Config) *Poller {
	t.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func poll(t testing.TB, p *Poller) *dataplane.Snapshot {
	t.Helper()
	snap, err := p.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// base is a time that DateAndTime tells exactly.
var base = time.Date(2026, 11, 20, 12, 0, 0, 300_000_000, time.UTC)

// account is one that the MIBs tell in full.
func account(number uint32, n uint64) dataplane.Account {
	c := dataplane.Counters{Connections: n, InPackets: 10*n + 1, OutPackets: 8*n + 2, InBytes: 1000*n + 3, OutBytes: 9000*n + 4}
	a := dataplane.Account{Number: number, Kernel: c, Total: c, FirstSeen: base.Add(-time.Hour), LastSeen: base, Peak: n % 1000}
	a.LastChange, a.Changes, a.Failures = base.Add(-time.Duration(n%600)*time.Second), uint32(n%7), uint32(n%3)
	if n%2 == 1 {
		a.Resets[0], a.LastReset = uint32(n%5+1), base.Add(-time.Minute)
	}
	return a
}

// director is a snapshot of a director with so many services of IPv4 and real
// servers in each, and one of each other kind that both MIBs can tell.
func director(services, reals int) *dataplane.Snapshot {
	s := &dataplane.Snapshot{Time: base, Tick: base.Truncate(10 * time.Second), ServicesChanged: base.Add(-time.Minute), RealsChanged: base.Add(-time.Second)}
	s.Director = dataplane.Director{
		Version: "1.2.1", ConnTableSize: 4096, Connections: 12345, HasConnections: true, HasStats: true, HasRates: true,
		Timeouts: dataplane.Timeouts{TCP: 15 * time.Minute, TCPFin: 2 * time.Minute, UDP: 5 * time.Minute},
		Daemons:  []dataplane.SyncDaemon{{Role: dataplane.Master, Interface: "eth0", SyncID: 7}},
		Rates:    dataplane.Rates{Connections: 3, InPackets: 30, OutPackets: 24, InBytes: 3000, OutBytes: 27000},
		Account:  account(0, 1<<33+1),
	}
	s.Director.LastChange, s.Director.Changes, s.Director.Failures, s.Director.Peak = time.Time{}, 0, 0, 23456
	methods := []dataplane.Method{dataplane.Masquerade, dataplane.Local, dataplane.Tunnel, dataplane.Route}
	for i := range services {
		vip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 80)
		svc := dataplane.ServiceState{Service: dataplane.Service{Key: dataplane.AddrKey(dataplane.TCP, vip), Scheduler: "wlc"}, Account: account(uint32(i+1), uint64(i)<<29+5)}
		svc.Netmask, svc.Flags = dataplane.FullMask(dataplane.INET), dataplane.FlagHashed
		if i == 0 {
			svc.Name, svc.Flags, svc.Timeout, svc.Netmask = "web", dataplane.FlagPersistent|dataplane.FlagHashed, 300*time.Second, dataplane.Mask4(0xffffff00)
		}
		for j := range reals {
			n := uint64(i*reals + j)
			rip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, byte(j >> 8), byte(j)}), 8080)
			r := dataplane.RealState{RealServer: dataplane.RealServer{RIP: rip, Method: methods[j%4], Weight: uint32(n%5 + 1)}, Account: account(uint32(j+1), n)}
			r.Active, r.Inactive, r.Persistent, r.UpperThreshold, r.LowerThreshold = uint32(n%50), uint32(n%70), uint32(n%9), uint32(n%2*100), uint32(n%2*50)
			r.Rates, r.HasRates = dataplane.Rates{Connections: n % 11, InPackets: n % 110, OutPackets: n % 90, InBytes: n % 10000, OutBytes: n % 90000}, true
			svc.Reals = append(svc.Reals, r)
		}
		svc.Rates, svc.HasRates = dataplane.Rates{Connections: 1, InPackets: 2, OutPackets: 3, InBytes: 4, OutBytes: 5}, true
		s.Services = append(s.Services, svc)
	}
	mark := dataplane.ServiceState{Service: dataplane.Service{Key: dataplane.MarkKey(dataplane.INET, 1<<31+1), Scheduler: "sh",
		Flags: dataplane.FlagHashed, Netmask: dataplane.FullMask(dataplane.INET)}, Account: account(uint32(services+1), 77)}
	mark.HasRates = true
	s.Services = append(s.Services, mark)
	s.Sort()
	return s
}

// told is what the LVS-MIB tells of a snapshot.
func told(s *dataplane.Snapshot, version int) *dataplane.Snapshot {
	low := func(c dataplane.Counters) dataplane.Counters {
		c.Connections, c.InPackets, c.OutPackets = uint64(uint32(c.Connections)), uint64(uint32(c.InPackets)), uint64(uint32(c.OutPackets))
		if version == 1 {
			c.InBytes, c.OutBytes = 0, 0
		}
		return c
	}
	d := s.Director
	out := &dataplane.Snapshot{Counters32: true, Director: dataplane.Director{Version: d.Version, ConnTableSize: d.ConnTableSize, Timeouts: d.Timeouts}}
	for _, daemon := range d.Daemons {
		out.Director.Daemons = append(out.Director.Daemons, dataplane.SyncDaemon{Role: daemon.Role, Interface: daemon.Interface})
	}
	for _, svc := range s.Services {
		to := dataplane.ServiceState{Service: svc.Service, KernelRates: svc.Rates}
		to.Flags = svc.Flags & dataplane.FlagPersistent
		to.Number, to.Kernel = svc.Number, low(svc.Total)
		for _, r := range svc.Reals {
			real := dataplane.RealState{RealServer: dataplane.RealServer{RIP: r.RIP, Method: r.Method, Weight: r.Weight}, KernelRates: r.Rates}
			real.Number, real.Kernel = r.Number, low(r.Total)
			to.Reals = append(to.Reals, real)
		}
		out.Services = append(out.Services, to)
	}
	slices.SortFunc(out.Services, func(a, b dataplane.ServiceState) int { return int(a.Number) - int(b.Number) }) // as rows are
	return out
}

// same compares snapshots but for when they were read.
func same(t *testing.T, what string, want, got *dataplane.Snapshot) {
	t.Helper()
	w, g := *want, *got
	w.Took, g.Took = 0, 0
	if want.Time.IsZero() {
		g.Time = time.Time{}
	}
	if diff := cmp.Diff(&w, &g, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(func(a, b dataplane.Netmask) bool { return a == b || a.IsFull() && b.IsFull() })); diff != "" {
		if len(diff) > 3000 {
			diff = diff[:3000]
		}
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestLVSTellsTheSnapshot(t *testing.T) {
	want := director(5, 20)
	a := serve(t, tree(want))
	for _, version := range []int{1, 2} {
		for _, most := range []int{1, 7, 20, 100, 500} {
			p := poller(t, Config{Target: a.Addr(), Auth: Auth{Version: version}, MaxVariables: most})
			for range 2 { // the second one knows how many rows there are
				same(t, fmt.Sprintf("version %d, %d variables at once", version, most), told(want, version), poll(t, p))
			}
		}
	}
}

func TestAnEmptyTableIsValid(t *testing.T) {
	empty := &dataplane.Snapshot{Time: base, Director: dataplane.Director{Version: "1.2.1"}}
	for _, version := range []int{1, 2} {
		p := poller(t, Config{Target: serve(t, tree(empty)).Addr(), Auth: Auth{Version: version}})
		if snap := poll(t, p); len(snap.Services) != 0 || snap.Director.Version != "1.2.1" {
			t.Errorf("version %d: %+v", version, snap)
		}
	}
}

func TestNothingOfTheMIBIsAnError(t *testing.T) {
	for _, tree := range []smi.Tree{snmptest.Vars(nil), snmptest.NewVars([]smi.VarBind{{Name: smi.MustParseOID("1.3.6.1.4.1.9999.1.0"), Value: smi.Value{Type: smi.Integer, Int: 1}}})} {
		a := serve(t, tree)
		for _, module := range []Module{LVS, Director} {
			for _, version := range []int{1, 2} {
				_, err := poller(t, Config{Target: a.Addr(), Auth: Auth{Version: version}, Module: module}).Snapshot(t.Context())
				if !errors.Is(err, ErrNoModule) || Reason(err) != "module" {
					t.Errorf("%v, version %d: %v", module, version, err)
				}
			}
		}
	}
}

func TestCancelEndsAtOnce(t *testing.T) {
	a := serve(t, snmptest.Vars(nil))
	a.SetFault(silent)
	p := poller(t, Config{Target: a.Addr(), Timeout: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	done := make(chan error, 1)
	go func() {
		_, err := p.Snapshot(ctx)
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("a canceled poll goes on")
	}
}

func TestClosedPollerPollsNoMore(t *testing.T) {
	a := serve(t, tree(director(1, 1)))
	p := poller(t, Config{Target: a.Addr()})
	poll(t, p)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Snapshot(t.Context()); err == nil {
		t.Error("a closed poller polls")
	}
}

func TestBadConfigsAreRefused(t *testing.T) {
	for _, cfg := range []Config{
		{}, {Target: "a b"}, {Target: "host:0"}, {Target: "host:99999"}, {Target: "http://host"}, {Target: "host", Module: 7},
		{Target: "host", MaxVariables: 501}, {Target: "host", Timeout: -1},
		{Target: "host", Auth: Auth{Version: 4}}, {Target: "host", Auth: Auth{Version: 3}}, {Target: "host", Auth: Auth{Username: "u"}},
		{Target: "host", Auth: Auth{Version: 3, Username: "u", SecurityLevel: "authPriv", AuthPassword: "12345678", PrivPassword: "short"}},
		{Target: "host", Auth: Auth{Version: 3, Username: "u", SecurityLevel: "all"}},
		{Target: "host", Auth: Auth{Version: 3, Username: "u", AuthProtocol: "ROT13"}},
		{Target: "host", Auth: Auth{Version: 3, Username: "u", Community: "c"}},
	} {
		if p, err := New(cfg); err == nil {
			t.Errorf("%+v gives %v", cfg, p)
		}
	}
}

func TestTargets(t *testing.T) {
	for target, want := range map[string]string{
		"lvs1.example.net": "lvs1.example.net 161", "lvs1:1161": "lvs1 1161", "192.0.2.1": "192.0.2.1 161", "192.0.2.1:99": "192.0.2.1 99",
		"2001:db8::1": "2001:db8::1 161", "[2001:db8::1]": "2001:db8::1 161", "[2001:db8::1]:1161": "2001:db8::1 1161",
	} {
		host, port, err := splitTarget(target)
		if got := fmt.Sprint(host, " ", port); got != want || err != nil {
			t.Errorf("%s is %s, %v; want %s", target, got, err, want)
		}
	}
}

func TestCompareOrdersByArcs(t *testing.T) {
	sorted := []string{"", ".0", ".1", ".1.0", ".1.2", ".1.10", ".2", ".10", ".4294967295"}
	for i, a := range sorted {
		for j, b := range sorted {
			if got, want := compare(a, b), cmpInt(i, j); got != want {
				t.Errorf("%q and %q: %d, want %d", a, b, got, want)
			}
		}
	}
}

func cmpInt(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
