package ipvs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
)

// The two bits of an attribute's type that are flags. Source: NLA_TYPE_MASK in
// include/uapi/linux/netlink.h.
const (
	nlaNested   = 1 << 15
	nlaTypeMask = 1<<14 - 1
)

const (
	nlaHeader  = 4 // struct nlattr
	genlHeader = 4 // struct genlmsghdr
)

// attrs walks the attributes of one level of a message without copying. The
// first fault ends the walk and stays in err: a decoder is a loop over next with
// a switch on typ, and one look at err behind it.
type attrs struct {
	b    []byte   // what is still to be walked
	base int      // where b begins in the message behind its netlink header
	in   string   // the level, for errors: "NEW_DEST DEST"
	name []string // the attributes' names, by type

	typ  uint16
	data []byte // the attribute's payload, within b
	at   int    // where the attribute begins
	err  error
}

// next moves to the next attribute; it is false at the end and after a fault.
func (a *attrs) next() bool {
	if a.err != nil || len(a.b) == 0 {
		return false
	}
	a.at = a.base
	if len(a.b) < nlaHeader {
		a.err = fmt.Errorf("%s: %d bytes at byte %d are no attribute", a.in, len(a.b), a.at)
		return false
	}
	n := int(binary.NativeEndian.Uint16(a.b))
	a.typ = binary.NativeEndian.Uint16(a.b[2:]) & nlaTypeMask
	if n < nlaHeader || n > len(a.b) {
		a.err = fmt.Errorf("%s: attribute %s at byte %d says it has %d bytes, and %d are there",
			a.in, attrName(a.name, a.typ), a.at, n, len(a.b))
		return false
	}
	a.data = a.b[nlaHeader:n]
	// The kernel may leave out the padding behind the last attribute.
	n = min((n+3)&^3, len(a.b))
	a.b = a.b[n:]
	a.base += n
	return true
}

// nested walks the attributes inside the present one.
func (a *attrs) nested(name []string, what string) attrs {
	return attrs{b: a.data, base: a.at + nlaHeader, in: what, name: name, err: a.err}
}

// sized reports whether the present payload is of n bytes, and makes it a fault
// if it is not.
func (a *attrs) sized(n int) bool {
	if len(a.data) == n {
		return true
	}
	if a.err == nil {
		a.err = fmt.Errorf("%s: attribute %s at byte %d is of %d bytes, want %d",
			a.in, attrName(a.name, a.typ), a.at, len(a.data), n)
	}
	return false
}

func (a *attrs) u8() uint8 {
	if !a.sized(1) {
		return 0
	}
	return a.data[0]
}

func (a *attrs) u16() uint16 {
	if !a.sized(2) {
		return 0
	}
	return binary.NativeEndian.Uint16(a.data)
}

func (a *attrs) be16() uint16 {
	if !a.sized(2) {
		return 0
	}
	return binary.BigEndian.Uint16(a.data)
}

func (a *attrs) u32() uint32 {
	if !a.sized(4) {
		return 0
	}
	return binary.NativeEndian.Uint32(a.data)
}

func (a *attrs) u64() uint64 {
	if !a.sized(8) {
		return 0
	}
	return binary.NativeEndian.Uint64(a.data)
}

// text is a string without its NUL; it is valid as long as the message.
func (a *attrs) text() []byte {
	i := bytes.IndexByte(a.data, 0)
	if i < 0 || len(a.data) > maxName {
		a.fault("is no string of at most %d bytes that ends with a NUL", maxName)
		return nil
	}
	return a.data[:i]
}

// fault makes the present attribute's value an error.
func (a *attrs) fault(format string, args ...any) {
	if a.err == nil {
		a.err = fmt.Errorf("%s: attribute %s at byte %d %s",
			a.in, attrName(a.name, a.typ), a.at, fmt.Sprintf(format, args...))
	}
}

// need makes it a fault that one of the wanted attributes was not seen; both are
// sets with bit 1<<type.
func (a *attrs) need(seen, want uint32) {
	if missing := want &^ seen; missing != 0 && a.err == nil {
		for t := uint16(0); t < 32; t++ {
			if missing&(1<<t) != 0 {
				a.err = fmt.Errorf("%s: attribute %s is missing up to byte %d", a.in, attrName(a.name, t), a.base)
				return
			}
		}
	}
}

// attrName is the kernel's name of a number, or the number.
func attrName(names []string, t uint16) string {
	if int(t) < len(names) && names[t] != "" {
		return names[t] + " (" + strconv.Itoa(int(t)) + ")"
	}
	return strconv.Itoa(int(t))
}

// encoder appends attributes to a message.
type encoder struct{ b []byte }

// put appends an attribute's header and n bytes for its payload, zeroed, with
// the padding behind it, and returns the payload.
func (e *encoder) put(typ uint16, n int) []byte {
	start := len(e.b)
	for range (nlaHeader + n + 3) &^ 3 {
		e.b = append(e.b, 0)
	}
	binary.NativeEndian.PutUint16(e.b[start:], uint16(nlaHeader+n))
	binary.NativeEndian.PutUint16(e.b[start+2:], typ)
	return e.b[start+nlaHeader : start+nlaHeader+n]
}

func (e *encoder) u8(typ uint16, v uint8)    { e.put(typ, 1)[0] = v }
func (e *encoder) u16(typ uint16, v uint16)  { binary.NativeEndian.PutUint16(e.put(typ, 2), v) }
func (e *encoder) be16(typ uint16, v uint16) { binary.BigEndian.PutUint16(e.put(typ, 2), v) }
func (e *encoder) u32(typ uint16, v uint32)  { binary.NativeEndian.PutUint32(e.put(typ, 4), v) }
func (e *encoder) be32(typ uint16, v uint32) { binary.BigEndian.PutUint32(e.put(typ, 4), v) }
func (e *encoder) bytes(typ uint16, v []byte) {
	copy(e.put(typ, len(v)), v)
}

// text appends a string and its NUL.
func (e *encoder) text(typ uint16, s string) { copy(e.put(typ, len(s)+1), s) }

// nest appends an attribute that holds what fn appends.
func (e *encoder) nest(typ uint16, fn func()) {
	start := len(e.b)
	e.put(typ|nlaNested, 0)
	fn()
	binary.NativeEndian.PutUint16(e.b[start:], uint16(len(e.b)-start))
}
