package usm

import (
	"fmt"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

// A Stat is a reason to refuse a message, with the number its counter has below
// usmStats (RFC 3414 §5).
type Stat uint8

// The reasons there are.
const (
	UnsupportedSecLevels Stat = 1 // the user has another level than the message
	NotInTimeWindows     Stat = 2 // too old, or of another boot
	UnknownUserNames     Stat = 3
	UnknownEngineIDs     Stat = 4 // also what every manager asks first, to learn the engine's
	WrongDigests         Stat = 5 // another key, or changed on the way
	DecryptionErrors     Stat = 6
)

// stats are the objects' names.
var stats = [...]string{"", "usmStatsUnsupportedSecLevels", "usmStatsNotInTimeWindows", "usmStatsUnknownUserNames",
	"usmStatsUnknownEngineIDs", "usmStatsWrongDigests", "usmStatsDecryptionErrors"}

// String is the name of the counter's object.
func (s Stat) String() string {
	if s == 0 || int(s) >= len(stats) {
		return fmt.Sprintf("usmStats %d", uint8(s))
	}
	return stats[s]
}

// oids are the instances of the counters, by Stat.
var oids = func() (o [len(stats)]smi.OID) {
	for s := range o {
		o[s] = smi.OID{1, 3, 6, 1, 6, 3, 15, 1, 1, uint32(s), 0}
	}
	return o
}()

// OID is the instance of the counter.
func (s Stat) OID() smi.OID { return oids[s] }

// Count is how many messages were refused for a reason since New, modulo 2^32.
func (e *Engine) Count(s Stat) uint32 { return e.counts[s].Load() }

// A Report is the error of a message that was refused: the counter that its
// sender may be told.
type Report struct {
	Stat  Stat
	Value uint32 // of the counter, this message included
	// Name is the user that the message named, whether there is one or not; it
	// points into the datagram.
	Name []byte

	user *user // who is told with authentication, or nil
}

// Error names the counter.
func (r *Report) Error() string { return "usm: refused: " + r.Stat.String() }

// refuse counts a message that is refused. Only u, who has proved to be, is told
// with authentication, and needs to be: the time in such a report is what
// managers set theirs by (RFC 3414 §3.2 7 a).
func (e *Engine) refuse(stat Stat, m *ber.V3, params *parameters, u *user) *Report {
	r := &Report{Stat: stat, Value: e.counts[stat].Add(1), Name: params.name}
	if stat == NotInTimeWindows {
		r.user = u
	}
	return r
}

// Report makes in b the message that tells the sender of m why [Engine.Incoming]
// refused it, and reports whether there is one: not every error is told, and
// nobody who did not ask for an answer gets one (RFC 3412 §7.1 3). maxSize is what
// the agent itself takes.
func (e *Engine) Report(b *ber.Builder, m *ber.V3, maxSize int32, err error) bool {
	r, ok := err.(*Report)
	if !ok {
		return false
	}
	requestID, asked := request(m)
	if !asked {
		return false
	}
	b.Reset(headroom)
	if b.AppendVarBind(r.Stat.OID(), &smi.Value{Type: smi.Counter32, Int: uint64(r.Value)}) != nil {
		return false // no name of ours
	}
	b.PrependPDU(ber.Report, requestID, 0, 0)
	b.PrependScope(e.id, nil)
	l := NoAuthNoPriv
	if r.user != nil {
		l = AuthNoPriv
	}
	e.seal(b, m.ID, maxSize, l, r.user, r.Name)
	return true
}

// request is the request-id of m, 0 where it is encrypted, and whether m asked for
// an answer: its PDU says so, and only where that cannot be read its flag (RFC
// 3412 §6.4).
func request(m *ber.V3) (id int32, asked bool) {
	if m.Flags&ber.FlagPriv != 0 {
		return 0, m.Flags&ber.FlagReportable != 0
	}
	r := ber.NewReader(m.Data)
	r.Enter(ber.Sequence)
	r.Octets(ber.OctetString)
	r.Octets(ber.OctetString)
	t := ber.PDUType(r.Peek())
	r.Enter(byte(t))
	id = r.Int()
	return id, r.Err() == nil && t.Confirmed()
}
