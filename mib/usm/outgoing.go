package usm

import (
	"encoding/binary"

	"lvs/mib/ber"
)

// Overhead is the most octets that Seal adds to a scopedPDU.
//
//	outer and version 7, msgGlobalData 20, OCTET STRING and SEQUENCE of the
//	parameters 6, engine ID 34, boots and time 12, name 34, digest 50,
//	salt 10, OCTET STRING of the encrypted 4
const Overhead = 7 + 20 + 6 + 34 + 12 + 34 + 50 + 10 + 4

// headroom is what a Builder of a report needs before its variable: Overhead and
// the headers of PDU and scopedPDU.
const headroom = Overhead + 80

// Seal makes the scopedPDU that b has into the answer to p's request, protected as
// the request was (RFC 3414 §3.1); p is what Incoming returned. id is the
// request's msgID and maxSize what the agent itself takes. Where b has Overhead
// octets of headroom left, nothing is allocated or moved.
func (e *Engine) Seal(b *ber.Builder, id, maxSize int32, p Principal) {
	e.seal(b, id, maxSize, p.Level, p.user, p.user.octets)
}

// seal is Seal for an answer that names somebody who need not be a user.
func (e *Engine) seal(b *ber.Builder, id, maxSize int32, l Level, u *user, name []byte) {
	var flags byte
	var salt, digest []byte
	// An answer has the engine's time even where nothing vouches for it.
	boots, now := e.boots, e.Time()
	if l >= AuthNoPriv {
		flags |= ber.FlagAuth
		digest = zeros[:u.auth.sent]
	}
	if l == AuthPriv {
		flags |= ber.FlagPriv
		salt = binary.BigEndian.AppendUint64(make([]byte, 0, saltLen), e.salt.Add(1))
		u.priv.encrypt(b.Bytes(), boots, now, salt)
		b.Wrap(ber.OctetString)
	}
	body := b.Len()
	b.PrependOctets(ber.OctetString, salt)
	fromEnd := b.Len() + len(digest)
	b.PrependOctets(ber.OctetString, digest)
	b.PrependOctets(ber.OctetString, name)
	b.PrependInt(now)
	b.PrependInt(boots)
	b.PrependOctets(ber.OctetString, e.id)
	b.WrapFront(ber.Sequence, body)
	b.WrapFront(ber.OctetString, body)
	b.PrependV3(id, maxSize, flags, ber.ModelUSM)
	if digest != nil {
		message := b.Bytes()
		u.auth.sign(message, len(message)-fromEnd)
	}
}
