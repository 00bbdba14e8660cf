package web

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
)

func TestEventsTellWhatChanged(t *testing.T) {
	old := NewTable(director(), nil, Agent{})
	s := director()
	s.Tick = epoch.Add(10 * time.Second)
	s.Services[0].Reals[0].Weight, s.Services[0].Reals[0].Active, s.Services[0].Reals[0].LastChange = 0, 0, s.Tick
	got, err := json.Marshal(NewTable(s, nil, Agent{}).Since(old))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"tick":"2026-11-20T10:30:10Z","summary":"3 services, 5 real servers: 1 up, 1 overloaded, 2 draining, 1 down","down":1,` +
		`"figures":{"connections":{"t":"64","s":"52 active, 12 inactive"},"reals":{"d":"M0 0h20v10h-20z;M20 0h20v10h-20z;M40 0h40v10h-40z;M80 0h20v10h-20z;"},` +
		`"reals.draining":{"t":"2","s":"draining"},"reals.up":{"t":"1","s":"up"}},"rows":{` +
		`"tcp/192.0.2.10:443":{"state":"overloaded","cells":{"1":{"t":"overloaded","s":"1 of 4","h":"1 of 4 real servers are in service"},` +
		`"2":{"s":"every real server in service is at its upper threshold","at":1795170200},"4":{"t":"10"},"7":{"t":"52"}}},` +
		`"tcp/192.0.2.10:443,10.0.0.1:443":{"state":"draining","cells":{"1":{"t":"draining"},"2":{"s":"weight is 0, connections are left","at":1795170610},` +
		`"4":{"t":"0","c":"z"},"5":{"t":"0.0 %","c":"z"},"6":{"t":"75.0 %","d":"M0 0h75v10h-75z;M1 0v10"},"7":{"t":"0","c":"z"}}},` +
		`"tcp/192.0.2.10:443,10.0.0.2:443":{"cells":{"5":{"t":"100.0 %"},"6":{"t":"25.0 %","d":"M0 0h25v10h-25z;M99 0v10"}}}}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("event (-want +got)\n%s", diff)
	}
	if e := NewTable(s, nil, Agent{}).Since(NewTable(s, nil, Agent{})); len(e.Rows) > 0 || e.Shape {
		t.Errorf("nothing changed, and the event tells %+v", e)
	}
}

// What a page cannot change in place it asks for anew: the real servers of a service,
// or itself.
func TestEventsTellWhatMoved(t *testing.T) {
	const web, v6 = "tcp/192.0.2.10:443", "udp/[2001:db8::1]:53"
	for name, c := range map[string]struct {
		change func(*dataplane.Snapshot)
		moved  []string
		shape  bool
	}{
		"nothing":       {func(*dataplane.Snapshot) {}, nil, false},
		"a weight":      {func(s *dataplane.Snapshot) { s.Services[0].Reals[1].Weight = 7 }, nil, false},
		"one went":      {func(s *dataplane.Snapshot) { s.Services[0].Reals = s.Services[0].Reals[1:] }, []string{web}, false},
		"one is other":  {func(s *dataplane.Snapshot) { s.Services[0].Reals[2].RIP = netip.MustParseAddrPort("10.0.0.33:443") }, []string{web}, false},
		"one was named": {func(s *dataplane.Snapshot) { s.Services[0].Reals[1].Name = "web2" }, []string{web}, false},
		"one was removed": {func(s *dataplane.Snapshot) {
			s.Removed = []dataplane.Removed{{Key: s.Services[0].Key, RIP: s.Services[0].Reals[0].RIP}}
			s.Services[0].Reals = s.Services[0].Reals[1:]
		}, []string{web}, false},
		"of two services": {func(s *dataplane.Snapshot) {
			s.Services[0].Reals, s.Services[1].Reals = s.Services[0].Reals[:2], nil
		}, []string{web, v6}, false},
		"a service was named": {func(s *dataplane.Snapshot) { s.Services[1].Name = "dns" }, nil, true},
		"a service went":      {func(s *dataplane.Snapshot) { s.Services = s.Services[:2] }, nil, true},
		"a service came":      {func(s *dataplane.Snapshot) { s.Services[2].Key.FWMark = 258 }, nil, true},
	} {
		s := director()
		c.change(s)
		e := NewTable(s, nil, Agent{}).Since(NewTable(director(), nil, Agent{}))
		if diff := cmp.Diff(c.moved, e.Moved); diff != "" || e.Shape != c.shape {
			t.Errorf("%s: shape %v, want %v, moved (-want +got)\n%s", name, e.Shape, c.shape, diff)
		}
	}
	// Also where no number of a real server is told.
	s := fleet(100, 10)
	s.Services[5].Reals[3].Name = "named"
	if e := NewTable(s, nil, Agent{}).Since(NewTable(fleet(100, 10), nil, Agent{})); len(e.Moved) != 1 || e.Shape || len(e.Rows) != 0 {
		t.Errorf("of a large table: %v, shape %v, %d rows", e.Moved, e.Shape, len(e.Rows))
	}
}

// Of a table that pages collapse, only real servers that are not up are told.
func TestEventsOfALargeTableAreBounded(t *testing.T) {
	s := fleet(100, 10)
	for i := range s.Services {
		for j := range s.Services[i].Reals {
			s.Services[i].Reals[j].Active += 5
		}
	}
	s.Services[7].Reals[7].Weight = 0
	e := NewTable(s, nil, Agent{}).Since(NewTable(fleet(100, 10), nil, Agent{}))
	reals := 0
	for id := range e.Rows {
		if strings.Contains(id, ",") {
			reals++
		}
	}
	if reals != 1 || !e.Partial || len(e.Rows) != 101 {
		t.Errorf("%d rows, %d real servers, partial %v; want 100 services and one real server", len(e.Rows), reals, e.Partial)
	}
}

// Of many real servers that are not up, those are told that a page has room for;
// where another becomes one of them, pages are to ask.
func TestEventsOfAMassDrainAreBounded(t *testing.T) {
	drained := func(ticks uint32) *dataplane.Snapshot {
		s := fleet(100, 10)
		for i := range s.Services {
			for j := range s.Services[i].Reals {
				r := &s.Services[i].Reals[j]
				r.Weight, r.Active = 0, 100-ticks
			}
		}
		return s
	}
	reals := func(e *Event) (n int) {
		for id := range e.Rows {
			if strings.Contains(id, ",") {
				n++
			}
		}
		return n
	}
	old := NewTable(drained(0), nil, Agent{})
	if e := NewTable(drained(1), nil, Agent{}).Since(old); reals(e) != MaxReals || e.Shape {
		t.Errorf("%d real servers are told, shape %v; want %d", reals(e), e.Shape, MaxReals)
	}
	for _, service := range []int{10, 90} {
		s := drained(0)
		s.Services[service].Reals[5].Weight = 1
		if e := NewTable(s, nil, Agent{}).Since(old); !e.Shape || reals(e) > 10 {
			t.Errorf("one of service %d comes back: %d real servers are told, shape %v", service, reals(e), e.Shape)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	s := fleet(1000, 10)
	for b.Loop() {
		render(b, "page", listing(s, Query{}))
	}
}

func BenchmarkEvent(b *testing.B) {
	old, s := NewTable(fleet(1000, 10), nil, Agent{}), fleet(1000, 10)
	for i := range s.Services {
		s.Services[i].Rates.InBytes++
	}
	for b.Loop() {
		if _, err := json.Marshal(NewTable(s, nil, Agent{}).Since(old)); err != nil {
			b.Fatal(err)
		}
	}
}
