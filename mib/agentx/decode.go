package agentx

import (
	"encoding/binary"
	"fmt"
)

// readHeader reads the 20 bytes every PDU begins with into p and returns how
// many follow. After an error the peer's stream cannot be followed any more:
// where the next PDU begins is unknown.
func (p *PDU) readHeader(b []byte) (payload int, err error) {
	if len(b) < headerSize {
		return 0, &DecodeError{Offset: len(b), Reason: fmt.Sprintf("ends early, want %d bytes", headerSize)}
	}
	if b[0] != version {
		return 0, &DecodeError{Offset: 0, Reason: fmt.Sprintf("version %d, want %d", b[0], version)}
	}
	p.Type, p.Flags = Type(b[1]), Flags(b[2])
	u32 := binary.LittleEndian.Uint32
	if p.Flags&NetworkByteOrder != 0 {
		u32 = binary.BigEndian.Uint32
	}
	p.SessionID, p.TransactionID, p.PacketID = u32(b[4:]), u32(b[8:]), u32(b[12:])
	n := u32(b[16:])
	if n > maxPayload || n%4 != 0 {
		return 0, &DecodeError{Type: p.Type, Offset: 16, Reason: fmt.Sprintf("payload of %d bytes, want a multiple of 4 up to %d", n, maxPayload)}
	}
	return int(n), nil
}

// Decode reads the PDU b holds, and nothing else. After an error (a
// [*DecodeError]) the header's fields are those of b if it had a whole header,
// the others are not to be used.
func (p *PDU) Decode(b []byte) error {
	p.Ranges, p.VarBinds, p.subIDs = p.Ranges[:0], p.VarBinds[:0], p.subIDs[:0]
	n, err := p.readHeader(b)
	if err != nil {
		return err
	}
	if len(b) != headerSize+n {
		return &DecodeError{Type: p.Type, Offset: min(len(b), headerSize+n), Reason: fmt.Sprintf("%d bytes of payload, want %d", len(b)-headerSize, n)}
	}
	if !p.Type.valid() {
		return &DecodeError{Type: p.Type, Offset: 1, Reason: "no such PDU"}
	}
	d := decoder{b: b, off: headerSize, pdu: p, big: p.Flags&NetworkByteOrder != 0}
	if p.Flags&NonDefaultContext != 0 && p.Type.hasContext() {
		p.Context = d.octets()
	}
	p.decodeBody(&d)
	if d.err == nil && d.off != len(b) {
		d.fail(d.off, "bytes left over")
	}
	return d.err
}

func (p *PDU) decodeBody(d *decoder) {
	switch p.Type {
	case Open:
		p.Timeout = d.bytes4()[0]
		p.Name, _ = d.oid()
		p.Description = d.octets()
	case Close:
		p.Reason = CloseReason(d.bytes4()[0])
	case Register, Unregister:
		b := d.bytes4()
		p.Timeout, p.Priority, p.RangeSubID = b[0], b[1], b[2]
		p.Name, _ = d.oid()
		if p.RangeSubID != 0 {
			p.UpperBound = d.uint32()
		}
	case GetBulk:
		b := d.bytes4()
		p.NonRepeaters, p.MaxRepetitions = d.order16(b[:2]), d.order16(b[2:])
		d.ranges()
	case Get, GetNext:
		d.ranges()
	case TestSet, Notify, IndexAllocate, IndexDeallocate:
		d.varBinds()
	case AddAgentCaps:
		p.Name, _ = d.oid()
		p.Description = d.octets()
	case RemoveAgentCaps:
		p.Name, _ = d.oid()
	case Response:
		p.SysUpTime = d.uint32()
		b := d.bytes4()
		p.Error, p.Index = Error(d.order16(b[:2])), d.order16(b[2:])
		d.varBinds()
	}
}

// A decoder reads a PDU's payload from front to back. It keeps its first
// error and reads zeros from then on, so that callers ask once, at the end.
type decoder struct {
	b   []byte
	off int // never beyond len(b)
	pdu *PDU
	big bool
	err error
}

func (d *decoder) fail(off int, reason string) {
	if d.err == nil {
		d.err = &DecodeError{Type: d.pdu.Type, Offset: off, Reason: reason}
	}
	d.off = len(d.b) // nothing more is read
}

// more reports whether there is anything left to read.
func (d *decoder) more() bool { return d.off < len(d.b) }

// take returns the next n bytes, nil where there are fewer. Callers keep n small
// or have checked it: it never overflows.
func (d *decoder) take(n int) []byte {
	if len(d.b)-d.off < n {
		if d.err == nil {
			d.fail(d.off, fmt.Sprintf("%d bytes left, want %d", len(d.b)-d.off, n))
		}
		return nil
	}
	b := d.b[d.off : d.off+n : d.off+n]
	d.off += n
	return b
}

// bytes4 returns the next four bytes as they are.
func (d *decoder) bytes4() (b [4]byte) {
	copy(b[:], d.take(4))
	return b
}

func (d *decoder) order16(b []byte) uint16 {
	if d.big {
		return binary.BigEndian.Uint16(b)
	}
	return binary.LittleEndian.Uint16(b)
}

func (d *decoder) order32(b []byte) uint32 {
	if d.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

func (d *decoder) uint32() uint32 {
	b := d.take(4)
	if b == nil {
		return 0
	}
	return d.order32(b)
}

func (d *decoder) uint64() uint64 {
	b := d.take(8)
	if b == nil {
		return 0
	}
	if d.big {
		return binary.BigEndian.Uint64(b)
	}
	return binary.LittleEndian.Uint64(b)
}

// octets reads an octet string and its padding (RFC 2741 §5.3).
func (d *decoder) octets() []byte {
	at := d.off
	n := d.uint32()
	if n > maxString {
		d.fail(at, fmt.Sprintf("octet string of %d bytes, at most %d are allowed", n, maxString))
		return nil
	}
	b := d.take((int(n) + 3) &^ 3)
	if b == nil {
		return nil
	}
	return b[:n:n]
}

// ranges reads Ranges up to the payload's end (RFC 2741 §5.2).
func (d *decoder) ranges() {
	for d.more() {
		var r Range
		r.Start, r.Include = d.oid()
		r.End, _ = d.oid()
		d.pdu.Ranges = append(d.pdu.Ranges, r)
	}
}

// varBinds reads VarBinds up to the payload's end (RFC 2741 §5.4).
func (d *decoder) varBinds() {
	for d.more() {
		d.pdu.VarBinds = append(d.pdu.VarBinds, d.varBind())
	}
}
