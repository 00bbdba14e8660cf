package chunk

import (
	"errors"
	"math/bits"
)

// A mode says what is packed of a sequence of integers.
type mode uint8

const (
	modeConstant mode = iota // one value, for all
	modePlain                // the values
	modeDelta                // by how much each differs from the one before
	modeSeason               // … from the one a season before
	modeMean                 // … from the mean of its row
	modeLike                 // … from what another column lets expect
	modeWithin               // which value of the range that its row allows
)

const modeBits = 3

var errMode = errors.New("unknown way of packing")

// beside is what is known of the rows of a sequence from sequences before it.
// Each slice has a number for each of the sequence's, or is nil.
type beside struct {
	mean   []int64
	lo, hi []int64 // the values are within
	season int     // after how many values they are alike; 0: never
	// other is the coder whose column refers to another one, nil if it does not.
	// What that lets expect of the part are the values or, where rises is set, by
	// how much each is more than the one before, but for the first.
	other *coder
	part  int
	rises bool
}

// A packer writes sequences of integers; it holds the memory that this takes.
type packer struct {
	bitWriter
	plan
	residual, best []int64
	units, bestTo  []extent
}

// start begins a new run of bits.
func (p *packer) start() { p.bitWriter = bitWriter{b: p.b[:0]} }

// putInts writes values, at least one, in the way that makes them shortest.
// Differences are modulo 2^64.
func (p *packer) putInts(values []int64, with *beside) mode {
	if constant(values) {
		p.put(uint64(modeConstant), modeBits)
		p.putUint(zigzag(values[0]))
		return modeConstant
	}
	m := p.choose(values, with)
	size := p.cut(p.bestTo, len(p.best))
	if with.lo != nil {
		if within, ok := withinSize(values, with.lo, with.hi); ok && within <= size {
			p.put(uint64(modeWithin), modeBits)
			p.putWithin(values, with.lo, with.hi)
			return modeWithin
		}
	}
	p.put(uint64(m), modeBits)
	if m == modeSeason {
		p.putUint(uint64(with.season))
	}
	if len(p.best) < len(values) {
		p.putUint(zigzag(values[0]))
	}
	p.putBlocks(p.best, p.bestTo, &p.plan)
	return m
}

func constant(values []int64) bool {
	for _, v := range values {
		if v != values[0] {
			return false
		}
	}
	return true
}

// choose finds the mode whose residuals are the smallest, the first of several, and
// leaves them and their extents in best and bestTo. What has a mean goes by it or by
// another column, since what drifts is in the mean already.
func (p *packer) choose(values []int64, with *beside) mode {
	least := ^uint(0)
	chosen := modePlain
	// The last is mostly the best: of the others the beginning then is enough.
	for m := modeWithin - 1; m >= modePlain; m-- {
		r := p.residuals(m, values, with)
		if r == nil {
			continue
		}
		var cost uint
		if p.units, cost = extents(p.units, r, least); cost <= least {
			least, chosen = cost, m
			if m == modePlain {
				p.best = append(p.best[:0], values...)
			} else {
				p.residual, p.best = p.best, r
			}
			p.units, p.bestTo = p.bestTo, p.units
		}
	}
	return chosen
}

// residuals are what is packed of values in a mode, nil if that is not possible;
// those of modePlain are the values themselves.
func (p *packer) residuals(m mode, values []int64, with *beside) []int64 {
	if m == modePlain {
		return values
	}
	r := grow(p.residual, len(values))
	p.residual = r
	switch {
	case m == modeDelta && with.mean == nil:
		r = r[:len(r)-1]
		delta(r, values)
	case m == modeSeason && with.mean == nil && with.season > 1 && with.season < len(values):
		r = r[:len(r)-1]
		delta(r[:with.season-1], values)
		for i, v := range values[with.season:] {
			r[with.season-1+i] = v - values[i]
		}
	case m == modeMean && with.mean != nil:
		subtract(r, values, with.mean)
	case m == modeLike && with.other != nil:
		like := with.other.expect(with.part, len(values))
		if like == nil {
			return nil
		}
		if with.rises {
			r = r[:len(r)-1]
			delta(r, values)
			subtract(r, r, like)
		} else {
			subtract(r, values, like)
		}
	default:
		return nil
	}
	return r
}

// delta makes r[i] the difference of values[i+1] from values[i].
func delta(r, values []int64) {
	before := values[0]
	for i, v := range values[1:][:len(r)] {
		r[i] = v - before
		before = v
	}
}

func subtract(r, values, from []int64) {
	for i, v := range values {
		r[i] = v - from[i]
	}
}

// takeInts reads what putInts wrote: len(dst) values, at least one.
func (r *bitReader) takeInts(dst []int64, with *beside) {
	switch m := mode(r.take(modeBits)); {
	case m == modeConstant:
		v := unzigzag(r.takeUint())
		for i := range dst {
			dst[i] = v
		}
	case m == modePlain:
		r.takeBlocks(dst)
	case m == modeDelta:
		dst[0] = unzigzag(r.takeUint())
		r.takeBlocks(dst[1:])
		accumulate(dst)
	case m == modeSeason:
		season := r.takeUint()
		if season == 0 || season >= uint64(len(dst)) {
			r.fail(errMode)
			return
		}
		dst[0] = unzigzag(r.takeUint())
		r.takeBlocks(dst[1:])
		accumulate(dst[:season])
		for i := int(season); i < len(dst); i++ {
			dst[i] += dst[i-int(season)]
		}
	case m == modeMean && with.mean != nil:
		r.takeBlocks(dst)
		add(dst, with.mean)
	case m == modeLike && with.other != nil:
		r.takeLike(dst, with)
	case m == modeWithin && with.lo != nil:
		r.takeWithin(dst, with.lo, with.hi)
	default:
		r.fail(errMode)
	}
}

func (r *bitReader) takeLike(dst []int64, with *beside) {
	like := with.other.expect(with.part, len(dst))
	switch {
	case like == nil:
		r.fail(errReference)
	case with.rises:
		dst[0] = unzigzag(r.takeUint())
		r.takeBlocks(dst[1:])
		add(dst[1:], like)
		accumulate(dst)
	default:
		r.takeBlocks(dst)
		add(dst, like)
	}
}

func accumulate(dst []int64) {
	sum := dst[0]
	for i, d := range dst[1:] {
		sum += d
		dst[i+1] = sum
	}
}

func add(dst, to []int64) {
	for i, v := range to[:len(dst)] {
		dst[i] += v
	}
}

// A value within lo … hi takes the bits of the range, rounded down for the first
// few of its values so that no code is wasted (truncated binary).

// withinSize is how many bits values take of their ranges; not ok if one is
// outside or a range is too large.
func withinSize(values, lo, hi []int64) (size uint, ok bool) {
	for i, v := range values {
		if v < lo[i] || v > hi[i] || hi[i]-lo[i] < 0 || hi[i]-lo[i] >= 1<<48 {
			return 0, false
		}
		size += uint(bits.Len64(uint64(hi[i] - lo[i])))
	}
	return size, true
}

// spare is how many of the values 0 … last have the shorter code of width-1
// bits.
func spare(last uint64) (width uint, short uint64) {
	width = uint(bits.Len64(last))
	return width, 1<<width - last - 1
}

func (w *bitWriter) putWithin(values, lo, hi []int64) {
	for i, v := range values {
		d := uint64(v - lo[i])
		width, short := spare(uint64(hi[i] - lo[i]))
		switch {
		case width == 0:
		case d < short:
			w.put(d, width-1)
		default:
			// The high bits are a code from short on, the last bit comes after it.
			d += short
			w.put(d>>1, width-1)
			w.put(d&1, 1)
		}
	}
}

func (r *bitReader) takeWithin(dst, lo, hi []int64) {
	pos, end := r.pos, uint(len(r.b))*8
	for i := range dst {
		last := uint64(hi[i] - lo[i])
		if last == 0 {
			dst[i] = lo[i]
			continue
		}
		width, short := spare(last)
		if width > 48 {
			r.fail(errMode)
			return
		}
		bits := r.window(pos)
		v := bits & (1<<(width-1) - 1)
		long := v<<1 | bits>>(width-1)&1
		pos += width
		if v < short {
			pos--
		} else {
			v = long - short
		}
		dst[i] = lo[i] + int64(v)
	}
	if pos > end {
		r.fail(errShort)
		return
	}
	r.pos = pos
}
