package collector

import (
	"net/netip"
	"testing"
	"time"

	"lvs/dataplane"
)

func TestNewRowsHaveTheirNamesAtOnce(t *testing.T) {
	key := dataplane.ServiceKey{Family: dataplane.INET, Protocol: dataplane.TCP, VIP: netip.MustParseAddrPort("192.0.2.1:80")}
	rip := netip.MustParseAddrPort("10.0.0.1:80")
	c := NewContinuity(nil, 0)
	c.names = func(_ dataplane.ServiceKey, rip netip.AddrPort) string {
		if rip.IsValid() {
			return "web1"
		}
		return "web"
	}
	src := &dataplane.Snapshot{Time: time.Unix(1000, 0), Services: []dataplane.ServiceState{{
		Service: dataplane.Service{Key: key}, Reals: []dataplane.RealState{{RealServer: dataplane.RealServer{RIP: rip}}},
	}}}
	s := c.Apply(src, src.Time).Services[0]
	if s.Number == 0 || s.Name != "web" || s.Reals[0].Number == 0 || s.Reals[0].Name != "web1" {
		t.Errorf("the first sample has service %d %q and real server %d %q, want their names", s.Number, s.Name, s.Reals[0].Number, s.Reals[0].Name)
	}
}
