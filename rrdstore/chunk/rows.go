package chunk

import (
	"encoding/binary"
	"math"
)

// The sequences of a tier's column. Sum comes first, as the mean is asked for
// most, and what is known of a row helps to write the rest of it.
const (
	partSum = iota
	partMin
	partMax
	partLast
	numParts
)

func (c *coder) appendTier(b []byte, col *TierColumn) []byte {
	c.flatten(col.Known)
	if len(c.known) == 0 {
		return appendBody(b, formScaled, nil)
	}
	for i, values := range col.cells() {
		c.all[i].f, c.all[i].missing = (*values)[:len(col.Known)], true
		if len(c.rows) < len(col.Known) {
			c.flat[i] = grow(c.flat[i], len(c.rows))
			for j, row := range c.rows {
				c.flat[i][j] = (*values)[row]
			}
			c.all[i].f = c.flat[i]
		}
	}
	if v, ok := c.constant(); ok {
		return binary.AppendUvarint(b, zigzag(v)<<2)
	}
	f := c.putColumn(c.all[:])
	return appendBody(b, f, c.end())
}

// constant reports whether all known rows are of the same integer throughout.
func (c *coder) constant() (v int64, ok bool) {
	first := c.all[partMin].f[0]
	if !(math.Abs(first) < maxConstant/4) || first != math.Trunc(first) {
		return 0, false
	}
	sum, lo, hi, last := c.all[partSum].f, c.all[partMin].f, c.all[partMax].f, c.all[partLast].f
	for i, u := 0, math.Float64bits(float64(int64(first))); i < len(lo); i++ {
		if math.Float64bits(lo[i]) != u || math.Float64bits(hi[i]) != u ||
			math.Float64bits(last[i]) != u && last[i] == last[i] || math.Float64bits(sum[i]) != math.Float64bits(first*float64(c.known[i])) {
			return 0, false
		}
	}
	return int64(first), true
}

// putParts writes sequences; those of a tier with the help of each other.
func (c *coder) putParts(all []sequence) {
	if len(all) < numParts {
		c.putSequence(&all[0], &beside{})
		return
	}
	for i := range all {
		with := c.beside(i)
		all[i].fill(i, with)
		c.putSequence(&all[i], with)
	}
}

// takeParts reads what putParts wrote, as far as the last of the parts.
func (c *coder) takeParts(in *bitReader, all []sequence, n int, parts Parts) {
	if len(all) < numParts {
		in.takeSequence(&all[0], n, &beside{})
		return
	}
	for i := 0; parts>>i != 0 && in.err == nil; i++ {
		in.takeSequence(&all[i], n, c.beside(i))
	}
}

// beside is what the sequences before tell of one.
func (c *coder) beside(part int) *beside {
	with := &beside{season: c.season}
	if part == partSum {
		return with
	}
	sum, lo, hi := c.all[partSum].x, c.all[partMin].x, c.all[partMax].x
	if part == partMin {
		c.mean = grow(c.mean, len(sum))
		for i, s := range sum {
			c.mean[i] = int64(float64(s) / float64(c.known[i]))
		}
	}
	with.mean = c.mean
	switch part {
	case partMax:
		with.base = lo
	case partLast:
		with.base, with.lo, with.hi = lo, lo, hi
	}
	return with
}

// fill gives values that are missing an integer that takes little room.
func (s *sequence) fill(part int, with *beside) {
	for i, v := range s.f {
		if v == v {
			continue
		}
		switch {
		case part == partLast:
			s.x[i] = with.lo[i]
		case part > partSum:
			s.x[i] = with.mean[i]
		case i > 0:
			s.x[i] = s.x[i-1]
		}
	}
}

// flatten finds the known rows of a column.
func (c *coder) flatten(known []uint32) {
	c.known, c.rows = c.known[:0], c.rows[:0]
	for i, k := range known {
		if k > 0 {
			c.known, c.rows = append(c.known, int64(k)), append(c.rows, int32(i))
		}
	}
}

// parseTier reads a column, its Known being there.
func (c *coder) parseTier(col *TierColumn, f form, value int64, body []byte, parts Parts) error {
	c.flatten(col.Known)
	rows, n := len(col.Known), len(c.known)
	for i, values := range col.cells() {
		if parts>>i&1 == 0 {
			*values, c.all[i].f = (*values)[:0], nil
			continue
		}
		*values = grow(*values, rows)
		if c.all[i].f = *values; n < rows {
			c.flat[i] = grow(c.flat[i], n)
			c.all[i].f = c.flat[i]
		}
	}
	if f == formConstant {
		c.fillConstant(float64(value))
	} else if err := c.takeColumn(body, c.all[:], n, f, parts); err != nil {
		return err
	}
	if n < rows {
		for i, values := range col.cells() {
			spread(*values, c.all[i].f, c.rows)
		}
	}
	return nil
}

// fillConstant undoes constant.
func (c *coder) fillConstant(value float64) {
	for i := range c.all {
		for j := range c.all[i].f {
			c.all[i].f[j] = value
			if i == partSum {
				c.all[i].f[j] = value * float64(c.known[j])
			}
		}
	}
}

// spread puts values into their rows and makes the others unknown.
func spread(dst, values []float64, rows []int32) {
	if len(dst) == 0 {
		return
	}
	for i := range dst {
		dst[i] = math.NaN()
	}
	for i, v := range values {
		dst[rows[i]] = v
	}
}

// takeColumn reads a column of n values into the f of those sequences that have
// one, which those of the parts do.
func (c *coder) takeColumn(body []byte, all []sequence, n int, f form, parts Parts) error {
	in := bitReader{b: body}
	switch {
	case n == 0:
		return in.end()
	case f == formScaled:
		scale := scales[in.take(scaleBits)]
		c.takeParts(&in, all, n, parts)
		for i := range all {
			if all[i].f != nil && in.err == nil {
				all[i].floats(all[i].f, scale)
			}
		}
	case f == formFloats:
		for i := 0; parts>>i != 0 && i < len(all); i++ {
			dst := all[i].f
			if dst == nil {
				c.flat[i] = grow(c.flat[i], n)
				dst = c.flat[i]
			}
			in.takeFloats(dst)
		}
	default:
		return errForm
	}
	if parts>>(len(all)-1) == 0 {
		return in.err // what follows is not wanted
	}
	return in.end()
}
