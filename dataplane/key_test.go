package dataplane

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestServiceKeyTextRoundTrips(t *testing.T) {
	for _, c := range []struct {
		text string
		key  ServiceKey
	}{
		{"tcp/192.0.2.10:443", AddrKey(TCP, netip.MustParseAddrPort("192.0.2.10:443"))},
		{"udp/192.0.2.10:0", AddrKey(UDP, netip.MustParseAddrPort("192.0.2.10:0"))},
		{"sctp/[2001:db8::1]:2905", AddrKey(SCTP, netip.MustParseAddrPort("[2001:db8::1]:2905"))},
		{"proto1/192.0.2.10:84", AddrKey(1, netip.MustParseAddrPort("192.0.2.10:84"))},
		{"fwm4/257", MarkKey(INET, 257)},
		{"fwm6/4294967295", MarkKey(INET6, 1<<32-1)},
	} {
		if got := c.key.String(); got != c.text {
			t.Errorf("%#v.String() = %q, want %q", c.key, got, c.text)
		}
		got, err := ParseServiceKey(c.text)
		if err != nil || got != c.key {
			t.Errorf("ParseServiceKey(%q) = %v, %v, want %v", c.text, got, err, c.key)
		}
	}
}

func TestServiceKeyRejectsWhatIsNotCanonical(t *testing.T) {
	for _, s := range []string{
		"", "tcp", "192.0.2.10:443", "tcp/192.0.2.10", "tcp/192.0.2.300:1", "tcp/192.0.2.1:65536", "TCP/192.0.2.1:80",
		"icmp/192.0.2.1:80", "proto0/192.0.2.1:80", "proto6/192.0.2.1:80", "proto256/192.0.2.1:80", "proto01/192.0.2.1:80",
		"fwm4/0", "fwm4/-1", "fwm4/4294967296", "fwm4/0x10", "fwm4/007", "fwm5/1", "fwm/1",
		"tcp/[::ffff:192.0.2.1]:80", "tcp/[fe80::1%eth0]:80",
	} {
		k, err := ParseServiceKey(s)
		if err == nil {
			t.Errorf("ParseServiceKey(%q) = %v, want an error", s, k)
		} else if !strings.Contains(err.Error(), `"`+s+`"`) {
			t.Errorf("ParseServiceKey(%q): error %q does not name it", s, err)
		}
	}
}

func TestAddrKeyUnmapsSoThatKeysCompare(t *testing.T) {
	a := AddrKey(TCP, netip.MustParseAddrPort("[::ffff:192.0.2.1]:80"))
	b := AddrKey(TCP, netip.MustParseAddrPort("192.0.2.1:80"))
	if a != b || a.Family != INET {
		t.Errorf("%#v != %#v", a, b)
	}
}

func TestInvalidKeys(t *testing.T) {
	vip := netip.MustParseAddrPort("192.0.2.1:80")
	for _, k := range []ServiceKey{
		{}, {Family: INET}, {Family: 5, FWMark: 1}, {Family: INET6, Protocol: TCP, VIP: vip},
		{Family: INET, VIP: vip}, {Family: INET, Protocol: TCP, VIP: vip, FWMark: 1},
	} {
		if k.IsValid() {
			t.Errorf("%#v is valid", k)
		}
		if _, err := k.MarshalText(); err == nil {
			t.Errorf("%#v.MarshalText: no error", k)
		}
		if got := k.String(); got != "invalid service" {
			t.Errorf("%#v.String() = %q", k, got)
		}
	}
}

func TestServiceKeyOrder(t *testing.T) {
	want := []string{"tcp/192.0.2.9:443", "tcp/192.0.2.10:80", "udp/192.0.2.10:80", "tcp/192.0.2.10:443", "tcp/[2001:db8::1]:1", "fwm4/2", "fwm4/10", "fwm6/1"}
	var keys []ServiceKey
	for i := len(want) - 1; i >= 0; i-- {
		k, err := ParseServiceKey(want[i])
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	slices.SortFunc(keys, ServiceKey.Compare)
	for i, k := range keys {
		if k.String() != want[i] {
			t.Errorf("place %d is %v, want %s", i, k, want[i])
		}
	}
}

func FuzzParseServiceKey(f *testing.F) {
	for _, s := range []string{"tcp/192.0.2.10:443", "sctp/[2001:db8::1]:1", "fwm6/257", "proto1/1.2.3.4:5", "tcp/[::ffff:1.2.3.4]:5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := ParseServiceKey(s)
		if err != nil {
			return
		}
		if !k.IsValid() {
			t.Fatalf("%q parsed to the invalid %#v", s, k)
		}
		again, err := ParseServiceKey(k.String())
		if err != nil || again != k {
			t.Fatalf("%q → %v → %v, %v", s, k, again, err)
		}
	})
}
