package web

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
)

// said is what figures say, by ID.
func said(s *dataplane.Snapshot, agent Agent) map[string]string {
	list := map[string]string{}
	for _, f := range NewTable(s, nil, agent).Figures {
		text := f.Text
		if f.At != 0 {
			text = age(epoch.Sub(time.Unix(f.At, 0)))
		}
		for _, state := range f.States {
			text += state.Text + " " + state.Soft + " "
		}
		list[f.ID] = strings.TrimSpace(text + " " + f.Soft)
	}
	return list
}

func TestFigures(t *testing.T) {
	s := director()
	agent := Agent{Source: "netlink", Interval: 10 * time.Second, Stored: true, Used: 1_500_000, Limit: 3_000_000_000}
	want := map[string]string{
		"services": "2 of 3", "reals": "2 up 1 overloaded 1 draining 1 down 0 removed",
		// Of the director nothing is known: it is what the services come to.
		"conn_rate": "n/a", "in_rate": "n/a", "out_rate": "n/a",
		"hour": "", "connections": "69 57 active, 12 inactive", "conn_table": "n/a", "sync": "none", "counters": "n/a", "reset": "n/a",
		"agent": "well reads netlink every 10 s", "store": "1.5 MB of 3.0 GB",
	}
	if diff := cmp.Diff(want, said(s, agent)); diff != "" {
		t.Errorf("figures (-want +got)\n%s", diff)
	}

	for i := range s.Services {
		s.Services[i].HasRates = true
	}
	d := &s.Director
	d.HasConnections, d.Connections, d.ConnTableSize = true, 2048, 4096
	d.Daemons = []dataplane.SyncDaemon{{Role: dataplane.Master, Interface: "eth1", SyncID: 7}, {Role: dataplane.Backup, Interface: "eth2", SyncID: 8}}
	d.HasStats, d.FirstSeen, d.LastReset = true, epoch.Add(-50*time.Hour), epoch.Add(-2*time.Minute)
	d.Resets = dataplane.ResetCounts{dataplane.Zeroed: 2, dataplane.KernelRestart: 1}
	agent = Agent{Troubles: []string{"the history is behind", "snmp fails"}}
	for id, text := range map[string]string{
		"conn_rate": "40 per second", "in_rate": "4.0 kB/s 0 packets/s", "out_rate": "494 kB/s 0 packets/s",
		"conn_table": "2048 in 4096 buckets", "sync": "master eth1 id 7, backup eth2 id 8", "counters": "2 d 2 h",
		"reset": "2 min ago, zeroed 2 times, kernel restarted", "agent": "the history is behind, snmp fails", "store": "off",
	} {
		want[id] = text
	}
	if diff := cmp.Diff(want, said(s, agent)); diff != "" {
		t.Errorf("figures of a director of which more is known (-want +got)\n%s", diff)
	}

	d.HasRates, d.Rates = true, dataplane.Rates{Connections: 5, InBytes: 6000, InPackets: 70}
	s.Services = s.Services[1:2] // whose answers pass by
	if got := said(s, agent); got["conn_rate"] != "5 per second" || got["in_rate"] != "6.0 kB/s 70 packets/s" || got["out_rate"] != "n/a" {
		t.Errorf("the director's own rates: %v", got)
	}
	s.Partial = true
	if got := said(s, agent); got["sync"] != "n/a" {
		t.Errorf("sync daemons that are not known: %q", got["sync"])
	}
}

func TestFactsOfServiceAndRealServer(t *testing.T) {
	s := director()
	w := &s.Services[0]
	w.Netmask, w.PersistenceEngine, w.HasRefused, w.Refused = dataplane.Mask4(0xffffff00), "sip", true, 11
	w.Peak, w.Failures, w.Changes, w.Number, w.FirstSeen = 99, 2, 5, 3, epoch.Add(-time.Hour)
	r := &w.Reals[1]
	r.LowerThreshold, r.Persistent, r.LastReset, r.Resets = 40, 6, epoch, dataplane.ResetCounts{dataplane.Recreated: 1}
	tunnel := &s.Services[1].Reals[0]
	tunnel.Method, tunnel.Encap = dataplane.Tunnel, dataplane.Encap{Type: dataplane.GUE, Port: 6080, Flags: dataplane.EncapChecksum}
	table := NewTable(s, nil, Agent{})
	for id, want := range map[string]string{
		w.Key.String(): "Name: web; Scheduler: wlc; Flags: persistent; Persistence: 300 s clients of 255.255.255.0; Persistence engine: sip; " +
			"Refused: 11 connections got no real server; Peak: 99 connections at once; State changes: 5; Failures: 2; Row number: 3; Counting for: 1 h; " +
			"Connections: 400 in total; In: 400000 bytes in 4000 packets; Out: 40000000 bytes in 3600 packets",
		w.Key.String() + ",10.0.0.2:443": "Forwarding method: masquerade; Thresholds: 50 upper 40 lower; Persistent: 6 connections; Peak: 0 connections at once; " +
			"State changes: 0; Failures: 0; Last reset: 0 s ago, added again; Connections: 10 in total; In: 10000 bytes in 100 packets; Out: 1000000 bytes in 90 packets",
		"udp/[2001:db8::1]:53,[2001:db8::2]:53": "Forwarding method: tunnel gue port 6080 csum; Persistent: 0 connections; Peak: 0 connections at once; " +
			"State changes: 0; Failures: 0; Connections: 7 in total; In: 7000 bytes in 70 packets; Out: n/a answers pass by the director",
	} {
		var list []string
		for _, f := range table.Row(id).Facts() {
			text := f.Name + ": " + f.Text
			if f.At != 0 {
				text += age(epoch.Sub(time.Unix(f.At, 0)))
			}
			if f.Soft != "" {
				text += " " + f.Soft
			}
			list = append(list, text)
		}
		if diff := cmp.Diff(strings.Split(want, "; "), list); diff != "" {
			t.Errorf("%s (-want +got)\n%s", id, diff)
		}
	}
}

// Links beside the graphs move and zoom, and none goes beyond now.
func TestMoves(t *testing.T) {
	p := &Page{}
	key := dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.10:443"))
	if !NewTable(director(), nil, Agent{}).Detail(p, key, "", "-1h", "now") {
		t.Fatal("the service is not found")
	}
	d := p.Service
	moves := func(from, to time.Time) map[string]string {
		d.From, d.To = from, to
		list := map[string]string{}
		for _, m := range d.Moves(epoch) {
			list[m.Name] = m.URL("")
		}
		return list
	}
	want := map[string]string{
		"← Earlier": "?end=2026-11-20T08%3A00%3A00Z&start=2026-11-20T07%3A00%3A00Z", "Later →": "?end=2026-11-20T09%3A00%3A00Z&start=2026-11-20T08%3A00%3A00Z",
		"Zoom in": "?end=2026-11-20T08%3A15%3A00Z&start=2026-11-20T07%3A45%3A00Z", "Zoom out": "?end=2026-11-20T09%3A00%3A00Z&start=2026-11-20T07%3A00%3A00Z",
	}
	if diff := cmp.Diff(want, moves(epoch.Add(-3*time.Hour), epoch.Add(-2*time.Hour))); diff != "" {
		t.Errorf("from 07:30 to 08:30 (-want +got)\n%s", diff)
	}
	want = map[string]string{
		"← Earlier": "?end=2026-11-20T10%3A29%3A30Z&start=2026-11-20T10%3A28%3A30Z", "Zoom out": "?end=2026-11-20T10%3A30%3A00Z&start=2026-11-20T10%3A28%3A00Z",
	}
	if diff := cmp.Diff(want, moves(epoch.Add(-time.Minute), epoch)); diff != "" {
		t.Errorf("the last minute (-want +got)\n%s", diff)
	}
	if got := moves(epoch.Add(-longest), epoch); got["Zoom out"] != "" || got["Later →"] != "" {
		t.Errorf("of all there is: %v", got)
	}
	if s := d.Spans()[0]; !s.Current || s.URL("10.0.0.1:443") != "?real=10.0.0.1%3A443&start=-1h" {
		t.Errorf("the last hour is %+v at %s", s, s.URL("10.0.0.1:443"))
	}
}
