package collector

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lvs/dataplane"
)

// A host's total goes on when a service is removed, and falls, with a new Since,
// when the account of it is forgotten.
func TestHostOutlivesItsServices(t *testing.T) {
	c := NewContinuity(nil, time.Hour)
	apply := func(src *dataplane.Snapshot, grow uint64) *dataplane.ServerState {
		for i := range src.Services {
			src.Services[i].Reals[0].Kernel = scale(grow)
		}
		out := c.Apply(src, src.Time)
		if len(out.Servers) != 1 {
			t.Fatalf("%d hosts, want 1", len(out.Servers))
		}
		return &out.Servers[0]
	}
	addr := netip.AddrFrom4([4]byte{10, 0, 0, 0})
	check := func(when string, got *dataplane.ServerState, want dataplane.ServerState) {
		t.Helper()
		want.Addr = addr
		if diff := cmp.Diff(want, *got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	check("two services", apply(table(0, 1, 1, 2), 5), dataplane.ServerState{Reals: 2, Available: 2, Weight: 2, Total: scale(10), Since: epoch0})
	check("one of them gone", apply(table(10, 1, 2), 9), dataplane.ServerState{Reals: 1, Available: 1, Weight: 1, Total: scale(14), Since: epoch0,
		HasRates: true, Rates: dataplane.Rates{Connections: 0, InPackets: 4, OutPackets: 2, InBytes: 400, OutBytes: 200}})
	check("forgotten", apply(table(3700, 1, 2), 9), dataplane.ServerState{Reals: 1, Available: 1, Weight: 1, Total: scale(9), Since: epoch0.Add(3700 * time.Second)})
	check("back", apply(table(3710, 1, 1, 2), 9), dataplane.ServerState{Reals: 2, Available: 2, Weight: 2, Total: scale(18), Since: epoch0.Add(3700 * time.Second),
		HasRates: true, Rates: dataplane.Rates{Connections: 1, InPackets: 9, OutPackets: 5, InBytes: 900, OutBytes: 450}})
}

// A host that nothing is remembered of any more begins anew, and takes no memory
// meanwhile.
func TestHostIsForgottenWithItsAccounts(t *testing.T) {
	c := NewContinuity(nil, time.Hour)
	for _, src := range []*dataplane.Snapshot{table(0, 2, 1), table(10, 1, 1), table(4000, 1, 1)} {
		c.Apply(src, src.Time)
	}
	if len(c.hosts.byAddr) != 1 {
		t.Errorf("%d hosts are remembered, want 1", len(c.hosts.byAddr))
	}
	src := table(4010, 2, 1)
	if h := c.Apply(src, src.Time).Servers[1]; h.Total != scale(1) || !h.Since.Equal(src.Time) {
		t.Errorf("%+v, want the total of its new account", h)
	}
}

// What a host's real servers are added up to.
func TestHostSums(t *testing.T) {
	src := table(0, 1, 1, 2, 3)
	v6 := netip.MustParseAddrPort("[2001:db8::1]:80")
	for i, r := range []dataplane.RealState{
		{RealServer: dataplane.RealServer{RIP: v6, Weight: 1 << 31, UpperThreshold: 2, Method: dataplane.Tunnel}, Active: 1 << 31, Inactive: 2, Persistent: 3},
		{RealServer: dataplane.RealServer{RIP: netip.AddrPortFrom(v6.Addr(), 81), Weight: 1 << 31, Method: dataplane.Route}, Active: 1 << 31, Inactive: 4, Persistent: 5},
		{RealServer: dataplane.RealServer{RIP: v6, Method: dataplane.Masquerade}},
	} {
		src.Services[i].Reals = append(src.Services[i].Reals, r)
	}
	out := NewContinuity(nil, time.Hour).Apply(src, src.Time)
	want := []dataplane.ServerState{
		{Addr: netip.AddrFrom4([4]byte{10, 0, 0, 0}), Reals: 3, Available: 3, Weight: 3, Since: epoch0},
		{Addr: v6.Addr(), Reals: 3, Available: 2, Weight: 1 << 32, Active: 1 << 32, Inactive: 6, Persistent: 8, Since: epoch0},
	}
	if diff := cmp.Diff(want, out.Servers, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	src = table(10, 0, 1, 2)
	src.Services[0].Reals = []dataplane.RealState{{RealServer: dataplane.RealServer{RIP: v6, Method: dataplane.Tunnel}}}
	src.Services[1].Reals = []dataplane.RealState{{RealServer: dataplane.RealServer{RIP: v6, Method: dataplane.Route}}}
	if h := NewContinuity(nil, time.Hour).Apply(src, src.Time).Servers[0]; !h.RepliesBypass || h.Available != 0 {
		t.Errorf("%+v, want replies past the director and none available", h)
	}
}

// Counters that a source does not tell, and a host's first seconds, have no rates.
func TestHostRatesAreKnownLikeOthers(t *testing.T) {
	c := NewContinuity(nil, time.Hour)
	for i, want := range []bool{false, true, false, false, true} {
		src := table(10*i, 1, 1)
		src.Partial = i == 2
		if h := c.Apply(src, src.Time).Servers[0]; h.HasRates != want {
			t.Errorf("sample %d: rates known: %v, want %v", i, h.HasRates, want)
		}
	}
}
