package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"lvs/rrdstore/rrd"
)

var errCount = errors.New("more data points than a row has")

// Tier is an entity's consolidated rows. The zero Tier has no column.
//
// Parse fills a Tier over and over in the same memory.
type Tier struct {
	// Season is after how many rows traffic is alike, those of a day, say; 0:
	// never. It makes Append's result shorter and is not kept.
	Season int
	// Columns are in ascending order of Source.
	Columns []TierColumn

	sets   []Bits // memory
	counts [][]uint32
}

// A TierColumn is the rows of one source. What Cells hold of a row that knows no
// data point is not kept: it comes back as NaN. Values come back bit by bit, but
// that every NaN is the same one.
type TierColumn struct {
	Source uint16
	rrd.Cells
}

// Parts are what is read of a tier's rows. Known is always read.
type Parts uint8

// The parts of a row.
const (
	Sum Parts = 1 << iota
	Min
	Max
	Last
	AllParts = Sum | Min | Max | Last
)

// cells are the parts of a row in the order in which they are written.
func (t *TierColumn) cells() [4]*[]float64 {
	return [4]*[]float64{&t.Sum, &t.Min, &t.Max, &t.Last}
}

// Append writes t, of so many rows with at most per data points each, to b. Its
// columns must be in order, of that many rows and within the limits; it panics
// otherwise.
func (t *Tier) Append(b []byte, rows int, per uint32) []byte {
	c := coders.Get().(*coder)
	defer coders.Put(c)
	c.begin(len(t.Columns), rows)
	c.season = t.Season
	for i := range t.Columns {
		c.addTier(&t.Columns[i], rows, per)
	}
	plain := len(c.sets) == 0 && len(c.counts) == 0
	if b = appendContents(b, c.sources, plain); !plain {
		b = c.appendCounts(b)
		b = c.appendSets(b, rows)
	}
	for i := range t.Columns {
		if !plain {
			b = appendNumbers(b, c.numbers[numNumbers*i:][:numNumbers])
		}
		b = c.appendTier(b, &t.Columns[i], i)
	}
	return b
}

// numNumbers is how many numbers a column has: of its counts, and of the sets of
// each part.
const numNumbers = 1 + numParts

// addTier checks a column and finds what it shares with others.
func (c *coder) addTier(col *TierColumn, rows int, per uint32) {
	c.add(col.Source)
	if len(col.Known) != rows {
		panic(fmt.Sprintf("chunk: source %d has %d rows, want %d", col.Source, len(col.Known), rows))
	}
	count := 0
	if slices.ContainsFunc(col.Known, func(k uint32) bool { return k != per }) {
		if most := slices.Max(col.Known); most > per {
			panic(fmt.Sprintf("chunk: %d data points in a row, want %d at most", most, per))
		}
		count = slices.IndexFunc(c.counts, func(o []uint32) bool { return slices.Equal(o, col.Known) }) + 1
		if count == 0 {
			c.counts = append(c.counts, col.Known)
			count = len(c.counts)
		}
	}
	c.numbers = append(c.numbers, uint64(count))
	for _, part := range col.cells() {
		c.numbers = append(c.numbers, c.set(missing(*part, col.Known), rows))
	}
}

// missing are the rows that have no value although data points are known.
func missing(values []float64, known []uint32) (set Bits) {
	for i, v := range values[:len(known)] {
		if v != v && known[i] > 0 {
			if set == nil {
				set = NewBits(len(known))
			}
			set.Set(i)
		}
	}
	return set
}

// appendNumbers writes which counts and sets a column has.
func appendNumbers(b []byte, numbers []uint64) []byte {
	b = binary.AppendUvarint(b, numbers[0])
	var has uint64
	for i, n := range numbers[1:] {
		if n > 0 {
			has |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, has)
	for _, n := range numbers[1:] {
		if n > 0 {
			b = binary.AppendUvarint(b, n)
		}
	}
	return b
}

// appendCounts writes the tables of known data points.
func (c *coder) appendCounts(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(c.counts)))
	for _, counts := range c.counts {
		c.like = grow(c.like, len(counts))
		for i, k := range counts {
			c.like[i] = int64(k)
		}
		c.start()
		c.putInts(c.like, &beside{})
		body := c.end()
		b = append(binary.AppendUvarint(b, uint64(len(body))), body...)
	}
	return b
}

// Parse reads into t what Append wrote for so many rows, of the sources that are
// wanted; nil wants all. Others are skipped without being decoded, but for those
// that a wanted one was written by. Slices of parts that are not wanted are
// empty. After an error, which matches [ErrDamaged], t is of no use but to be
// parsed into.
func (t *Tier) Parse(b []byte, rows int, per uint32, parts Parts, want func(source uint16) bool) error {
	if rows < 0 || rows > MaxRows {
		return damaged("tier rows", errLarge)
	}
	c := coders.Get().(*coder)
	defer coders.Put(c)
	p := &parser{b: b}
	var plain bool
	c.sources, plain = p.contents(c.sources, rows)
	t.sets, t.counts = t.sets[:0], t.counts[:0]
	if !plain {
		t.counts = c.parseCounts(p, t.counts, rows, per)
		t.sets = p.sets(t.sets, rows, numParts*len(c.sources))
	}
	c.heads = c.heads[:0]
	for _, source := range c.sources {
		h := head{source: source}
		if !plain {
			h.count, h.sets = p.numbers(t.sets)
		}
		p.column(&h)
		if h.count > uint64(len(t.counts)) {
			p.fail(errTable)
		}
		c.heads = append(c.heads, h)
	}
	if err := p.end(); err != nil {
		return damaged("tier rows", err)
	}
	c.need(want)
	old := t.Columns[:cap(t.Columns)]
	t.Columns = t.Columns[:0]
	for i := range c.heads {
		h := &c.heads[i]
		if c.next(i, numParts); !h.needed {
			continue
		}
		col := TierColumn{Source: h.source}
		if n := len(t.Columns); n < len(old) {
			col.Cells = old[n].Cells
		}
		t.know(&col, h, rows, per)
		if err := c.parseTier(&col, h, parts&AllParts); err != nil {
			return damaged(fmt.Sprintf("source %d", h.source), err)
		}
		for part, values := range col.cells() {
			forget(*values, h.sets[part])
		}
		if h.wanted {
			t.Columns = append(t.Columns, col)
		}
	}
	return nil
}

// know fills in how many data points a column's rows have.
func (t *Tier) know(col *TierColumn, h *head, rows int, per uint32) {
	col.Known = grow(col.Known, rows)
	if h.count > 0 {
		copy(col.Known, t.counts[h.count-1])
		return
	}
	for i := range col.Known {
		col.Known[i] = per
	}
}

// forget makes the values of a set unknown.
func forget(values []float64, set Bits) {
	for i := set.next(0, len(values), true); i < len(values); i = set.next(i+1, len(values), true) {
		values[i] = math.NaN()
	}
}

// numbers reads what appendNumbers wrote.
func (p *parser) numbers(all []Bits) (count uint64, sets [numParts]Bits) {
	count = p.uvarint()
	has := p.uvarint()
	if has>>numParts != 0 {
		p.fail(errTable)
	}
	for i := range sets {
		if has>>i&1 == 1 {
			sets[i] = p.setOf(all)
		}
	}
	return count, sets
}

// parseCounts reads what appendCounts wrote into dst's memory.
func (c *coder) parseCounts(p *parser, dst [][]uint32, rows int, per uint32) [][]uint32 {
	n := p.uvarint()
	if n > uint64(len(c.sources)) {
		p.fail(errLarge)
		return dst[:0]
	}
	dst = grow(dst[:cap(dst)], int(n))
	c.like = grow(c.like, rows)
	for i := range dst {
		in := bitReader{b: p.bytes(p.uvarint())}
		if p.err != nil || rows == 0 {
			break
		}
		in.takeInts(c.like, &beside{})
		if err := in.end(); err != nil {
			p.fail(err)
			break
		}
		dst[i] = grow(dst[i], rows)
		for j, k := range c.like {
			if k < 0 || k > int64(per) {
				p.fail(errCount)
				return dst
			}
			dst[i][j] = uint32(k)
		}
	}
	return dst
}
