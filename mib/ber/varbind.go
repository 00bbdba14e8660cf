package ber

import (
	"errors"
	"math"

	"lvs/mib/smi"
)

// Why a variable cannot be written.
var (
	errName    = errors.New("ber: not an OBJECT IDENTIFIER")
	errAddress = errors.New("ber: IpAddress is not of four octets")
	errType    = errors.New("ber: value of unknown type")
)

// VarBind reads a variable. Names are appended to arena, which is returned; v
// points into it and into the octets.
func (r *Reader) VarBind(v *smi.VarBind, arena []uint32) []uint32 {
	outer := r.Enter(Sequence)
	v.Name, arena = r.name(arena)
	v.Value = smi.Value{Type: smi.Type(r.Peek())}
	at := r.off
	switch t := v.Value.Type; t {
	case smi.Integer:
		v.Value.Int = uint64(r.Int()) // sign extended
	case smi.Counter32, smi.Gauge32, smi.TimeTicks:
		v.Value.Int = r.Uint(byte(t), 32)
	case smi.Counter64:
		v.Value.Int = r.Uint(byte(t), 64)
	case smi.OctetString, smi.Opaque:
		v.Value.Bytes = r.Octets(byte(t))
	case smi.IPAddress:
		if v.Value.Bytes = r.Octets(byte(t)); len(v.Value.Bytes) != 4 {
			r.Fail(at, "IpAddress is not of four octets")
		}
	case smi.ObjectID:
		v.Value.OID, arena = r.name(arena)
	case smi.Null, smi.NoSuchObject, smi.NoSuchInstance, smi.EndOfMIBView:
		if len(r.Octets(byte(t))) != 0 {
			r.Fail(at, "value of a type that has none")
		}
	default:
		r.Fail(at, "value of unknown type")
	}
	r.Leave(outer)
	return arena
}

// name reads an OBJECT IDENTIFIER into arena. A growing arena leaves the names
// before in the old one, which stays theirs.
func (r *Reader) name(arena []uint32) (smi.OID, []uint32) {
	from := len(arena)
	arena = r.OID(arena)
	return arena[from:len(arena):len(arena)], arena
}

// AppendVarBind appends a variable. It fails, and leaves b as it was, where name
// or value have no form in BER; [Builder.Truncate] takes a variable back.
func (b *Builder) AppendVarBind(name smi.OID, v *smi.Value) error {
	from := len(b.buf)
	buf := append(b.buf, Sequence, 0)
	buf, err := appendOID(buf, name)
	if err == nil {
		buf, err = appendValue(buf, v)
	}
	if err != nil {
		return err
	}
	b.buf = closeValue(buf, from+1)
	return nil
}

func appendValue(b []byte, v *smi.Value) ([]byte, error) {
	switch t := v.Type; t {
	case smi.Integer:
		return appendInt(b, int32(v.Int)), nil
	case smi.Counter32, smi.TimeTicks: // these wrap, RFC 2578 §7.1.6 and §7.1.8
		return appendUint(b, byte(t), uint64(uint32(v.Int))), nil
	case smi.Gauge32: // and these latch, §7.1.7
		return appendUint(b, byte(t), min(v.Int, math.MaxUint32)), nil
	case smi.Counter64:
		return appendUint(b, byte(t), v.Int), nil
	case smi.IPAddress:
		if len(v.Bytes) != 4 {
			return b, errAddress
		}
		return append(append(b, byte(t), 4), v.Bytes...), nil
	case smi.OctetString, smi.Opaque:
		return append(appendHeader(b, byte(t), len(v.Bytes)), v.Bytes...), nil
	case smi.ObjectID:
		return appendOID(b, v.OID)
	case 0: // the zero Value
		return append(b, Null, 0), nil
	case smi.Null, smi.NoSuchObject, smi.NoSuchInstance, smi.EndOfMIBView:
		return append(b, byte(t), 0), nil
	}
	return b, errType
}

// appendOID appends a name. One too short for BER, which knows none of less than
// two sub-identifiers, is filled up with zeros.
func appendOID(b []byte, o smi.OID) ([]byte, error) {
	b = append(b, ObjectID, 0)
	from := len(b)
	var first, second uint32
	if len(o) > 0 {
		first = o[0]
	}
	if len(o) > 1 {
		second = o[1]
		o = o[2:]
	} else {
		o = nil
	}
	if first > 2 || first < 2 && second >= 40 || len(o) > smi.MaxOIDLen-2 {
		return b, errName
	}
	b = appendSubID(b, uint64(first)*40+uint64(second))
	for _, n := range o {
		if n < 0x80 {
			b = append(b, byte(n))
		} else {
			b = appendSubID(b, uint64(n))
		}
	}
	return closeValue(b, from-1), nil
}

func appendSubID(b []byte, n uint64) []byte {
	for shift := 28; shift > 0; shift -= 7 {
		if n>>shift != 0 {
			b = append(b, byte(n>>shift)|0x80)
		}
	}
	return append(b, byte(n&0x7f))
}

// appendInt appends an INTEGER in as few octets as it takes.
func appendInt(b []byte, n int32) []byte {
	size := intSize(n)
	b = append(b, Integer, byte(size))
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}

// intSize is how many octets n takes, 1 to 4.
func intSize(n int32) int {
	size := 1
	for n>>(8*size-1) != 0 && n>>(8*size-1) != -1 {
		size++
	}
	return size
}

// appendUint appends an unsigned number in as few octets as it takes.
func appendUint(b []byte, tag byte, n uint64) []byte {
	size := 1
	for size < 9 && n>>(8*size-1) != 0 {
		size++
	}
	b = append(b, tag, byte(size))
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}

// appendHeader appends a tag and a length in as few octets as it takes.
func appendHeader(b []byte, tag byte, n int) []byte {
	b = append(b, tag)
	switch {
	case n < 0x80:
		return append(b, byte(n))
	case n <= 0xff:
		return append(b, 0x81, byte(n))
	case n <= 0xffff:
		return append(b, 0x82, byte(n>>8), byte(n))
	}
	return append(b, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// closeValue fills in the length at lengthAt, one octet, of the contents behind
// it, which move where it takes more.
func closeValue(b []byte, lengthAt int) []byte {
	n := len(b) - lengthAt - 1
	if n < 0x80 {
		b[lengthAt] = byte(n)
		return b
	}
	var header [6]byte
	length := appendHeader(header[:0], 0, n)[1:]
	b = append(b, length[1:]...) // only for the room
	copy(b[lengthAt+len(length):], b[lengthAt+1:lengthAt+1+n])
	copy(b[lengthAt:], length)
	return b
}
