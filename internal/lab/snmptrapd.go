package lab

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// EngineID is the SNMPv3 engine whose traps a [Receiver] takes from User: that of
// a sender of traps in tests, hexadecimal without "0x".
const EngineID = "80002021036c7673206c616220"

// A Receiver is a private Net-SNMP snmptrapd, which keeps what it receives. It
// takes traps and informs of the community Community, and of User at any level
// (SHA-256 and AES): traps of the engine EngineID, informs of everyone. It
// listens on loopback only, and its addresses stay the same over restarts. It
// ends with the test, whatever state it is in; the end of its log is shown if
// the test failed. Its methods are for one goroutine at a time.
type Receiver struct {
	// Addr and Addr6 are where it listens, "127.0.0.1:PORT" and "[::1]:PORT" (UDP).
	Addr, Addr6 string

	*daemon
}

// A Received is one trap or inform as snmptrapd understood it.
type Received struct {
	// From is the sender's IP address.
	From string
	// Inform is false for a trap.
	Inform bool
	// Security is the version and who it came from: "v2c public", "v3 lvs".
	Security string
	// UpTime is sysUpTime.0, and OID the value of snmpTrapOID.0, dotted without
	// a leading dot.
	UpTime time.Duration
	OID    string
	// Vars are what follows these two.
	Vars []ReceivedVar
}

// A ReceivedVar is a variable of a notification.
type ReceivedVar struct {
	// Name is dotted, without a leading dot.
	Name string
	// Type is Net-SNMP's word: INTEGER, STRING, OID, IpAddress, Counter32, Gauge32,
	// Timeticks, Counter64, Opaque...
	Type string
	// Value is the content of a STRING, a dotted OID without a leading dot, or a
	// number in decimal digits.
	Value string
}

// SNMPTrapD starts an snmptrapd and returns when it answers. The lines of conf
// are added to its snmptrapd.conf (createUser, authUser, authCommunity, ...).
func SNMPTrapD(t testing.TB, conf ...string) *Receiver {
	t.Helper()
	lookPath(t, "snmptrapd", "snmptrapd")
	r := &Receiver{daemon: newDaemon(t, "snmptrapd")}
	secrets := fmt.Sprintf("%s SHA-256 %s AES %s", User, AuthPassword, PrivPassword)
	lines := []string{
		"authCommunity log " + Community,
		"createUser " + secrets,
		"createUser -e 0x" + EngineID + " " + secrets,
		"authUser log " + User + " noauth",
		"[snmp] hexOutputLength 0", // all of a string on one line
		`format2 @\t%b\t%P\t%V\t%v\n`,
	}
	text := strings.Join(append(lines, conf...), "\n") + "\n"
	if err := os.WriteFile(filepath.Join(r.dir, "snmptrapd.conf"), []byte(text), 0o600); err != nil {
		t.Fatal("lab: ", err)
	}
	// A port that was free may be somebody else's a moment later.
	for try := 1; ; try++ {
		r.Addr = FreePort(t, "udp")
		_, port, _ := net.SplitHostPort(r.Addr)
		r.Addr6 = net.JoinHostPort("::1", port)
		err := r.start()
		if err == nil {
			return r
		}
		if try == 3 {
			t.Fatal("lab: ", err)
		}
	}
}

func (r *Receiver) start() error {
	cmd := exec.Command(path("snmptrapd"), "-f", "-n", "-C", "-c", filepath.Join(r.dir, "snmptrapd.conf"), "-A",
		"-On", "-Ox", "-Oe", "-Ot", "-Lf", filepath.Join(r.dir, "log"), "-p", filepath.Join(r.dir, "pid"), "udp:"+r.Addr, "udp6:"+r.Addr6)
	cmd.Env = r.env()
	p, err := startProcess(cmd)
	if err != nil {
		return err
	}
	r.proc = p
	deadline := time.Now().Add(daemonPatience)
	for time.Now().Before(deadline) {
		select {
		case <-p.done:
			return fmt.Errorf("snmptrapd ended at once: %v\n%s", p.err, r.Log())
		default:
		}
		if reports(r.Addr) && reports(r.Addr6) {
			return nil
		}
		time.Sleep(10 * time.Millisecond) // a closed port is told at once
	}
	p.kill()
	return fmt.Errorf("snmptrapd does not answer\n%s", r.Log())
}

// Start starts snmptrapd again after Kill or Terminate and returns when it answers.
func (r *Receiver) Start() {
	r.t.Helper()
	if err := r.start(); err != nil {
		r.t.Fatal("lab: ", err)
	}
}

// Forget removes what snmptrapd keeps over a restart, so that the next one is
// another SNMPv3 engine. It must not run.
func (r *Receiver) Forget() {
	r.t.Helper()
	if err := os.RemoveAll(filepath.Join(r.dir, "state")); err != nil {
		r.t.Fatal("lab: ", err)
	}
}

// discovery is an SNMPv3 message that asks for the receiver's engine (RFC 3414
// §4): the answer is a report, and nothing is logged.
var discovery = []byte("\x30\x38\x02\x01\x03\x30\x0e\x02\x01\x01\x02\x03\x00\xff\xe3\x04\x01\x04\x02\x01\x03" +
	"\x04\x10\x30\x0e\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00" +
	"\x30\x11\x04\x00\x04\x00\xa0\x0b\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x00")

// reports reports whether an SNMPv3 engine answers at a UDP address.
func reports(address string) bool {
	c, err := net.Dial("udp", address)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(200 * time.Millisecond))
	if _, err := c.Write(discovery); err != nil {
		return false
	}
	_, err = c.Read(make([]byte, 512))
	return err == nil
}

// Received is everything that came so far, also before a restart, in the order
// it came.
func (r *Receiver) Received() []Received {
	r.t.Helper()
	var all []Received
	for line := range strings.Lines(r.Log()) {
		// The last line may be on its way; what snmptrapd says itself has no mark.
		if !strings.HasPrefix(line, "@\t") || !strings.HasSuffix(line, "\n") {
			continue
		}
		one, err := parseReceived(line)
		if err != nil {
			r.t.Fatalf("lab: snmptrapd: %q: %v", line, err)
		}
		all = append(all, one)
	}
	return all
}

// WaitReceived returns what came when it is at least n notifications; a minute and
// a half without one more fails the test.
func (r *Receiver) WaitReceived(n int) []Received {
	r.t.Helper()
	all := r.Received()
	for last := time.Now(); len(all) < n; time.Sleep(20 * time.Millisecond) {
		more := r.Received()
		if len(more) > len(all) {
			last = time.Now()
		}
		if all = more; len(all) < n && time.Since(last) > 90*time.Second {
			r.t.Fatalf("lab: snmptrapd received %d notifications, want %d", len(all), n)
		}
	}
	return all
}

// parseReceived reads a line of the log: mark, source, security, then the
// variables, all between tabs.
func parseReceived(line string) (Received, error) {
	fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	if len(fields) < 5 {
		return Received{}, fmt.Errorf("%d fields", len(fields))
	}
	var one Received
	var err error
	if one.From, _, err = net.SplitHostPort(source(fields[1])); err != nil {
		return one, err
	}
	// "INFORM, SNMP v3, user lvs, context " and "TRAP2, SNMP v2c, community public"
	security := strings.Split(fields[2], ", ")
	if len(security) < 3 {
		return one, fmt.Errorf("security %q", fields[2])
	}
	_, who, _ := strings.Cut(security[2], " ")
	one.Inform = security[0] == "INFORM"
	one.Security = strings.TrimPrefix(security[1], "SNMP ") + " " + who
	for _, field := range fields[3:] {
		v, err := parseVar(field)
		if err != nil {
			return one, err
		}
		one.Vars = append(one.Vars, v)
	}
	ticks, err := strconv.ParseUint(one.Vars[0].Value, 10, 32)
	if err != nil || one.Vars[0].Type != "Timeticks" {
		return one, fmt.Errorf("sysUpTime %q", fields[3])
	}
	one.UpTime, one.OID = time.Duration(ticks)*10*time.Millisecond, one.Vars[1].Value
	one.Vars = one.Vars[2:]
	return one, nil
}

// source is address and port of the sender in "UDP: [127.0.0.1]:55142->..." and
// "UDP/IPv6: [::1]:48653".
func source(s string) string {
	_, s, _ = strings.Cut(s, ": ")
	s, _, _ = strings.Cut(s, "->")
	return s
}

// parseVar reads ".1.3.6 = TYPE: value". Net-SNMP leaves the type out for an
// empty string and for time ticks.
func parseVar(s string) (ReceivedVar, error) {
	name, value, ok := strings.Cut(s, " = ")
	if !ok || !strings.HasPrefix(name, ".") {
		return ReceivedVar{}, fmt.Errorf("variable %q", s)
	}
	v := ReceivedVar{Name: name[1:], Type: "Timeticks", Value: value}
	if value == `""` {
		v.Type, v.Value = "STRING", ""
	} else if typ, rest, ok := strings.Cut(value, ": "); ok {
		v.Type, v.Value = typ, rest
	}
	switch v.Type {
	case "OID":
		v.Value = strings.TrimPrefix(v.Value, ".")
	case "Hex-STRING":
		b, err := hex.DecodeString(strings.ReplaceAll(v.Value, " ", ""))
		if err != nil {
			return v, err
		}
		v.Type, v.Value = "STRING", string(b)
	}
	return v, nil
}
