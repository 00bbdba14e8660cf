package chunk

import "encoding/binary"

// A head is what a column begins with, and what is to be done about it.
type head struct {
	source   uint16
	form     form
	constant int64
	body     []byte
	sets     [numParts]Bits // of raw rows those that have an update, and the unknown ones
	count    uint64         // of a tier: which table of known data points; 0: all are
	wanted   bool           // by the caller
	needed   bool           // for itself or for another column
}

// appendBody writes a column that is no constant.
func appendBody(b []byte, f form, body []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(body))<<2|uint64(f))
	return append(b, body...)
}

// column reads a column's form and its constant or its bytes.
func (p *parser) column(h *head) {
	n := p.uvarint()
	if h.form = form(n & 3); h.form == formConstant {
		h.constant = unzigzag(n >> 2)
	} else {
		h.body = p.bytes(n >> 2)
	}
}

// need marks the columns that have to be read: those wanted, and those that they
// refer to.
func (c *coder) need(want func(source uint16) bool) {
	for i := len(c.heads) - 1; i >= 0; i-- {
		h := &c.heads[i]
		h.wanted = want == nil || want(h.source)
		if h.needed = h.needed || h.wanted; !h.needed || h.form != formInts && h.form != formScaled {
			continue
		}
		in := bitReader{b: h.body}
		if back := in.takeReference().back; back > 0 && back <= i {
			c.heads[i-back].needed = true
		}
	}
}
