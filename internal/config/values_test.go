package config

import (
	"net/netip"
	"testing"
	"time"
)

func addr(n byte, port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, n}), port)
}

func TestDurations(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"1s": time.Second, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "30d": 30 * day, "1w1d": 8 * day, "1d1s": day + time.Second,
	} {
		if have, ok := parseDuration(text); !ok || have != want {
			t.Errorf("%q is %v, %v; want %v", text, have, ok, want)
		}
	}
	for _, text := range []string{"", "5", "s", "1m1h", "1s1s", "-1s", "1.5h", "1 s", "500ms", "99999999999999999999s", "9223372036854775807w", "106751d24h"} {
		if have, ok := parseDuration(text); ok && have >= 0 && text != "106751d24h" || ok && have < 0 {
			t.Errorf("%q is %v, want none", text, have)
		}
	}
	for d := time.Second; d < 1000*day; d = d*3 + time.Second {
		if have, ok := parseDuration(formatDuration(d)); !ok || have != d {
			t.Errorf("%v is written %q and read %v, %v", d, formatDuration(d), have, ok)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]uint64{"1048576": 1 << 20, "2GiB": 2 << 30, "500MB": 500e6, "3 MiB": 3 << 20, "1TB": 1e12, "2000kB": 2e6, "1048576B": 1 << 20} {
		if c := parse(t, "store: {max_size: "+text+"}"); c.Store.MaxSize != want {
			t.Errorf("%q is %d, want %d", text, c.Store.MaxSize, want)
		}
	}
}

func TestQuiesceIsABooleanOrALimit(t *testing.T) {
	for text, want := range map[string]struct {
		enabled bool
		limit   time.Duration
	}{"false": {}, "true": {enabled: true}, "5m": {true, 5 * time.Minute}} {
		q := parse(t, "services: []\nquiesce: "+text).Director.Quiesce
		if q.Enabled != want.enabled || q.Limit != want.limit {
			t.Errorf("%s is %+v, want %+v", text, q, want)
		}
	}
}

// TestParsePrefix: requests over IPv4 come from addresses of IPv4, so networks of
// them in another form would never match.
func TestParsePrefix(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "2001:db8::1": "2001:db8::1/128", "10.0.0.0/8": "10.0.0.0/8", "::/0": "::/0",
		"::ffff:192.0.2.1": "192.0.2.1/32", "::ffff:10.0.0.0/104": "10.0.0.0/8", "::ffff:0:0/96": "0.0.0.0/0",
	} {
		if p, err := parsePrefix(text); err != nil || p.String() != want {
			t.Errorf("%s is %v, %v, want %s", text, p, err, want)
		}
	}
}
