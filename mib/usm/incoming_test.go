package usm

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

// TestIncomingLetsIn is every user at each level it may use.
func TestIncomingLetsIn(t *testing.T) {
	e := newTestEngine(t)
	for _, c := range []struct {
		u User
		l Level
	}{{open, NoAuthNoPriv}, {signed, AuthNoPriv}, {secret, AuthPriv}, {either, NoAuthNoPriv}, {either, AuthNoPriv}, {either, AuthPriv}} {
		m, p, scoped, err := receive(e, by(t, e, c.u, c.l).bytes())
		if err != nil {
			t.Errorf("%v at %v: %v", c.u, c.l, err)
			continue
		}
		if p.Name != c.u.Name || p.Level != c.l {
			t.Errorf("%v at %v: principal is %q at %v", c.u, c.l, p.Name, p.Level)
		}
		var s ber.Scoped
		if err := s.Decode(scoped); err != nil || s.PDU.RequestID != 1234 || !bytes.Equal(s.EngineID, e.ID()) {
			t.Errorf("%v at %v: scopedPDU is %+v, %v", c.u, c.l, s, err)
		}
		checkSealed(t, e, &m, p)
	}
}

// checkSealed makes an answer for p and reads it as the manager would, who has
// the same keys.
func checkSealed(t *testing.T, e *Engine, m *ber.V3, p Principal) {
	t.Helper()
	var b ber.Builder
	b.Reset(Overhead + 60)
	if err := b.AppendVarBind(sysDescr, &smi.Value{Type: smi.OctetString, Bytes: []byte("a description")}); err != nil {
		t.Fatal(err)
	}
	b.PrependPDU(ber.Response, 1234, 0, 0)
	b.PrependScope(e.ID(), []byte("context"))
	plain := slices.Clone(b.Bytes())
	e.Seal(&b, m.ID, 1472, p)
	if n := b.Len() - len(plain); n > Overhead {
		t.Errorf("%v: Seal added %d octets, more than Overhead", p.Name, n)
	}
	var answer ber.V3
	if err := answer.Decode(b.Bytes()); err != nil {
		t.Fatalf("%v: %v", p.Name, err)
	}
	if answer.ID != m.ID || answer.MaxSize != 1472 || answer.Flags != m.Flags&^ber.FlagReportable || answer.Model != ber.ModelUSM {
		t.Errorf("%v: the answer's header is %+v", p.Name, answer)
	}
	if encrypted := !bytes.Contains(b.Bytes(), []byte("a description")); encrypted != (p.Level == AuthPriv) {
		t.Errorf("%v: encrypted is %v", p.Name, encrypted)
	}
	_, scoped, err := e.Incoming(b.Bytes(), &answer)
	if err != nil || !bytes.Equal(scoped, plain) {
		t.Errorf("%v: the answer's scopedPDU is %x, want %x; %v", p.Name, scoped, plain, err)
	}
}

// TestIncomingRefuses goes through what RFC 3414 §3.2 refuses, and looks at the
// reports.
func TestIncomingRefuses(t *testing.T) {
	e := newTestEngine(t)
	for _, c := range []struct {
		name   string
		u      User
		l      Level
		change func(*message)
		want   Stat
		level  Level // of the report
		id     int32 // the report's request-id
	}{
		{"discovery", open, NoAuthNoPriv, func(m *message) { m.engineID, m.name = nil, "" }, UnknownEngineIDs, NoAuthNoPriv, 1234},
		{"other engine", secret, AuthPriv, func(m *message) { m.engineID = []byte("another engine") }, UnknownEngineIDs, NoAuthNoPriv, 0},
		{"longer engine", signed, AuthNoPriv, func(m *message) { m.engineID = slices.Concat(m.engineID, []byte{0}) }, UnknownEngineIDs, NoAuthNoPriv, 1234},
		{"no name", open, NoAuthNoPriv, func(m *message) { m.name = "" }, UnknownUserNames, NoAuthNoPriv, 1234},
		{"unknown user", signed, AuthNoPriv, func(m *message) { m.name = "Signed" }, UnknownUserNames, NoAuthNoPriv, 1234},
		{"unknown user, encrypted", secret, AuthPriv, func(m *message) { m.name = strings.Repeat("x", 32) }, UnknownUserNames, NoAuthNoPriv, 0},
		{"beyond the user's protocols", secret, AuthPriv, func(m *message) { m.name = "signed" }, UnsupportedSecLevels, NoAuthNoPriv, 0},
		{"signed by who cannot", signed, AuthNoPriv, func(m *message) { m.name = "open" }, UnsupportedSecLevels, NoAuthNoPriv, 1234},
		{"unsigned", signed, NoAuthNoPriv, nil, UnsupportedSecLevels, NoAuthNoPriv, 1234},
		{"unencrypted", secret, AuthNoPriv, nil, UnsupportedSecLevels, NoAuthNoPriv, 1234},
		{"wrong passphrase", User{Name: "signed", Auth: SHA1, AuthSecret: "the signed passphrasf"}, AuthNoPriv, nil, WrongDigests, NoAuthNoPriv, 1234},
		{"other protocol", User{Name: "signed", Auth: SHA224, AuthSecret: "the signed passphrase"}, AuthNoPriv, nil, WrongDigests, NoAuthNoPriv, 1234},
		{"somebody else's key", User{Name: "secret", Auth: SHA256, AuthSecret: either.AuthSecret, Priv: AES128}, AuthPriv, nil, WrongDigests, NoAuthNoPriv, 0},
		{"no digest", signed, AuthNoPriv, func(m *message) { m.digest = []byte{} }, WrongDigests, NoAuthNoPriv, 1234},
		{"digest of zeros", signed, AuthNoPriv, func(m *message) { m.digest = make([]byte, 12) }, WrongDigests, NoAuthNoPriv, 1234},
		{"long digest", signed, AuthNoPriv, func(m *message) { m.digest = make([]byte, 400) }, WrongDigests, NoAuthNoPriv, 1234},
		{"wrong key and time", User{Name: "signed", Auth: SHA1, AuthSecret: "another passphrase"}, AuthNoPriv, func(m *message) { m.boots = 1 }, WrongDigests, NoAuthNoPriv, 1234},
		{"first with a user", secret, AuthPriv, func(m *message) { m.boots, m.time = 0, 0 }, NotInTimeWindows, AuthNoPriv, 0},
		{"boot before", signed, AuthNoPriv, func(m *message) { m.boots-- }, NotInTimeWindows, AuthNoPriv, 1234},
		{"boot to come", signed, AuthNoPriv, func(m *message) { m.boots++ }, NotInTimeWindows, AuthNoPriv, 1234},
		{"too early", either, AuthNoPriv, func(m *message) { m.time += 152 }, NotInTimeWindows, AuthNoPriv, 1234},
		{"no salt", secret, AuthPriv, func(m *message) { m.salt = []byte{} }, DecryptionErrors, NoAuthNoPriv, 0},
		{"long salt", secret, AuthPriv, func(m *message) { m.salt = []byte("saltsalts") }, DecryptionErrors, NoAuthNoPriv, 0},
		{"other privacy passphrase", User{Name: "secret", Auth: SHA256, Priv: AES128, AuthSecret: secret.AuthSecret, PrivSecret: "yet another one"}, AuthPriv, nil, DecryptionErrors, NoAuthNoPriv, 0},
		{"nothing encrypted", secret, AuthPriv, func(m *message) { m.scoped = []byte{} }, DecryptionErrors, NoAuthNoPriv, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := e.Count(c.want)
			sent := by(t, e, c.u, c.l)
			if c.change != nil {
				c.change(&sent)
			}
			m, p, scoped, err := receive(e, sent.bytes())
			var r *Report
			if !errors.As(err, &r) || p != (Principal{}) || scoped != nil {
				t.Fatalf("principal %+v, %d octets, %v", p, len(scoped), err)
			}
			if r.Stat != c.want || r.Value != before+1 || e.Count(c.want) != before+1 {
				t.Errorf("%v: counter is %d, then %d; want %v, %d", r, r.Value, e.Count(c.want), c.want, before+1)
			}
			checkReport(t, e, &m, &sent, err, c.level, c.id)
			m.Flags &^= ber.FlagReportable
			if got := e.Report(new(ber.Builder), &m, 1472, err); got != (m.Flags&ber.FlagPriv == 0) {
				t.Errorf("not reportable: a report is %v", got)
			}
		})
	}
}

// checkReport reads the report about a refused message.
func checkReport(t *testing.T, e *Engine, m *ber.V3, sent *message, refused error, l Level, requestID int32) {
	t.Helper()
	var b ber.Builder
	if !e.Report(&b, m, 1472, refused) {
		t.Fatal("no report")
	}
	datagram := b.Bytes()
	if len(datagram) > 200 {
		t.Errorf("the report has %d octets", len(datagram))
	}
	var v ber.V3
	var params parameters
	var s ber.Scoped
	if err := errors.Join(v.Decode(datagram), params.decode(&v), s.Decode(v.Data)); err != nil {
		t.Fatal(err)
	}
	if v.ID != m.ID || level(v.Flags) != l || v.Flags&ber.FlagReportable != 0 || v.Model != ber.ModelUSM {
		t.Errorf("its header is %+v, want %v", v, l)
	}
	if string(params.engineID) != string(e.ID()) || params.boots != e.Boots() || params.time != e.Time() || string(params.name) != sent.name {
		t.Errorf("its parameters are %+v", params)
	}
	if l == AuthNoPriv && !sent.auth.verify(datagram, params.authOffset) {
		t.Error("its digest is wrong")
	}
	r := refused.(*Report)
	want := []smi.VarBind{{Name: r.Stat.OID(), Value: smi.Value{Type: smi.Counter32, Int: uint64(r.Value)}}}
	if s.PDU.Type != ber.Report || s.PDU.RequestID != requestID || len(s.PDU.VarBinds) != 1 ||
		!slices.Equal(s.PDU.VarBinds[0].Name, want[0].Name) || s.PDU.VarBinds[0].Value.Int != want[0].Value.Int {
		t.Errorf("its PDU is %+v, want request-id %d and %v", s.PDU, requestID, want)
	}
}

// TestReportsAnswerRequestsOnly keeps two agents from reporting to each other.
func TestReportsAnswerRequestsOnly(t *testing.T) {
	e := newTestEngine(t)
	for pdu, want := range map[ber.PDUType]bool{
		ber.GetRequest: true, ber.GetNext: true, ber.GetBulk: true, ber.SetRequest: true, ber.Inform: true,
		ber.Response: false, ber.Trap: false, ber.Report: false, 0xa4: false,
	} {
		sent := by(t, e, open, NoAuthNoPriv)
		sent.pdu, sent.name = pdu, "nobody"
		m, _, _, err := receive(e, sent.bytes())
		if got := e.Report(new(ber.Builder), &m, 1472, err); got != want {
			t.Errorf("%v: report is %v", pdu, got)
		}
	}
	if e.Report(new(ber.Builder), &ber.V3{Flags: ber.FlagReportable}, 1472, ErrModel) {
		t.Error("a report about another error")
	}
}

func TestIncomingOtherModel(t *testing.T) {
	e := newTestEngine(t)
	sent := by(t, e, signed, AuthNoPriv)
	sent.model = 4
	if _, p, _, err := receive(e, sent.bytes()); err != ErrModel || p != (Principal{}) {
		t.Errorf("%+v, %v; want %v", p, err, ErrModel)
	}
}

func TestIncomingMalformedParameters(t *testing.T) {
	e := newTestEngine(t)
	for name, params := range map[string]string{
		"empty":           "",
		"no sequence":     "\x04\x02\x05\x00",
		"short":           "\x30\x04\x04\x00\x02\x01",
		"a part":          "\x30\x02\x04\x00",
		"long engine ID":  "\x30\x2f\x04\x21" + strings.Repeat("e", 33) + "\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00",
		"long name":       "\x30\x2f\x04\x00\x02\x01\x00\x02\x01\x00\x04\x21" + strings.Repeat("n", 33) + "\x04\x00\x04\x00",
		"negative boots":  "\x30\x0e\x04\x00\x02\x01\xff\x02\x01\x00\x04\x00\x04\x00\x04\x00",
		"negative time":   "\x30\x0e\x04\x00\x02\x01\x00\x02\x01\x80\x04\x00\x04\x00\x04\x00",
		"more in it":      "\x30\x10\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00\x05\x00",
		"more behind":     "\x30\x0e\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00\x05\x00",
		"other types":     "\x30\x0e\x05\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00",
		"longer than all": "\x30\x7f\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00",
	} {
		m := ber.V3{Model: ber.ModelUSM, Flags: ber.FlagReportable, Params: []byte(params)}
		p, scoped, err := e.Incoming([]byte(params), &m)
		var where *ber.Error
		if p != (Principal{}) || scoped != nil || !errors.As(err, &where) || e.Report(new(ber.Builder), &m, 1472, err) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// TestDamagedMessagesAreRefused cuts requests anywhere and turns every bit of
// them over: whoever authenticates is never taken for having said that.
func TestDamagedMessagesAreRefused(t *testing.T) {
	e := newTestEngine(t)
	for _, c := range []struct {
		u User
		l Level
	}{{signed, AuthNoPriv}, {secret, AuthPriv}} {
		whole := by(t, e, c.u, c.l).bytes()
		for n := range whole {
			if _, p, _, err := receive(e, slices.Clone(whole[:n])); err == nil || p != (Principal{}) {
				t.Fatalf("%v: the first %d octets are let in", c.u, n)
			}
		}
		for bit := range 8 * len(whole) {
			damaged := slices.Clone(whole)
			damaged[bit/8] ^= 1 << (bit % 8)
			if _, p, _, err := receive(e, damaged); err == nil || p != (Principal{}) {
				t.Fatalf("%v: with bit %d turned over it is let in", c.u, bit)
			}
		}
		if _, _, _, err := receive(e, slices.Concat(whole, []byte{0})); err == nil {
			t.Errorf("%v: an octet more is let in", c.u)
		}
		if _, p, _, err := receive(e, whole); err != nil || p.Name != c.u.Name {
			t.Errorf("%v: undamaged it is not let in: %v", c.u, err)
		}
	}
}

// TestShortDigest has a digest begin so near to the end that there is no room for
// one.
func TestShortDigest(t *testing.T) {
	e := newTestEngine(t)
	for n := range 48 {
		sent := by(t, e, either, AuthNoPriv)
		sent.digest, sent.scoped = make([]byte, n), []byte("\x30\x00")
		var r *Report
		if _, _, _, err := receive(e, sent.bytes()); !errors.As(err, &r) || r.Stat != WrongDigests {
			t.Errorf("%d octets: %v", n, err)
		}
	}
}

// TestUnknownUserCosts has who guesses names wait as long as who guesses keys: a
// digest is computed for nobody.
func TestUnknownUserCosts(t *testing.T) {
	e := newTestEngine(t)
	sent := by(t, e, secret, AuthPriv)
	sent.name = "nobody"
	receive(e, sent.bytes())
	if e.nobody.sum == [64]byte{} {
		t.Error("it costs nothing")
	}
}

// TestSaltsDiffer looks at the initialization vectors of one boot: two that are
// the same would give away what both messages say.
// TestTimeWindow is 150 s wide to either side, and knows of no clock but its own.
// TestLastBoot is the end of all boots: nobody who authenticates is let in.
// TestFirst is a request that is sent again: not done twice while it would be let
// in, and forgotten after that.
// TestFirstIsBounded fills the memory of requests: it refuses, and makes room as
// the window moves on.
