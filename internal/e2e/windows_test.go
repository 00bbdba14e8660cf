//go:build lab

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/internal/lab"
)

// TestLabEveryWindowShowsTheSameIntegers goes through the life of a director with
// one agent: traffic, queries by every tool, counters cleared, services
// removed and added, the agent killed, the module unloaded. After each, every
// window has to show the same.
func TestLabEveryWindowShowsTheSameIntegers(t *testing.T) {
	lab.Rich(t)
	s := &site{master: lab.SNMPD(t), ahead: table{}}
	s.agent = startAgent(t, "--snmp.agentx="+s.master.Unix, "--prometheus.compat=node-ipvs")
	lab.Traffic(t, 3, true)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *site)
	}{
		{"after traffic", testAfterTraffic},
		{"metrics are well-formed", testMetricsLint},
		{"node_exporter's families", testNodeExporter},
		{"counters cleared", testZeroed},
		{"removed and added", testRecreated},
		{"agent ended and killed", testAgentRestarts},
		{"module loaded again", testModuleReload},
	} {
		// A later step stands on the ones before.
		if !t.Run(step.name, func(t *testing.T) { s.agent.t = t; step.run(t, s) }) {
			break
		}
	}
	s.agent.t = t
}

func testAfterTraffic(t *testing.T, s *site) {
	r, compared := s.check(t)
	for deadline := time.Now().Add(lab.Patience); r.expired > 0 && time.Now().Before(deadline); {
		r, compared = s.check(t)
	}
	if r.expired > 0 {
		t.Fatal("connections go on expiring")
	}
	t.Logf("%d cells compared, of %d rows in %d windows and ipvsadm", compared, len(r.kernel), len(r.all))
	if compared <= 500 {
		t.Errorf("only %d cells were compared", compared)
	}
	// A table of zeros would agree with anything.
	for _, at := range []row{{service: "tcp/10.1.0.100:8001"}, {service: "tcp/10.1.0.100:443"}, {service: "udp/10.1.0.100:54"},
		{service: "sctp/10.1.0.100:132"}, {service: "tcp/[fd10:1::101]:80"}, {service: "fwm4/1"}, {service: "fwm6/2"}} {
		if !r.kernel[at].counted() {
			t.Errorf("%v counted nothing", at)
		}
	}
	if c := r.kernel[row{service: "tcp/10.1.0.100:8001"}]; c["active"] != 1 || c["inactive"] == 0 {
		t.Errorf("tcp/10.1.0.100:8001 has %v, want one connection held open", c)
	}
	if c := r.kernel[row{service: "tcp/10.1.0.100:443"}]; c["persistent"] == 0 {
		t.Errorf("tcp/10.1.0.100:443 has %v, want persistence", c)
	}
}

// testZeroed clears all counters: ipvsadm shows what came since, all others
// what they showed before and that on top.
func testZeroed(t *testing.T, s *site) {
	before := s.now(t)
	lab.Run(t, "ipvsadm", "-Z")
	s.missed(before.kernel)
	s.sampled() // what is counted from here on is seen apart from the reset
	lab.Traffic(t, 1, false)
	after, _ := s.check(t)

	want := before.doc.resetsOf()
	services, reals := 0.0, 0.0
	for at, c := range before.kernel {
		if !c.counted() {
			continue // nothing was taken from it
		}
		want[at]["zeroed"]++
		if at.real == "" {
			services++
		} else {
			reals++
		}
	}
	if diff := cmp.Diff(want, after.doc.resetsOf()); diff != "" {
		t.Errorf("resets (-want +got):\n%s", diff)
	}
	m := s.metrics("")
	for scope, n := range map[string]float64{"director": 1, "service": services, "real": reals} {
		if got := m.sample("lvs_resets_total", "scope", scope, "reason", "zeroed"); got != n {
			t.Errorf("lvs_resets_total of %s is %v, want %v", scope, got, n)
		}
	}
	if services < 20 || reals < 20 {
		t.Errorf("only %v services and %v real servers had counted before", services, reals)
	}
}

// testRecreated deletes a service and adds it again, and likewise a real server
// of another, of which the kernel still has the counters.
func testRecreated(t *testing.T, s *site) {
	const service = "tcp/10.1.0.100:8002"
	ofService := func(at row) bool { return at.service == service }
	before := s.now(t)
	var real row
	for at, c := range before.kernel {
		if at.service == "tcp/10.1.0.100:8003" && at.real != "" && c.counted() {
			real = at
		}
	}
	lab.RunInput(t, []byte("-D -t 10.1.0.100:8002\n-d -t 10.1.0.100:8003 -r "+real.real+"\n"), "ipvsadm", "-R")
	gone, _ := s.check(t) // a window that still has them fails here
	if _, there := gone.kernel[real]; there || len(gone.kernel) != len(before.kernel)-6 {
		t.Fatalf("ipvsadm lists %d rows, want 6 fewer than %d", len(gone.kernel), len(before.kernel))
	}
	s.missed(before.kernel.only(ofService))
	lab.RunInput(t, []byte("-A -t 10.1.0.100:8002 -s wrr\n-a -t 10.1.0.100:8002 -r 10.2.0.14:7 -m -w 0\n"+
		"-a -t 10.1.0.100:8002 -r 10.2.0.13:7 -m -w 4\n-a -t 10.1.0.100:8002 -r 10.2.0.12:7 -m -w 2\n"+
		fmt.Sprintf("-a -t 10.1.0.100:8002 -r 10.2.0.11:7 -m -w 1\n-a -t 10.1.0.100:8003 -r %s -m -w %d\n", real.real, before.kernel[real]["weight"])),
		"ipvsadm", "-R")
	s.sampled()
	traffic(t, "5", "tcp", "10.1.0.100:8002")
	s.counted(service, 5)
	after, _ := s.check(t)
	if !after.kernel[real].counted() {
		t.Errorf("the kernel has forgotten %v; this tests less than it should", real)
	}
	if diff := cmp.Diff(before.doc.numbers(), after.doc.numbers(), comparable); diff != "" {
		t.Errorf("row numbers (-before +after):\n%s", diff)
	}
	want := before.doc.resetsOf()
	for at := range want {
		if ofService(at) {
			want[at]["recreated"]++
		}
	}
	m := s.metrics("?scope=director")
	for scope, n := range map[string]float64{"director": 0, "service": 1, "real": 4} {
		if got := m.sample("lvs_resets_total", "scope", scope, "reason", "recreated"); got != n {
			t.Errorf("lvs_resets_total of %s is %v, want %v", scope, got, n)
		}
	}
	if diff := cmp.Diff(want, after.doc.resetsOf()); diff != "" {
		t.Errorf("resets (-want +got):\n%s", diff)
	}
}

// testAgentRestarts ends the agent both ways, with traffic while it is away. A
// copy of what a killed agent leaves tells the same as it told.
func testAgentRestarts(t *testing.T, s *site) {
	before := s.now(t)
	skipped := s.metrics("?scope=agent").sample("lvs_agent_skipped_ticks_total")
	s.kill()
	copied := filepath.Join(runDir(t), "copy")
	if err := os.CopyFS(copied, regularFiles{os.DirFS(s.store())}); err != nil {
		t.Fatal(err)
	}
	tb, err := historyTable(t, copied, before.doc.Tick)
	if err != nil {
		t.Fatalf("a copy of the killed agent's store: %v", err)
	}
	here, _ := before.window("lvs-exporter fetch")
	if diff := cmp.Diff(here.table, tb); diff != "" {
		t.Errorf("the history before and after SIGKILL (-before +after):\n%s", diff)
	}
	traffic(t, "2", "tcp", "10.1.0.100:8005")
	s.start()
	const busy = "tcp/10.1.0.100:8005"
	s.counted(busy, before.kernel[row{service: busy}]["connections"]+2)
	killed, _ := s.check(t)
	s.terminate()
	s.start()
	ended, _ := s.check(t)
	for name, after := range map[string]*reading{"SIGKILL": killed, "SIGTERM": ended} {
		if diff := cmp.Diff(before.doc.numbers(), after.doc.numbers(), comparable); diff != "" {
			t.Errorf("row numbers after %s (-before +after):\n%s", name, diff)
		}
		if diff := cmp.Diff(before.doc.resetsOf(), after.doc.resetsOf()); diff != "" {
			t.Errorf("resets after %s (-before +after):\n%s", name, diff)
		}
	}
	testNoTickMissing(t, s, before.doc.Tick.Add(-5*time.Second), before.doc.Tick, int(skipped))
}

// testNoTickMissing reads a window of the history, which has a row for every second
// but those that the agent says it left out, as it does on a busy machine.
func testNoTickMissing(t *testing.T, s *site, start, end time.Time, skipped int) {
	out, err := fetch(t, s.store(), start, end)
	if err != nil {
		t.Fatal(err)
	}
	ticks, err := parseCSV(out)
	if err != nil {
		t.Fatal(err)
	}
	var missing []time.Time
	for tick := start; !tick.After(end); tick = tick.Add(time.Second) {
		if ticks[tick] == nil {
			missing = append(missing, tick)
		}
	}
	if len(missing) > skipped {
		t.Errorf("the history has no row at %v, and %d ticks were left out", missing, skipped)
	}
}

// testModuleReload unloads ip_vs under the agent and loads it again.
func testModuleReload(t *testing.T, s *site) {
	before := s.now(t)
	epoch := before.doc.Director.Epoch
	unloadIPVS(t)
	lab.Wait(t, "the agent says that it cannot read", func() bool { return s.metrics("?scope=agent").sample("lvs_up") == 0 })
	lab.Run(t, "modprobe", "ip_vs")
	lab.Run(t, lab.Path(t, "rich.sh"), "load")
	s.missed(before.kernel)
	s.waitDocument("the new table", func(d *document) bool { return !d.Stale && len(d.Services) == len(before.doc.Services) })
	traffic(t, "2", "tcp", "10.1.0.100:8006")
	s.counted("tcp/10.1.0.100:8006", 2)
	after, _ := s.check(t)
	if after.doc.Director.Epoch == epoch || epoch == "" {
		t.Errorf("the kernel's table is %q as before", epoch)
	}
	if up := s.metrics("?scope=agent").sample("lvs_up"); up != 1 {
		t.Errorf("lvs_up is %v after the module is back", up)
	}
	if diff := cmp.Diff(before.doc.numbers(), after.doc.numbers(), comparable); diff != "" {
		t.Errorf("row numbers (-before +after):\n%s", diff)
	}
	want := before.doc.resetsOf()
	for at := range want {
		want[at]["kernel_restart"]++
	}
	if diff := cmp.Diff(want, after.doc.resetsOf()); diff != "" {
		t.Errorf("resets (-want +got):\n%s", diff)
	}
	director := maps.Clone(before.doc.Director.Resets)
	director["kernel_restart"]++
	if diff := cmp.Diff(director, after.doc.Director.Resets); diff != "" {
		t.Errorf("the director's resets (-want +got):\n%s", diff)
	}
}
