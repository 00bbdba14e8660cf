package ber

import (
	"fmt"

	"lvs/mib/smi"
)

// A PDUType says what a PDU is for (RFC 3416 §3). The numbers are its tags.
type PDUType byte

// The types of PDUs. The Trap-PDU of SNMPv1, which has another form, is none.
const (
	GetRequest PDUType = 0xa0 + iota
	GetNext
	Response
	SetRequest
	_
	GetBulk
	Inform
	Trap // of v2c and v3
	Report
)

func (t PDUType) String() string {
	switch t {
	case GetRequest:
		return "GetRequest"
	case GetNext:
		return "GetNextRequest"
	case Response:
		return "Response"
	case SetRequest:
		return "SetRequest"
	case GetBulk:
		return "GetBulkRequest"
	case Inform:
		return "InformRequest"
	case Trap:
		return "SNMPv2-Trap"
	case Report:
		return "Report"
	}
	return fmt.Sprintf("PDU %#x", byte(t))
}

// A PDU is what a message carries. Its memory is reused by the next Decode.
type PDU struct {
	Type      PDUType
	RequestID int32
	// Status and Index are error-status and error-index, and for a GetBulk
	// non-repeaters and max-repetitions, which may be negative: a receiver takes
	// that as zero.
	Status, Index int32
	// VarBinds point into the octets decoded and into memory of the PDU.
	VarBinds []smi.VarBind
	// List are the contents of variable-bindings as they came, for an answer
	// that has them again.
	List []byte

	arena []uint32 // the names
}

// Confirmed reports whether a PDU of this type has to be answered (RFC 3411
// §2.8), and with it, in v3, whether a report may be sent about it.
func (t PDUType) Confirmed() bool {
	switch t {
	case GetRequest, GetNext, GetBulk, SetRequest, Inform:
		return true
	}
	return false
}

// Decode reads a PDU, which must be all of b. Its error is an [*Error].
func (p *PDU) Decode(b []byte) error {
	r := NewReader(b)
	p.read(&r)
	if r.More() {
		r.Fail(r.Offset(), "more than one PDU")
	}
	return r.Err()
}

// read takes a PDU from r.
func (p *PDU) read(r *Reader) {
	p.VarBinds, p.arena = p.VarBinds[:0], p.arena[:0]
	p.Type = PDUType(r.Peek())
	if p.Type != Response && p.Type != Trap && p.Type != Report && !p.Type.Confirmed() {
		r.Fail(r.Offset(), "unknown type of PDU")
		return
	}
	outer := r.Enter(byte(p.Type))
	p.RequestID = r.Int()
	p.Status, p.Index = r.Int(), r.Int()
	list := r.Enter(Sequence)
	from := r.Offset()
	for r.More() {
		p.VarBinds = append(p.VarBinds, smi.VarBind{})
		p.arena = r.VarBind(&p.VarBinds[len(p.VarBinds)-1], p.arena)
	}
	r.Leave(list)
	p.List = r.b[from:r.Offset()]
	r.Leave(outer)
}

// Append makes p of what VarBinds and the other fields say, for a message to be
// put before it; List is not looked at.
func (p *PDU) Append(b *Builder) error {
	for i := range p.VarBinds {
		if err := b.AppendVarBind(p.VarBinds[i].Name, &p.VarBinds[i].Value); err != nil {
			return fmt.Errorf("variable %d: %w", i+1, err)
		}
	}
	b.PrependPDU(p.Type, p.RequestID, p.Status, p.Index)
	return nil
}
