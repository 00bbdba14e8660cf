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
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lvs/collector"
	"lvs/dashboards/web"
	"lvs/dataplane"
	"lvs/rrdstore"
)

// people is a director with real servers in several states, and one of its services
// removed.
func people(now time.Time) *dataplane.Snapshot {
	account := func(n uint64, age time.Duration) dataplane.Account {
		return dataplane.Account{
			Total:     dataplane.Counters{Connections: 1234 * n, InPackets: 900 * n, OutPackets: 800 * n, InBytes: 437123 * n, OutBytes: 98765432 * n},
			FirstSeen: now.Add(-340 * time.Hour), LastChange: now.Add(-age), Number: 1, Changes: 5, Failures: 2, Peak: 17,
		}
	}
	real := func(rip, name string, m dataplane.Method, weight, active uint32, rate uint64, age time.Duration) dataplane.RealState {
		r := dataplane.RealState{Name: name, Active: active, Inactive: 7 * active, HasRates: true, Account: account(rate+2, age)}
		r.RIP, r.Weight, r.Method = netip.MustParseAddrPort(rip), weight, m
		r.Recent, r.Rates = 90*rate, dataplane.Rates{Connections: rate, InBytes: 613 * rate, OutBytes: 14321 * rate, InPackets: 11 * rate, OutPackets: 12 * rate}
		return r
	}
	s := &dataplane.Snapshot{Tick: now, Time: now, Services: make([]dataplane.ServiceState, 3)}
	w, v6, ftp := &s.Services[0], &s.Services[1], &s.Services[2]
	w.Key, w.Name, w.Scheduler = dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.10:443")), "web", "wlc"
	w.Flags, w.Timeout, w.Netmask = dataplane.FlagPersistent, 5*time.Minute, dataplane.Mask4(0xffffff00)
	w.Reals = []dataplane.RealState{
		real("10.0.0.1:443", "web1", dataplane.Masquerade, 30, 42, 18, 340*time.Hour), real("10.0.0.2:443", "web2", dataplane.Masquerade, 10, 5, 12, 14*time.Minute),
		real("10.0.0.3:443", "web3", dataplane.Masquerade, 0, 2, 0, 3*time.Minute), real("10.0.0.4:443", "web4", dataplane.Masquerade, 0, 0, 0, 26*time.Hour),
	}
	w.Reals[1].UpperThreshold, w.Reals[1].LowerThreshold, w.Reals[3].Inactive = 5, 3, 0
	w.HasRates, w.Rates, w.Account = true, dataplane.Rates{Connections: 30, InBytes: 18390, OutBytes: 429630}, account(99, 340*time.Hour)
	v6.Key, v6.Scheduler = dataplane.AddrKey(dataplane.UDP, netip.MustParseAddrPort("[2001:db8::1]:53")), "rr"
	v6.Reals = []dataplane.RealState{real("[2001:db8::2]:53", "", dataplane.Route, 1, 0, 50, 130*time.Minute), real("[2001:db8::3]:53", "", dataplane.Route, 1, 0, 49, 130*time.Minute)}
	v6.HasRates, v6.Rates, v6.Account = true, dataplane.Rates{Connections: 99, InBytes: 60687}, account(50, 130*time.Minute)
	ftp.Key, ftp.Name, ftp.Scheduler = dataplane.MarkKey(dataplane.INET, 257), "ftp", "sh"
	ftp.Reals = []dataplane.RealState{real("10.0.0.9:0", "", dataplane.Tunnel, 1, 1, 0, 40*time.Second)}
	ftp.HasRates, ftp.Account = true, account(1, 40*time.Second)
	old := dataplane.Removed{Key: dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.99:80")), Name: "old", Account: account(3, time.Hour)}
	old.LastSeen = now.Add(-50 * time.Minute)
	s.Removed = []dataplane.Removed{old}
	s.Director = dataplane.Director{
		Version: "1.2.1", ConnTableSize: 4096, Connections: 398, HasConnections: true, HasStats: true, HasRates: true, Account: account(160, 0),
		Rates:   dataplane.Rates{Connections: 129, InBytes: 79077, OutBytes: 429630, InPackets: 1419, OutPackets: 360},
		Daemons: []dataplane.SyncDaemon{{Role: dataplane.Master, Interface: "eth1", SyncID: 7}},
	}
	s.Director.Peak, s.Director.Resets, s.Director.LastReset = 1024, dataplane.ResetCounts{dataplane.Zeroed: 1}, now.Add(-2*time.Hour)
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
		var in, out uint64
		var series []rrdstore.Point
		add := func(key dataplane.ServiceKey, rip netip.AddrPort) {
			for _, name := range []string{"in_bytes", "out_bytes"} {
				p := rrdstore.Point{Source: rrdstore.Source{Name: name}}
				p.Key, p.RIP = key, rip
				series = append(series, p)
			}
		}
		add(dataplane.ServiceKey{}, netip.AddrPort{}) // the director's
		for _, s := range people(now).Services {
			add(s.Key, netip.AddrPort{})
			for _, r := range s.Reals {
				add(s.Key, r.RIP)
			}
		}
		add(people(now).Removed[0].Key, netip.AddrPort{})
		add(dataplane.MarkKey(dataplane.INET, 4711), netip.AddrPort{})
		for at := now.Add(-2 * time.Hour).Truncate(10 * time.Second); at.Before(now); at = at.Add(10 * time.Second) {
			in += uint64(20000 + at.Unix()/60*7919%5000 + at.Unix()/900*104729%9000)
			out += uint64(90000 + at.Unix()/60*6997%50000 + at.Unix()/900*104729%90000)
			for _, p := range series {
				p.Time, p.Value = at, rrdstore.UintValue(in)
				if p.Source.Name == "out_bytes" {
					p.Value = rrdstore.UintValue(out)
				}
				if !yield(p, nil) {
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
	p := &statusPage{site: site, sparks: newSparks(store.Reader, log), latest: latest.Load, stats: func() collector.Stats { return collector.Stats{} }, interval: interval, open: store.Reader, answers: newQuota(maxTables, maxTableBytes)}
	p.agent = func() web.Agent {
		return web.Agent{Source: "netlink", Interval: interval(), Stored: true, Used: 128_400_000, Limit: 1 << 30}
	}
	p.events = newEventHub(p.latest, p.tableOf, p.pages.ofTick)
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
		s := *latest.Load()
		s.Tick = s.Tick.Add(time.Second)
		s.Services, s.Removed = slices.Clone(s.Services), slices.Clone(s.Removed)
		s.Services[0].Reals = slices.Clone(s.Services[0].Reals)
		changes[r.PathValue("change")](&s)
		latest.Store(&s)
		if err := p.events.Record(r.Context(), &s); err != nil {
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
	now := time.Now().Truncate(time.Second)
	small := served(t, people(now), map[string]func(*dataplane.Snapshot){
		"down": func(s *dataplane.Snapshot) {
			r := &s.Services[0].Reals[0]
			r.Weight, r.Active, r.Inactive, r.LastChange = 0, 0, 0, s.Tick
		},
		"nothing": func(*dataplane.Snapshot) {},
		"remove": func(s *dataplane.Snapshot) {
			r := &s.Services[0].Reals[1]
			r.LastSeen = s.Tick.Add(-time.Second)
			s.Removed = append(s.Removed, dataplane.Removed{Key: s.Services[0].Key, RIP: r.RIP, Name: r.Name, Account: r.Account})
			s.Services[0].Reals = slices.Delete(s.Services[0].Reals, 1, 2)
		},
	})
	large := served(t, crowd(now), map[string]func(*dataplane.Snapshot){
		"flap": func(s *dataplane.Snapshot) { // a real server goes out of service, or comes back
			r := &s.Services[0].Reals[3]
			r.Weight, r.LastChange = 1-r.Weight, s.Tick
		},
		"busy": func(s *dataplane.Snapshot) { // every number of every service is another
			for i := range s.Services {
				v := &s.Services[i]
				v.Rates.Connections, v.Rates.InBytes, v.Rates.OutBytes = v.Rates.Connections+1, v.Rates.InBytes+1234, v.Rates.OutBytes+56789
				v.Total = v.Total.Add(dataplane.Counters{Connections: 77, InBytes: 123456, OutBytes: 7654321})
			}
		},
	})
	browse(t, "page.mjs", small, large)
}

// The page over a long time and in many tabs, and by the keyboard.
func TestStatusPageLasts(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	small := served(t, people(now), map[string]func(*dataplane.Snapshot){
		"nothing": func(*dataplane.Snapshot) {},
		"surge":   func(s *dataplane.Snapshot) { s.Services[2].Rates.Connections = 1_000_000 },
		"later": func(s *dataplane.Snapshot) { // with a number changed
			s.Tick = s.Tick.Add(2 * time.Minute)
			s.Services[0].Reals[0].Inactive++
		},
	})
	many := crowd(now)
	many.Services = many.Services[:100]
	large := served(t, many, map[string]func(*dataplane.Snapshot){
		"real": func(s *dataplane.Snapshot) { s.Services[0].Reals[0].Rates.Connections = 7 },
		"far": func(s *dataplane.Snapshot) {
			v := &s.Services[12]
			v.Reals = slices.Clone(v.Reals)
			v.Reals[0].Rates.Connections = max(7, v.Reals[0].Rates.Connections) + 1
		},
		"lose": func(s *dataplane.Snapshot) { s.Services[3].Reals = s.Services[3].Reals[1:] },
		"busy": func(s *dataplane.Snapshot) {
			for i := range s.Services {
				s.Services[i].Rates.Connections = 5
			}
		},
		"remove": func(s *dataplane.Snapshot) { s.Services = s.Services[:len(s.Services)-1] },
	})
	browse(t, "lasting.mjs", small, large)
}

// browse runs a script of dashboards/web/test over two status pages.
func browse(t *testing.T, script, small, large string) {
	t.Helper()
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
	cmd := exec.CommandContext(t.Context(), "/usr/bin/node", filepath.Join(root, "dashboards/web/test", script))
	cmd.Env = append(os.Environ(), "MODULES="+filepath.Join(root, "build/browser"), "PROFILE="+t.TempDir(), "SHOTS="+shots, "SMALL="+small, "LARGE="+large)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("the page in a browser: %v", err)
	}
}
