//go:build lab

package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/dataplane/ipvs"
	"lvs/internal/lab"
)

// A storm is a table of a thousand real servers that change all at once, and who
// is told.
type storm struct {
	*agent
	t        *testing.T
	client   *ipvs.Client
	master   *lab.MasterAgent
	managers map[string]*lab.Receiver
	deaf     string
	weight   uint32 // of all real servers
	changed  uint32 // how many changes of state there were
}

const (
	stormServices, stormReals = 5, 200
	// stormRate is how many a second each manager may be sent after the first 200,
	// and stormEvents how many one snapshot leads to at most.
	stormRate, stormBurst, stormEvents = 250, 200, 1000
)

// TestLabNotifyStorm has a thousand real servers go down and up at once, and that
// again: what managers get is limited and coalesced, and every count agrees on
// what became of the rest. Then nobody is told for as long as nobody wants it.
func TestLabNotifyStorm(t *testing.T) {
	lab.Guest(t)
	s := &storm{t: t, client: newEditor(t).client, weight: 1}
	t.Cleanup(func() { lab.Run(t, "ipvsadm", "-C") })
	for i := range stormServices {
		if err := s.client.AddService(t.Context(), dataplane.Service{Key: stormKey(i), Scheduler: "wlc", Netmask: dataplane.FullMask(dataplane.INET)}); err != nil {
			t.Fatal(err)
		}
	}
	s.all(func(k dataplane.ServiceKey, r dataplane.RealServer) error {
		return s.client.AddRealServer(t.Context(), k, r)
	})
	s.agent, s.master, s.managers, s.deaf = toldAgent(t, stormRate)
	s.agent.start()
	s.awaitUp("agentx", true)
	s.changed = 1 // the agent's start
	s.await("the start is told")
	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{{"storms", s.testStorms}, {"switch", s.testSwitch}} {
		t.Run(step.name, func(t *testing.T) { s.t, s.agent.t = t, t; step.run(t) })
	}
	s.t, s.agent.t = t, t
	s.terminate()
}

func stormKey(i int) dataplane.ServiceKey {
	return dataplane.ServiceKey{Family: dataplane.INET, Protocol: dataplane.TCP, VIP: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 20}), uint16(8000+i))}
}

// all has something done to every real server.
func (s *storm) all(do func(dataplane.ServiceKey, dataplane.RealServer) error) {
	s.t.Helper()
	for i := range stormServices {
		for j := range stormReals {
			rip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 8, byte(i), byte(1 + j)}), 80)
			if err := do(stormKey(i), realServer(rip, modelReal{weight: s.weight})); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

// blow takes every real server out of service, or puts it back, and waits until
// that was numbered.
func (s *storm) blow() {
	s.t.Helper()
	s.weight = 1 - s.weight
	s.all(func(k dataplane.ServiceKey, r dataplane.RealServer) error {
		return s.client.EditRealServer(s.t.Context(), k, r)
	})
	s.changed += stormServices * (stormReals + 1)
	s.await("every change has a number")
}

// await waits until all changes have a number, those included which nobody is
// told.
func (s *storm) await(what string) {
	s.t.Helper()
	lab.Wait(s.t, what, func() bool { return s.numbered() == s.changed })
}

// numbered is the number of the latest notification. A reading that was not done in
// time has two.
func (s *storm) numbered() uint32 {
	overruns := strings.Count(s.log(), "not done within")
	return s.toldDocument().Agent.Notifications.Sequence - uint32(2*overruns)
}

func (s *storm) targets() map[string]string {
	m := map[string]string{"agentx": "agentx", s.deaf: s.deaf}
	for _, name := range []string{"v2c traps", "v3 informs"} {
		m[name] = s.managers[name].Addr
	}
	return m
}

// rest waits until nothing is on its way but to the manager that never answers,
// and every window has seen that: what was sent has come, too.
func (s *storm) rest() {
	s.t.Helper()
	for deadline := time.Now().Add(lab.Patience); s.waiting() > 0; time.Sleep(500 * time.Millisecond) { // which leaves them the processor
		if time.Now().After(deadline) {
			s.t.Fatalf("%v notifications still wait", s.waiting())
		}
	}
	s.sampled()
	targets := s.targets()
	for name, r := range s.managers {
		sent := int(s.targetCounts(targets[name]).sent)
		for deadline := time.Now().Add(20 * time.Second); len(notifications(r)) < sent && time.Now().Before(deadline); {
			time.Sleep(200 * time.Millisecond) // fewer than were sent is for the caller to tell
		}
	}
}

// waiting are how many wait for managers that answer.
func (s *storm) waiting() (sum float64) {
	s.t.Helper()
	m := s.metrics("?scope=agent")
	for name, target := range s.targets() {
		if name != s.deaf {
			sum += countsOf(m, target).waiting
		}
	}
	return sum
}

func (s *storm) testStorms(t *testing.T) {
	begin := time.Now()
	s.blow()
	s.blow()
	before := resident(t, s.cmd.Process.Pid)
	const more = 4
	for range more {
		s.blow()
	}
	after := resident(t, s.cmd.Process.Pid)
	t.Logf("%d changes of state in %v, resident set %d kB, then %d kB", s.changed, time.Since(begin).Round(time.Second), before, after)
	if after > before+32<<10 {
		t.Errorf("resident set grew from %d to %d kB in %d storms", before, after, more)
	}
	for name, target := range s.targets() {
		sent := s.targetCounts(target).sent
		if most := stormBurst + stormRate*time.Since(begin).Seconds(); sent > most {
			t.Errorf("%s: %v were sent, want at most %v by now", name, sent, most)
		}
	}
	s.rest()
	s.checkCounts(t)
	for name, r := range s.managers {
		s.checkReceived(t, name, notifications(r), s.targetCounts(s.targets()[name]))
	}
}

// checkCounts compares what /metrics, the JSON document and the MIB count.
func (s *storm) checkCounts(t *testing.T) {
	t.Helper()
	told := s.toldDocument().Agent.Notifications
	var sent, dropped, coalesced, given float64
	for name, target := range s.targets() {
		c := s.targetCounts(target)
		t.Logf("%s: %+v", name, c)
		sent, coalesced = sent+c.sent, coalesced+c.lost["coalesced"]
		dropped += c.lost["aged"] + c.lost["full"] + c.lost["refused"] + c.lost["unknown"] + c.lost["stopped"]
		if given == 0 {
			given = c.sum()
		}
		if c.sum() != given {
			t.Errorf("%s: %+v, which are %v, want %v as of another target", name, c, c.sum(), given)
		}
		if c.lost["coalesced"] == 0 || name == s.deaf && (c.sent != 0 || c.waiting == 0) {
			t.Errorf("%s: %+v, want some coalesced, and none sent to who never answers", name, c)
		}
	}
	// What is left out before anybody is given it has numbers, too.
	left := float64(told.Sequence) - given
	if left < 0 || left > float64(s.changed)/stormEvents*stormServices {
		t.Errorf("%v were given to each of the targets, numbers go up to %d", given, told.Sequence)
	}
	if float64(told.Sent) != sent || float64(told.Coalesced) != coalesced || float64(told.Dropped) != dropped+left {
		t.Errorf("%+v in JSON, want %v sent, %v coalesced, %v+%v dropped", told, sent, coalesced, dropped, left)
	}
	got := s.mib(2, 3, 4, 5)
	if want := fmt.Sprint([]float64{sent, dropped + left, coalesced, float64(told.Sequence)}); fmt.Sprint(got) != want {
		t.Errorf("lvsdNotifySent, Dropped, Coalesced and Sequence are %v, want %s", got, want)
	}
}

// mib reads scalars below lvsdNotify.
func (s *storm) mib(arcs ...int) (values []float64) {
	s.t.Helper()
	var names []string
	for _, arc := range arcs {
		names = append(names, fmt.Sprintf("%s7.%d.0", objectArc, arc))
	}
	out, err := s.master.Ask("snmpget", "2c", []string{"-Oqv", "-Oe"}, names...)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, field := range strings.Fields(out) {
		v, err := strconv.ParseFloat(field, 64)
		if err != nil {
			s.t.Fatalf("%q: %v", out, err)
		}
		values = append(values, v)
	}
	return values
}

// checkReceived checks what one manager got of the storms: as many as were sent, in
// order, none twice, and of every real server how it is now, unless just that is
// among what is counted as dropped.
func (s *storm) checkReceived(t *testing.T, name string, got []lab.Received, c targetCounts) {
	t.Helper()
	if float64(len(got)) != c.sent {
		t.Errorf("%s: %d came, %v were sent", name, len(got), c.sent)
	}
	number, latest := 0, map[string]string{}
	for _, one := range got {
		n, err := strconv.Atoi(one.Vars[varSequence].Value)
		if err != nil || n <= number {
			t.Fatalf("%s: number %s after %d", name, one.Vars[varSequence].Value, number)
		}
		number = n
		if kind := strings.TrimPrefix(one.OID, notificationArc); kind == fmt.Sprint(toldRealUp) || kind == fmt.Sprint(toldRealDown) {
			latest[one.Vars[commonVars+4].Value] = kind
		}
	}
	now := toldRealUp
	if s.weight == 0 {
		now = toldRealDown
	}
	wrong := stormServices*stormReals - len(latest)
	for _, kind := range latest {
		if kind != fmt.Sprint(now) {
			wrong++
		}
	}
	if most := c.lost["full"] + float64(s.changed)/stormEvents*stormServices; float64(wrong) > most {
		t.Errorf("%s: of %d real servers it is not known how they are, want at most %v", name, wrong, most)
	}
}

// resident is how much memory a process has, in kB.
func resident(t *testing.T, pid int) (kB int) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		t.Fatal(err)
	}
	return kB
}
