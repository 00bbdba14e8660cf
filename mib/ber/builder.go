package ber

// A Builder makes a message in one buffer that grows at both ends, as the
// package's comment shows. Its zero value is ready for Reset; it is for one
// goroutine, and what Bytes returned is valid until the next call.
type Builder struct {
	buf   []byte
	start int
}

// Reset empties b and leaves headroom octets for what will be put before. Where
// that is too little, b is moved then.
func (b *Builder) Reset(headroom int) {
	if cap(b.buf) < headroom {
		b.buf = make([]byte, headroom, 2*headroom+512)
	}
	b.buf, b.start = b.buf[:headroom], headroom
}

// Len is how many octets b has.
func (b *Builder) Len() int { return len(b.buf) - b.start }

// Bytes are the octets of b. They may be changed in place.
func (b *Builder) Bytes() []byte { return b.buf[b.start:] }

// Truncate takes back what was appended after b had n octets. It is for a Builder
// before which nothing was put since then.
func (b *Builder) Truncate(n int) { b.buf = b.buf[:b.start+n] }

// Append appends octets as they are.
func (b *Builder) Append(octets []byte) { b.buf = append(b.buf, octets...) }

// front makes room for n octets before what there is, and returns it.
func (b *Builder) front(n int) []byte {
	if b.start < n {
		moved := make([]byte, 2*n+512, 2*n+512+2*b.Len())
		old := b.Bytes()
		b.start = len(moved)
		b.buf = append(moved, old...)
	}
	b.start -= n
	return b.buf[b.start : b.start+n]
}

// Wrap makes all there is the contents of one value with a tag.
func (b *Builder) Wrap(tag byte) { b.WrapFront(tag, 0) }

// WrapFront makes all but the last tail octets the contents of one value with a
// tag.
func (b *Builder) WrapFront(tag byte, tail int) {
	var header [6]byte
	h := appendHeader(header[:0], tag, b.Len()-tail)
	copy(b.front(len(h)), h)
}

// PrependOctets puts a value with a tag and contents before what there is.
func (b *Builder) PrependOctets(tag byte, contents []byte) {
	copy(b.front(len(contents)), contents)
	var header [6]byte
	h := appendHeader(header[:0], tag, len(contents))
	copy(b.front(len(h)), h)
}

// PrependInt puts an INTEGER before what there is.
func (b *Builder) PrependInt(n int32) {
	var value [6]byte
	v := appendInt(value[:0], n)
	copy(b.front(len(v)), v)
}

// PrependPDU makes a PDU of the variables b has. For a GetBulk, status and index
// are non-repeaters and max-repetitions.
func (b *Builder) PrependPDU(t PDUType, requestID, status, index int32) {
	b.Wrap(Sequence)
	b.PrependInt(index)
	b.PrependInt(status)
	b.PrependInt(requestID)
	b.Wrap(byte(t))
}

// PrependCommunity makes an SNMPv1 or v2c message of the PDU b has.
func (b *Builder) PrependCommunity(v Version, community []byte) {
	b.PrependOctets(OctetString, community)
	b.PrependInt(int32(v))
	b.Wrap(Sequence)
}

// PrependScope makes a scopedPDU of the PDU b has.
func (b *Builder) PrependScope(engineID, contextName []byte) {
	b.PrependOctets(OctetString, contextName)
	b.PrependOctets(OctetString, engineID)
	b.Wrap(Sequence)
}

// PrependV3 makes an SNMPv3 message of what b has: the security parameters as one
// OCTET STRING and behind it the scopedPDU, plain or as an OCTET STRING.
func (b *Builder) PrependV3(id, maxSize int32, flags byte, model int32) {
	rest := b.Len()
	b.PrependInt(model)
	copy(b.front(3), []byte{OctetString, 1, flags})
	b.PrependInt(maxSize)
	b.PrependInt(id)
	b.WrapFront(Sequence, rest)
	b.PrependInt(int32(V3Version))
	b.Wrap(Sequence)
}
