package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"lvs/internal/lab"
	"lvs/mib/smi"
)

var start = time.Now().Add(-time.Hour)

func upTime(at time.Time) time.Duration { return at.Sub(start) }

// manager makes a Manager that ends with the test.
func manager(t testing.TB, c ManagerConfig) *Manager {
	t.Helper()
	c.UpTime = upTime
	m, err := NewManager(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// event is the i-th notification, with a variable of every type.
func event(i int) smi.Notification {
	name := func(j uint32) smi.OID { return smi.OID{1, 3, 6, 1, 4, 1, 8225, 4711, 100, j, 4294967295} }
	return smi.Notification{
		OID:  smi.OID{1, 3, 6, 1, 4, 1, 8225, 4711, 100, 0, uint32(i)},
		Time: start.Add(time.Duration(i) * 10 * time.Millisecond),
		Vars: []smi.VarBind{
			{Name: name(1), Value: smi.Value{Type: smi.Gauge32, Int: uint64(i)}},
			{Name: name(2), Value: smi.Value{Type: smi.OctetString, Bytes: []byte("web — ‖\x00\xff")}},
			{Name: name(3), Value: smi.Value{Type: smi.OctetString}},
			{Name: name(4), Value: smi.Value{Type: smi.Integer, Int: ^uint64(0) - 1<<31 + 1}},
			{Name: name(5), Value: smi.Value{Type: smi.Counter64, Int: ^uint64(0)}},
			{Name: name(6), Value: smi.Value{Type: smi.Counter32, Int: 4294967295}},
			{Name: name(7), Value: smi.Value{Type: smi.ObjectID, OID: smi.OID{0, 0}}},
			{Name: name(8), Value: smi.Value{Type: smi.IPAddress, Bytes: []byte{192, 0, 2, 1}}},
			{Name: name(9), Value: smi.Value{Type: smi.TimeTicks, Int: 4294967295}},
		},
	}
}

// received is what a receiver makes of event(i).
func received(i int, from, security string, inform bool) lab.Received {
	name := func(j int) string { return fmt.Sprintf("1.3.6.1.4.1.8225.4711.100.%d.4294967295", j) }
	return lab.Received{From: from, Inform: inform, Security: security, UpTime: time.Duration(i) * 10 * time.Millisecond,
		OID: fmt.Sprint("1.3.6.1.4.1.8225.4711.100.0.", i),
		Vars: []lab.ReceivedVar{{Name: name(1), Type: "Gauge32", Value: fmt.Sprint(i)}, {Name: name(2), Type: "STRING", Value: "web — ‖\x00\xff"},
			{Name: name(3), Type: "STRING"}, {Name: name(4), Type: "INTEGER", Value: "-2147483648"},
			{Name: name(5), Type: "Counter64", Value: "18446744073709551615"}, {Name: name(6), Type: "Counter32", Value: "4294967295"},
			{Name: name(7), Type: "OID", Value: "0.0"}, {Name: name(8), Type: "IpAddress", Value: "192.0.2.1"},
			{Name: name(9), Type: "Timeticks", Value: "4294967295"}}}
}

// inform makes a Manager that informs a peer, and waits so long for each answer.
func inform(t *testing.T, p *peer, wait time.Duration) *Manager {
	return manager(t, ManagerConfig{Address: p.conn.LocalAddr().String(), Community: "public", Inform: true, Timeout: wait, Retries: 2})
}

// no answer comes within soon, and one does within late.
const soon, late = 100 * time.Millisecond, 20 * time.Second

func TestManagerKeepsTheRequestIDOfANotification(t *testing.T) {
	var answers atomic.Bool
	p := newPeer(t, func(p *gosnmp.SnmpPacket, _ int) [][]byte {
		if !answers.Load() {
			return nil
		}
		return [][]byte{reply(t, p, asItIs)}
	})
	m := inform(t, p, soon)
	for range 2 {
		if err := m.Notify(t.Context(), event(1)); !errors.Is(err, ErrLater) || !strings.Contains(err.Error(), "no answer") {
			t.Errorf("three messages without an answer: %v", err)
		}
	}
	lab.Wait(t, "six messages", func() bool { return len(p.requestIDs()) == 6 })
	if n := m.Retransmissions(); n != 4 {
		t.Errorf("%d retransmissions", n)
	}
	answers.Store(true)
	m.c.Timeout = late
	for i := 1; i <= 2; i++ {
		if err := m.Notify(t.Context(), event(i)); err != nil {
			t.Error(err)
		}
	}
	ids := p.requestIDs()
	if len(ids) != 8 || len(slices.Compact(slices.Clone(ids))) != 2 || ids[6] == ids[7] || ids[0] == 0 {
		t.Errorf("request-ids %v, want seven of one notification and one of the other", ids)
	}
}

func TestManagerTakesNoWrongAnswer(t *testing.T) {
	for name, edit := range map[string]func(p *gosnmp.SnmpPacket){
		"another id": func(p *gosnmp.SnmpPacket) { p.RequestID ^= 2 },
		"id zero":    func(p *gosnmp.SnmpPacket) { p.RequestID = 0 },
		"a request":  func(p *gosnmp.SnmpPacket) { p.PDUType = gosnmp.GetRequest },
		"a trap":     func(p *gosnmp.SnmpPacket) { p.PDUType = gosnmp.SNMPv2Trap },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(p *gosnmp.SnmpPacket, _ int) [][]byte { return [][]byte{reply(t, p, edit)} })
			if err := inform(t, p, soon).Notify(t.Context(), event(1)); !errors.Is(err, ErrLater) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestManagerFindsTheAnswerAmongOthers(t *testing.T) {
	p := newPeer(t, func(p *gosnmp.SnmpPacket, before int) [][]byte {
		others := slices.Repeat([][]byte{reply(t, p, func(p *gosnmp.SnmpPacket) { p.RequestID ^= 2 })}, maxAnswers-1)
		return append(others, reply(t, p, asItIs))
	})
	if err := inform(t, p, late).Notify(t.Context(), event(1)); err != nil {
		t.Error(err)
	}
}

func TestManagerIsNotHeldUpByAFlood(t *testing.T) {
	p := newPeer(t, func(p *gosnmp.SnmpPacket, before int) [][]byte {
		flood := slices.Repeat([][]byte{reply(t, p, func(p *gosnmp.SnmpPacket) { p.RequestID ^= 2 })}, maxAnswers)
		return append(flood, reply(t, p, asItIs))
	})
	// The answer that comes too late is found when the message was sent again.
	m := inform(t, p, late)
	if err := m.Notify(t.Context(), event(1)); err != nil {
		t.Errorf("%v", err)
	}
	if m.Retransmissions() == 0 {
		t.Error("all answers were looked at")
	}
}

func TestManagerReadsNoGarbage(t *testing.T) {
	for _, user := range []*User{nil, {Name: "lvs"}, {Name: "lvs", Auth: "SHA-256", AuthPassphrase: lab.AuthPassword}} {
		var garbage [][]byte
		for _, s := range []string{"", "\x30", "\x30\x00", "\x30\x80\x00\x00", "\x30\x84\xff\xff\xff\xff", strings.Repeat("\x30", 60000),
			"\x30\x03\x02\x01\x01", "\x30\x03\x02\x01\x03", "\x30\x05\x02\x01\x03\x30\x00", "\x30\x0a\x02\x01\x03\x30\x84\xff\xff\xff\xff\x02"} {
			garbage = append(garbage, []byte(s))
		}
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			for i := 0; ; i++ {
				_, from, err := conn.ReadFromUDPAddrPort(make([]byte, 65536))
				if err != nil {
					return
				}
				conn.WriteToUDPAddrPort(garbage[i%len(garbage)], from)
			}
		})
		c := ManagerConfig{Address: conn.LocalAddr().String(), User: user, Inform: true, Timeout: 50 * time.Millisecond, Retries: len(garbage)}
		if user == nil {
			c.Community = "public"
		}
		m := manager(t, c)
		if err := m.Notify(t.Context(), event(1)); !errors.Is(err, ErrLater) || len(err.Error()) > 300 {
			t.Errorf("%v", err)
		}
		conn.Close()
		wg.Wait()
	}
}

func TestManagerIsToldOfAnError(t *testing.T) {
	p := newPeer(t, func(p *gosnmp.SnmpPacket, _ int) [][]byte {
		return [][]byte{reply(t, p, func(p *gosnmp.SnmpPacket) { p.Error = gosnmp.TooBig })}
	})
	err := inform(t, p, late).Notify(t.Context(), event(1))
	if err == nil || errors.Is(err, ErrLater) || !strings.Contains(err.Error(), "TooBig") {
		t.Errorf("%v", err)
	}
}

func TestManagerIsInterrupted(t *testing.T) {
	p := newPeer(t, func(p *gosnmp.SnmpPacket, before int) [][]byte {
		if before == 0 {
			return nil
		}
		return [][]byte{reply(t, p, asItIs)}
	})
	m := manager(t, ManagerConfig{Address: p.conn.LocalAddr().String(), Community: "public", Inform: true, Timeout: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	begin := time.Now()
	if err := m.Notify(ctx, event(1)); !errors.Is(err, ErrLater) || !errors.Is(err, context.Canceled) || time.Since(begin) > 30*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	if err := m.Notify(t.Context(), event(1)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestManagerSendsNothingThatNoDatagramCarries(t *testing.T) {
	big := event(1)
	big.Vars = append(big.Vars, smi.VarBind{Name: smi.OID{1, 3, 6, 2}, Value: smi.Value{Type: smi.OctetString, Bytes: make([]byte, 65500)}})
	for _, inform := range []bool{false, true} {
		m := manager(t, ManagerConfig{Address: "127.0.0.1:9", Community: "public", Inform: inform})
		err := m.Notify(t.Context(), big)
		if err == nil || errors.Is(err, ErrLater) || !strings.Contains(err.Error(), "more than a datagram carries") {
			t.Errorf("%v", err)
		}
	}
	for _, v := range []smi.VarBind{
		{Name: smi.OID{1, 3, 6, 2}, Value: smi.Value{Type: smi.NoSuchInstance}},
		{Name: smi.OID{1, 3, 6, 2}},
		{Name: smi.OID{7, 3, 6, 2}, Value: smi.Value{Type: smi.Gauge32}},
	} {
		bad := event(1)
		bad.Vars = []smi.VarBind{v}
		m := manager(t, ManagerConfig{Address: "127.0.0.1:9", Community: "public"})
		if err := m.Notify(t.Context(), bad); err == nil || errors.Is(err, ErrLater) {
			t.Errorf("%v: %v", v, err)
		}
	}
}

func TestManagerKeepsWhatNobodyListensTo(t *testing.T) {
	// A socket that hears its peer alone keeps others from its port.
	deaf, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9})
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	nobody := deaf.LocalAddr().String()
	for _, inform := range []bool{false, true} {
		m := manager(t, ManagerConfig{Address: nobody, Community: "public", Inform: inform, Timeout: time.Minute})
		for range 3 {
			if err := m.Notify(t.Context(), event(1)); !errors.Is(err, ErrLater) || !strings.Contains(err.Error(), "nobody listens") {
				t.Errorf("inform %t: %v", inform, err)
			}
		}
	}
	c, err := net.Dial("udp4", nobody)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d := &datagrams{Conn: c}
	d.Write([]byte("for nobody"))
	lab.Wait(t, "an error that nobody has read", func() bool { return errors.Is(d.pending(), syscall.ECONNREFUSED) })
	if err := d.pending(); err != nil {
		t.Errorf("it is told twice: %v", err)
	}
	m := manager(t, ManagerConfig{Address: "no-such-name.invalid:162", Community: "public", Timeout: time.Second})
	if err := m.Notify(t.Context(), event(1)); !errors.Is(err, ErrLater) {
		t.Errorf("a name that cannot be resolved: %v", err)
	}
}

func TestManagerConfigIsChecked(t *testing.T) {
	ok := func(at time.Time) time.Duration { return 0 }
	engine := func() Engine { return Engine{} }
	for _, c := range []ManagerConfig{
		{Address: "127.0.0.1", Community: "c", UpTime: ok},
		{Address: "127.0.0.1:0", Community: "c", UpTime: ok},
		{Address: "127.0.0.1:snmp-trap", Community: "c", UpTime: ok},
		{Address: ":162", Community: "c", UpTime: ok},
		{Address: "127.0.0.1:162", UpTime: ok},
		{Address: "127.0.0.1:162", Community: "c"},
		{Address: "127.0.0.1:162", Community: strings.Repeat("c", 128), UpTime: ok},
		{Address: "127.0.0.1:162", Community: "c", User: &User{Name: "u"}, Inform: true, UpTime: ok},
		{Address: "127.0.0.1:162", User: &User{Name: "u"}, UpTime: ok},
		{Address: "127.0.0.1:162", User: &User{}, Engine: engine, UpTime: ok},
		{Address: "127.0.0.1:162", User: &User{Name: strings.Repeat("u", 33)}, Engine: engine, UpTime: ok},
		{Address: "127.0.0.1:162", User: &User{Name: "u", Auth: "md5", AuthPassphrase: "topsecret"}, Engine: engine, UpTime: ok},
		{Address: "127.0.0.1:162", User: &User{Name: "u", Auth: "sha1", AuthPassphrase: "topsecr"}, Engine: engine, UpTime: ok},
		{Address: "127.0.0.1:162", User: &User{Name: "u", Auth: "sha1", AuthPassphrase: "topsecret", Priv: "des", PrivPassphrase: "topsecret"}, Engine: engine, UpTime: ok},
		{Address: "127.0.0.1:162", User: &User{Name: "u", Auth: "sha1", AuthPassphrase: "topsecret", Priv: "aes"}, Engine: engine, UpTime: ok},
		{Address: "127.0.0.1:162", User: &User{Name: "u", Priv: "aes", PrivPassphrase: "topsecret"}, Engine: engine, UpTime: ok},
	} {
		if _, err := NewManager(c); err == nil || strings.Contains(err.Error(), "topsecr") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
