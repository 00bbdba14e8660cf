package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
)

var (
	// ErrDamaged is matched by what is returned for bytes that are not what was
	// written.
	ErrDamaged = errors.New("chunk is damaged")

	// ErrNewer is returned for a whole superchunk of a newer version than this
	// program knows.
	ErrNewer = errors.New("chunk was written by a newer version of this program")
)

func damaged(what string, err error) error { return fmt.Errorf("%w: %s: %w", ErrDamaged, what, err) }

// Limits of what one slot may hold, which bound what a reader of any bytes
// allocates.
const (
	MaxRows  = 1 << 16 // rows or ticks
	MaxCells = 1 << 20 // rows times columns
)

var (
	errLarge = errors.New("too large")
	errTable = errors.New("not in the table")
	errForm  = errors.New("unknown form of column")
)

// A form is how a column is written; it stands in the lowest two bits of the
// column's first number, above it the constant or else the length in bytes.
type form uint8

const (
	formConstant form = iota
	formInts          // integers; of a tier possibly scaled
	formScaled        // raw floating-point numbers as scaled integers
	formFloats
)

// maxConstant is what fits above a form.
const maxConstant = 1 << 60

// A coder is the memory that writing and reading take.
type coder struct {
	packer
	all    [4]sequence  // of a tier: sum, minimum, maximum, last; of raw rows the first
	known  []int64      // how many data points each known row has
	mean   []int64      // of each known row
	flat   [4][]float64 // values of known rows, where there are others
	rows   []int32      // which those are
	season int
	other  []byte // another way of writing a column

	// What the columns of a slot share, and which of it each has.
	sources []uint16
	sets    []Bits
	counts  [][]uint32
	numbers []uint64
}

var coders = sync.Pool{New: func() any { return new(coder) }}

// appendContents begins a slot: how many columns it has, whether they are the
// first sources, and otherwise how far apart they are; plain if no column has
// anything missing, so that there are no tables of what is.
func appendContents(b []byte, sources []uint16, plain bool) []byte {
	first := len(sources) == 0 || int(sources[len(sources)-1]) == len(sources)-1
	b = binary.AppendUvarint(b, uint64(len(sources))<<2|flag(first)<<1|flag(plain))
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

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// contents reads what appendContents wrote, into dst's memory.
func (p *parser) contents(dst []uint16, rows int) (sources []uint16, plain bool) {
	head := p.uvarint()
	n, first, plain := head>>2, head>>1&1 == 1, head&1 == 1
	if n > uint64(len(p.b)) || n*uint64(rows) > MaxCells { // each takes a byte or more
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

// begin starts writing a slot.
func (c *coder) begin(columns, rows int) {
	if rows > MaxRows || columns*rows > MaxCells {
		panic(fmt.Sprintf("chunk: %d columns of %d rows", columns, rows))
	}
	c.sources, c.sets, c.counts, c.numbers = c.sources[:0], c.sets[:0], c.counts[:0], c.numbers[:0]
}

// add appends a source, of which there can be but one.
func (c *coder) add(source uint16) {
	if n := len(c.sources); n > 0 && c.sources[n-1] >= source {
		panic(fmt.Sprintf("chunk: source %d after %d", source, c.sources[n-1]))
	}
	c.sources = append(c.sources, source)
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

// appendBody writes a column that is no constant.
func appendBody(b []byte, f form, body []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(body))<<2|uint64(f))
	return append(b, body...)
}

// column reads a column's form and its constant or its bytes.
func (p *parser) column() (f form, constant int64, body []byte) {
	head := p.uvarint()
	if f = form(head & 3); f == formConstant {
		return f, unzigzag(head >> 2), nil
	}
	return f, 0, p.bytes(head >> 2)
}

// putColumn writes what the f of sequences hold, as integers or, where that is
// shorter, as floating-point numbers.
func (c *coder) putColumn(all []sequence) form {
	bad, values, scale := 0, 0, 0
	for i := range all {
		s := &all[i]
		values += len(s.f)
		if n := s.integers(); n > 0 {
			s.patch()
			bad += len(s.patches)
		}
	}
	if bad > values/patchShare {
		scale = bestScale(all)
	}
	c.start()
	if bad <= values/patchShare || scale > 0 {
		c.put(uint64(scale), scaleBits)
		c.putParts(all)
		if bad == 0 {
			return formScaled
		}
		c.other = append(c.other[:0], c.end()...)
		c.start()
	} else {
		c.other = c.other[:0]
	}
	for i := range all {
		c.putFloats(all[i].f)
	}
	if floats := c.end(); len(c.other) > 0 && len(c.other) <= len(floats) {
		c.start()
		c.b = append(c.b, c.other...)
		return formScaled
	}
	return formFloats
}
