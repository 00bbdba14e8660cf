package web

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"lvs/dataplane"
)

// bereft is director, from which a real server went, and a service with one.
func bereft() *dataplane.Snapshot {
	s := director()
	gone := func(key dataplane.ServiceKey, rip, name string) dataplane.Removed {
		e := dataplane.Removed{Key: key, Name: name, Account: account(3)}
		if rip != "" {
			e.RIP = netip.MustParseAddrPort(rip)
		}
		e.LastSeen = epoch.Add(-time.Hour)
		return e
	}
	old := dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.9:80"))
	s.Removed = []dataplane.Removed{
		gone(old, "", "old"), gone(old, "10.0.0.1:80", ""), gone(old, "10.0.0.1:80", "told twice"),
		gone(s.Services[0].Key, "10.0.0.20:443", "web9"), gone(s.Services[0].Key, "10.0.0.1:443", "it came back"),
		gone(dataplane.MarkKey(dataplane.INET, 9), "10.0.0.1:0", "of a service that is not told"),
	}
	return s
}

func TestWhatWasRemovedIsShown(t *testing.T) {
	const web, old = "tcp/192.0.2.10:443", "tcp/192.0.2.9:80"
	present := []string{web, web + ",10.0.0.1:443", web + ",10.0.0.2:443", web + ",10.0.0.3:443", web + ",10.0.0.4:443", web + ",10.0.0.20:443"}
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"", append(present, "udp/[2001:db8::1]:53", "udp/[2001:db8::1]:53,[2001:db8::2]:53", "fwm4/257", old)},
		{"state=removed", []string{web, web + ",10.0.0.20:443", old}},
		{"state=down", []string{web, web + ",10.0.0.4:443", web + ",10.0.0.20:443", "fwm4/257", old}},
		{"state=up&q=192.0.2.9", nil},
		{"q=web9", []string{web, web + ",10.0.0.20:443"}},
		{"sort=state&q=10.0.0", []string{old, web, web + ",10.0.0.20:443", web + ",10.0.0.4:443", web + ",10.0.0.3:443", web + ",10.0.0.2:443", web + ",10.0.0.1:443"}},
		{"sort=since&state=not-up&q=web", []string{web, web + ",10.0.0.20:443", web + ",10.0.0.2:443", web + ",10.0.0.3:443", web + ",10.0.0.4:443"}},
	} {
		v, _ := url.ParseQuery(c.query)
		if diff := cmp.Diff(c.want, ids(t, render(t, "page", listing(bereft(), must(ParseQuery(v)))))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.query, diff)
		}
	}
	table := NewTable(bereft(), nil, Agent{})
	if got := table.Summary(); got != "3 services, 5 real servers: 2 up, 1 overloaded, 1 draining, 1 down, 1 removed; services removed: 1" || table.Down() != 1 {
		t.Errorf("summary %q with %d down", got, table.Down())
	}
	row := table.Row(web + ",10.0.0.20:443")
	cells := row.Cells()
	var texts []string
	for _, c := range cells[State:] {
		texts = append(texts, c.Text)
	}
	want := []string{"down", "", "–", "–", "–", "–", "–", "–", "–", "–", "–", "3", "3.0 kB", "300 kB", ""}
	if diff := cmp.Diff(want, texts); diff != "" || row.Class() != "r down gone" {
		t.Errorf("%s: cells (-want +got)\n%s", row.Class(), diff)
	}
	if since := cells[Since]; since.Soft != dataplane.RemovedReason || since.At != epoch.Add(-time.Hour).Unix() {
		t.Errorf("since %+v", since)
	}
}

// The page of what was removed lists its real servers, which that of all does not.
func TestPageOfAServiceThatWasRemoved(t *testing.T) {
	table := NewTable(bereft(), nil, Agent{})
	key := dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.9:80"))
	for rip, want := range map[string]string{"": "key=tcp%2F192.0.2.9%3A80&amp;", "10.0.0.1:80": "key=tcp%2F192.0.2.9%3A80%2C10.0.0.1%3A80&amp;"} {
		p := &Page{Title: key.String(), Base: "../../"}
		if !table.Detail(p, key, rip, "-1h", "now") {
			t.Fatalf("%q is not found", rip)
		}
		page := render(t, "service", p)
		balanced(t, rip, page)
		if text := string(page); strings.Contains(text, "State changes") || strings.Contains(text, "Failures") {
			t.Errorf("%q: what is not known is said to be none:\n%s", rip, page)
		}
		if got := ids(t, page); len(got) != 2 || !strings.Contains(string(page), want) {
			t.Errorf("%q: rows %v, or graphs not with %s", rip, got, want)
		}
	}
	if table.Detail(&Page{}, key, "10.0.0.2:80", "-1h", "now") {
		t.Error("a real server that never was has a page")
	}
}

// A real server that goes, or comes back, makes pages ask for their rows anew.
func TestEventsTellOfRemoval(t *testing.T) {
	there, gone := NewTable(director(), nil, Agent{}), NewTable(bereft(), nil, Agent{})
	for name, e := range map[string]*Event{"removed": gone.Since(there), "back": there.Since(gone)} {
		if !e.Shape || e.Figures["reals.removed"].Soft != "removed" || e.Figures["services"].Text != "2" {
			t.Errorf("%s: %+v", name, e)
		}
	}
	s := bereft()
	s.Removed = append(s.Removed, dataplane.Removed{Key: s.Services[0].Key, RIP: s.Services[0].Reals[3].RIP})
	s.Services[0].Reals = s.Services[0].Reals[:3]
	if e := NewTable(s, nil, Agent{}).Since(gone); len(e.Moved) != 1 {
		t.Error("a row becomes one of what was removed, and the event does not tell")
	}
}

// However much was removed, a page has its bounds.
func TestMuchThatWasRemovedIsCollapsed(t *testing.T) {
	s := fleet(1000, 10)
	for i := range 1000 {
		key := dataplane.MarkKey(dataplane.INET, uint32(i+1))
		s.Removed = append(s.Removed, dataplane.Removed{Key: key, Name: "gone-" + key.String(), Account: account(12345)})
	}
	page := render(t, "page", listing(s, Query{}))
	if rows := ids(t, page); len(rows) != 1000+MaxReals || len(page) >= 2_000_000 {
		t.Errorf("%d rows in %d bytes, want 1,000 services and %d that were removed in less than 2 MB", len(rows), len(page), MaxReals)
	}
}

// Real servers that are left out are told of, those that went among them.
func TestRealServersLeftOutAreCounted(t *testing.T) {
	s := fleet(60, 10)
	s.Removed = []dataplane.Removed{{Key: s.Services[0].Key, RIP: netip.MustParseAddrPort("10.9.9.9:443")}}
	var notes []string
	walk(t, render(t, "page", listing(s, Query{})), func(n *html.Node) {
		for _, a := range n.Attr {
			if a.Key == "data-more" {
				notes = append(notes, n.FirstChild.Data)
			}
		}
	})
	if len(notes) != 60 || notes[0] != "10 more" || notes[1] != "10 more" {
		t.Errorf("notes %v", notes)
	}
}
