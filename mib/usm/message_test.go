package usm

import (
	"slices"
	"testing"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

var sysDescr = smi.OID{1, 3, 6, 1, 2, 1, 1, 1, 0}

// testID is an engine that has booted seven times.
func testID() Identity {
	return Identity{EngineID: []byte("\x80\x00\x20\x21\x05test engine"), Boots: 7}
}

// The users of the tests, one for each level.
var (
	open   = User{Name: "open"}
	signed = User{Name: "signed", Auth: SHA1, AuthSecret: "the signed passphrase"}
	secret = User{Name: "secret", Auth: SHA256, Priv: AES128, AuthSecret: "the secret passphrase", PrivSecret: "another passphrase"}
	either = User{Name: "either", Auth: SHA512, Priv: AES256, AuthSecret: "the either passphrase", Level: NoAuthNoPriv}
)

// newTestEngine has a clock that testing/synctest knows.
func newTestEngine(t testing.TB) *Engine {
	t.Helper()
	e, err := New(testID(), []User{open, signed, secret, either})
	if err != nil {
		t.Fatal(err)
	}
	e.clock, e.began = monotonic(), 0
	return e
}

// A message is a request as a manager makes it, every field of it open to be
// made wrong.
type message struct {
	id, model    int32
	flags        byte
	engineID     []byte
	boots, time  int32
	name         string
	auth         *authKey
	priv         *privKey
	pdu          ber.PDUType
	requestID    int32
	digest, salt []byte // nil: the right ones
	scoped       []byte // nil: a GET of sysDescr.0
}

// by is a request of u's at a level that e lets in now.
func by(t testing.TB, e *Engine, u User, l Level) message {
	t.Helper()
	m := message{
		id: 4711, model: ber.ModelUSM, flags: ber.FlagReportable, engineID: e.ID(), boots: e.Boots(), time: e.Time(),
		name: u.Name, pdu: ber.GetRequest, requestID: 1234,
	}
	made, err := u.with(&keyring{engineID: e.ID(), kus: map[passphrase][]byte{}})
	if err != nil {
		t.Fatal(err)
	}
	if l >= AuthNoPriv {
		m.flags, m.auth = m.flags|ber.FlagAuth, made.auth
	}
	if l == AuthPriv {
		m.flags, m.priv = m.flags|ber.FlagPriv, made.priv
	}
	return m
}

// bytes is the datagram.
func (m message) bytes() []byte {
	var b ber.Builder
	b.Reset(512)
	if m.scoped != nil {
		b.Append(m.scoped)
	} else {
		b.AppendVarBind(sysDescr, &smi.Value{})
		b.PrependPDU(m.pdu, m.requestID, 0, 0)
		b.PrependScope(m.engineID, nil)
	}
	if m.priv != nil {
		if m.salt == nil {
			m.salt = []byte("saltsalt")
		}
		m.priv.encrypt(b.Bytes(), m.boots, m.time, m.salt)
	}
	if m.flags&ber.FlagPriv != 0 {
		b.Wrap(ber.OctetString)
	}
	body := b.Len()
	b.PrependOctets(ber.OctetString, m.salt)
	digest, compute := m.digest, m.digest == nil && m.auth != nil
	if compute {
		digest = zeros[:m.auth.sent]
	}
	fromEnd := b.Len() + len(digest)
	b.PrependOctets(ber.OctetString, digest)
	b.PrependOctets(ber.OctetString, []byte(m.name))
	b.PrependInt(m.time)
	b.PrependInt(m.boots)
	b.PrependOctets(ber.OctetString, m.engineID)
	b.WrapFront(ber.Sequence, body)
	b.WrapFront(ber.OctetString, body)
	b.PrependV3(m.id, 65507, m.flags, m.model)
	datagram := b.Bytes()
	if compute {
		m.auth.sign(datagram, len(datagram)-fromEnd)
	}
	return slices.Clone(datagram)
}

// receive gives a datagram to e as an agent does.
func receive(e *Engine, datagram []byte) (m ber.V3, p Principal, scoped []byte, err error) {
	if err = m.Decode(datagram); err == nil {
		p, scoped, err = e.Incoming(datagram, &m)
	}
	return m, p, scoped, err
}
