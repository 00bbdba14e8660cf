package agentx

import (
	"encoding/binary"
	"errors"
	"fmt"

	"lvs/mib/smi"
)

// Append appends p as it goes over the wire to dst, in the byte order Flags
// says. It fails, and returns dst as it was, where p has a name of more than
// [smi.MaxOIDLen] sub-identifiers, a value that is none, or is too long. Of
// 32-bit values the low 32 bits are sent, except that a Gauge32 stays at its
// largest.
func (p *PDU) Append(dst []byte) ([]byte, error) {
	e := encoder{b: dst, big: p.Flags&NetworkByteOrder != 0}
	start := e.header(p.Type, p.Flags, p)
	err := p.appendBody(&e)
	if err == nil {
		err = e.finish(start)
	}
	if err != nil {
		return dst, fmt.Errorf("agentx: encode %v PDU: %w", p.Type, err)
	}
	return e.b, nil
}

func (p *PDU) appendBody(e *encoder) error {
	if p.Flags&NonDefaultContext != 0 && p.Type.hasContext() {
		if err := e.octets(p.Context); err != nil {
			return err
		}
	}
	switch p.Type {
	case Open:
		e.b = append(e.b, p.Timeout, 0, 0, 0)
		return errors.Join(e.oid(p.Name, false), e.octets(p.Description))
	case Close:
		e.b = append(e.b, uint8(p.Reason), 0, 0, 0)
	case Register, Unregister:
		e.b = append(e.b, p.Timeout, p.Priority, p.RangeSubID, 0)
		if err := e.oid(p.Name, false); err != nil {
			return err
		}
		if p.RangeSubID != 0 {
			e.uint32(p.UpperBound)
		}
	case GetBulk:
		e.uint16(p.NonRepeaters)
		e.uint16(p.MaxRepetitions)
		return e.ranges(p.Ranges)
	case Get, GetNext:
		return e.ranges(p.Ranges)
	case TestSet, Notify, IndexAllocate, IndexDeallocate:
		return e.varBinds(p.VarBinds)
	case AddAgentCaps:
		return errors.Join(e.oid(p.Name, false), e.octets(p.Description))
	case RemoveAgentCaps:
		return e.oid(p.Name, false)
	case Response:
		e.uint32(p.SysUpTime)
		e.uint16(uint16(p.Error))
		e.uint16(p.Index)
		return e.varBinds(p.VarBinds)
	case CommitSet, UndoSet, CleanupSet, Ping:
	default:
		return errors.New("no such PDU")
	}
	return nil
}

// An encoder appends a PDU's parts.
type encoder struct {
	b   []byte
	big bool
}

// header appends a header with the numbers of p, whose payload length finish
// fills in, and returns where it begins.
func (e *encoder) header(t Type, f Flags, p *PDU) (start int) {
	start = len(e.b)
	e.b = append(e.b, version, uint8(t), uint8(f), 0)
	e.uint32(p.SessionID)
	e.uint32(p.TransactionID)
	e.uint32(p.PacketID)
	e.uint32(0)
	return start
}

func (e *encoder) finish(start int) error {
	n := len(e.b) - start - headerSize
	if n > maxPayload {
		return fmt.Errorf("payload of %d bytes, at most %d are allowed", n, maxPayload)
	}
	e.put32(start+16, uint32(n))
	return nil
}

func (e *encoder) put16(at int, v uint16) {
	if e.big {
		binary.BigEndian.PutUint16(e.b[at:], v)
	} else {
		binary.LittleEndian.PutUint16(e.b[at:], v)
	}
}

func (e *encoder) put32(at int, v uint32) {
	if e.big {
		binary.BigEndian.PutUint32(e.b[at:], v)
	} else {
		binary.LittleEndian.PutUint32(e.b[at:], v)
	}
}

func (e *encoder) uint16(v uint16) {
	if e.big {
		e.b = binary.BigEndian.AppendUint16(e.b, v)
	} else {
		e.b = binary.LittleEndian.AppendUint16(e.b, v)
	}
}

func (e *encoder) uint32(v uint32) {
	if e.big {
		e.b = binary.BigEndian.AppendUint32(e.b, v)
	} else {
		e.b = binary.LittleEndian.AppendUint32(e.b, v)
	}
}

func (e *encoder) uint64(v uint64) {
	if e.big {
		e.b = binary.BigEndian.AppendUint64(e.b, v)
	} else {
		e.b = binary.LittleEndian.AppendUint64(e.b, v)
	}
}

// octets appends an octet string and its padding (RFC 2741 §5.3).
func (e *encoder) octets(s []byte) error {
	if len(s) > maxString {
		return fmt.Errorf("octet string of %d bytes, at most %d are allowed", len(s), maxString)
	}
	e.uint32(uint32(len(s)))
	e.b = append(e.b, s...)
	e.b = append(e.b, "\x00\x00\x00"[:-len(s)&3]...)
	return nil
}

// oid appends a name in its shortest form (RFC 2741 §5.1).
func (e *encoder) oid(o smi.OID, include bool) error {
	if len(o) > smi.MaxOIDLen {
		return fmt.Errorf("name of %d sub-identifiers, at most %d are allowed", len(o), smi.MaxOIDLen)
	}
	var prefix, inc uint8
	if include {
		inc = 1
	}
	if len(o) > 4 && [4]uint32(o[:4]) == internet && o[4]-1 < 255 {
		prefix, o = uint8(o[4]), o[5:]
	}
	e.b = append(e.b, uint8(len(o)), prefix, inc, 0)
	for _, n := range o {
		e.uint32(n)
	}
	return nil
}

func (e *encoder) ranges(rs []Range) error {
	for i := range rs {
		if err := errors.Join(e.oid(rs[i].Start, rs[i].Include), e.oid(rs[i].End, false)); err != nil {
			return fmt.Errorf("range %d: %w", i+1, err)
		}
	}
	return nil
}

func (e *encoder) varBinds(vs []smi.VarBind) error {
	for i := range vs {
		if err := e.varBind(vs[i].Name, &vs[i].Value); err != nil {
			return fmt.Errorf("variable %d: %w", i+1, err)
		}
	}
	return nil
}
