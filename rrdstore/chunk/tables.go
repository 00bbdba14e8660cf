package chunk

import (
	"encoding/binary"
	"slices"
)

// appendContents begins a slot: how many columns it has, whether they are the
// first sources, and otherwise how far apart they are; plain if no column has
// anything missing, so that there are no tables of what is.
func appendContents(b []byte, sources []uint16, plain bool) []byte {
	first := len(sources) == 0 || int(sources[len(sources)-1]) == len(sources)-1
	b = binary.AppendUvarint(b, uint64(len(sources))<<2|bit(first)<<1|bit(plain))
	if first {
		return b
	}
	next := uint16(0)
	for _, s := range sources {
		b = binary.AppendUvarint(b, uint64(s-next))
		next = s + 1
	}
	return b
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// contents reads what appendContents wrote, into dst's memory.
func (p *parser) contents(dst []uint16, rows int) (sources []uint16, plain bool) {
	head := p.uvarint()
	n, first, plain := head>>2, head>>1&1 == 1, head&1 == 1
	if n > uint64(min(MaxColumns, len(p.b))) || n*uint64(rows) > MaxCells { // each takes a byte or more
		p.fail(errLarge)
		return dst[:0], plain
	}
	dst = slices.Grow(dst[:0], int(n))
	next := uint64(0)
	for i := range n {
		s := i
		if !first {
			s = next + p.uvarint()
		}
		if s > 1<<16-1 {
			p.fail(errLarge)
			return dst[:0], plain
		}
		next = s + 1
		dst = append(dst, uint16(s))
	}
	return dst, plain
}

// set is the number of a set among those that the slot's columns share, which
// may be a new one: 0 is none, 1 the first.
func (c *coder) set(b Bits, n int) uint64 {
	if b == nil {
		return 0
	}
	i := slices.IndexFunc(c.sets, func(o Bits) bool { return b.equal(o, n) })
	if i < 0 {
		c.sets = append(c.sets, b)
		i = len(c.sets) - 1
	}
	return uint64(i + 1)
}

// appendSets writes the sets that columns share.
func (c *coder) appendSets(b []byte, n int) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.sets)))
	for _, s := range c.sets {
		b = appendBits(b, s, n)
	}
	return b
}

// sets reads what appendSets wrote, at most limit of them, into dst's memory.
func (p *parser) sets(dst []Bits, n, limit int) []Bits {
	count := p.uvarint()
	if count > uint64(min(limit, len(p.b))) {
		p.fail(errLarge)
		return dst[:0]
	}
	dst = grow(dst[:cap(dst)], int(count))
	for i := range dst {
		dst[i] = p.bits(dst[i], n)
	}
	return dst
}

// setOf is the set of a number that follows; 0 is none.
func (p *parser) setOf(sets []Bits) Bits {
	i := p.uvarint()
	if i > uint64(len(sets)) {
		p.fail(errTable)
	}
	if i == 0 || p.err != nil {
		return nil
	}
	return sets[i-1]
}
