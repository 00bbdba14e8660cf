package dataplane

import (
	"net/netip"
	"testing"
	"testing/quick"
)

func TestCountersSubUndoesAdd(t *testing.T) {
	law := func(a, b [5]uint32) bool {
		c := Counters{uint64(a[0]), uint64(a[1]), uint64(a[2]), uint64(a[3]), uint64(a[4])}
		d := Counters{uint64(b[0]), uint64(b[1]), uint64(b[2]), uint64(b[3]), uint64(b[4])}
		got, ok := c.Add(d).Sub(c)
		return ok && got == d
	}
	if err := quick.Check(law, nil); err != nil {
		t.Error(err)
	}
}

func TestCountersSubAfterAReset(t *testing.T) {
	prev := Counters{5, 5, 5, 5, 5}
	for i, c := range []Counters{{4, 9, 9, 9, 9}, {9, 4, 9, 9, 9}, {9, 9, 4, 9, 9}, {9, 9, 9, 4, 9}, {9, 9, 9, 9, 4}} {
		if d, ok := c.Sub(prev); ok || d != c {
			t.Errorf("field %d: %v.Sub = %v, %v, want itself and not ok", i, c, d, ok)
		}
	}
}

func TestNetmask(t *testing.T) {
	for _, c := range []struct {
		mask       Netmask
		text       string
		prefix     int
		contiguous bool
		full       bool
	}{
		{Mask4(0xffffff00), "255.255.255.0", 24, true, false},
		{Mask4(0xff00ff00), "255.0.255.0", 8, false, false},
		{Mask4(0xffffffff), "255.255.255.255", 32, true, true},
		{Mask4(0), "0.0.0.0", 0, true, false},
		{Mask6(64), "64", 64, true, false},
		{Mask6(128), "128", 128, true, true},
	} {
		n, contiguous := c.mask.PrefixLen()
		if c.mask.String() != c.text || n != c.prefix || contiguous != c.contiguous || c.mask.IsFull() != c.full {
			t.Errorf("%#v: %q /%d %v full %v, want %+v", c.mask, c.mask, n, contiguous, c.mask.IsFull(), c)
		}
	}
	if m := (Netmask{}); !m.IsZero() || !m.IsFull() || m.String() != "" {
		t.Errorf("zero Netmask: %v %v %q", m.IsZero(), m.IsFull(), m)
	}
}

func TestNamesParseBack(t *testing.T) {
	for m := Masquerade; m <= Bypass; m++ {
		if got, err := ParseMethod(m.String()); err != nil || got != m {
			t.Errorf("ParseMethod(%q) = %v, %v", m, got, err)
		}
	}
	for e := IPIP; e <= GRE; e++ {
		if got, err := ParseEncapType(e.String()); err != nil || got != e {
			t.Errorf("ParseEncapType(%q) = %v, %v", e, got, err)
		}
	}
	for f := EncapFlags(0); f <= EncapRemoteChecksum; f++ {
		if got, err := ParseEncapFlags(f.String()); err != nil || got != f {
			t.Errorf("ParseEncapFlags(%q) = %v, %v", f, got, err)
		}
	}
	if _, err := ParseMethod("dr"); err == nil {
		t.Error("ParseMethod(dr): no error")
	}
	if got := (FlagPersistent | FlagOnePacket | FlagSched2 | 0x100).String(); got != "persistent,one-packet,sched-2,0x100" {
		t.Errorf("flags = %q", got)
	}
	if got := (FlagHashed | FlagPersistent).Configured(); got != FlagPersistent {
		t.Errorf("Configured = %v", got)
	}
}

func TestRealServerStatus(t *testing.T) {
	for _, c := range []struct {
		weight, upper, active, inactive uint32
		want                            Status
	}{
		{1, 0, 0, 0, Up}, {0, 0, 0, 0, Down}, {0, 0, 0, 1, Draining}, {0, 0, 1, 0, Draining},
		{1, 10, 9, 0, Up}, {1, 10, 5, 5, Overloaded}, {1, 1 << 31, 1 << 31, 1<<32 - 1, Overloaded}, {0, 1, 1, 0, Draining},
	} {
		r := RealState{RealServer: RealServer{Weight: c.weight, UpperThreshold: c.upper}, Active: c.active, Inactive: c.inactive}
		if got := r.Status(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestSnapshotFindsWhatItSorted(t *testing.T) {
	k1, k2 := AddrKey(TCP, netip.MustParseAddrPort("192.0.2.2:80")), MarkKey(INET6, 7)
	r1, r2 := netip.MustParseAddrPort("192.0.2.101:80"), netip.MustParseAddrPort("192.0.2.11:80")
	s := Snapshot{Services: []ServiceState{
		{Service: Service{Key: k2}},
		{Service: Service{Key: k1}, Name: "web", Reals: []RealState{{RealServer: RealServer{RIP: r1, Weight: 2}}, {RealServer: RealServer{RIP: r2, Weight: 3}}}},
	}}
	s.Sort()
	web := s.Service(k1)
	if web == nil || web.Label() != "web" || web.Weight() != 5 || s.Service(k2).Label() != "fwm6/7" || s.RealServers() != 2 {
		t.Fatalf("sorted: %+v", s)
	}
	if r := web.Real(r1); r == nil || r.Weight != 2 {
		t.Errorf("Real(%v) = %+v", r1, r)
	}
	if web.Real(netip.MustParseAddrPort("192.0.2.1:1")) != nil || s.Service(MarkKey(INET, 7)) != nil {
		t.Error("found what is not there")
	}
}
