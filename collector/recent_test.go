package collector

import (
	"net/netip"
	"testing"
	"time"

	"lvs/dataplane"
)

// What a real server got of late is counted over one to two minutes, the same for
// all, from when it came, and not over the time that it was away.
func TestRecentConnections(t *testing.T) {
	const step = 10 * time.Second
	key := dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.1:80"))
	first, second := netip.MustParseAddrPort("10.0.0.1:80"), netip.MustParseAddrPort("10.0.0.2:80")
	c := NewContinuity(nil, time.Hour)
	start := time.Unix(1_800_000_000, 0)
	count := map[netip.AddrPort]uint64{first: 5000, second: 700}
	sample := func(i int, there ...netip.AddrPort) map[netip.AddrPort]uint64 {
		at := start.Add(time.Duration(i) * step)
		s := &dataplane.Snapshot{Time: at, Services: []dataplane.ServiceState{{Service: dataplane.Service{Key: key}}}}
		count[first] += 3
		count[second]++
		for _, rip := range there {
			s.Services[0].Reals = append(s.Services[0].Reals, dataplane.RealState{
				RealServer: dataplane.RealServer{RIP: rip}, Account: dataplane.Account{Kernel: dataplane.Counters{Connections: count[rip]}},
			})
		}
		got := map[netip.AddrPort]uint64{}
		for _, r := range c.Apply(s, at).Services[0].Reals {
			got[r.RIP] = r.Recent
		}
		return got
	}
	for i := range 40 {
		got := sample(i, first, second)
		if i < 6 && got[first] != uint64(3*i) {
			t.Errorf("sample %d: %d, want all since the first", i, got[first])
		}
		if n := got[second]; i >= 12 && (n < 6 || n > 12) || got[first] != 3*n {
			t.Errorf("sample %d: %v, want 18 to 36 and a third of it", i, got)
		}
	}
	for i := 40; i < 60; i++ {
		sample(i, first)
	}
	if got := sample(60, first, second); got[second] != 0 {
		t.Errorf("back again: %d connections, want those since", got[second])
	}
	if got := sample(61, first, second); got[second] != 1 || got[first] < 18 {
		t.Errorf("a sample later: %v", got)
	}
}
