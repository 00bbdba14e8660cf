package ipvs

import (
	"context"
	"net/netip"
	"testing"

	"github.com/mdlayher/netlink"

	"lvs/dataplane"
)

func testKey(i int) dataplane.ServiceKey {
	return dataplane.AddrKey(dataplane.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), 80))
}

func testRIP(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 80)
}

// fillTable gives k services with reals real servers each.
func (k *kernel) fillTable(services, reals int) {
	k.table = nil
	for i := range services {
		svc := &service{key: testKey(i), sched: "wlc", stats: uint64(i)}
		for j := range reals {
			svc.reals = append(svc.reals, &realServer{rip: testRIP(j), stats: uint64(j)})
		}
		k.table = append(k.table, svc)
	}
}

func snapshot(t *testing.T, c *Client) *dataplane.Snapshot {
	t.Helper()
	s, err := c.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSnapshotOfAnEmptyTable(t *testing.T) {
	s := snapshot(t, newKernel().client(t))
	if len(s.Services) != 0 || s.Retries != 0 || s.Inconsistent != 0 {
		t.Errorf("got %d services, %d retries, %d inconsistent; want none", len(s.Services), s.Retries, s.Inconsistent)
	}
	if s.Director.Version != "1.2.1" || s.Director.ConnTableSize != 4096 || s.Director.Timeouts.TCP.Seconds() != 900 {
		t.Errorf("director %+v", s.Director)
	}
	if s.Time.IsZero() || !s.Tick.IsZero() {
		t.Errorf("time %v, tick %v", s.Time, s.Tick)
	}
}

func TestSnapshotKeepsTheKernelsOrderAndValues(t *testing.T) {
	k := newKernel()
	k.fillTable(50, 3)
	k.table[7], k.table[31] = k.table[31], k.table[7]
	s := snapshot(t, k.client(t))
	if len(s.Services) != 50 || s.Retries != 0 || s.Counters32 {
		t.Fatalf("%d services, %d retries, 32 bits: %v", len(s.Services), s.Retries, s.Counters32)
	}
	for i, svc := range s.Services {
		want := k.table[i]
		if svc.Key != want.key || svc.Kernel.OutBytes != want.stats || svc.KernelRates.OutBytes != want.stats || len(svc.Reals) != 3 {
			t.Errorf("service %d is %v with %d real servers and %+v, want %v", i, svc.Key, len(svc.Reals), svc.Kernel, want.key)
		}
		for j, r := range svc.Reals {
			if r.RIP != testRIP(j) || r.Kernel.Connections != uint64(j) || r.Weight != destWeight || r.Persistent != destPersistConns {
				t.Errorf("service %d, real server %d: %+v", i, j, r)
			}
		}
	}
}

func TestStatisticsOf32BitsAreToldApart(t *testing.T) {
	k := newKernel()
	k.fillTable(2, 2)
	k.narrow = true
	k.table[0].reals[0].stats = 1<<33 + 5
	s := snapshot(t, k.client(t))
	if !s.Counters32 {
		t.Error("Counters32 is false without STATS64")
	}
	if got, want := s.Services[0].Reals[0].Kernel, (dataplane.Counters{Connections: 5, InPackets: 5, OutPackets: 5, InBytes: 1<<33 + 5, OutBytes: 1<<33 + 5}); got != want {
		t.Errorf("counters %+v, want %+v", got, want)
	}
}

func TestSnapshotsShareNoMemory(t *testing.T) {
	k := newKernel()
	k.fillTable(3, 40)
	c := k.client(t)
	a := snapshot(t, c)
	for i := range a.Services {
		clear(a.Services[i].Reals)
		_ = append(a.Services[i].Reals, dataplane.RealState{})
	}
	clear(a.Services)
	for i, svc := range snapshot(t, c).Services {
		if svc.Key != testKey(i) || len(svc.Reals) != 40 || svc.Reals[39].RIP != testRIP(39) {
			t.Errorf("service %d after the first snapshot was overwritten: %v, %d real servers", i, svc.Key, len(svc.Reals))
		}
	}
}

func TestAServiceAddedDuringTheReadingIsThere(t *testing.T) {
	k := newKernel()
	k.fillTable(4, 2)
	c := k.client(t)
	extra := &service{key: testKey(900), sched: "rr", reals: []*realServer{{rip: testRIP(1)}}}
	n := 0
	k.between = func() {
		if n++; n == 6 {
			k.table = append([]*service{extra}, k.table...)
		}
	}
	s := snapshot(t, c)
	if len(s.Services) != 5 || s.Services[0].Key != extra.key || len(s.Services[0].Reals) != 1 {
		t.Errorf("%d services, first %v", len(s.Services), s.Services[0].Key)
	}
	if s.Retries != 1 || s.Inconsistent != 0 {
		t.Errorf("%d retries, %d inconsistent; want 1, 0", s.Retries, s.Inconsistent)
	}
}

func TestAServiceThatVanishesIsLeftOut(t *testing.T) {
	k := newKernel()
	k.fillTable(4, 2)
	n := 0
	k.between = func() {
		if n++; n == 5 {
			k.table = append(k.table[:1:1], k.table[2:]...)
		}
	}
	s := snapshot(t, k.client(t))
	for _, svc := range s.Services {
		if svc.Key == testKey(1) {
			t.Error("the deleted service is there")
		}
		if len(svc.Reals) != 2 {
			t.Errorf("%v has %d real servers", svc.Key, len(svc.Reals))
		}
	}
	if len(s.Services) != 3 || s.Inconsistent != 0 {
		t.Errorf("%d services, %d inconsistent; want 3, 0", len(s.Services), s.Inconsistent)
	}
}

// Deleted before its real servers are asked for and added again after: the answer
// in between is an empty list, and lists of services show no difference.
func TestAServiceDeletedAndAddedAgainKeepsItsRealServers(t *testing.T) {
	k := newKernel()
	k.fillTable(4, 2)
	first := k.table[0]
	n := 0
	k.between = func() {
		switch n++; n {
		case 4: // daemons and services take a datagram and the end each
			k.table = k.table[1:]
		case 7:
			k.table = append([]*service{first}, k.table...)
		}
	}
	s := snapshot(t, k.client(t))
	if len(s.Services) != 4 || len(s.Services[0].Reals) != 2 {
		t.Fatalf("%d services, the first with %d real servers; want 4, 2", len(s.Services), len(s.Services[0].Reals))
	}
	if s.Retries == 0 {
		t.Error("no retry is counted")
	}
}

// Deleted and added again with another real server, after the first was read: the
// lists of services differ in their order only.
func TestAServiceReplacedDuringTheReadingIsReadAgain(t *testing.T) {
	k := newKernel()
	k.fillTable(4, 1)
	for _, svc := range k.table {
		svc.stats = 0
	}
	n := 0
	k.between = func() {
		if n++; n == 11 { // behind the last real servers
			k.table = append([]*service{{key: testKey(2), sched: "wlc", reals: []*realServer{{rip: testRIP(77)}}}},
				k.table[0], k.table[1], k.table[3])
		}
	}
	s := snapshot(t, k.client(t))
	for _, svc := range s.Services {
		if svc.Key == testKey(2) && (len(svc.Reals) != 1 || svc.Reals[0].RIP != testRIP(77)) {
			t.Errorf("%v has the real servers of the service it replaced", svc.Key)
		}
	}
	if n < 11 || s.Retries == 0 {
		t.Errorf("%d datagrams, %d retries", n, s.Retries)
	}
}

// The first datagram is full and a row is left; before the kernel comes back for
// it another row goes away, and there is no second datagram.
func TestARowLeftForTheNextDatagramIsNotLost(t *testing.T) {
	k := newKernel()
	k.fillTable(1, 1)
	one := len(wire(netlink.Message{}, 0, k.realRow(k.table[0].reals[0])))
	k.fillTable(1, k.fill/one+1)
	last := k.table[0].reals[k.fill/one].rip
	n := 0
	k.between = func() {
		if n++; n == 5 { // the daemons' end, services and their end, the full datagram
			k.table[0].reals = k.table[0].reals[1:]
		}
	}
	s := snapshot(t, k.client(t))
	reals := s.Services[0].Reals
	if len(reals) != k.fill/one || reals[len(reals)-1].RIP != last {
		t.Errorf("%d real servers, the last %v; want %d, %v", len(reals), reals[len(reals)-1].RIP, k.fill/one, last)
	}
}

func TestALongListIsReadTwiceOnceOnly(t *testing.T) {
	k := newKernel()
	k.fillTable(1, 100)
	c := k.client(t)
	snapshot(t, c)
	first := k.dumps
	s := snapshot(t, c)
	if first != 5 || k.dumps-first != 4 {
		t.Errorf("%d dumps for the first snapshot, %d for the second; want 5 (one list twice), 4", first, k.dumps-first)
	}
	if s.Retries != 0 || len(s.Services[0].Reals) != 100 {
		t.Errorf("%d retries, %d real servers", s.Retries, len(s.Services[0].Reals))
	}
}

func TestATableThatNeverRestsIsGivenUpOn(t *testing.T) {
	k := newKernel()
	k.fillTable(1, 100)
	n := 1000
	k.between = func() {
		// With one more before each datagram the dump would never end.
		if n++; n%5 != 0 {
			return
		}
		svc := k.table[0]
		svc.reals = append([]*realServer{{rip: testRIP(n)}}, svc.reals...)
	}
	s := snapshot(t, k.client(t))
	if s.Inconsistent == 0 || s.Retries == 0 {
		t.Errorf("%d retries, %d inconsistent; want some of both", s.Retries, s.Inconsistent)
	}
	seen := make(map[netip.AddrPort]bool)
	for _, r := range s.Services[0].Reals {
		if seen[r.RIP] {
			t.Errorf("%v is there twice", r.RIP)
		}
		seen[r.RIP] = true
	}
}
