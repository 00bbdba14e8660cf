package agent

import (
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lvs/collector"
	"lvs/dashboards/web"
	"lvs/dataplane"
	"lvs/rrdstore"
)

// people is a director with real servers in several states.
func people(now time.Time) *dataplane.Snapshot {
	real := func(rip string, weight, active uint32) dataplane.RealState {
		r := dataplane.RealState{Active: active, HasRates: true, Rates: dataplane.Rates{Connections: uint64(weight), InBytes: 1200}}
		r.RIP, r.Weight, r.LastChange = netip.MustParseAddrPort(rip), weight, now.Add(-time.Hour)
		r.Total = dataplane.Counters{Connections: 123456, InBytes: 1 << 40, OutBytes: 1 << 44}
		return r
	}
	s := &dataplane.Snapshot{Tick: now, Time: now, Services: make([]dataplane.ServiceState, 2)}
	w, v6 := &s.Services[0], &s.Services[1]
	w.Key, w.Name, w.Scheduler = dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.10:443")), "web", "wlc"
	w.Reals = []dataplane.RealState{real("10.0.0.1:443", 30, 0), real("10.0.0.2:443", 10, 5), real("10.0.0.3:443", 0, 2), real("10.0.0.4:443", 0, 0)}
	w.Reals[1].UpperThreshold = 5
	w.HasRates, w.Rates, w.LastChange = true, dataplane.Rates{Connections: 40, InBytes: 4800}, now.Add(-time.Hour)
	v6.Key, v6.Scheduler = dataplane.AddrKey(dataplane.UDP, netip.MustParseAddrPort("[2001:db8::1]:53")), "rr"
	v6.Reals = []dataplane.RealState{real("[2001:db8::2]:53", 1, 0), real("[2001:db8::3]:53", 1, 0)}
	v6.Reals[0].Method = dataplane.Route
	v6.HasRates, v6.Rates = true, dataplane.Rates{Connections: 99}
	return s
}

// crowd is a director with 1,000 services of 10 real servers.
func crowd(now time.Time) *dataplane.Snapshot {
	s := &dataplane.Snapshot{Tick: now, Time: now}
	for i := range 1000 {
		v := dataplane.ServiceState{HasRates: true}
		v.Key = dataplane.AddrKey(dataplane.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(i / 250), byte(i % 250)}), 443))
		for j := range 10 {
			r := dataplane.RealState{HasRates: true}
			r.RIP, r.Weight = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i / 250), byte(i % 250), byte(j)}), 443), 1
			v.Reals = append(v.Reals, r)
		}
		s.Services = append(s.Services, v)
	}
	return s
}

// lastHours are values of the services of people up to now.
func lastHours(now time.Time) iter.Seq2[rrdstore.Point, error] {
	return func(yield func(rrdstore.Point, error) bool) {
		var total uint64
		for at := now.Add(-2 * time.Hour).Truncate(10 * time.Second); at.Before(now); at = at.Add(10 * time.Second) {
			total += uint64(1000 + at.Unix()/60*7919%5000)
			for _, s := range people(now).Services {
				p := rrdstore.Point{Time: at, Source: rrdstore.Source{Name: "in_bytes"}, Value: rrdstore.UintValue(total)}
				if p.Key = s.Key; !yield(p, nil) {
					return
				}
			}
		}
	}
}

// served is a status page over what moves: POST /test/NAME takes the change of that
// name into the next sample.
func served(t *testing.T, first *dataplane.Snapshot, changes map[string]func(*dataplane.Snapshot)) string {
	t.Helper()
	site, err := web.NewSite()
	if err != nil {
		t.Fatal(err)
	}
	store, err := rrdstore.Open(t.TempDir(), rrdstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.ImportPoints(t.Context(), lastHours(time.Now())); err != nil {
		t.Fatal(err)
	}
	var latest atomic.Pointer[dataplane.Snapshot]
	latest.Store(first)
	interval := func() time.Duration { return 10 * time.Second }
	log := slog.New(slog.DiscardHandler)
	p := &statusPage{site: site, sparks: newSparks(store.Reader, log), latest: latest.Load, stats: func() collector.Stats { return collector.Stats{} }, interval: interval}
	p.events = newEventHub(p.latest, p.sparks.of)
	mux := http.NewServeMux()
	p.routes(mux)
	var busy sync.Once
	graph := newHistorian(store.Reader, interval, log).serveGraph("svg", "image/svg+xml")
	mux.HandleFunc("GET /api/v1/graph.svg", func(w http.ResponseWriter, r *http.Request) {
		refused := false
		if r.FormValue("kind") == "active" {
			busy.Do(func() { refused = true })
		}
		if refused {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		graph(w, r)
	})
	mux.HandleFunc("POST /test/{change}", func(w http.ResponseWriter, r *http.Request) {
		s := people(latest.Load().Tick.Add(time.Second))
		s.Services[0].Reals = append([]dataplane.RealState(nil), latest.Load().Services[0].Reals...)
		changes[r.PathValue("change")](s)
		latest.Store(s)
		if err := p.events.Record(r.Context(), s); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		p.close()
		server.Close()
		store.Close()
	})
	return server.URL
}

// The page in a browser: what is seen of a director that changes, order, filter,
// zoom, dark mode, a phone's width, accessibility, and nothing asked of other
// hosts. Screenshots are left in build/screenshots.
func TestStatusPageInABrowser(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for file, from := range map[string]string{
		"/usr/bin/chromium": "Debian's chromium", "/usr/bin/node": "Debian's nodejs",
		filepath.Join(root, "build/browser/node_modules/axe-core/axe.min.js"): ".ci/setup test",
	} {
		if _, err := os.Stat(file); err != nil {
			t.Fatalf("%v; it comes from %s", err, from)
		}
	}
	shots := filepath.Join(root, "build/screenshots")
	if err := os.MkdirAll(shots, 0o755); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	small := served(t, people(now), map[string]func(*dataplane.Snapshot){
		"down": func(s *dataplane.Snapshot) {
			s.Services[0].Reals[0].Weight, s.Services[0].Reals[0].LastChange = 0, s.Tick
		},
		"remove": func(s *dataplane.Snapshot) {
			s.Services[0].Reals = append(s.Services[0].Reals[:1], s.Services[0].Reals[2:]...)
		},
	})
	large := served(t, crowd(now), nil)
	cmd := exec.CommandContext(t.Context(), "/usr/bin/node", filepath.Join(root, "dashboards/web/test/page.mjs"))
	cmd.Env = append(os.Environ(), "MODULES="+filepath.Join(root, "build/browser"), "PROFILE="+t.TempDir(), "SHOTS="+shots, "SMALL="+small, "LARGE="+large)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("the page in a browser: %v", err)
	}
}
