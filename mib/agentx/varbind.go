package agentx

import (
	"fmt"
	"math"

	"lvs/mib/smi"
)

// internet is 1.3.6.1, which names below it leave out: one byte, the prefix,
// stands for it and the sub-identifier that follows (RFC 2741 §5.1).
var internet = [4]uint32{1, 3, 6, 1}

// oid reads a name and the include field that rides in it. A null identifier
// is nil.
func (d *decoder) oid() (o smi.OID, include bool) {
	at := d.off
	h := d.bytes4()
	n, prefix := int(h[0]), h[1]
	if n == 0 && prefix == 0 {
		return nil, h[2] != 0
	}
	size := n
	if prefix != 0 {
		size += 5
	}
	if size > smi.MaxOIDLen {
		d.fail(at, fmt.Sprintf("name of %d sub-identifiers, at most %d are allowed", size, smi.MaxOIDLen))
		return nil, false
	}
	b := d.take(4 * n)
	if b == nil && n > 0 {
		return nil, false
	}
	// A growing arena leaves the names before in the old one, which stays theirs.
	from := len(d.pdu.subIDs)
	s := d.pdu.subIDs
	if prefix != 0 {
		s = append(append(s, internet[:]...), uint32(prefix))
	}
	for ; len(b) > 0; b = b[4:] {
		s = append(s, d.order32(b))
	}
	d.pdu.subIDs = s
	return s[from:len(s):len(s)], h[2] != 0
}

func (d *decoder) varBind() (v smi.VarBind) {
	at := d.off
	h := d.bytes4()
	t := d.order16(h[:2])
	v.Name, _ = d.oid()
	v.Value.Type = smi.Type(t)
	valueAt := d.off
	switch {
	case t > math.MaxUint8:
		d.fail(at, fmt.Sprintf("value of unknown type %d", t))
	case v.Value.Type == smi.Integer:
		v.Value.Int = uint64(int32(d.uint32())) // sign extended
	case v.Value.Type == smi.Counter32, v.Value.Type == smi.Gauge32, v.Value.Type == smi.TimeTicks:
		v.Value.Int = uint64(d.uint32())
	case v.Value.Type == smi.Counter64:
		v.Value.Int = d.uint64()
	case v.Value.Type == smi.OctetString, v.Value.Type == smi.Opaque:
		v.Value.Bytes = d.octets()
	case v.Value.Type == smi.IPAddress:
		v.Value.Bytes = d.octets()
		if len(v.Value.Bytes) != 4 {
			d.fail(valueAt, fmt.Sprintf("IpAddress of %d bytes, want 4", len(v.Value.Bytes)))
		}
	case v.Value.Type == smi.ObjectID:
		v.Value.OID, _ = d.oid()
	case v.Value.Type == smi.Null, v.Value.Type == smi.NoSuchObject, v.Value.Type == smi.NoSuchInstance, v.Value.Type == smi.EndOfMIBView:
	default:
		d.fail(at, fmt.Sprintf("value of unknown type %d", t))
	}
	return v
}

// varBind appends a variable. Where it cannot be sent, what was appended is not
// to be used.
func (e *encoder) varBind(name smi.OID, v *smi.Value) error {
	t := v.Type
	if t == 0 {
		t = smi.Null // the zero Value
	}
	e.uint16(uint16(t))
	e.uint16(0)
	if err := e.oid(name, false); err != nil {
		return err
	}
	switch t {
	case smi.Integer, smi.Counter32, smi.TimeTicks:
		e.uint32(uint32(v.Int)) // counters and clocks wrap, as RFC 2578 §7.1.6 and §7.1.8 have it
	case smi.Gauge32:
		e.uint32(uint32(min(v.Int, math.MaxUint32))) // gauges latch, §7.1.7
	case smi.Counter64:
		e.uint64(v.Int)
	case smi.OctetString, smi.Opaque:
		return e.octets(v.Bytes)
	case smi.IPAddress:
		if len(v.Bytes) != 4 {
			return fmt.Errorf("%v: IpAddress of %d bytes, want 4", name, len(v.Bytes))
		}
		return e.octets(v.Bytes)
	case smi.ObjectID:
		return e.oid(v.OID, false)
	case smi.Null, smi.NoSuchObject, smi.NoSuchInstance, smi.EndOfMIBView:
	default:
		return fmt.Errorf("%v: value of unknown %v", name, v.Type)
	}
	return nil
}
