//go:build lab

package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"lvs/internal/lab"
)

var update = flag.Bool("update", false, "rewrite the files of testdata that tests compare with")

// foreign is a service of somebody else's in the same table.
const foreign = "-A -t 10.1.0.101:80 -s lc\n-a -t 10.1.0.101:80 -r 10.2.0.14:80 -g -w 7\n"

// A cluster is an agent that runs the services of a configuration file.
type cluster struct {
	*agent
	file  string
	first string // the file at first
}

// TestLabDirector has the agent run services: it makes them, changes what the
// file changes and nothing else, reports what others change, and takes away what
// it made.
func TestLabDirector(t *testing.T) {
	lab.Site(t)
	lab.RunInput(t, []byte(foreign), "ipvsadm", "-R")
	first, err := os.ReadFile("testdata/agent.yml")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{file: filepath.Join(runDir(t), "agent.yml"), first: string(first)}
	c.write(t, c.first)
	c.agent = startAgent(t, "--snmp.agentx=off", "--config.file="+c.file)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *cluster)
	}{
		{"makes the table", testMakesTable},
		{"is not joined by another", testRefusesAnother},
		{"changes one weight", testChangesOneWeight},
		{"refuses a bad file", testRefusesBadFile},
		{"reports drift", testReportsDrift},
		{"tells what was removed", testTellsRemoved},
		{"puts drift back", testEnforces},
		{"quiesces", testQuiesces},
		{"removes its own", testRemovesItsOwn},
	} {
		// A later step stands on the ones before.
		if !t.Run(step.name, func(t *testing.T) { c.agent.t = t; step.run(t, c) }) {
			break
		}
	}
	c.agent.t = t
}

func (c *cluster) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(c.file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// edited is the file at first with replacements: old, new, old, new.
func (c *cluster) edited(t *testing.T, oldnew ...string) string {
	t.Helper()
	for i := 0; i < len(oldnew); i += 2 {
		if strings.Count(c.first, oldnew[i]) != 1 {
			t.Fatalf("%q is not once in the file", oldnew[i])
		}
	}
	return strings.NewReplacer(oldnew...).Replace(c.first)
}

// reload reloads over HTTP.
func (c *cluster) reload() error {
	_, err := c.ask(http.MethodPost, "/-/reload", "")
	return err
}

// changes is how many requests that change the table the agent has made.
func (c *cluster) changes() float64 {
	return c.metrics("?scope=agent").sample("lvs_agent_changes_total", "result", "ok")
}

// saved is the table as ipvsadm saves it.
func saved(t *testing.T) string {
	t.Helper()
	return lab.Run(t, "ipvsadm", "-S", "-n")
}

func testMakesTable(t *testing.T, c *cluster) {
	c.waitDocument("the configured services", func(d *document) bool { return len(d.Services) == 7 })
	got := saved(t)
	const golden = "testdata/saved.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), got); diff != "" {
		t.Errorf("ipvsadm -S -n (-%s +printed):\n%s", golden, diff)
	}
	if out := lab.Run(t, "ipvsadm", "-L", "--timeout"); !strings.Contains(out, "600 30 60") {
		t.Errorf("timeouts: %s", out)
	}
	if n := c.metrics("?scope=services").sample("lvs_service_weight", "service", "web"); n != 6 {
		t.Errorf("the weight of service web is %v in the metrics, want 6", n)
	}
	if n := c.metrics("?scope=reals").sample("lvs_real_server_weight", "service", "web", "real", "10.2.0.12:80"); n != 2 {
		t.Errorf("the weight of its 10.2.0.12:80 is %v in the metrics, want 2", n)
	}
}

// testRefusesAnother starts an agent by mistake, with other services at the same
// address: it ends, and the table is as it was.
func testRefusesAnother(t *testing.T, c *cluster) {
	table := saved(t)
	file := filepath.Join(runDir(t), "agent.yml")
	if err := os.WriteFile(file, []byte("services: [{address: tcp/10.1.0.103:80}]\nexclusive: true\nenforce: true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	other := unstarted(t, "--snmp.agentx=off", "--config.file="+file)
	other.flags = append(other.flags, "--web.listen-address="+strings.TrimPrefix(c.url, "http://"))
	if said := other.refused(); !strings.Contains(said, "address already in use") {
		t.Errorf("said %q", said)
	}
	if diff := gocmp.Diff(table, saved(t)); diff != "" {
		t.Errorf("it changed the table (-before +after):\n%s", diff)
	}
}

func testChangesOneWeight(t *testing.T, c *cluster) {
	traffic(t, "6", "http", "10.1.0.100:80")
	lab.Settle(t)
	table, stats, changes := saved(t), lab.Stats(t), c.changes()
	c.write(t, c.edited(t, "weight: 2", "weight: 5"))
	c.hangUp()
	c.waitDocument("the new weight", func(d *document) bool {
		return slices.ContainsFunc(d.service("tcp/10.1.0.100:80").Reals, func(r realDocument) bool { return r.Name == "web2" && r.Weight == 5 })
	})
	want := strings.Replace(table, "10.2.0.12:80 -m -w 2", "10.2.0.12:80 -m -w 5", 1)
	if diff := gocmp.Diff(want, saved(t)); diff != "" || want == table {
		t.Errorf("ipvsadm -S -n (-want +printed):\n%s", diff)
	}
	if diff := gocmp.Diff(stats, lab.Stats(t)); diff != "" || !strings.Contains(stats, " 6 ") {
		t.Errorf("counters moved (-before +after):\n%s\nor there was no traffic:\n%s", diff, stats)
	}
	if n := c.changes(); n != changes+1 {
		t.Errorf("%v changes were made for it, want 1", n-changes)
	}
}

func testRefusesBadFile(t *testing.T, c *cluster) {
	table, changes := saved(t), c.changes()
	c.write(t, c.edited(t, "weight: 2", "weight: 4", "10.2.0.13:8080", "10.2.0.13:80800"))
	line := 1 + strings.Count(c.first[:strings.Index(c.first, "10.2.0.13")], "\n")
	place := fmt.Sprintf("%s:%d:31: services[0].real_servers[2].address", c.file, line)
	if err := c.reload(); err == nil || !strings.Contains(err.Error(), "500") || !strings.Contains(err.Error(), place) {
		t.Errorf("POST /-/reload: %v, want %s", err, place)
	}
	before := strings.Count(c.log(), place)
	c.hangUp()
	lab.Wait(t, "the log tells of the bad file", func() bool { return strings.Count(c.log(), place) > before })
	if n := c.metrics("?scope=agent").sample("lvs_agent_config_last_reload_successful"); n != 0 {
		t.Errorf("lvs_agent_config_last_reload_successful is %v", n)
	}
	if diff := gocmp.Diff(table, saved(t)); diff != "" || c.changes() != changes {
		t.Errorf("something was changed:\n%s", diff)
	}
	c.write(t, c.first)
	if err := c.reload(); err != nil {
		t.Error(err)
	}
	if n := c.metrics("?scope=agent").sample("lvs_agent_config_last_reload_successful"); n != 1 {
		t.Errorf("lvs_agent_config_last_reload_successful is %v after a good file", n)
	}
	if want := strings.Replace(table, "10.2.0.12:80 -m -w 5", "10.2.0.12:80 -m -w 2", 1); saved(t) != want {
		t.Errorf("ipvsadm -S -n prints\n%s\nwant\n%s", saved(t), want)
	}
}

// drifts are the drift of a document as lines.
func (d *document) drifts() (lines []string) {
	for _, e := range d.Run.Drift {
		lines = append(lines, strings.Join([]string{e.Object, e.Service, cmp.Or(e.Real, "-"), e.Field, e.Want, e.Have}, " "))
	}
	slices.Sort(lines)
	return lines
}

// testReportsDrift changes a weight and a scheduler by hand: they stay, also when
// the agent is started anew, and are told until somebody puts them back.
func testReportsDrift(t *testing.T, c *cluster) {
	table := saved(t)
	lab.RunInput(t, []byte("-e -t 10.1.0.100:80 -r 10.2.0.11:80 -m -w 9\n-E -u 10.1.0.100:53 -s lc -o\n"), "ipvsadm", "-R")
	byHand := saved(t)
	want := []string{
		"real server tcp/10.1.0.100:80 10.2.0.11:80 weight 3 9",
		"service udp/10.1.0.100:53 - scheduler rr lc",
	}
	check := func(when string) {
		t.Helper()
		doc := c.waitDocument("drift", func(d *document) bool { return len(d.Run.Drift) > 1 })
		if diff := gocmp.Diff(want, doc.drifts()); diff != "" {
			t.Errorf("drift %s (-want +got):\n%s", when, diff)
		}
		c.sampled() // and again, as one that puts back would have by now
		if diff := gocmp.Diff(byHand, saved(t)); diff != "" {
			t.Errorf("it was put back %s (-by hand, +now):\n%s", when, diff)
		}
	}
	check("at first")
	m := c.metrics("?scope=agent")
	for _, kind := range []string{"real server", "service"} {
		if n := m.sample("lvs_agent_drift_entries", "kind", kind); n != 1 {
			t.Errorf("lvs_agent_drift_entries of a %s is %v, want 1", kind, n)
		}
	}
	c.terminate()
	c.start()
	check("after a restart")
	lab.RunInput(t, []byte("-E -u 10.1.0.100:53 -s rr -o\n"), "ipvsadm", "-R")
	c.waitDocument("drift ends", func(d *document) bool { return len(d.Run.Drift) == 1 })
	if left := strings.Replace(table, "10.2.0.11:80 -m -w 3", "10.2.0.11:80 -m -w 9", 1); saved(t) != left {
		t.Errorf("ipvsadm -S -n prints\n%s\nwant\n%s", saved(t), left)
	}
}

// testTellsRemoved takes a real server out by hand, as a health checker may: the
// next sample tells it, also when the agent is started anew, until it is back.
func testTellsRemoved(t *testing.T, c *cluster) {
	before := time.Now()
	lab.RunInput(t, []byte("-d -t 10.1.0.101:80 -r 10.2.0.14:80\n"), "ipvsadm", "-R")
	want := removedDocument{Service: "tcp/10.1.0.101:80", Real: "10.2.0.14:80", Number: 1}
	check := func(when string, doc *document) {
		t.Helper()
		if len(doc.Removed) != 1 {
			t.Fatalf("%s %+v are removed, want %+v", when, doc.Removed, want)
		}
		got := doc.Removed[0]
		if got.Total == nil || got.LastSeen.IsZero() || got.LastSeen.After(time.Now()) {
			t.Errorf("%s %+v lacks its total, or when it was last there", when, got)
		}
		if when == "at first" && got.LastSeen.Before(before.Add(-30*time.Second)) {
			t.Errorf("it was last there at %v, and removed after %v", got.LastSeen, before)
		}
		if got.Total, got.LastSeen = nil, want.LastSeen; !reflect.DeepEqual(got, want) {
			t.Errorf("%s %+v is removed, want %+v", when, got, want)
		}
	}
	check("at first", c.begun(time.Now()))
	c.terminate()
	c.start()
	check("after a restart", c.document())
	lab.RunInput(t, []byte("-a -t 10.1.0.101:80 -r 10.2.0.14:80 -g -w 7\n"), "ipvsadm", "-R")
	if doc := c.begun(time.Now()); len(doc.Removed) != 0 {
		t.Errorf("%+v are removed after it is back", doc.Removed)
	}
}

// testEnforces has the file say that drift is put back.
func testEnforces(t *testing.T, c *cluster) {
	c.write(t, c.edited(t, "enforce: false", "enforce: true"))
	if err := c.reload(); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/saved.txt")
	if err != nil {
		t.Fatal(err)
	}
	back := func() bool { return saved(t) == string(want) }
	lab.Wait(t, "the weight is back", back)
	before := c.changes()
	lab.RunInput(t, []byte("-d -t [fd10:1::100]:443 -r [fd10:2::11]:80\n-D -f 257 -6\n-a -t 10.1.0.100:80 -r 10.2.0.14:80 -m\n"), "ipvsadm", "-R")
	c.begun(time.Now())
	lab.Wait(t, "what was deleted is back, and what was added is gone", back)
	c.waitDocument("no drift", func(d *document) bool { return d.Run.Enforce && len(d.Run.Drift) == 0 })
	// A real server each of two services, and a service with one.
	lab.Wait(t, "four changes are told, and no more", func() bool { return c.changes()-before == 4 })
}

// testQuiesces takes both real servers of a service out of the file, one of which
// has a connection: it gets weight 0, and is deleted when its time is over.
func testQuiesces(t *testing.T, c *cluster) {
	const echo = "tcp/10.1.0.100:7"
	argv := lab.InNetNS(lab.Client, lab.Labnet(t), "get", "-family", "tcp", "-hold", "1h", "10.1.0.100:7")
	hold := exec.Command(argv[0], argv[1:]...)
	if err := hold.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hold.Process.Kill(); hold.Wait() })
	var busy, idle string
	c.waitDocument("the connection", func(d *document) bool {
		reals := d.service(echo).Reals
		for i, r := range reals {
			if r.Active == 1 {
				busy, idle = r.Address, reals[1-i].Address
			}
		}
		return busy != ""
	})
	c.write(t, c.edited(t, `    quiesce: 12s
    real_server_defaults: {method: masquerade}
    real_servers:
      - address: 10.2.0.11
      - address: 10.2.0.12
`, "    quiesce: 12s\n"))
	if err := c.reload(); err != nil {
		t.Fatal(err)
	}
	doc := c.waitDocument("only the one with a connection drains", func(d *document) bool {
		return len(d.Run.Draining) == 1 && len(d.service(echo).Reals) == 1
	})
	if d := doc.Run.Draining[0]; d.Service != echo || d.Real != busy || d.Connections != 1 {
		t.Errorf("%+v drains, want %s with its connection; %s had none", d, busy, idle)
	}
	if r := doc.service(echo).Reals[0]; r.Address != busy || r.Weight != 0 || r.Active != 1 {
		t.Errorf("%+v, want %s with weight 0", r, busy)
	}
	c.waitDocument("it is deleted when its time is over", func(d *document) bool {
		return len(d.service(echo).Reals) == 0 && len(d.Run.Draining) == 0
	})
}

// testRemovesItsOwn leaves an empty list of services: what the agent made goes,
// what was there before stays.
func testRemovesItsOwn(t *testing.T, c *cluster) {
	c.write(t, "services: []\n")
	c.hangUp()
	c.waitDocument("only the foreign service is left", func(d *document) bool { return len(d.Services) == 1 })
	if got := saved(t); got != foreign {
		t.Errorf("ipvsadm -S -n prints\n%s\nwant\n%s", got, foreign)
	}
	c.terminate()
}
