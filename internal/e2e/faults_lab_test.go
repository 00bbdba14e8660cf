//go:build lab

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
)

// The tests in faults_*_lab_test.go break what the agent stands on, one thing
// after the other: it has to go on with the rest, say so once in the log and in
// a metric, and find its way back by itself.

// unstarted is an agent that [agent.begin] starts.
func unstarted(t *testing.T, flags ...string) *agent {
	t.Helper()
	lab.Guest(t)
	address := lab.FreePort(t, "tcp")
	a := &agent{t: t, dir: runDir(t), url: "http://" + address}
	a.flags = append([]string{"run", "--web.listen-address=" + address, "--store.path=" + a.store(), "--sample.interval=1s"}, flags...)
	t.Cleanup(func() {
		if a.cmd != nil {
			a.kill()
		}
		if t.Failed() {
			log := a.log()
			t.Logf("the agent's log ends:\n%s", log[max(0, len(log)-6000):])
		}
	})
	return a
}

// begin starts the process, by way of other programs where some are given, and
// waits until it answers: it need not have anything to serve.
func (a *agent) begin(by ...string) {
	a.t.Helper()
	a.launch(by...)
	lab.Wait(a.t, "lvs-agent answers", func() bool {
		select {
		case err := <-a.ended:
			a.cmd = nil
			a.t.Fatalf("lvs-agent ended at once: %v", err)
		default:
		}
		_, err := a.ask(http.MethodGet, "/-/healthy", "")
		return err == nil
	})
}

// launch starts the process and waits for nothing.
func (a *agent) launch(by ...string) {
	a.t.Helper()
	log, err := os.OpenFile(filepath.Join(a.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		a.t.Fatal(err)
	}
	defer log.Close()
	argv := append(slices.Clone(by), program(a.t, "LVS_AGENT", "lvs-agent"))
	argv = append(argv, a.flags...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.cmd, a.ended = cmd, make(chan error, 1)
	go func() { a.ended <- cmd.Wait() }()
}

// ready waits for the first sample.
func (a *agent) ready() {
	a.t.Helper()
	lab.Wait(a.t, "lvs-agent has a sample", func() bool {
		_, err := a.ask(http.MethodGet, "/-/ready", "")
		return err == nil
	})
}

// refused runs an agent that must not start, and returns what it said.
func (a *agent) refused(by ...string) string {
	a.t.Helper()
	a.launch(by...)
	select {
	case err := <-a.ended:
		a.cmd = nil
		if err == nil {
			a.t.Error("lvs-agent ended with status 0, want another")
		}
	case <-time.After(lab.Patience):
		a.t.Error("lvs-agent runs, want it to refuse")
		a.kill()
	}
	return a.log()
}

// up is whether a part of the agent says that it works; a part that says nothing
// fails the test.
func (a *agent) up(component string) bool {
	a.t.Helper()
	v := a.metrics("?scope=agent").sample("lvs_agent_component_up", "component", component)
	if v != 0 && v != 1 {
		a.t.Fatalf("component %s is %v, want 0 or 1", component, v)
	}
	return v == 1
}

// awaitUp waits until a part of the agent says that it works, or that it does not.
func (a *agent) awaitUp(component string, want bool) {
	a.t.Helper()
	lab.Wait(a.t, fmt.Sprintf("component %s is up: %v", component, want), func() bool { return a.up(component) == want })
}

// A logLine is a line of the agent's log.
type logLine struct{ at, level, text string }

var logFormat = regexp.MustCompile(`^time=(\S+) level=(\w+) (?:source=\S+ )?(msg=.*)$`)

// logLines are the whole lines of the log; what is no log line, such as a panic's, has
// no level.
func (a *agent) logLines() (lines []logLine) {
	text := a.log()
	for line := range strings.Lines(text[:strings.LastIndexByte(text, '\n')+1]) {
		line = strings.TrimSuffix(line, "\n")
		if m := logFormat.FindStringSubmatch(line); m != nil {
			lines = append(lines, logLine{m[1], m[2], m[3]})
		} else {
			lines = append(lines, logLine{text: line})
		}
	}
	return lines
}

// A journal reads an agent's log in portions, and every line of it but those with
// words that may come or not.
type journal struct {
	a    *agent
	may  string // "" are none
	read int
}

// skip leaves out what was logged so far.
func (j *journal) skip() { j.read = len(j.a.logLines()) }

// fresh are the lines not read yet, without those that only say that the machine
// was too busy for a tick a second: they may come at any time. With them comes how many
// lines there are by now.
func (j *journal) fresh() (lines []logLine, all int) {
	late := false
	for i, l := range j.a.logLines() {
		all++
		switch {
		case j.may != "" && strings.Contains(l.text, j.may):
		case strings.Contains(l.text, `msg="storing is slow`), strings.Contains(l.text, `msg="storing keeps up again`):
		case strings.Contains(l.text, `msg="opening the store takes long`), strings.Contains(l.text, `msg="the store is open, samples`):
		case strings.Contains(l.text, `msg="the director cannot be read`) && strings.Contains(l.text, "not done within"):
			late = true
		case late && strings.Contains(l.text, `msg="the director can be read again`):
			late = false
		case i >= j.read:
			lines = append(lines, l)
		}
	}
	return lines, all
}

// want waits for lines, each given as "LEVEL words that are in it", in any order;
// another line among them, or before them, is an error. It returns them in the
// order of want.
func (j *journal) want(want ...string) []logLine {
	j.a.t.Helper()
	var fresh []logLine
	var all int
	for deadline := time.Now().Add(lab.Patience); ; time.Sleep(50 * time.Millisecond) {
		fresh, all = j.fresh()
		if len(fresh) >= len(want) || time.Now().After(deadline) {
			break
		}
	}
	j.read = all
	found := make([]logLine, len(want))
	for i, w := range want {
		level, words, _ := strings.Cut(w, " ")
		at := slices.IndexFunc(fresh, func(l logLine) bool { return l.level == level && strings.Contains(l.text, words) })
		if at < 0 {
			j.a.t.Errorf("the log lacks a line %q", w)
			continue
		}
		found[i] = fresh[at]
		fresh = slices.Delete(fresh, at, at+1)
	}
	for _, l := range fresh {
		j.a.t.Errorf("the log has a line too many: %s %s", l.level, l.text)
	}
	return found
}

// time is when the line was written.
func (l logLine) time(t *testing.T) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, l.at)
	if err != nil {
		t.Error(err)
	}
	return at
}

// smallTable puts two services with two real servers into the table of the
// test's own namespace, and takes them out again when the test ends.
func smallTable(t *testing.T) {
	t.Helper()
	lab.Guest(t)
	loadSmallTable(t)
	t.Cleanup(func() { lab.Run(t, "ipvsadm", "-C") })
}

func loadSmallTable(t *testing.T) {
	t.Helper()
	lab.RunInput(t, []byte(`-A -t 192.0.2.10:80 -s wlc
-a -t 192.0.2.10:80 -r 10.9.0.1:80 -m -w 5
-A -f 7 -s rr
-a -f 7 -r 10.9.0.2:0 -g -w 3
`), "ipvsadm", "-R")
}

// udpKey is the service of [udpService].
const udpKey = "udp/192.0.2.30:9"

// udpService adds a service that this host's own packets reach, and returns what
// sends it n of them.
func udpService(t *testing.T) (talk func(n int)) {
	t.Helper()
	for _, address := range []string{"192.0.2.30/32", "192.0.2.31/32"} {
		lab.Run(t, "ip", "address", "replace", address, "dev", "lo")
		t.Cleanup(func() { lab.Run(t, "ip", "address", "del", address, "dev", "lo") })
	}
	lab.RunInput(t, []byte("-A -u 192.0.2.30:9 -s rr\n-a -u 192.0.2.30:9 -r 192.0.2.31:9 -m -w 1\n"), "ipvsadm", "-R")
	conn, err := net.ListenUDP("udp4", nil) // unconnected: nobody answers, and nothing listens
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	to := &net.UDPAddr{IP: net.IPv4(192, 0, 2, 30), Port: 9}
	return func(n int) {
		for range n {
			if _, err := conn.WriteToUDP([]byte("packet"), to); err != nil {
				t.Error(err)
			}
		}
	}
}

// ticks reads the history: when each stored tick of a service was.
func (a *agent) ticks(key string) []time.Time {
	a.t.Helper()
	out, err := run(program(a.t, "LVS_EXPORTER", "lvs-exporter"), "fetch", "--store="+a.store(), "--start=-30d", "--end=2100-01-01T00:00:00Z", "-o", "csv", key)
	if err != nil {
		a.t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	ticks := make([]time.Time, len(lines)-1) // below the heading
	for i, line := range lines[1:] {
		text, _, _ := strings.Cut(line, ",")
		if ticks[i], err = time.Parse(time.RFC3339, text); err != nil {
			a.t.Fatalf("line %q: %v", line, err)
		}
	}
	return ticks
}
