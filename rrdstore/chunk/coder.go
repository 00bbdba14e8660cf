package chunk

import (
	"errors"
	"fmt"
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

// Limits of what one slot holds. They bound what a reader allocates, whatever
// the bytes: constant columns of any length take but a few of them.
const (
	MaxRows    = 1 << 16 // rows or ticks
	MaxColumns = 1 << 12
	MaxCells   = 1 << 19 // rows times columns
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
	formInts          // raw integers
	formScaled        // floating-point numbers that are integers divided by a scale
	formFloats        // floating-point numbers
)

// maxConstant is what fits above a form.
const maxConstant = 1 << 60

// A coder is the memory that writing and reading take.
type coder struct {
	packer
	columns []*column // of the slot
	*column           // the one at hand
	at      int       // its place
	season  int
	flat    [numParts][]float64 // values of known rows, where there are others
	like    []int64             // a sequence as it should be, going by another column
	other   []byte              // another way of writing a column
	with    beside

	// What the columns of a slot share, and which of it each has.
	sources []uint16
	sets    []Bits
	counts  [][]uint32
	numbers []uint64
	heads   []head
}

// A column is what is known of one while its slot is written or read.
type column struct {
	all   []sequence // of a tier: sum, minimum, maximum, last; one of raw rows
	rows  []int32    // of a tier: which rows are known
	known []int64    // how many data points each of them has
	mean  []int64    // of them
	ref   reference  // to another column
	// integers: the sequences have x, by which other columns can go.
	integers bool
}

var coders = sync.Pool{New: func() any { return new(coder) }}

// next turns to the slot's column i of so many sequences.
func (c *coder) next(i, sequences int) {
	for i >= len(c.columns) {
		c.columns = append(c.columns, &column{all: make([]sequence, numParts)})
	}
	c.column, c.at = c.columns[i], i
	c.all = c.all[:sequences]
	c.ref, c.integers = reference{}, false
}

// begin starts writing a slot.
func (c *coder) begin(columns, rows int) {
	if rows > MaxRows || columns > MaxColumns || columns*rows > MaxCells {
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

// putColumn writes what the f of sequences hold, as integers or, where that is
// shorter, as floating-point numbers.
func (c *coder) putColumn() form {
	bad, values, scale := 0, 0, 0
	for i := range c.all {
		s := &c.all[i]
		values += len(s.f)
		if n := s.integers(); n > 0 {
			s.patch()
			bad += len(s.patches)
		}
	}
	if bad > values/patchShare {
		scale = bestScale(c.all)
	}
	c.other = c.other[:0]
	if c.integers = bad <= values/patchShare || scale > 0; c.integers {
		c.putIntegers(formScaled, scale)
		if bad == 0 {
			return formScaled
		}
		c.other = append(c.other, c.end()...)
	}
	c.start()
	for i := range c.all {
		c.putFloats(c.all[i].f)
	}
	if floats := c.end(); len(c.other) > 0 && len(c.other) <= len(floats) {
		c.start()
		c.b = append(c.b, c.other...)
		return formScaled
	}
	c.integers = false
	return formFloats
}

// putIntegers writes the x of the column's sequences, by a reference if that
// helps.
func (c *coder) putIntegers(f form, scale int) {
	c.refer()
	for {
		c.start()
		c.putReference(c.ref)
		var used bool
		if f == formInts {
			used = c.putInts(c.all[0].x, c.beside(0)) == modeLike
		} else {
			c.put(uint64(scale), scaleBits)
			used = c.putParts()
		}
		if used || c.ref.back == 0 {
			return
		}
		c.ref = reference{}
	}
}

// putParts writes the column's sequences with the help of each other and of the
// column referred to, and reports whether that one was used.
func (c *coder) putParts() (used bool) {
	for i := range c.all {
		with := c.beside(i)
		if c.all[i].missing {
			c.all[i].fill(i, with)
		}
		used = c.putSequence(&c.all[i], with) == modeLike || used
	}
	return used
}

// takeColumn reads a column of n values into the f of those sequences that have
// one, which those of the parts do.
func (c *coder) takeColumn(h *head, n int, parts Parts) error {
	in := bitReader{b: h.body}
	switch {
	case n == 0:
		return in.end()
	case h.form == formInts || h.form == formScaled:
		c.takeIntegers(&in, h.form, n, parts)
	case h.form == formFloats:
		for i := 0; i < len(c.all) && parts>>i != 0; i++ {
			dst := c.all[i].f
			if dst == nil {
				c.flat[i] = grow(c.flat[i], n)
				dst = c.flat[i]
			}
			in.takeFloats(dst)
		}
	default:
		return errForm
	}
	if parts>>(len(c.all)-1) == 0 {
		return in.err // what follows is not wanted
	}
	return in.end()
}

// takeIntegers reads what putIntegers wrote, as far as the last of the parts.
func (c *coder) takeIntegers(in *bitReader, f form, n int, parts Parts) {
	if c.ref = in.takeReference(); c.ref.back > 0 {
		if c.ref.back > c.at || !c.columns[c.at-c.ref.back].integers || len(c.columns[c.at-c.ref.back].all[0].x) != n {
			in.fail(errReference)
			return
		}
	}
	if f == formInts {
		c.all[0].x = grow(c.all[0].x, n)
		in.takeInts(c.all[0].x, c.beside(0))
		c.integers = in.err == nil
		return
	}
	scale := scales[in.take(scaleBits)]
	for i := range c.all {
		if parts>>i == 0 || in.err != nil {
			break
		}
		in.takeSequence(&c.all[i], n, c.beside(i))
	}
	if c.integers = in.err == nil; !c.integers {
		return
	}
	for i := range c.all {
		if c.all[i].f != nil {
			c.all[i].floats(c.all[i].f, scale)
		}
	}
}
