package ber

import "fmt"

// A Version is that of SNMP as messages have it.
type Version int32

// The versions of SNMP.
const (
	V1Version  Version = 0
	V2cVersion Version = 1
	V3Version  Version = 3
)

func (v Version) String() string {
	switch v {
	case V1Version:
		return "1"
	case V2cVersion:
		return "2c"
	case V3Version:
		return "3"
	}
	return fmt.Sprintf("version %d", int32(v))
}

// The bits of V3.Flags (RFC 3412 §6.4).
const (
	FlagAuth       byte = 1
	FlagPriv       byte = 2 // never without FlagAuth
	FlagReportable byte = 4
)

// What a message of v3 may be at least (RFC 3412 §6.3), and the User-based
// Security Model's number (RFC 3411 §5).
const (
	MinMaxSize = 484
	ModelUSM   = 3
)

// VersionOf reads the version of a message and nothing behind it.
func VersionOf(datagram []byte) (Version, error) {
	r := NewReader(datagram)
	r.Enter(Sequence)
	v := Version(r.Int())
	return v, r.Err()
}

// A Message is one of SNMPv1 or v2c. It points into the datagram.
type Message struct {
	Version   Version
	Community []byte
	Data      []byte // the PDU, not yet looked at
}

// Decode reads a message up to its PDU. Its error is an [*Error].
func (m *Message) Decode(datagram []byte) error {
	r := NewReader(datagram)
	outer := r.Enter(Sequence)
	at := r.Offset()
	if m.Version = Version(r.Int()); m.Version != V1Version && m.Version != V2cVersion {
		r.Fail(at, "not SNMPv1 or v2c")
	}
	m.Community = r.Octets(OctetString)
	m.Data = r.Whole(r.Peek())
	r.Leave(outer)
	if r.More() {
		r.Fail(r.Offset(), "more than one message")
	}
	return r.Err()
}

// A V3 is a message of SNMPv3 (RFC 3412 §6). It points into the datagram.
type V3 struct {
	ID      int32 // msgID
	MaxSize int32 // msgMaxSize, what the sender takes, at least MinMaxSize
	Flags   byte
	Model   int32 // msgSecurityModel
	// Params are the contents of msgSecurityParameters, which begin at
	// ParamsOffset of the datagram.
	Params       []byte
	ParamsOffset int
	// Data is the whole scopedPDU where FlagPriv is clear, and its encrypted
	// octets where it is set. It begins at DataOffset of the datagram.
	Data       []byte
	DataOffset int
}

// Decode reads a message up to its security parameters and data. Its error is
// an [*Error].
func (m *V3) Decode(datagram []byte) error {
	r := NewReader(datagram)
	outer := r.Enter(Sequence)
	at := r.Offset()
	if v := Version(r.Int()); v != V3Version {
		r.Fail(at, "not SNMPv3")
	}
	m.header(&r)
	m.Params = r.Octets(OctetString)
	m.ParamsOffset = r.Offset() - len(m.Params)
	if m.Flags&FlagPriv != 0 {
		m.Data = r.Octets(OctetString)
	} else {
		m.Data = r.Whole(Sequence)
	}
	m.DataOffset = r.Offset() - len(m.Data)
	r.Leave(outer)
	if r.More() {
		r.Fail(r.Offset(), "more than one message")
	}
	return r.Err()
}

// header reads msgGlobalData.
func (m *V3) header(r *Reader) {
	outer := r.Enter(Sequence)
	m.ID = r.NonNegative()
	at := r.Offset()
	if m.MaxSize = r.NonNegative(); m.MaxSize < MinMaxSize {
		r.Fail(at, "msgMaxSize below 484")
	}
	at = r.Offset()
	if flags := r.Octets(OctetString); len(flags) == 1 {
		m.Flags = flags[0]
	} else {
		r.Fail(at, "msgFlags is not of one octet")
	}
	if m.Flags&(FlagAuth|FlagPriv) == FlagPriv {
		r.Fail(at, "privacy without authentication")
	}
	at = r.Offset()
	if m.Model = r.NonNegative(); m.Model == 0 {
		r.Fail(at, "msgSecurityModel is 0")
	}
	r.Leave(outer)
}

// A Scoped is a scopedPDU: a PDU and the context it is for (RFC 3412 §6.8). Its
// memory is reused by the next Decode.
type Scoped struct {
	EngineID, ContextName []byte
	PDU                   PDU
}

// Decode reads a scopedPDU. What is behind it is not looked at: some senders
// leave the padding of their cipher there. Its error is an [*Error].
func (s *Scoped) Decode(b []byte) error {
	r := NewReader(b)
	outer := r.Enter(Sequence)
	s.EngineID = r.Octets(OctetString)
	s.ContextName = r.Octets(OctetString)
	s.PDU.read(&r)
	r.Leave(outer)
	return r.Err()
}
