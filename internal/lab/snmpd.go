package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

	*daemon
}

// SNMPD starts an snmpd and returns when it answers. The lines of conf are
// added to its snmpd.conf (agentXTimeout, agentXRetries, trap2sink, ...); where
// snmpd takes the last of several, they override. The AgentX socket is open to
// every user unless agentXPerms says otherwise.
func SNMPD(t testing.TB, conf ...string) *MasterAgent {
	t.Helper()
	lookPath(t, "snmpd", "snmpd")
	d := newDaemon(t, "snmpd")
	m := &MasterAgent{daemon: d, Unix: "unix:" + filepath.Join(d.dir, "agentx")}
	// A port that was free may be somebody else's a moment later.
	for try := 1; ; try++ {
		m.Addr, m.TCP = FreePort(t, "udp"), "tcp:"+FreePort(t, "tcp")
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
		"agentXTimeout 5",                // and not 1 s: of a subagent that is late six times it lets go
		"dontLogTCPWrappersConnects yes", // a line for each request, which would bury the others
	}
	text := strings.Join(append(lines, extra...), "\n") + "\n"
	if err := os.WriteFile(filepath.Join(m.dir, "snmpd.conf"), []byte(text), 0o644); err != nil {
		m.t.Fatal("lab: ", err)
	}
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
	deadline := time.Now().Add(daemonPatience)
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

// Command is a Net-SNMP tool ("snmpwalk", "snmpget", ...) asking this snmpd by
// version "1", "2c" or "3": tool, options, address, then args. A manager's
// options stand in front of the address with Net-SNMP: give those as flags.
// No MIB files are read unless flags ask for it (-m, -M), and an answer may take as
// long as it does on a busy machine unless they say otherwise (-t, -r).
func (m *MasterAgent) Command(ctx context.Context, tool, version string, flags []string, args ...string) *exec.Cmd {
	m.t.Helper()
	lookPath(m.t, tool, "snmp")
	argv := append(patient[:len(patient):len(patient)], "-v"+version)
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

// Ask runs Command for at most twice [Patience] and returns its standard output; what
// it wrote to standard error is in the error. For use in any goroutine.
func (m *MasterAgent) Ask(tool, version string, flags []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
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

// FreePort is an address of 127.0.0.1 that nobody listens on at a network, "tcp" or
// "udp". It is below those that the kernel gives to whoever wants any: none of the
// tests that run beside this one gets it before the daemon does, or while that is
// away.
func FreePort(t testing.TB, network string) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		var taken io.Closer
		var err error
		if network == "udp" {
			taken, err = net.ListenPacket("udp4", address)
		} else {
			taken, err = net.Listen("tcp4", address)
		}
		if err == nil {
			taken.Close()
			return address
		}
	}
	t.Fatalf("lab: no free port of %s", network)
	return ""
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
