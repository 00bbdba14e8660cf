package exporter

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/collector/snmp"
	"lvs/collector/snmp/snmptest"
	"lvs/dataplane"
	"lvs/internal/config"
	"lvs/mib"
	"lvs/rrdstore"

	"github.com/google/go-cmp/cmp"
)

// fleetSnapshot is one of a director's own sampler: four services, ten real
// servers in each.
func fleetSnapshot(n uint64) *dataplane.Snapshot {
	src := &dataplane.Snapshot{Time: time.Now().UTC().Truncate(100 * time.Millisecond)}
	src.Director = dataplane.Director{Version: "1.2.1", ConnTableSize: 4096, Connections: 10, HasConnections: true, HasStats: true,
		Timeouts: dataplane.Timeouts{TCP: 900 * time.Second, TCPFin: 120 * time.Second, UDP: 300 * time.Second}}
	count := func(i uint64) dataplane.Counters {
		return dataplane.Counters{Connections: i * n, InPackets: 10 * i * n, OutPackets: 8 * i * n, InBytes: 1000 * i * n, OutBytes: 5000 * i * n}
	}
	src.Director.Kernel = count(100)
	for i := range 4 {
		s := dataplane.ServiceState{Service: dataplane.Service{Scheduler: "wlc",
			Key: dataplane.AddrKey(dataplane.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 0, byte(i)}), 80))}}
		s.Kernel = count(uint64(10 * (i + 1)))
		for j := range 10 {
			r := dataplane.RealState{RealServer: dataplane.RealServer{RIP: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, 0, byte(j)}), 80), Weight: uint32(j)}}
			r.Active, r.Inactive, r.Kernel = uint32(j), uint32(2*j), count(uint64(i+1))
			s.Reals = append(s.Reals, r)
		}
		src.Services = append(src.Services, s)
	}
	tick := time.Unix(src.Time.Unix()/10*10, 0).UTC()
	snap := collector.NewContinuity(nil, time.Hour).Apply(src, tick)
	snap.Services[0].Name = "web"
	return snap
}

// agentFigures are what agents tell of themselves.
var agentFigures = mib.Figures{
	Interval: 10 * time.Second, Resets: agentResets, SampleErrors: 13, LateTicks: 14, SkippedTicks: 15, Inconsistent: 16,
	Store: mib.StoreFigures{State: mib.StoreBehind, Bytes: 1 << 40, Limit: 1 << 41, CommitErrors: 17, LateCommits: 18},
}

// agentHealth is the same as an agent shows it itself.
var agentHealth = prom.Health{
	Up: true, Resets: *resetsOf(&snmp.Resets{Director: agentResets.Director, Services: agentResets.Services, Reals: agentResets.Reals}),
	SampleErrors: map[string]uint64{"read": 13}, LateTicks: 14, SkippedTicks: 15, Inconsistent: 16, DumpRetries: 19, ClockSteps: 20,
	Components: map[string]bool{"kernel": true, "store": false},
	Store:      &prom.StoreHealth{Bytes: 1 << 40, Limit: 1 << 41, CommitErrors: 17, LateCommits: 18, Damaged: 21},
}

// agentResets are those that agents tell.
var agentResets = mib.ResetFigures{Director: dataplane.ResetCounts{1, 2, 3, 4}, Services: dataplane.ResetCounts{5, 6, 7, 8}, Reals: dataplane.ResetCounts{9, 10, 11, 12}}

// agentOf answers from a snapshot as a lvs-agent does.
func agentOf(t testing.TB, snap *dataplane.Snapshot) *snmptest.Agent {
	t.Helper()
	a, err := snmptest.New("127.0.0.1:0", mib.Build(snap, agentFigures))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// serveFleet runs a fleet of a configuration and serves it until the test ends.
func serveFleet(t *testing.T, text string, any bool) (*httptest.Server, *fleet) {
	t.Helper()
	cfg, err := config.ParseFleet(strings.NewReader(text), "fleet.yml")
	if err != nil {
		t.Fatal(err)
	}
	s := &serve{log: slog.New(slog.DiscardHandler), targets: targetsConfigured}
	if any {
		s.targets = targetsAny
	}
	h, err := s.assemble(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := s.fleet
	for _, m := range f.members {
		m.delay = 0
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.run(ctx) }()
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return server, f
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// ready waits until every director was asked.
func ready(t *testing.T, server *httptest.Server) {
	t.Helper()
	for deadline := time.Now().Add(90 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if code, _ := get(t, server.URL+"/-/ready"); code == http.StatusOK {
			return
		}
	}
	t.Fatal("never ready")
}

// ofProcess are what the agent tells of itself alone, or of the time that passes.
var ofProcess = func() *regexp.Regexp {
	names := []string{"lvs_agent_snapshot_age_seconds", "lvs_exporter_.*", "go_.*", "process_.*", "promhttp_.*"}
	for _, d := range prom.Descriptions() {
		if !d.OfMembers {
			names = append(names, d.Name)
		}
	}
	return regexp.MustCompile("^(" + strings.Join(names, "|") + ")[ {]")
}()

// series are the lines of a scrape, without comments and without those.
func series(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") && !ofProcess.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// ofAgent is what the agent itself shows of a snapshot, without the families of a
// list.
func ofAgent(t *testing.T, snap *dataplane.Snapshot, query string, not []string) []string {
	t.Helper()
	e, err := prom.New(prom.Options{Snapshot: func() *dataplane.Snapshot { return snap }, Health: func() prom.Health { return agentHealth }})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/metrics?"+query, nil))
	return slices.DeleteFunc(series(w.Body.String()), func(line string) bool {
		name, _, _ := strings.Cut(line, " ")
		name, _, _ = strings.Cut(name, "{")
		return slices.Contains(not, name)
	})
}

// What /snmp and /metrics show of a director by its own MIB equals what its agent
// shows: names, labels, filters and values.
func TestServeShowsWhatTheAgentShows(t *testing.T) {
	snap := fleetSnapshot(7)
	a := agentOf(t, snap)
	server, _ := serveFleet(t, "directors: [{name: lvs1, target: \""+a.Addr()+"\"}]", false)
	ready(t, server)
	for _, query := range []string{"", "&service=web", "&service=tcp/10.1.0.2:*&scope=services", "&scope=director", "&name[]=lvs_up&name[]=lvs_service_weight"} {
		want := ofAgent(t, snap, strings.TrimPrefix(query, "&"), lacks(snmp.Director, 2, true))
		for _, target := range []string{"lvs1", a.Addr()} {
			code, body := get(t, server.URL+"/snmp?target="+target+query)
			if diff := cmp.Diff(want, series(body)); code != http.StatusOK || diff != "" {
				t.Errorf("/snmp?target=%s%s: %d (-agent +exporter):\n%s", target, query, code, diff)
			}
		}
		code, body := get(t, server.URL+"/metrics?"+strings.TrimPrefix(query, "&"))
		got := series(body)
		for i := range got {
			got[i] = strings.NewReplacer(`{director="lvs1"} `, " ", `{director="lvs1",`, "{", `,director="lvs1"`, "").Replace(got[i])
		}
		if diff := cmp.Diff(want, got); code != http.StatusOK || diff != "" {
			t.Errorf("/metrics?%s: %d (-agent +exporter):\n%s", query, code, diff)
		}
	}
}

// By the LVS-MIB it shows the same but for what that does not tell.
func TestServeShowsTheLVSMIB(t *testing.T) {
	snap := fleetSnapshot(7)
	a := agentOf(t, snap)
	server, _ := serveFleet(t, "directors: [{name: lvs1, module: lvs, target: \""+a.Addr()+"\"}]", true)
	ready(t, server)
	unnamed := *snap
	unnamed.Services = slices.Clone(snap.Services)
	unnamed.Services[0].Name = ""
	// States rest on the weight alone there, a single reading sees no reset, and agents
	// tell nothing of themselves.
	not := append(lacks(snmp.LVS, 2, true), "lvs_agent_", "lvs_resets_total", "lvs_real_server_up", "lvs_service_up", "lvs_service_real_servers", "lvs_connection_table_entries")
	drop := func(lines []string) []string {
		return slices.DeleteFunc(lines, func(line string) bool {
			return slices.ContainsFunc(not, func(n string) bool { return strings.HasPrefix(line, n) })
		})
	}
	_, body := get(t, server.URL+"/snmp?module=lvs&target="+a.Addr())
	if diff := cmp.Diff(drop(ofAgent(t, &unnamed, "", not)), drop(series(body))); diff != "" {
		t.Errorf("(-agent +exporter):\n%s", diff)
	}
	if strings.Contains(body, "connections_active") || strings.Contains(body, "lvs_director_connections_total") {
		t.Errorf("what the LVS-MIB does not tell is shown:\n%s", body)
	}
}

func TestProbesThatCannotBe(t *testing.T) {
	silent, err := snmptest.New("127.0.0.1:0", snmptest.Vars(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	server, _ := serveFleet(t, "timeout: 1m\nretries: 0\nauths: {v1: {version: 1}}\ndirectors: [{name: lvs1, target: \""+silent.Addr()+"\"}]", false)
	for query, want := range map[string]string{
		"":                               "400 no target; want target=HOST or target=HOST:PORT",
		"target=192.0.2.1":               `400 target "192.0.2.1" is not a configured director, and --snmp.targets=any is not set`,
		"target=lvs1&target=lvs1":        "400 target is given 2 times; want it once",
		"target=lvs1&module=all":         `400 module "all"; want lvs or director`,
		"target=lvs1&auth=other":         `400 auth "other" is not configured; there are public_v2, v1`,
		"target=lvs1&auth=v1&module=lvs": "500 snmp: poll " + silent.Addr() + ": nothing of this MIB",
		"target=lvs1&module=lvs&any=%zz": `400 query: invalid URL escape "%zz"`,
	} {
		code, body := get(t, server.URL+"/snmp?"+query)
		if got := fmt.Sprintf("%d %s", code, strings.TrimSpace(body)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", query, got, want)
		}
	}
	r, _ := http.NewRequest("GET", server.URL+"/snmp?target=lvs1", nil)
	r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "soon")
	resp, err := http.DefaultClient.Do(r)
	if err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a timeout of %q: %v, %v", "soon", resp, err)
	}
	resp.Body.Close()
}

func TestProbeTimeouts(t *testing.T) {
	for text, want := range map[string]time.Duration{"": defaultProbe, "10": 9500 * time.Millisecond, "0.5": 250 * time.Millisecond, "100000": maxProbe} {
		h := http.Header{}
		if text != "" {
			h.Set("X-Prometheus-Scrape-Timeout-Seconds", text)
		}
		if got, err := probeTimeout(h); got != want || err != nil {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"-1", "0", "NaN", "x"} {
		if got, err := probeTimeout(http.Header{"X-Prometheus-Scrape-Timeout-Seconds": {text}}); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// A director that is down is told as such, and costs the others nothing.
func TestAFleetWithADeadDirector(t *testing.T) {
	a := agentOf(t, fleetSnapshot(3))
	// A socket that hears its peer only: who else sends to its port is told that
	// nobody listens there, and nobody else can.
	deaf, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:9")))
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	gone := deaf.LocalAddr().String()
	server, _ := serveFleet(t, "interval: 1h\ntimeout: 1m\nretries: 0\ndirectors:\n- {name: alive, target: \""+a.Addr()+"\"}\n- {name: gone, target: \""+gone+"\"}\n", false)
	ready(t, server)
	_, body := get(t, server.URL+"/metrics")
	for _, want := range []string{`lvs_up{director="alive"} 1`, `lvs_up{director="gone"} 0`, `lvs_services{director="alive"} 4`,
		`lvs_exporter_poll_errors_total{director="gone",reason="network"} 1`, `lvs_exporter_polls_total{director="alive"} 1`, "process_cpu_seconds_total "} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in:\n%s", want, body)
		}
	}
	if strings.Contains(body, `lvs_services{director="gone"}`) {
		t.Error("a director that was never read has services")
	}
}

// Directors that do not answer are asked ever more rarely.
func TestDeadDirectorsAreLeftAlone(t *testing.T) {
	a, err := snmptest.New("127.0.0.1:0", snmptest.Vars(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	_, f := serveFleet(t, "directors: [{name: lvs1, target: \""+a.Addr()+"\", interval: 1h}]", false)
	source := f.members[0].source
	for deadline := time.Now().Add(90 * time.Second); source.stats().polls == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it is never asked")
		}
	}
	polls := []uint64{source.stats().polls}
	for range 24 {
		if _, err := source.Snapshot(t.Context()); err == nil {
			t.Fatal("a director that has nothing was read")
		}
		polls = append(polls, source.stats().polls)
	}
	want := []uint64{1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7}
	if diff := cmp.Diff(want, polls); diff != "" {
		t.Errorf("polls after each tick (-want +got):\n%s", diff)
	}
	a.Serve(mib.Build(fleetSnapshot(1), mib.Figures{}))
	for range maxRest + 1 {
		_, err = source.Snapshot(t.Context())
	}
	if err != nil {
		t.Errorf("a director that is back: %v", err)
	}
}

// Each director has a store of its own, with the names, numbers and ticks of its
// agent.
func TestTheHistoryOfAFleet(t *testing.T) {
	dir := t.TempDir()
	snap := fleetSnapshot(5)
	a, b := agentOf(t, snap), agentOf(t, fleetSnapshot(6))
	server, f := serveFleet(t, "store: {path: "+dir+"}\ndirectors:\n- {name: one, target: \""+a.Addr()+"\"}\n- {name: two, module: lvs, target: \""+b.Addr()+"\"}\n", false)
	ready(t, server)
	for _, m := range f.members {
		for deadline := time.Now().Add(90 * time.Second); m.sampler.Stats().Ledger.Commits == 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s stores nothing: %+v", m.Name, m.sampler.Stats())
			}
		}
	}
	for name, label := range map[string]string{"one": "web", "two": ""} {
		r, err := rrdstore.OpenReader(t.Context(), filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		series := r.Series()
		if len(series) != 45 || series[1].Name != label {
			t.Errorf("%s has %d series, the second called %q", name, len(series), series[1].Name)
		}
		info, err := r.Info(t.Context())
		if err != nil || name == "one" && !info.Newest.Equal(snap.Tick) {
			t.Errorf("%s ends at %v, %v; want %v", name, info.Newest, err, snap.Tick)
		}
	}
}

// promtool finds nothing to say about either window.
func TestPromtoolLikesTheFleet(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is not installed: apt-get install prometheus")
	}
	a := agentOf(t, fleetSnapshot(3))
	server, _ := serveFleet(t, "prometheus: {kernel_rates: true}\ndirectors:\n- {name: lvs1, target: \""+a.Addr()+"\"}\n- {name: lvs2, module: lvs, target: \""+a.Addr()+"\"}\n", false)
	ready(t, server)
	for _, path := range []string{"/metrics", "/snmp?target=lvs1", "/snmp?target=lvs2"} {
		_, body := get(t, server.URL+path)
		cmd := exec.Command(promtool, "check", "metrics")
		cmd.Stdin = strings.NewReader(body)
		if out, err := cmd.CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
	}
}

func TestServeChecksItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "fleet.yml")
	if err := os.WriteFile(file, []byte("directors: [{name: a}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, flag := range []string{"--config.file", "--config.check"} {
		err := Run(t.Context(), []string{"serve", flag, file}, &out, &out)
		if err == nil || err.Error() != file+":1:13: directors[0].target: missing; want HOST or HOST:PORT" {
			t.Errorf("%s: %v", flag, err)
		}
	}
	if err := os.WriteFile(file, []byte("directors: [{target: a}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), []string{"serve", "--config.check", file}, &out, &out); err != nil || out.String() != file+" is valid.\n" {
		t.Errorf("%v, %q", err, out.String())
	}
}

// The command serves until it is told to end.
func TestServeRunsUntilItIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	log := &lockedBuffer{}
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, []string{"serve", "--web.listen-address", "127.0.0.1:0"}, io.Discard, log)
	}()
	address := regexp.MustCompile(`address=(127\.0\.0\.1:\d+)`)
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if m := address.FindStringSubmatch(log.String()); m != nil {
			if code, body := get(t, "http://"+m[1]+"/"); code != http.StatusOK || !strings.Contains(body, "lvs-exporter") {
				t.Errorf("/: %d\n%s", code, body)
			}
			if code, _ := get(t, "http://"+m[1]+"/-/healthy"); code != http.StatusOK {
				t.Errorf("/-/healthy: %d", code)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no address in the log:\n%s", log.String())
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
