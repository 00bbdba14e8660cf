package usm

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"lvs/internal/lab"
	"lvs/mib/ber"
)

// A verdict is what a sender learns from the report about its message.
type verdict struct {
	oid       string
	level     Level
	flags     byte
	requestID int32
	name      string
}

func (v verdict) String() string {
	return fmt.Sprintf("%s at %v, flags %d, request-id %d, user %q", v.oid, v.level, v.flags, v.requestID, v.name)
}

// read takes a report apart; there is none for silence.
func read(t *testing.T, datagram []byte) (v verdict, boots, now int32, engineID []byte) {
	t.Helper()
	if datagram == nil {
		return v, 0, 0, nil
	}
	var m ber.V3
	var params parameters
	var s ber.Scoped
	if err := m.Decode(datagram); err != nil {
		t.Fatal(err)
	}
	if err := params.decode(&m); err != nil {
		t.Fatal(err)
	}
	if err := s.Decode(m.Data); err != nil || s.PDU.Type != ber.Report || len(s.PDU.VarBinds) != 1 {
		t.Fatalf("%+v, %v is no report", s.PDU, err)
	}
	return verdict{s.PDU.VarBinds[0].Name.String(), level(m.Flags), m.Flags, s.PDU.RequestID, string(params.name)}, params.boots, params.time, slices.Clone(params.engineID)
}

// TestAsSNMPD sends what is to be refused to Net-SNMP's agent, too: the reports
// are the same. Left out is what it does otherwise: it has access control refuse
// who uses less protection than is asked of it, and says nothing of another
// privacy passphrase.
func TestAsSNMPD(t *testing.T) {
	d := lab.SNMPD(t, "createUser unsigned", "rouser unsigned noauth", "createUser signed SHA "+lab.AuthPassword, "rouser signed auth")
	conn, err := net.Dial("udp", d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exchange := func(datagram []byte, wait time.Duration) []byte {
		t.Helper()
		if _, err := conn.Write(datagram); err != nil {
			t.Fatal(err)
		}
		conn.SetReadDeadline(time.Now().Add(wait))
		buf := make([]byte, 65536)
		n, err := conn.Read(buf)
		if err != nil {
			return nil
		}
		return buf[:n]
	}

	user := User{Name: lab.User, Auth: SHA1, Priv: AES128, AuthSecret: lab.AuthPassword, PrivSecret: lab.PrivPassword}
	signed := User{Name: "signed", Auth: SHA1, AuthSecret: lab.AuthPassword}
	open := User{Name: "unsigned"}
	hello := message{id: 1, model: ber.ModelUSM, flags: ber.FlagReportable, pdu: ber.GetRequest, requestID: 1}
	_, boots, now, engineID := read(t, exchange(hello.bytes(), time.Minute))
	if engineID == nil {
		t.Fatal("snmpd says nothing")
	}
	e, err := New(Identity{EngineID: engineID, Boots: boots}, []User{user, signed, open})
	if err != nil {
		t.Fatal(err)
	}
	e.began = e.clock() - time.Duration(now)*time.Second

	wrong := user
	wrong.AuthSecret = "another passphrase"
	for _, c := range []struct {
		name   string
		u      User
		l      Level
		change func(*message)
	}{
		{"discovery", open, NoAuthNoPriv, func(m *message) { m.engineID, m.name = nil, "" }},
		{"unknown engine", user, AuthPriv, func(m *message) { m.engineID = []byte("another engine") }},
		{"unknown user", open, NoAuthNoPriv, func(m *message) { m.name = "nobody" }},
		{"unknown user, signed", signed, AuthNoPriv, func(m *message) { m.name = "nobody" }},
		{"unknown user, encrypted", user, AuthPriv, func(m *message) { m.name = "nobody" }},
		{"unsupported level", user, AuthPriv, func(m *message) { m.name = "signed" }},
		{"unsupported level, signed", signed, AuthNoPriv, func(m *message) { m.name = "unsigned" }},
		{"wrong passphrase", wrong, AuthPriv, func(m *message) {}},
		{"wrong passphrase, signed", signed, AuthNoPriv, func(m *message) { m.digest = []byte("twelve bytes") }},
		{"boot 0", signed, AuthNoPriv, func(m *message) { m.boots, m.time = 0, 0 }},
		{"boot 0, encrypted", user, AuthPriv, func(m *message) { m.boots, m.time = 0, 0 }},
		{"time to come", signed, AuthNoPriv, func(m *message) { m.time += 1000 }},
		{"not reportable", open, NoAuthNoPriv, func(m *message) { m.name, m.flags = "nobody", 0 }},
		{"not reportable, encrypted", user, AuthPriv, func(m *message) { m.name, m.flags = "nobody", m.flags&^ber.FlagReportable }},
		{"a response", open, NoAuthNoPriv, func(m *message) { m.name, m.pdu = "nobody", ber.Response }},
		{"a trap", signed, AuthNoPriv, func(m *message) { m.boots, m.pdu = 0, ber.Trap }},
	} {
		sent := by(t, e, c.u, c.l)
		c.change(&sent)
		datagram := sent.bytes()
		m, _, _, err := receive(e, slices.Clone(datagram))
		var b ber.Builder
		var ours []byte
		wait := 300 * time.Millisecond // for nothing
		if e.Report(&b, &m, 65507, err) {
			ours, wait = b.Bytes(), time.Minute
		}
		got, _, _, _ := read(t, ours)
		want, _, _, _ := read(t, exchange(datagram, wait))
		if got != want {
			t.Errorf("%s:\nwe say    %v\nsnmpd says %v", c.name, got, want)
		}
	}
}
