package chunk

import (
	"encoding/binary"
	"fmt"
)

// Raw is an entity's raw rows, as its counters and gauges were read at the ticks
// of a superchunk. The zero Raw has no column.
//
// Parse fills a Raw over and over in the same memory. Its sets may be shared by
// several columns and must not be changed.
type Raw struct {
	// Resets are the ticks at which the kernel's counters began anew; nil: none.
	Resets Bits
	// Columns are in ascending order of Source.
	Columns []RawColumn

	sets []Bits // memory
}

// A RawColumn is the updates of one source.
type RawColumn struct {
	Source uint16
	// Has are the ticks at which there was an update; nil: all of them.
	Has Bits
	// Unknown are those of them whose update says that there was nothing to see,
	// RRDtool's U; nil: none.
	Unknown Bits
	// Uints are the values of the known updates, in order, exactly; Floats are
	// instead of them when Uints is nil, bit by bit, but that every NaN is the
	// same one. A column without any value comes back with Uints.
	Uints  []uint64
	Floats []float64
}

// Values is how many known updates there are at so many ticks, and so how long
// Uints or Floats is.
func (c *RawColumn) Values(ticks int) int {
	known := ticks
	if c.Has != nil {
		known = c.Has.Count(ticks)
	}
	for i := c.Unknown.next(0, ticks, true); i < ticks; i = c.Unknown.next(i+1, ticks, true) {
		if c.Has == nil || c.Has.Has(i) {
			known--
		}
	}
	return known
}

// Append writes r, with so many ticks, to b. Its columns must be in order, of
// the right lengths and within the limits; it panics otherwise.
func (r *Raw) Append(b []byte, ticks int) []byte {
	c := coders.Get().(*coder)
	defer coders.Put(c)
	c.begin(len(r.Columns), ticks)
	resets := c.set(some(r.Resets, ticks), ticks)
	for i := range r.Columns {
		col := &r.Columns[i]
		c.add(col.Source)
		if n, has := col.Values(ticks), max(len(col.Uints), len(col.Floats)); n != has {
			panic(fmt.Sprintf("chunk: source %d has %d values, want %d", col.Source, has, n))
		}
		c.numbers = append(c.numbers, c.set(partial(col.Has, ticks), ticks), c.set(some(col.Unknown, ticks), ticks))
	}
	plain := len(c.sets) == 0
	if b = appendContents(b, c.sources, plain); !plain {
		b = c.appendSets(b, ticks)
		b = binary.AppendUvarint(b, resets)
	}
	for i := range r.Columns {
		if !plain {
			b = binary.AppendUvarint(b, c.numbers[2*i])
			b = binary.AppendUvarint(b, c.numbers[2*i+1])
		}
		b = c.appendRaw(b, &r.Columns[i], i)
	}
	return b
}

// some is b, or nil if it has none of the first n.
func some(b Bits, n int) Bits {
	if b.next(0, n, true) == n {
		return nil
	}
	return b
}

// partial is b, or nil if it has all of the first n; nil is all.
func partial(b Bits, n int) Bits {
	if b == nil || b.next(0, n, false) == n {
		return nil
	}
	return b
}

func (c *coder) appendRaw(b []byte, col *RawColumn, at int) []byte {
	c.next(at, 1)
	s := &c.all[0]
	switch {
	case len(col.Uints) > 0:
		s.x = grow(s.x, len(col.Uints))
		for i, u := range col.Uints {
			s.x[i] = int64(u)
		}
		if z := zigzag(s.x[0]); z < maxConstant && constant(s.x) {
			return binary.AppendUvarint(b, z<<2)
		}
		c.integers = true
		c.putIntegers(formInts, 0)
		return appendBody(b, formInts, c.end())
	case len(col.Floats) > 0:
		s.f, s.missing = col.Floats, false
		f := c.putColumn()
		return appendBody(b, f, c.end())
	}
	return appendBody(b, formInts, nil)
}

// Parse reads into r what Append wrote for so many ticks, of the sources that
// are wanted; nil wants all. Others are skipped without being decoded, but for those
// that a wanted one was written by. After an error, which matches [ErrDamaged], r
// is of no use but to be parsed into.
func (r *Raw) Parse(b []byte, ticks int, want func(source uint16) bool) error {
	if ticks < 0 || ticks > MaxRows {
		return damaged("raw rows", errLarge)
	}
	c := coders.Get().(*coder)
	defer coders.Put(c)
	p := &parser{b: b}
	var plain bool
	c.sources, plain = p.contents(c.sources, ticks)
	r.Resets, r.sets = nil, r.sets[:0]
	if !plain {
		r.sets = p.sets(r.sets, ticks, 2*len(c.sources)+1)
		r.Resets = p.setOf(r.sets)
	}
	c.heads = c.heads[:0]
	for _, source := range c.sources {
		h := head{source: source}
		if !plain {
			h.sets[0], h.sets[1] = p.setOf(r.sets), p.setOf(r.sets)
		}
		p.column(&h)
		c.heads = append(c.heads, h)
	}
	if err := p.end(); err != nil {
		return damaged("raw rows", err)
	}
	c.need(want)
	old := r.Columns[:cap(r.Columns)]
	r.Columns = r.Columns[:0]
	for i := range c.heads {
		h := &c.heads[i]
		if c.next(i, 1); !h.needed {
			continue
		}
		col := RawColumn{Source: h.source, Has: h.sets[0], Unknown: h.sets[1]}
		if n := len(r.Columns); n < len(old) {
			col.Uints, col.Floats = old[n].Uints, old[n].Floats
		}
		if err := c.parseRaw(&col, h, col.Values(ticks)); err != nil {
			return damaged(fmt.Sprintf("source %d", h.source), err)
		}
		if h.wanted {
			r.Columns = append(r.Columns, col)
		}
	}
	return nil
}

func (c *coder) parseRaw(col *RawColumn, h *head, n int) error {
	s := &c.all[0]
	if n > 0 && h.form > formInts {
		col.Uints, col.Floats = nil, grow(col.Floats, n)
		s.f = col.Floats
		return c.takeColumn(h, n, Sum)
	}
	if col.Uints, col.Floats = grow(col.Uints, n), col.Floats[:0]; col.Uints == nil {
		col.Uints = []uint64{}
	}
	if h.form == formConstant {
		for i := range col.Uints {
			col.Uints[i] = uint64(h.constant)
		}
		return nil
	}
	err := c.takeColumn(h, n, Sum)
	if err == nil && n > 0 {
		for i, x := range s.x {
			col.Uints[i] = uint64(x)
		}
	}
	return err
}
