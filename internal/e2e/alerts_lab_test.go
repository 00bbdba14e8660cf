//go:build lab

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/internal/lab"
)

// An alarms is a Prometheus with our alerts, and two agents for it to scrape: a has
// the site and its traffic, and b a namespace with a table of its own.
type alarms struct {
	*alerting
	a   *agent
	b   *lonely
	end func() // of the traffic to service uneven

	mu   sync.Mutex
	t    *testing.T
	may  map[string]bool // fire now
	fire map[string]bool // did, since the fault at hand
	ever map[string]bool // names of alerts that did
	now  []alert         // as they were last seen
	seen int             // how often they were
}

// A fault is something broken, what alerts of it and nothing else, and how it is
// mended.
type fault struct {
	name          string
	breaks, mends func(s *alarms)
	want          []string
}

// TestLabAlerts breaks real servers, traffic, agents and a store, everything that an
// alert is about: each fires, with whose fault it is, no other does, and it clears
// when that is mended. What has nothing to do with each other breaks at the same
// time.
func TestLabAlerts(t *testing.T) {
	s := openAlarms(t)
	s.quiet()
	for _, f := range faults() {
		// A later one stands on the ones before.
		if !t.Run(f.name, func(inner *testing.T) { s.with(inner); defer s.with(t); s.play(&f) }) {
			break
		}
	}
	if t.Failed() {
		return
	}
	text, err := os.ReadFile(filepath.Join(s.alerting.dir, "lvs.alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^ *- alert: (\w+)$`).FindAllSubmatch(text, -1)
	for _, m := range all {
		if !s.ever[string(m[1])] {
			t.Errorf("%s never fired", m[1])
		}
	}
	if len(all) < len(s.ever) {
		t.Errorf("%d alerts were found in the file, %d fired", len(all), len(s.ever))
	}
}

// with has the test at hand fail.
func (s *alarms) with(t *testing.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t, s.a.t, s.b.t = t, t, t
}

// play breaks, waits until all alerts have fired, mends, and waits until none does.
func (s *alarms) play(f *fault) {
	s.t.Helper()
	s.mu.Lock()
	s.may, s.fire = map[string]bool{}, map[string]bool{}
	for _, w := range f.want {
		s.may[w] = true
	}
	s.mu.Unlock()
	begin := time.Now()
	f.breaks(s)
	broken := time.Since(begin)
	s.fired(f.want...)
	all := time.Since(begin)
	s.rulesWork(s.t)
	f.mends(s)
	s.quiet()
	s.t.Logf("broken after %v, all fired after %v, all clear after %v", broken.Round(time.Millisecond), all.Round(time.Millisecond), time.Since(begin).Round(time.Millisecond))
}

// fired waits until these have fired.
func (s *alarms) fired(want ...string) {
	s.t.Helper()
	s.until("they fire", func() (missing []string) {
		return slices.DeleteFunc(slices.Clone(want), func(w string) bool { return s.fire[w] })
	})
}

// quiet waits until nothing fires, and nothing is about to.
func (s *alarms) quiet() {
	s.t.Helper()
	from := s.looks()
	s.until("all is clear", func() (left []string) {
		if s.seen < from+2 { // the first may have been asked for before
			return []string{"nobody looked yet"}
		}
		for _, a := range s.now {
			left = append(left, a.String()+" ("+a.State+")")
		}
		return left
	})
}

func (s *alarms) looks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// until waits until nothing is missing any more.
func (s *alarms) until(what string, missing func() []string) {
	s.t.Helper()
	for deadline := time.Now().Add(lab.Patience); ; time.Sleep(100 * time.Millisecond) {
		s.mu.Lock()
		left, now := missing(), s.now
		s.mu.Unlock()
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain until %s: %s; there are %v", what, strings.Join(left, ", "), now)
		}
	}
}

// watch looks at the alerts twice a second until the test ends, since some fire for
// seconds only. One that fires and may not is an error.
func (s *alarms) watch(t *testing.T) {
	var watching sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	watching.Go(func() {
		for ctx.Err() == nil {
			if now, err := s.alerts(); err == nil { // it starts, or is too busy: nobody looks meanwhile
				s.look(now)
			}
			time.Sleep(500 * time.Millisecond)
		}
	})
	t.Cleanup(func() { stop(); watching.Wait() })
}

func (s *alarms) look(now []alert) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.seen = now, s.seen+1
	for _, a := range now {
		name := a.String()
		if a.State != "firing" || s.fire[name] {
			continue
		}
		s.fire[name] = true
		if !s.may[name] && s.tooBusy(a) {
			s.t.Logf("%s fires, of a scrape that was not done in time", name)
			continue
		}
		s.ever[a.Labels["alertname"]] = true
		if !s.may[name] {
			s.t.Errorf("%s fires: %s", name, a.Annotations["description"])
		}
		a.check(s.t)
	}
}

// alarmed are the services of agent a: keys, and names.
const (
	alarmedNames = `names:
  tcp/10.1.0.100:1001: left
  tcp/10.1.0.100:1002: few
  tcp/10.1.0.100:1003:
    name: down
    real_servers: {"10.2.0.11:80": web1}
  tcp/10.1.0.100:1004: removed
  tcp/10.1.0.100:1005: drain
  tcp/10.1.0.100:1006: limit
  udp/10.1.0.100:1007: uneven
  udp/10.1.0.100:1008: flood
  udp/10.1.0.100:1009: zeroed
  udp/10.1.0.100:1010: again
  tcp/10.1.0.100:1011: vanished
  tcp/10.1.0.100:1012: flapping
`
	alarmedTable = `-A -t 10.1.0.100:1001 -s wlc
-a -t 10.1.0.100:1001 -r 10.2.0.11:80 -m -w 1
-a -t 10.1.0.100:1001 -r 10.2.0.12:80 -m -w 1
-A -t 10.1.0.100:1002 -s wlc
-a -t 10.1.0.100:1002 -r 10.2.0.11:80 -m -w 1
-a -t 10.1.0.100:1002 -r 10.2.0.12:80 -m -w 1
-a -t 10.1.0.100:1002 -r 10.2.0.13:80 -m -w 1
-A -t 10.1.0.100:1003 -s wlc
-a -t 10.1.0.100:1003 -r 10.2.0.11:80 -m -w 1
-a -t 10.1.0.100:1003 -r 10.2.0.12:80 -m -w 1
-A -t 10.1.0.100:1004 -s wlc
-a -t 10.1.0.100:1004 -r 10.2.0.11:80 -m -w 1
-a -t 10.1.0.100:1004 -r 10.2.0.12:80 -m -w 1
-A -t 10.1.0.100:1005 -s rr
-a -t 10.1.0.100:1005 -r 10.2.0.11:7 -m -w 1
-a -t 10.1.0.100:1005 -r 10.2.0.12:7 -m -w 1
-A -t 10.1.0.100:1006 -s rr
-a -t 10.1.0.100:1006 -r 10.2.0.13:7 -m -w 1 -x 10 -y 0
-a -t 10.1.0.100:1006 -r 10.2.0.14:7 -m -w 1
-A -u 10.1.0.100:1007 -s wlc
-a -u 10.1.0.100:1007 -r 10.2.0.11:53 -m -w 1
-a -u 10.1.0.100:1007 -r 10.2.0.12:53 -m -w 1
-A -u 10.1.0.100:1008 -s rr
-a -u 10.1.0.100:1008 -r 10.2.0.13:53 -m -w 1
-a -u 10.1.0.100:1008 -r 10.2.0.14:53 -m -w 1
-A -u 10.1.0.100:1009 -s rr
-a -u 10.1.0.100:1009 -r 10.2.0.13:53 -m -w 1
-A -u 10.1.0.100:1010 -s rr
-a -u 10.1.0.100:1010 -r 10.2.0.14:53 -m -w 1
-A -t 10.1.0.100:1011 -s wlc
-a -t 10.1.0.100:1011 -r 10.2.0.11:80 -m -w 1
-A -t 10.1.0.100:1012 -s wlc
-a -t 10.1.0.100:1012 -r 10.2.0.11:80 -m -w 1
-a -t 10.1.0.100:1012 -r 10.2.0.12:80 -m -w 1
`
	vanishedTable = "-A -t 10.1.0.100:1011 -s wlc\n-a -t 10.1.0.100:1011 -r 10.2.0.11:80 -m -w 1\n"
	againTable    = "-A -u 10.1.0.100:1010 -s rr\n-a -u 10.1.0.100:1010 -r 10.2.0.14:53 -m -w 1\n"
)

// withSmallIPVS loads ip_vs anew with a small table, until the test ends: then it and
// its modules are as before.
func withSmallIPVS(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile("/proc/modules")
	if err != nil {
		t.Fatal(err)
	}
	argv := []string{"modprobe", "-a", "ip_vs"}
	for _, m := range regexp.MustCompile(`(?m)^ip_vs_\w+`).FindAll(b, -1) {
		argv = append(argv, string(m))
	}
	unloadIPVS(t)
	loadSmallIPVS(t)
	t.Cleanup(func() {
		unloadIPVS(t)
		lab.Run(t, argv...)
	})
}

// loadSmallIPVS has the connection table of the kernel be as small as it gets: 256
// buckets.
func loadSmallIPVS(t *testing.T) {
	t.Helper()
	lab.Run(t, "modprobe", "ip_vs", "conn_tab_bits=8")
}

// openAlarms starts everything, with steady traffic to one service.
func openAlarms(t *testing.T) *alarms {
	t.Helper()
	lab.Site(t)
	withSmallIPVS(t)
	e := newEditor(t)
	shortConnections(t, e)
	if err := e.client.SetTimeouts(t.Context(), dataplane.Timeouts{UDP: crowdTimeout}); err != nil {
		t.Fatal(err)
	}
	lab.RunInput(t, []byte(alarmedTable), "ipvsadm", "-R")
	for _, service := range []string{"10.1.0.100:1009", "10.1.0.100:1010"} {
		if err := inside(func() error { return datagrams(5, netip.MustParseAddrPort(service)) }); err != nil {
			t.Fatal(err)
		}
	}
	s := &alarms{t: t, may: map[string]bool{"LVSAgentAbsent": true /* until the first scrape */}, fire: map[string]bool{}, ever: map[string]bool{}}
	s.a = unstarted(t, "--snmp.agentx=off")
	names := s.a.dir + "/names.yml"
	write(t, names, alarmedNames)
	s.a.flags = append(s.a.flags, "--config.file="+names)
	s.a.begin(goesFirst...)
	s.a.ready()
	s.b = openLonely(t)
	s.end = newcomers(t, "10.1.0.100:1007")
	s.a.sampled()
	s.b.sampled()
	s.alerting = startAlerting(t, s.targets()...)
	lab.Wait(t, "prometheus scrapes both", func() bool {
		found, err := s.instant("count(lvs_up == 1) == 2", time.Now())
		return err == nil && len(found) == 1
	})
	s.watch(t)
	return s
}

func (s *alarms) targets() []target {
	return []target{{s.a, "a", ""}, {s.b.agent, "b", "agent,director"}}
}

// edit changes the table of a with lines of ipvsadm -R.
func (s *alarms) edit(format string, args ...any) {
	s.t.Helper()
	lab.RunInput(s.t, fmt.Appendf(nil, format, args...), "ipvsadm", "-R")
}
