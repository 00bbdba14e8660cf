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

func (c *coder) appendTier(b []byte, col *TierColumn, at int) []byte {
	c.next(at, numParts)
	c.flatten(col.Known)
	if len(c.known) == 0 {
		return appendBody(b, formScaled, nil)
	}
	for i, values := range col.cells() {
		c.all[i].f, c.all[i].missing = (*values)[:len(col.Known)], c.numbers[numNumbers*at+1+i] > 0
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
	f := c.putColumn()
	return appendBody(b, f, c.end())
}

// flatten finds the known rows of the column.
func (c *column) flatten(known []uint32) {
	c.known, c.rows = grow(c.known, len(known)), grow(c.rows, len(known))
	n := 0
	for i, k := range known {
		if c.known[n], c.rows[n] = int64(k), int32(i); k > 0 {
			n++
		}
	}
	c.known, c.rows = c.known[:n], c.rows[:n]
}

// constant reports whether all known rows are of the same integer throughout.
func (c *column) constant() (v int64, ok bool) {
	first := c.all[partMin].f[0]
	if !(math.Abs(first) < maxConstant/4) || first != math.Trunc(first) {
		return 0, false
	}
	sum, lo, hi, last := c.all[partSum].f, c.all[partMin].f, c.all[partMax].f, c.all[partLast].f
	for i, u := 0, math.Float64bits(float64(int64(first))); i < len(lo); i++ {
		if math.Float64bits(lo[i]) != u || math.Float64bits(hi[i]) != u ||
			math.Float64bits(last[i]) != u && last[i] == last[i] ||
			math.Float64bits(sum[i]) != math.Float64bits(first*float64(c.known[i])) {
			return 0, false
		}
	}
	return int64(first), true
}

// beside is what helps to write and read a part: what was written before it of
// the same rows, and the column referred to.
func (c *coder) beside(part int) *beside {
	c.with = beside{part: part, rises: len(c.all) < numParts}
	with := &c.with
	if c.ref.back > 0 {
		with.other = c
	}
	if with.rises {
		return with
	}
	with.season = c.season
	if part == partMin {
		c.findMean()
	}
	if part > partSum {
		with.mean = c.mean
	}
	if part == partLast {
		with.lo, with.hi = c.all[partMin].x, c.all[partMax].x
	}
	return with
}

func (c *column) findMean() {
	c.mean = grow(c.mean, len(c.known))
	for i, s := range c.all[partSum].x {
		c.mean[i] = int64(float64(s) / float64(c.known[i]))
	}
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

// parseTier reads a column, its Known being there; of one that only another
// needs no more than that takes.
func (c *coder) parseTier(col *TierColumn, h *head, parts Parts) error {
	c.flatten(col.Known)
	rows, n := len(col.Known), len(c.known)
	for i, values := range col.cells() {
		if parts>>i&1 == 0 || !h.wanted {
			*values, c.all[i].f = (*values)[:0], nil
			continue
		}
		*values = grow(*values, rows)
		if c.all[i].f = *values; n < rows {
			c.flat[i] = grow(c.flat[i], n)
			c.all[i].f = c.flat[i]
		}
	}
	switch {
	case parts == 0: // Known is all that is wanted
	case h.form == formConstant:
		c.fillConstant(float64(h.constant))
	case h.form == formInts:
		return errForm
	default:
		if err := c.takeColumn(h, n, parts); err != nil {
			return err
		}
	}
	if n < rows {
		for i, values := range col.cells() {
			spread(*values, c.all[i].f, c.rows)
		}
	}
	return nil
}

// fillConstant undoes constant.
func (c *column) fillConstant(value float64) {
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
