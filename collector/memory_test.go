package collector

import (
	"net/netip"
	"testing"
	"time"

	"lvs/dataplane"
)

// table is a sample of services with the given addresses, each with as many real
// servers, seconds after epoch0.
func table(sec int, reals int, services ...int) *dataplane.Snapshot {
	src := &dataplane.Snapshot{Time: epoch0.Add(time.Duration(sec) * time.Second)}
	for _, n := range services {
		s := dataplane.ServiceState{Service: dataplane.Service{Key: numbered(n)}, Account: dataplane.Account{Kernel: scale(1)}}
		for r := range reals {
			s.Reals = append(s.Reals, dataplane.RealState{
				RealServer: dataplane.RealServer{RIP: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(r >> 16), byte(r >> 8), byte(r)}), 80), Weight: 1},
				Account:    dataplane.Account{Kernel: scale(uint64(r))},
			})
		}
		src.Services = append(src.Services, s)
	}
	return src
}

// numbered is one of many services.
func numbered(n int) dataplane.ServiceKey {
	return dataplane.AddrKey(dataplane.UDP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 16, byte(n >> 8), byte(n)}), uint16(1+n>>16)))
}

func numbersOf(s *dataplane.Snapshot) (n []int64) {
	for i := range s.Services {
		n = append(n, int64(s.Services[i].Number))
	}
	return n
}

func upTo(n int) (s []int) {
	for i := range n {
		s = append(s, i)
	}
	return s
}

func TestAccountsAreForgotten(t *testing.T) {
	c := NewContinuity(nil, time.Hour)
	apply := func(src *dataplane.Snapshot) *dataplane.Snapshot { return c.Apply(src, src.Time) }
	apply(table(0, 2, 1, 2))
	apply(table(60, 2, 2))
	if out := apply(table(3600, 2, 1, 2)); out.Services[0].Total != scale(2) || out.Services[0].Number != 1 {
		t.Errorf("within the hour: %+v", out.Services[0].Account)
	}
	apply(table(3660, 1, 2))
	apply(table(3660+3500, 1, 2))
	apply(table(3660+3700, 1, 2))
	out := apply(table(3660+3800, 2, 1, 2))
	if s := &out.Services[0]; s.Total != scale(1) || s.Number != 3 || s.Resets.Sum() != 0 || !s.FirstSeen.Equal(out.Time) {
		t.Errorf("service after the hour: %+v", s.Account)
	}
	if r := &out.Services[1].Reals[1]; r.Total != scale(1) || r.Number != 3 || r.Resets.Sum() != 0 {
		t.Errorf("real server after the hour: %+v", r.Account)
	}
}

func TestNumbersAreReusedWhenAllWereUsed(t *testing.T) {
	c := NewContinuity(nil, time.Hour)
	all := upTo(maxNumber + 2)
	src := table(0, 0, all[:maxNumber+1]...)
	out := c.Apply(src, src.Time)
	if c.unnumbered != 1 {
		t.Errorf("%d without a number, want 1", c.unnumbered)
	}
	// Numbers 7 and then 3 are gone for long enough, 5 is not.
	gone := func(sec int, not ...int) *dataplane.Snapshot {
		var here []int
		for _, n := range all[:maxNumber+1] {
			skip := false
			for _, x := range not {
				skip = skip || x == n
			}
			if !skip {
				here = append(here, n)
			}
		}
		return table(sec, 0, here...)
	}
	for _, s := range []*dataplane.Snapshot{gone(10, 6), gone(20, 6, 2), gone(3000, 6, 2, 4), gone(3630, 6, 2, 4)} {
		out = c.Apply(s, s.Time)
	}
	got := map[dataplane.ServiceKey]uint32{}
	for i := range out.Services {
		got[out.Services[i].Key] = out.Services[i].Number
	}
	if got[numbered(maxNumber)] != 7 || c.unnumbered != 0 {
		t.Errorf("the one without a number has %d, want 7; %d without", got[numbered(maxNumber)], c.unnumbered)
	}
	src = gone(3640, 6, 2, 4)
	src.Services = append(src.Services, table(0, 0, maxNumber+1, 4).Services...)
	out = c.Apply(src, src.Time)
	if n := out.Service(numbered(maxNumber + 1)).Number; n != 3 {
		t.Errorf("the next has %d, want 3", n)
	}
	if n := out.Service(numbered(4)).Number; n != 5 {
		t.Errorf("one that came back in time has %d, want 5", n)
	}
}

func TestRememberedNumbers(t *testing.T) {
	m := func(service int, rip netip.AddrPort, number uint32) dataplane.Remembered {
		return dataplane.Remembered{Key: numbered(service), RIP: rip, Account: dataplane.Account{Number: number, Total: scale(9), FirstSeen: epoch0, LastSeen: epoch0}}
	}
	real := table(0, 1, 0).Services[0].Reals[0].RIP
	c := NewContinuity([]dataplane.Remembered{
		m(1, netip.AddrPort{}, maxNumber), m(2, netip.AddrPort{}, 1), m(3, netip.AddrPort{}, 1), m(4, netip.AddrPort{}, maxNumber+1),
		m(5, real, 8), // of a service that is not remembered itself
	}, DefaultForget)
	src := table(10, 1, 1, 2, 3, 4, 5)
	out := c.Apply(src, src.Time)
	want := []int64{maxNumber, 1, 2, 3, 4}
	if got := numbersOf(out); !equal(got, want) {
		t.Errorf("numbers %v, want %v: a number held twice or out of range is given anew", got, want)
	}
	if r := &out.Services[4].Reals[0]; r.Number != 8 || r.Total != scale(9) {
		t.Errorf("real server of an unknown service: %+v", r.Account)
	}
	if s := &out.Services[4]; s.Total != scale(1) || s.Resets.Sum() != 0 {
		t.Errorf("unknown service: %+v", s.Account)
	}
}

// TestMemoryIsBounded has real servers come and go for ever.
func TestMemoryIsBounded(t *testing.T) {
	c := NewContinuity(nil, DefaultForget)
	const step = 20_000
	for i := range 8 {
		var services []int
		for n := range step {
			services = append(services, i*step+n)
		}
		src := table(i*60, 0, services...)
		c.Apply(src, src.Time)
	}
	if n := len(c.services); n > maxGone+2*step {
		t.Errorf("%d services are kept", n)
	}
}
