package history

import (
	"errors"
	"strings"
	"testing"

	"lvs/dataplane"
	"lvs/rrdstore"
)

// series reads "tcp/192.0.2.10:443,10.0.0.1:80=name".
func series(t testing.TB, texts ...string) (all []*rrdstore.Series) {
	t.Helper()
	for _, text := range texts {
		s := &rrdstore.Series{}
		text, s.Name, _ = strings.Cut(text, "=")
		if key, rip, ok := strings.Cut(text, ","); text != DirectorKey {
			var err error
			if s.Key, err = dataplane.ParseServiceKey(key); err != nil {
				t.Fatal(err)
			}
			if ok {
				if s.RIP, err = dataplane.ParseRIP(rip); err != nil {
					t.Fatal(err)
				}
			}
		}
		all = append(all, s)
	}
	return all
}

func TestChoose(t *testing.T) {
	catalog := series(t, "director",
		"tcp/192.0.2.10:443=web", "tcp/192.0.2.10:443,10.0.0.1:80=web1", "tcp/192.0.2.10:443,10.0.0.2:80",
		"tcp/192.0.2.10:80", "udp/[2001:db8::1]:53", "udp/[2001:db8::1]:53,[2001:db8::a]:53", "fwm4/257")
	for _, c := range []struct {
		keys  string
		reals bool
		want  string
	}{
		{"", false, "tcp/192.0.2.10:443 tcp/192.0.2.10:80 udp/[2001:db8::1]:53 fwm4/257"},
		{"director", true, "director"},
		{"fwm4/257 director", false, "director fwm4/257"},
		{"tcp/*:443", false, "tcp/192.0.2.10:443"},
		{"tcp/*:443", true, "tcp/192.0.2.10:443 tcp/192.0.2.10:443,10.0.0.1:80 tcp/192.0.2.10:443,10.0.0.2:80"},
		{"we?", false, "tcp/192.0.2.10:443"},
		{"web,*", false, "tcp/192.0.2.10:443,10.0.0.1:80 tcp/192.0.2.10:443,10.0.0.2:80"},
		{"web,web1", false, "tcp/192.0.2.10:443,10.0.0.1:80"},
		{"*,10.0.0.2:80 *,[*]:53", false, "tcp/192.0.2.10:443,10.0.0.2:80 udp/[2001:db8::1]:53,[2001:db8::a]:53"},
		{"* tcp/*", false, "tcp/192.0.2.10:443 tcp/192.0.2.10:80 udp/[2001:db8::1]:53 fwm4/257"},
	} {
		got, err := Choose(catalog, strings.Fields(c.keys), c.reals)
		var labels []string
		for _, s := range got {
			labels = append(labels, Label(s))
		}
		if text := strings.Join(labels, " "); err != nil || text != c.want {
			t.Errorf("%q, reals %t: %s, %v; want %s", c.keys, c.reals, text, err, c.want)
		}
	}
	for key, want := range map[string]string{
		"tcp/192.0.2.1:443":            "nearest: tcp/192.0.2.10:443",
		"tcp/192.0.2.10:443,10.0.0.3:": "nearest: tcp/192.0.2.10:443,10.0.0.1:80",
		"wib":                          "nearest: web",
		"direktor":                     "none like it",
	} {
		if _, err := Choose(catalog, []string{"fwm4/257", key}, false); !errors.Is(err, ErrQuestion) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want one with %q", key, err, want)
		}
	}
	if got, err := Choose(nil, nil, true); len(got) != 0 || err != nil {
		t.Errorf("of nothing: %v, %v", got, err)
	}
	if _, err := Choose(nil, []string{"web"}, true); err == nil || !strings.Contains(err.Error(), "no services") {
		t.Errorf("a key of nothing: %v", err)
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"tcp/*:443", "tcp/192.0.2.10:443", true},
		{"tcp/*:443", "tcp/192.0.2.10:4433", false},
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"a*b*c", "aXbXbXc", true},
		{"a*b*c", "aXbXbX", false},
		{"?", "", false},
		{"tcp/[2001:db8::?]:80", "tcp/[2001:db8::1]:80", true},
		{"**x", "yx", true},
	} {
		if got := glob(c.pattern, c.s); got != c.want {
			t.Errorf("glob(%q, %q) = %t", c.pattern, c.s, got)
		}
	}
}
