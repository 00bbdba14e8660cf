package ber

import (
	"fmt"
	"math"

	"lvs/mib/smi"
)

// The universal tags SNMP uses beside those of [smi.Type].
const (
	Integer     = byte(smi.Integer)
	OctetString = byte(smi.OctetString)
	Null        = byte(smi.Null)
	ObjectID    = byte(smi.ObjectID)
	Sequence    = 0x30
)

// An Error says where octets are not what they have to be.
type Error struct {
	Offset int // from the first octet decoded
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("ber: offset %d: %s", e.Offset, e.Reason) }

// A Reader takes values from octets one after the other. It keeps its first error,
// after which everything it returns is zero, so that a caller need look only
// once. It is a plain value for one goroutine.
type Reader struct {
	b      []byte
	off    int
	end    int // of the sequence entered
	at     int
	reason string // "" = no error
}

// NewReader reads from b, which what it returns points into.
func NewReader(b []byte) Reader { return Reader{b: b, end: len(b)} }

// Err is the first error, an [*Error], or nil.
func (r *Reader) Err() error {
	if r.reason == "" {
		return nil
	}
	return &Error{r.at, r.reason}
}

// Offset is where the next value begins.
func (r *Reader) Offset() int { return r.off }

// More reports whether the sequence entered (outside of any, the octets) has
// more to read. It is false after an error.
func (r *Reader) More() bool { return r.off < r.end }

// Fail makes an error of a value that was read but is not acceptable, unless
// there was one before.
func (r *Reader) Fail(offset int, reason string) {
	if r.reason == "" {
		r.at, r.reason = offset, reason
	}
	r.off = r.end
}

// Peek is the tag of the next value, 0 where there is none.
func (r *Reader) Peek() byte {
	if r.off >= r.end {
		return 0
	}
	return r.b[r.off]
}

// header reads a tag, which must be the one wanted, and a length. It returns where
// the contents end.
func (r *Reader) header(tag byte) (end int) {
	at := r.off
	if r.reason != "" {
		return at
	}
	if r.end-at < 2 {
		r.Fail(at, "ends in the middle of a value")
		return r.off
	}
	if r.b[at] != tag {
		r.Fail(at, "unexpected type")
		return r.off
	}
	n := int(r.b[at+1])
	r.off = at + 2
	if n >= 0x80 {
		n = r.longLength(n & 0x7f)
	}
	if n > r.end-r.off {
		r.Fail(at, "longer than what it is in")
		return r.off
	}
	return r.off + n
}

// longLength reads a length of size octets.
func (r *Reader) longLength(size int) (n int) {
	switch {
	case size == 0:
		r.Fail(r.off-1, "indefinite length")
		return 0
	case size > 4:
		r.Fail(r.off-1, "length of more than four octets")
		return 0
	case size > r.end-r.off:
		r.Fail(r.off-1, "ends in the middle of a length")
		return 0
	}
	for range size {
		n = n<<8 | int(r.b[r.off])
		r.off++
	}
	if n < 0 { // where an int has 32 bits
		n = math.MaxInt
	}
	return n
}

// Enter goes into a constructed value. What it returns is for Leave.
func (r *Reader) Enter(tag byte) (outer int) {
	outer = r.end
	if end := r.header(tag); r.reason == "" {
		r.end = end
	}
	return outer
}

// Leave ends what Enter began: all of it must have been read.
func (r *Reader) Leave(outer int) {
	if r.off != r.end {
		r.Fail(r.off, "more than what belongs here")
	}
	r.end = outer
	if r.reason != "" {
		r.off = outer
	}
}

// Octets reads a value with a tag as it is.
func (r *Reader) Octets(tag byte) []byte {
	end := r.header(tag)
	if r.reason != "" {
		return nil
	}
	b := r.b[r.off:end:end]
	r.off = end
	return b
}

// Whole reads a value with a tag and returns it with its tag and length.
func (r *Reader) Whole(tag byte) []byte {
	from := r.off
	end := r.header(tag)
	if r.reason != "" {
		return nil
	}
	r.off = end
	return r.b[from:end:end]
}

// Int reads an INTEGER of at most 32 bits, in any number of octets up to four.
func (r *Reader) Int() int32 {
	at := r.off
	b := r.Octets(Integer)
	if r.reason != "" {
		return 0
	}
	if len(b) == 0 || len(b) > 4 {
		r.Fail(at, "INTEGER is not of one to four octets")
		return 0
	}
	n := int32(int8(b[0]))
	for _, c := range b[1:] {
		n = n<<8 | int32(c)
	}
	return n
}

// NonNegative reads an INTEGER that must not be below zero.
func (r *Reader) NonNegative() int32 {
	at := r.off
	n := r.Int()
	if n < 0 {
		r.Fail(at, "negative number")
		return 0
	}
	return n
}

// Uint reads an unsigned number with a tag and at most bits bits, 32 or 64. As
// BER has it, one whose highest bit is set has an octet of zero before it.
func (r *Reader) Uint(tag byte, bits int) (n uint64) {
	at := r.off
	b := r.Octets(tag)
	if r.reason != "" {
		return 0
	}
	switch {
	case len(b) == 0:
		r.Fail(at, "number of no octets")
		return 0
	case b[0] >= 0x80:
		r.Fail(at, "negative number")
		return 0
	case len(b) > bits/8 && (len(b) > bits/8+1 || b[0] != 0):
		r.Fail(at, "number has too many octets")
		return 0
	}
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// OID reads an OBJECT IDENTIFIER and appends it to dst.
func (r *Reader) OID(dst []uint32) []uint32 {
	at := r.off
	b := r.Octets(ObjectID)
	if r.reason != "" {
		return dst
	}
	if len(b) == 0 {
		r.Fail(at, "OBJECT IDENTIFIER of no octets")
		return dst
	}
	if b[len(b)-1] >= 0x80 {
		r.Fail(at, "OBJECT IDENTIFIER ends in the middle of a sub-identifier")
		return dst
	}
	from := len(dst)
	for i := 0; i < len(b); i++ {
		n := uint64(b[i])
		if n >= 0x80 {
			if n == 0x80 {
				r.Fail(at, "sub-identifier begins with zero bits")
				return dst[:from]
			}
			for n &= 0x7f; ; {
				i++
				n = n<<7 | uint64(b[i]&0x7f)
				if n > math.MaxUint32+80 {
					r.Fail(at, "sub-identifier beyond 4294967295")
					return dst[:from]
				}
				if b[i] < 0x80 {
					break
				}
			}
		}
		if len(dst) == from { // the first octets hold two: 40 times the first and the second
			first := min(n/40, 2)
			dst = append(dst, uint32(first))
			n -= 40 * first
		}
		if n > math.MaxUint32 || len(dst)-from >= smi.MaxOIDLen {
			r.Fail(at, "OBJECT IDENTIFIER of more than 128 sub-identifiers, or beyond 4294967295")
			return dst[:from]
		}
		dst = append(dst, uint32(n))
	}
	return dst
}
