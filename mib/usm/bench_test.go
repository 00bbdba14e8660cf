package usm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gosnmp/gosnmp"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

// scopedOf makes in b a scopedPDU that has a message of about size octets.
func scopedOf(b *ber.Builder, e *Engine, size int) {
	b.Reset(Overhead + 80)
	v := smi.Value{Type: smi.OctetString, Bytes: make([]byte, 40)}
	for b.Len() < size-170 {
		b.AppendVarBind(sysDescr, &v)
	}
	b.PrependPDU(ber.Response, 1234, 0, 0)
	b.PrependScope(e.ID(), nil)
}

// BenchmarkAuthPriv is what a message of about 1400 octets costs at authPriv, to
// take in and to send out, and what gosnmp takes for the same.
func BenchmarkAuthPriv(b *testing.B) {
	for _, c := range []struct {
		auth AuthProtocol
		priv PrivProtocol
	}{{SHA1, AES128}, {SHA256, AES128}, {SHA512, AES256}} {
		u := User{Name: "u", Auth: c.auth, Priv: c.priv, AuthSecret: "authentication", PrivSecret: "privacy-privacy"}
		e, err := New(testID(), []User{u})
		if err != nil {
			b.Fatal(err)
		}
		var out ber.Builder
		scopedOf(&out, e, 1400)
		sent := by(b, e, u, AuthPriv)
		sent.scoped = out.Bytes()
		datagram := sent.bytes()
		var m ber.V3
		buf := make([]byte, len(datagram))
		in := func(b *testing.B) (p Principal) {
			copy(buf, datagram) // which is decrypted in place
			if err := m.Decode(buf); err != nil {
				b.Fatal(err)
			}
			p, _, err := e.Incoming(buf, &m)
			if err != nil {
				b.Fatal(err)
			}
			return p
		}
		p := in(b)
		name := fmt.Sprintf("%v+%v/", c.auth, c.priv)
		b.Run(name+"in", func(b *testing.B) {
			b.SetBytes(int64(len(datagram)))
			b.ReportAllocs()
			for b.Loop() {
				in(b)
			}
		})
		b.Run(name+"out", func(b *testing.B) {
			scopedOf(&out, e, 1400)
			plain := append([]byte(nil), out.Bytes()...)
			b.SetBytes(int64(len(datagram)))
			b.ReportAllocs()
			for b.Loop() {
				out.Reset(Overhead + 80)
				out.Append(plain)
				e.Seal(&out, m.ID, 65507, p)
			}
		})
		goSNMP(b, name, e, u, datagram)
	}
}

// goSNMP has gosnmp read the same datagram and make one of the same size.
func goSNMP(b *testing.B, name string, e *Engine, u User, datagram []byte) {
	params := &gosnmp.UsmSecurityParameters{
		UserName: u.Name, AuthenticationPassphrase: u.AuthSecret, PrivacyPassphrase: u.PrivSecret, AuthoritativeEngineID: string(e.ID()),
		AuthoritativeEngineBoots: 7,
		AuthenticationProtocol:   map[AuthProtocol]gosnmp.SnmpV3AuthProtocol{SHA1: gosnmp.SHA, SHA256: gosnmp.SHA256, SHA512: gosnmp.SHA512}[u.Auth],
		PrivacyProtocol:          map[PrivProtocol]gosnmp.SnmpV3PrivProtocol{AES128: gosnmp.AES, AES256: gosnmp.AES256}[u.Priv],
	}
	g := &gosnmp.GoSNMP{Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, MsgFlags: gosnmp.AuthPriv, SecurityParameters: params}
	if err := params.InitSecurityKeys(); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, len(datagram))
	b.Run(name+"gosnmp-in", func(b *testing.B) {
		b.SetBytes(int64(len(datagram)))
		b.ReportAllocs()
		for b.Loop() {
			copy(buf, datagram)
			if _, err := g.UnmarshalTrap(buf, true); err != nil {
				b.Fatal(err)
			}
		}
	})
	packet := &gosnmp.SnmpPacket{Version: gosnmp.Version3, MsgFlags: gosnmp.AuthPriv, SecurityModel: gosnmp.UserSecurityModel,
		SecurityParameters: params, PDUType: gosnmp.GetResponse, MsgID: 1, RequestID: 1, MsgMaxSize: 65507, ContextEngineID: string(e.ID())}
	for range (len(datagram) - 170) / 56 {
		packet.Variables = append(packet.Variables, gosnmp.SnmpPDU{Name: "." + sysDescr.String(), Type: gosnmp.OctetString, Value: strings.Repeat("x", 40)})
	}
	b.Run(name+"gosnmp-out", func(b *testing.B) {
		b.SetBytes(int64(len(datagram)))
		b.ReportAllocs()
		for b.Loop() {
			if err := params.InitPacket(packet); err != nil {
				b.Fatal(err)
			}
			if _, err := packet.MarshalMsg(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRefused is what strangers cost, for whom nothing is decrypted.
func BenchmarkRefused(b *testing.B) {
	e := newTestEngine(b)
	e.clock = newClock()
	e.began = e.clock()
	wrong := secret
	wrong.AuthSecret = "not the secret passphrase"
	for _, c := range []struct {
		name string
		u    User
		m    func(*message)
	}{
		{"wrong digest", wrong, func(*message) {}},
		{"unknown user", secret, func(m *message) { m.name = "nobody" }},
		{"unknown engine", secret, func(m *message) { m.engineID = nil }},
	} {
		sent := by(b, e, c.u, AuthPriv)
		c.m(&sent)
		datagram := sent.bytes()
		var out ber.Builder
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m, _, _, err := receive(e, datagram)
				if !e.Report(&out, &m, 65507, err) {
					b.Fatal("no report")
				}
			}
		})
	}
}

// BenchmarkKey is what a passphrase costs once.
func BenchmarkKey(b *testing.B) {
	for _, a := range []AuthProtocol{SHA1, SHA256, SHA512} {
		b.Run(a.String(), func(b *testing.B) {
			for b.Loop() {
				a.ku([]byte("authentication"))
			}
		})
	}
}
