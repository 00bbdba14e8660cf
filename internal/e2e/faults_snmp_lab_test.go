//go:build lab

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
)

// socketMade waits for a socket file other than the one at hand, and tells when it
// was there.
func socketMade(t *testing.T, file string) <-chan time.Time {
	t.Helper()
	old, _ := os.Stat(file)
	made := make(chan time.Time, 1)
	go func() {
		for range 20000 {
			if is, err := os.Stat(file); err == nil && (old == nil || !os.SameFile(old, is)) {
				made <- time.Now()
				return
			}
			time.Sleep(time.Millisecond)
		}
		made <- time.Time{}
	}()
	return made
}

// answered reports whether snmpd answers for both services of the small table.
func answered(t *testing.T, master *lab.MasterAgent) bool {
	t.Helper()
	w, err := parseWalk(walk(t, master, ""))
	return err == nil && len(w.rows) == 4
}

// TestLabFaultSNMPMaster has snmpd absent, then coming and going in all ways
// there are.
func TestLabFaultSNMPMaster(t *testing.T) {
	smallTable(t)
	master := lab.SNMPD(t)
	master.Terminate()
	a := unstarted(t, "--snmp.agentx="+master.Unix)
	log := journal{a: a}
	a.begin()
	a.ready()
	log.want("INFO starting lvs-agent", "INFO Listening on", "INFO TLS is disabled", "INFO reading the kernel's table",
		"WARN no session with the SNMP master")
	if a.up("agentx") {
		t.Error("component agentx is up without snmpd")
	}
	socket := strings.TrimPrefix(master.Unix, "unix:")

	// comes has snmpd come, by start, and the agent come back.
	fastest := time.Hour
	comes := func(how string, start func(), lines ...string) {
		t.Helper()
		made := socketMade(t, socket)
		start()
		lines = append(lines, "INFO registered with the SNMP master")
		found := log.want(lines...)
		took := found[len(found)-1].time(t).Sub(<-made)
		t.Logf("snmpd %s: registered %v after its socket was there", how, took.Round(time.Millisecond))
		fastest = min(fastest, took)
		a.awaitUp("agentx", true)
		if !answered(t, master) {
			t.Errorf("snmpd %s: does not answer for all rows", how)
		}
	}
	const gone = "WARN no session with the SNMP master"
	comes("started late", master.Start)
	master.Terminate()
	log.want(gone)
	a.awaitUp("agentx", false)
	time.Sleep(3 * time.Second) // long enough for attempts to have become rare
	comes("stopped and started", master.Start)
	comes("restarted", master.Restart, gone)
	master.Kill()
	log.want(gone)
	comes("killed and started", master.Start)

	// One of them at least had the processor when it wanted it.
	if fastest > time.Second {
		t.Errorf("registered %v after snmpd's socket was there, want less than a second", fastest)
	}

	master.Stop()
	hung := time.Now()
	before := a.document().Tick
	log.want(gone)
	took := time.Since(hung)
	if t.Logf("snmpd hung: noticed after %v", took.Round(100*time.Millisecond)); took > 40*time.Second {
		t.Errorf("noticed after %v that snmpd hangs, want 10 s, and more only on a busy machine", took)
	}
	a.awaitUp("agentx", false)
	if tick := a.document().Tick; !tick.After(before) {
		t.Error("sampling stood still while snmpd hung")
	}
	time.Sleep(time.Until(hung.Add(11 * time.Second)))
	master.Continue()
	log.want("INFO registered with the SNMP master")
	a.awaitUp("agentx", true)
	if !answered(t, master) {
		t.Error("snmpd hung and went on: does not answer for all rows")
	}
	if v := a.metrics("?scope=agent").sample("lvs_agent_agentx_reconnects_total"); v < 4 {
		t.Errorf("%v reconnects counted, want 4 at least", v)
	}
	master.Stop()
	a.terminate() // which a master that hangs must not keep it from
	log.want("INFO stopping")
}

// TestLabFaultSubtreeTaken runs two agents on one snmpd.
func TestLabFaultSubtreeTaken(t *testing.T) {
	smallTable(t)
	master := lab.SNMPD(t)
	first, second := unstarted(t, "--snmp.agentx="+master.Unix), unstarted(t, "--snmp.agentx="+master.Unix)
	first.begin()
	first.awaitUp("agentx", true)
	log := journal{a: second}
	second.begin()
	second.ready()
	log.want(append(started, "WARN somebody else answers for a subtree of ours")...)
	if second.up("agentx") || !first.up("agentx") {
		t.Errorf("component agentx is up: %v, %v, want it of the first agent only", first.up("agentx"), second.up("agentx"))
	}
	first.terminate()
	log.want("INFO registered with the SNMP master")
	second.awaitUp("agentx", true)
	if !answered(t, master) {
		t.Error("snmpd does not answer for all rows")
	}
	second.terminate()
}

// asNobody starts a program as an ordinary user.
var asNobody = []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}

// TestLabFaultUnprivileged runs the agent as an ordinary user, whom snmpd does not
// let in, and then does.
func TestLabFaultUnprivileged(t *testing.T) {
	smallTable(t)
	master := lab.SNMPD(t, "agentXPerms 0600 0755")
	a := unstarted(t, "--snmp.agentx="+master.Unix)
	log := journal{a: a}
	if err := os.Chown(a.dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	a.begin(asNobody...)
	a.ready()
	log.want("INFO starting lvs-agent", "INFO Listening on", "INFO TLS is disabled",
		"WARN CAP_NET_ADMIN", "ERROR agentXPerms")
	doc := a.sampled()
	if !doc.Partial || len(doc.Services) != 2 || a.up("agentx") {
		t.Errorf("partial %v, %d services, agentx up %v; want a partial sample of both, and no session", doc.Partial, len(doc.Services), a.up("agentx"))
	}
	a.awaitUp("store", true)
	if len(a.ticks("tcp/192.0.2.10:80")) == 0 {
		t.Error("nothing is stored")
	}
	if err := os.Chmod(strings.TrimPrefix(master.Unix, "unix:"), 0o666); err != nil {
		t.Fatal(err)
	}
	log.want("INFO registered with the SNMP master")
	a.awaitUp("agentx", true)
	if !answered(t, master) {
		t.Error("snmpd does not answer for all rows")
	}
	a.terminate()

	// A directory that it may not write to.
	if err := os.Chown(a.dir, 0, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(a.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(a.store(), a.store()+".old"); err != nil {
		t.Fatal(err)
	}
	log.skip()
	a.begin(asNobody...)
	a.ready()
	a.awaitUp("store", false)
	log.want("INFO starting lvs-agent", "INFO Listening on", "INFO TLS is disabled",
		"WARN CAP_NET_ADMIN", "INFO registered with the SNMP master", "ERROR permission denied")
	if err := os.Mkdir(a.store(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(a.store(), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	log.want("INFO samples are stored again")
	a.awaitUp("store", true)
	a.terminate()
	log.want("INFO stopping")
}

// cpuTime is what a process has used of the processor.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// The name in parentheses may hold anything; 11 fields later come user and
	// system time, in hundredths of a second (proc(5)).
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	var user, system int64
	if _, err := fmt.Sscan(f[11]+" "+f[12], &user, &system); err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}
