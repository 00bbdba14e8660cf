package usm

import (
	"errors"
	"fmt"

	"lvs/mib/ber"
)

// ErrModel is returned for a message that another security model protects
// (snmpUnknownSecurityModels of RFC 3412 §7.2).
var ErrModel = errors.New("usm: not protected by the User-based Security Model")

// A Principal is a user whose request the engine let in. The zero Principal is
// nobody.
type Principal struct {
	Name  string // securityName
	Level Level  // of the request, and so of the answer

	user   *user
	digest [12]byte // the beginning of the request's digest, which no other request has
	time   int32    // msgAuthoritativeEngineTime of the request
}

// parameters are the UsmSecurityParameters of RFC 3414 §2.4.
type parameters struct {
	engineID, name, auth, priv []byte
	boots, time                int32
	authOffset                 int // in the datagram
}

// decode reads the parameters of m. They point into the datagram.
func (p *parameters) decode(m *ber.V3) error {
	r := ber.NewReader(m.Params)
	outer := r.Enter(ber.Sequence)
	at := r.Offset()
	p.engineID = r.Octets(ber.OctetString)
	if len(p.engineID) > 32 {
		r.Fail(at, "engine ID of more than 32 octets")
	}
	p.boots, p.time = r.NonNegative(), r.NonNegative()
	at = r.Offset()
	p.name = r.Octets(ber.OctetString)
	if len(p.name) > maxName {
		r.Fail(at, "user name of more than 32 octets")
	}
	p.auth = r.Octets(ber.OctetString)
	p.authOffset = m.ParamsOffset + r.Offset() - len(p.auth)
	p.priv = r.Octets(ber.OctetString)
	r.Leave(outer)
	if r.More() {
		r.Fail(r.Offset(), "more than the security parameters")
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("usm: security parameters: %w", err)
	}
	return nil
}

// level is what the flags of a message say.
func level(flags byte) Level {
	switch flags & (ber.FlagAuth | ber.FlagPriv) {
	case 0:
		return NoAuthNoPriv
	case ber.FlagAuth:
		return AuthNoPriv
	}
	return AuthPriv
}

// Incoming finds out who sent a request that m was decoded from, and returns its
// scopedPDU, which points into datagram: where it was encrypted, it is decrypted
// there (RFC 3414 §3.2). An error that is a [*Report] says what kept the request
// out and may be told to its sender with [Engine.Report]; about others there is
// nothing to say.
func (e *Engine) Incoming(datagram []byte, m *ber.V3) (p Principal, scoped []byte, err error) {
	if m.Model != ber.ModelUSM {
		return Principal{}, nil, ErrModel
	}
	var params parameters
	if err := params.decode(m); err != nil {
		return Principal{}, nil, err
	}
	u, stat := e.admit(datagram, m, &params)
	if stat == 0 && m.Flags&ber.FlagPriv != 0 && !u.priv.open(m.Data, &params) {
		stat = DecryptionErrors
	}
	if stat != 0 {
		return Principal{}, nil, e.refuse(stat, m, &params, u)
	}
	p = Principal{Name: u.name, Level: level(m.Flags), user: u, time: params.time}
	if p.Level > NoAuthNoPriv {
		copy(p.digest[:], params.auth)
	}
	return p, m.Data, nil
}

// admit goes through RFC 3414 §3.2 3) to 7), in its order. The user it returns
// with a Stat is one who has proved to be, or nil.
func (e *Engine) admit(datagram []byte, m *ber.V3, params *parameters) (*user, Stat) {
	if string(params.engineID) != string(e.id) {
		return nil, UnknownEngineIDs
	}
	l := level(m.Flags)
	u := (*e.users.Load())[string(params.name)]
	switch {
	case u == nil:
		if l > NoAuthNoPriv {
			e.nobody.spend(datagram)
		}
		return nil, UnknownUserNames
	case l > u.highest || l < u.least:
		// Below the least it is for access control to refuse (RFC 3415 §3.2);
		// here, nothing of the request is looked at.
		return nil, UnsupportedSecLevels
	case l == NoAuthNoPriv:
		return u, 0
	case len(params.auth) != u.auth.sent || !u.auth.verify(datagram, params.authOffset):
		return nil, WrongDigests
	case !e.timely(params.boots, params.time):
		return u, NotInTimeWindows
	}
	return u, 0
}

// timely reports whether a request is none of long ago, or of a boot that is over
// (RFC 3414 §3.2 7 a).
func (e *Engine) timely(boots, sent int32) bool {
	apart := int64(sent) - int64(e.Time())
	return e.boots != maxBoots && boots == e.boots && apart >= -window && apart <= window
}

// open decrypts a scopedPDU. It reports whether it looks like one. With another
// key it does not, which by the letter is a message that makes no sense (RFC 3412
// §7.2.7) and gets no answer; but only who has the user's authentication key comes
// so far, and is spared a silence to explain.
func (k *privKey) open(data []byte, params *parameters) bool {
	if len(params.priv) != saltLen {
		return false
	}
	k.decrypt(data, params.boots, params.time, params.priv)
	r := ber.NewReader(data)
	r.Enter(ber.Sequence)
	r.Octets(ber.OctetString) // contextEngineID
	r.Octets(ber.OctetString) // contextName
	return r.Err() == nil
}

// First reports whether a request is the first of its kind: one that was sent
// again, by the network or by somebody who recorded it, is let in for as long as
// the time window is open, and must not be done twice. It is for requests that
// change something. It is false, too, where more requests than it can remember
// came in that time. Requests without authentication have nothing to tell them
// apart by, and are always first.
func (e *Engine) First(p Principal) bool {
	return p.Level <= NoAuthNoPriv || e.replays.add(p.digest, p.time, e.Time())
}
