package usm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

// An agent answers GETs with text, and does nothing else: enough for real
// managers to show that they and an Engine understand each other.
type agent struct {
	t      *testing.T
	conn   *net.UDPConn
	engine atomic.Pointer[Engine]
}

const text = "what only users may read"

func startAgent(t *testing.T, e *Engine) *agent {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{t: t, conn: conn}
	a.engine.Store(e)
	var wg sync.WaitGroup
	wg.Go(a.serve)
	t.Cleanup(func() { conn.Close(); wg.Wait() })
	return a
}

func (a *agent) port() uint16 { return a.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

func (a *agent) serve() {
	var b ber.Builder
	buf := make([]byte, 65536)
	for {
		n, from, err := a.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return // closed
		}
		if answer(a.engine.Load(), &b, buf[:n]) {
			if _, err := a.conn.WriteToUDPAddrPort(b.Bytes(), from); err != nil {
				a.t.Error(err)
			}
		}
	}
}

// answer makes in b what a datagram deserves.
func answer(e *Engine, b *ber.Builder, datagram []byte) bool {
	var m ber.V3
	if m.Decode(datagram) != nil {
		return false
	}
	p, scoped, err := e.Incoming(datagram, &m)
	if err != nil {
		return e.Report(b, &m, 65507, err)
	}
	var s ber.Scoped
	if s.Decode(scoped) != nil || !s.PDU.Type.Confirmed() {
		return false
	}
	b.Reset(Overhead + 80)
	for _, v := range s.PDU.VarBinds {
		if b.AppendVarBind(v.Name, &smi.Value{Type: smi.OctetString, Bytes: []byte(text)}) != nil {
			return false
		}
	}
	b.PrependPDU(ber.Response, s.PDU.RequestID, 0, 0)
	b.PrependScope(e.ID(), s.ContextName)
	e.Seal(b, m.ID, 65507, p)
	return true
}

// snmpget asks for sysDescr.0 with Net-SNMP's program and returns what it says.
func (a *agent) snmpget(args ...string) (string, error) {
	a.t.Helper()
	program, err := exec.LookPath("snmpget")
	if err != nil {
		a.t.Fatal("snmpget is not installed: apt-get install snmp")
	}
	ctx, cancel := context.WithTimeout(a.t.Context(), time.Minute)
	defer cancel()
	args = append([]string{"-v3", "-On", "-t", "10", "-r", "1"}, args...)
	cmd := exec.CommandContext(ctx, program, append(args, "udp:127.0.0.1:"+strconv.Itoa(int(a.port())), sysDescr.String())...)
	dir := a.t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+dir, "SNMPCONFPATH="+dir, "SNMP_PERSISTENT_DIR="+dir, "MIBS=", "MIBDIRS="+dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// options are what snmpget is told to be u.
func options(u User) []string {
	o := []string{"-u", u.Name, "-l", u.highest().String()}
	if u.Auth != NoAuth {
		o = append(o, "-a", map[AuthProtocol]string{SHA1: "SHA"}[u.Auth]+strings.TrimPrefix(u.Auth.String(), "SHA-1"), "-A", u.AuthSecret)
	}
	if u.Priv != NoPriv {
		o = append(o, "-x", strings.TrimSuffix(u.Priv.String(), "-128"), "-X", u.PrivSecret)
	}
	return o
}

// allUsers has a user for every pair of protocols.
func allUsers() (users []User) {
	for a := range AuthProtocol(len(auths)) {
		for p := range PrivProtocol(len(privs)) {
			if a == NoAuth && p != NoPriv {
				continue
			}
			u := User{Name: fmt.Sprintf("%v/%v", a, p), Auth: a, Priv: p}
			if a != NoAuth {
				u.AuthSecret = "authentication"
			}
			if p != NoPriv {
				u.PrivSecret = "privacy-privacy"
			}
			users = append(users, u)
		}
	}
	return users
}

func agentFor(t *testing.T, users ...User) *agent {
	t.Helper()
	e, err := New(testID(), users)
	if err != nil {
		t.Fatal(err)
	}
	return startAgent(t, e)
}

// TestNetSNMP has Net-SNMP's manager ask with every pair of protocols.
func TestNetSNMP(t *testing.T) {
	a := agentFor(t, allUsers()...)
	for _, u := range allUsers() {
		out, err := a.snmpget(options(u)...)
		if err != nil || !strings.Contains(out, text) {
			t.Errorf("%v: %v: %s", u, err, out)
		}
	}
	// Each asked without authentication first, to learn the engine's ID and time.
	if n := a.engine.Load().Count(UnknownEngineIDs); n == 0 {
		t.Error("nobody had to discover the engine")
	}
}

// TestNetSNMPIsRefused has it ask for what it may not have.
func TestNetSNMPIsRefused(t *testing.T) {
	a := agentFor(t, secret, signed)
	as := func(change func(u *User)) []string {
		u := secret
		change(&u)
		return options(u)
	}
	for _, c := range []struct {
		args []string
		says string
		stat Stat
	}{
		{as(func(u *User) { u.AuthSecret = "not the secret passphrase" }), "Authentication failure", WrongDigests},
		{as(func(u *User) { u.Auth = SHA512 }), "Authentication failure", WrongDigests},
		{as(func(u *User) { u.PrivSecret = "not the other passphrase" }), "Decryption error", DecryptionErrors},
		{as(func(u *User) { u.Priv = AES256 }), "Decryption error", DecryptionErrors},
		{as(func(u *User) { u.Name = "nobody" }), "Unknown user name", UnknownUserNames},
		{as(func(u *User) { u.Priv = NoPriv }), "Unsupported security level", UnsupportedSecLevels},
		{as(func(u *User) { u.Auth, u.Priv = NoAuth, NoPriv }), "Unsupported security level", UnsupportedSecLevels},
		{options(User{Name: "signed", Auth: SHA1, Priv: AES128, AuthSecret: signed.AuthSecret, PrivSecret: "privacy-privacy"}),
			"Unsupported security level", UnsupportedSecLevels},
	} {
		before := a.engine.Load().Count(c.stat)
		out, err := a.snmpget(append(c.args, "-t", "2", "-r", "0")...)
		if err == nil || strings.Contains(out, text) || !strings.Contains(strings.ToLower(out), strings.ToLower(c.says)) {
			t.Errorf("%q: %v: %s; want %q", c.args, err, out, c.says)
		}
		if a.engine.Load().Count(c.stat) == before {
			t.Errorf("%q: %v is not counted", c.args, c.stat)
		}
	}
}

// gosnmpFor makes a manager of gosnmp's that is u.
func gosnmpFor(t *testing.T, a *agent, u User) *gosnmp.GoSNMP {
	t.Helper()
	g := &gosnmp.GoSNMP{
		Target: "127.0.0.1", Port: a.port(), Version: gosnmp.Version3, Timeout: 10 * time.Second, Retries: 1,
		SecurityModel: gosnmp.UserSecurityModel,
		MsgFlags:      map[Level]gosnmp.SnmpV3MsgFlags{NoAuthNoPriv: gosnmp.NoAuthNoPriv, AuthNoPriv: gosnmp.AuthNoPriv, AuthPriv: gosnmp.AuthPriv}[u.highest()],
		SecurityParameters: &gosnmp.UsmSecurityParameters{
			UserName: u.Name, AuthenticationPassphrase: u.AuthSecret, PrivacyPassphrase: u.PrivSecret,
			AuthenticationProtocol: [...]gosnmp.SnmpV3AuthProtocol{gosnmp.NoAuth, gosnmp.SHA, gosnmp.SHA224, gosnmp.SHA256, gosnmp.SHA384, gosnmp.SHA512}[u.Auth],
			PrivacyProtocol:        [...]gosnmp.SnmpV3PrivProtocol{gosnmp.NoPriv, gosnmp.AES, gosnmp.AES192, gosnmp.AES256, gosnmp.AES192C, gosnmp.AES256C}[u.Priv],
		},
	}
	if err := g.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Conn.Close() })
	return g
}

// ask is a GET of sysDescr.0 that has to succeed.
func ask(t *testing.T, g *gosnmp.GoSNMP) {
	t.Helper()
	r, err := g.Get([]string{"." + sysDescr.String()})
	if err != nil {
		t.Errorf("%v: %v", g.SecurityParameters.SafeString(), err)
	} else if len(r.Variables) != 1 || !bytes.Equal(r.Variables[0].Value.([]byte), []byte(text)) {
		t.Errorf("%v: %+v", g.SecurityParameters.SafeString(), r.Variables)
	}
}

// TestGoSNMP has gosnmp ask with every pair of protocols, Cisco's among them.
func TestGoSNMP(t *testing.T) {
	a := agentFor(t, allUsers()...)
	for _, u := range allUsers() {
		g := gosnmpFor(t, a, u)
		ask(t, g)
		ask(t, g) // this time it knows the engine
	}
}

// TestGoSNMPIsRefused has gosnmp ask for what it may not have. It believes no
// report that is not authenticated, so what it is told says little.
func TestGoSNMPIsRefused(t *testing.T) {
	a := agentFor(t, secret)
	for _, c := range []struct {
		change func(*User)
		stat   Stat
	}{
		{func(u *User) { u.AuthSecret = "not the secret passphrase" }, WrongDigests},
		{func(u *User) { u.PrivSecret = "not the other passphrase" }, DecryptionErrors},
		{func(u *User) { u.Name = "nobody" }, UnknownUserNames},
		{func(u *User) { u.Priv, u.PrivSecret = NoPriv, "" }, UnsupportedSecLevels},
	} {
		u := secret
		c.change(&u)
		g := gosnmpFor(t, a, u)
		g.Retries = 0
		if r, err := g.Get([]string{"." + sysDescr.String()}); err == nil || a.engine.Load().Count(c.stat) != 1 {
			t.Errorf("%+v, %v; %d of %v", r, err, a.engine.Load().Count(c.stat), c.stat)
		}
	}
}

// TestRestart is an agent that starts again: managers that go on with what they
// knew find out by the report, and what was recorded before is of no use.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	boot := func() *Engine {
		t.Helper()
		id, err := Boot(dir)
		if err != nil || id.Replaced != nil {
			t.Fatal(err, id.Replaced)
		}
		e, err := New(id, []User{signed, secret})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := boot()
	a := startAgent(t, first)
	managers := []*gosnmp.GoSNMP{gosnmpFor(t, a, signed), gosnmpFor(t, a, secret)}
	for _, g := range managers {
		ask(t, g)
	}
	recorded := by(t, first, secret, AuthPriv).bytes()
	second := boot()
	if !bytes.Equal(first.ID(), second.ID()) || second.Boots() != first.Boots()+1 {
		t.Fatalf("the engine was %x at boot %d and is %x at boot %d", first.ID(), first.Boots(), second.ID(), second.Boots())
	}
	a.engine.Store(second)
	for _, g := range managers {
		ask(t, g)
	}
	if n := second.Count(NotInTimeWindows); n != 2 {
		t.Errorf("%d managers were told the time, want 2", n)
	}
	if n := second.Count(UnknownEngineIDs); n != 0 {
		t.Errorf("%d managers did not know the engine any more", n)
	}
	var r *Report
	if _, _, _, err := receive(second, recorded); !errors.As(err, &r) || r.Stat != NotInTimeWindows {
		t.Errorf("what was recorded before: %v", err)
	}
}
