package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Who may ask a [MasterAgent] what. The community Community reads everything
// with SNMPv1 and v2c, WriteCommunity may also try to set; User reads
// everything with SNMPv3 at authPriv (SHA and AES).
const (
	Community      = "public"
	WriteCommunity = "private"
	User           = "lvs"
	AuthPassword   = "authentication"
	PrivPassword   = "privacy-privacy"
)

// A MasterAgent is a private Net-SNMP snmpd: configuration, state, log and
// sockets are its own, and it listens on loopback only. Its addresses stay the
// same over restarts. It ends with the test, whatever state it is in; the end of
// its log is shown if the test failed. Its methods are for one goroutine at a time.
type MasterAgent struct {
	// Addr is where managers ask, "127.0.0.1:PORT" (UDP).
	Addr string
	// Unix and TCP are where subagents connect, "unix:/PATH" and
	// "tcp:127.0.0.1:PORT".
	Unix, TCP string

	t    testing.TB
	dir  string
	proc *process
}

// SNMPD starts an snmpd and returns when it answers. The lines of conf are
// added to its snmpd.conf (agentXTimeout, agentXRetries, trap2sink, ...); where
// snmpd takes the last of several, they override. The AgentX socket is open to
// every user unless agentXPerms says otherwise.
func SNMPD(t testing.TB, conf ...string) *MasterAgent {
	t.Helper()
	lookPath(t, "snmpd", "snmpd")
	base := "" // the socket's path has to stay short, which t.TempDir's is not
	if InGuest() {
		base = "/run" // the guest's own: sockets do not belong on the shared file system
	}
	dir, err := os.MkdirTemp(base, "snmpd")
	if err != nil {
		t.Fatal("lab: ", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal("lab: ", err)
	}
	m := &MasterAgent{t: t, dir: dir, Unix: "unix:" + filepath.Join(dir, "agentx")}
	t.Cleanup(m.end)
	// A port that was free may be somebody else's a moment later.
	for try := 1; ; try++ {
		m.Addr, m.TCP = freePort(t, "udp"), "tcp:"+freePort(t, "tcp")
		m.configure(conf)
		err := m.start()
		if err == nil {
			return m
		}
		if try == 3 {
			t.Fatal("lab: ", err)
		}
	}
}

func (m *MasterAgent) configure(extra []string) {
	m.t.Helper()
	lines := []string{
		"rocommunity " + Community,
		"rwcommunity " + WriteCommunity,
		fmt.Sprintf("createUser %s SHA %s AES %s", User, AuthPassword, PrivPassword),
		"rouser " + User + " authpriv",
		"master agentx",
		"agentXSocket " + m.Unix + "," + m.TCP,
		"agentXPerms 0666 0755",
		"dontLogTCPWrappersConnects yes", // a line for each request, which would bury the others
	}
	text := strings.Join(append(lines, extra...), "\n") + "\n"
	if err := os.WriteFile(filepath.Join(m.dir, "snmpd.conf"), []byte(text), 0o644); err != nil {
		m.t.Fatal("lab: ", err)
	}
}

// env keeps snmpd and the tools away from the machine's own configuration,
// state and MIB files.
func (m *MasterAgent) env() []string {
	return append(os.Environ(), "SNMPCONFPATH="+m.dir, "SNMP_PERSISTENT_DIR="+filepath.Join(m.dir, "state"), "MIBS=")
}

func (m *MasterAgent) start() error {
	cmd := exec.Command(path("snmpd"), "-f", "-r", "-C", "-c", filepath.Join(m.dir, "snmpd.conf"),
		"-Lf", filepath.Join(m.dir, "log"), "-p", filepath.Join(m.dir, "pid"), "udp:"+m.Addr)
	cmd.Env = m.env()
	p, err := startProcess(cmd)
	if err != nil {
		return err
	}
	m.proc = p
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		select {
		case <-p.done:
			return fmt.Errorf("snmpd ended at once: %v\n%s", p.err, m.Log())
		default:
		}
		if m.answers() {
			return nil
		}
		time.Sleep(10 * time.Millisecond) // a closed port is told at once
	}
	p.kill()
	return fmt.Errorf("snmpd does not answer\n%s", m.Log())
}

// getSysUpTime is an SNMPv2c GET of sysUpTime.0 by the community "public".
var getSysUpTime = []byte("\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x01\x01\x02\x01\x00\x02\x01\x00" +
	"\x30\x0e\x30\x0c\x06\x08\x2b\x06\x01\x02\x01\x01\x03\x00\x05\x00")

// answers reports whether managers and subagents reach snmpd.
func (m *MasterAgent) answers() bool {
	c, err := net.Dial("udp", m.Addr)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := c.Write(getSysUpTime); err != nil {
		return false
	}
	if _, err := c.Read(make([]byte, 512)); err != nil {
		return false
	}
	return m.open(m.Unix) && m.open(m.TCP)
}

// open reports whether subagents can connect.
func (m *MasterAgent) open(agentx string) bool {
	network, address, _ := strings.Cut(agentx, ":")
	c, err := net.Dial(network, address)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// Start starts snmpd again after Kill or Terminate and returns when it answers.
func (m *MasterAgent) Start() {
	m.t.Helper()
	if err := m.start(); err != nil {
		m.t.Fatal("lab: ", err)
	}
}

// Restart ends snmpd in order and starts it again, as an administrator would.
func (m *MasterAgent) Restart() {
	m.t.Helper()
	m.Terminate()
	m.Start()
}

// Terminate ends snmpd in order (SIGTERM); it tells its subagents.
func (m *MasterAgent) Terminate() {
	m.t.Helper()
	m.Signal(syscall.SIGTERM)
	select {
	case <-m.proc.done:
	case <-time.After(20 * time.Second):
		m.t.Fatal("lab: snmpd does not end on SIGTERM")
	}
}

// Kill ends snmpd on the spot (SIGKILL); its socket file stays.
func (m *MasterAgent) Kill() { m.proc.kill() }

// Stop makes snmpd hang (SIGSTOP): connections stay open, nothing is answered.
func (m *MasterAgent) Stop() { m.Signal(syscall.SIGSTOP) }

// Continue lets a stopped snmpd go on (SIGCONT).
func (m *MasterAgent) Continue() { m.Signal(syscall.SIGCONT) }

// Reload has snmpd read its configuration again (SIGHUP).
func (m *MasterAgent) Reload() { m.Signal(syscall.SIGHUP) }

// Signal sends s to snmpd, which must be running.
func (m *MasterAgent) Signal(s syscall.Signal) {
	m.t.Helper()
	if err := m.proc.signal(s); err != nil {
		m.t.Fatalf("lab: signal snmpd: %v", err)
	}
}

// PID of the running snmpd, for its CPU time and descriptors in /proc.
func (m *MasterAgent) PID() int { return m.proc.pid }

// Log is what snmpd logged so far.
func (m *MasterAgent) Log() string {
	b, _ := os.ReadFile(filepath.Join(m.dir, "log"))
	return string(b)
}

func (m *MasterAgent) end() {
	if m.proc != nil {
		m.proc.kill()
	}
	if m.t.Failed() {
		log := m.Log()
		m.t.Logf("snmpd's log ends:\n%s", log[max(0, len(log)-4000):])
	}
}

// Command is a Net-SNMP tool ("snmpwalk", "snmpget", ...) asking this snmpd by
// version "1", "2c" or "3": tool, options, address, then args. A manager's
// options stand in front of the address with Net-SNMP: give those as flags.
// No MIB files are read unless flags ask for it (-m, -M).
func (m *MasterAgent) Command(ctx context.Context, tool, version string, flags []string, args ...string) *exec.Cmd {
	m.t.Helper()
	lookPath(m.t, tool, "snmp")
	argv := []string{"-v" + version}
	if version == "3" {
		argv = append(argv, "-u", User, "-l", "authPriv", "-a", "SHA", "-A", AuthPassword, "-x", "AES", "-X", PrivPassword)
	} else {
		argv = append(argv, "-c", Community)
	}
	argv = append(append(argv, flags...), "udp:"+m.Addr)
	cmd := exec.CommandContext(ctx, path(tool), append(argv, args...)...)
	cmd.Env = m.env()
	return cmd
}

// Ask runs Command for at most two minutes and returns its standard output; what
// it wrote to standard error is in the error. For use in any goroutine.
func (m *MasterAgent) Ask(tool, version string, flags []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := m.Command(ctx, tool, version, flags, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", tool, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(out), err
}

// freePort is an address of 127.0.0.1 nobody listened on a moment ago.
func freePort(t testing.TB, network string) string {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal("lab: ", err)
		}
		defer c.Close()
		return c.LocalAddr().String()
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal("lab: ", err)
	}
	defer l.Close()
	return l.Addr().String()
}

// path finds a program also where an ordinary user's PATH does not look.
func path(name string) string {
	p, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) {
		for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
			if p, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return p
			}
		}
		return name
	}
	return p
}

func lookPath(t testing.TB, name, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(path(name)); err != nil {
		t.Fatalf("lab: %s is not installed: apt-get install %s", name, pkg)
	}
}
