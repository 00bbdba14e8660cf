package agent

import (
	"net/http/httptest"
	"testing"
	"time"
)

// Whoever is behind a proxy on this host counts for himself, and nobody for another
// by saying so.
func TestClients(t *testing.T) {
	for _, c := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"192.0.2.7:4711", nil, "192.0.2.7/32"},
		{"192.0.2.7:4711", []string{"198.51.100.1"}, "192.0.2.7/32"},
		{"[::ffff:192.0.2.7]:4711", nil, "192.0.2.7/32"},
		{"[2001:db8:1:2:3:4:5:6]:4711", nil, "2001:db8:1:2::/64"},
		{"[fe80::1%eth0]:4711", nil, "fe80::/64"},
		{"127.0.0.1:4711", nil, "invalid Prefix"},
		{"127.0.0.1:4711", []string{"unknown"}, "invalid Prefix"},
		{"127.0.0.1:4711", []string{"::1"}, "invalid Prefix"},
		{"127.0.0.1:4711", []string{"198.51.100.1"}, "198.51.100.1/32"},
		{"[::1]:4711", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1/32"},
		{"[::1]:4711", []string{"203.0.113.9", "198.51.100.1:80"}, "198.51.100.1/32"},
		{"[::1]:4711", []string{"2001:db8::1"}, "2001:db8::/64"},
		{"@", nil, "invalid Prefix"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		for _, f := range c.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := clientOf(r).String(); got != c.want {
			t.Errorf("%s, forwarded for %q: %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
}

// A browser that comes again by itself asks for what its page was made of, and tells
// what it had since.
func TestWhatPagesKnow(t *testing.T) {
	for _, c := range []struct {
		path, id string
		want     time.Time
	}{
		{"/", "", time.Time{}},
		{"/?since=never", "", time.Time{}},
		{"/?since=2026-11-20T10:30:00Z", "", epoch},
		{"/?since=2026-11-20T10:20:00Z", "2026-11-20T10:30:00Z", epoch},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		if c.id != "" {
			r.Header.Set("Last-Event-ID", c.id)
		}
		if got := knows(r); !got.Equal(c.want) {
			t.Errorf("%s after %q: %s, want %s", c.path, c.id, got, c.want)
		}
	}
}
