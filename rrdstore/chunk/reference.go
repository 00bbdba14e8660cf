package chunk

import (
	"errors"
	"math"
)

// What passes a director moves several counters at a time: a column is often
// nearly a multiple of another, bytes of packets for one. A reference says of
// which.
type reference struct {
	back     int   // how many columns before; 0: of none
	mantissa int64 // the factor is mantissa * 2^-exponent
	exponent int64
}

const (
	mantissaBits = 11
	// reach is how many columns back are considered.
	reach = 2
	// likeness is the least square of the correlation for which it is tried.
	likeness = 0.4
	// likeLimit bounds products, which are conversions to integers that all
	// machines do alike.
	likeLimit = 1 << 62
)

var errReference = errors.New("reference to an unfit column")

func (r reference) factor() float64 { return math.Ldexp(float64(r.mantissa), -int(r.exponent)) }

// newReference is a reference to a column so many before, by a factor that is
// rounded.
func newReference(back int, factor float64) reference {
	fraction, exponent := math.Frexp(factor)
	r := reference{back, int64(math.Round(math.Ldexp(fraction, mantissaBits))), int64(mantissaBits - exponent)}
	for r.mantissa != 0 && r.mantissa&1 == 0 {
		r.mantissa >>= 1
		r.exponent--
	}
	return r
}

func (w *bitWriter) putReference(r reference) {
	w.putUint(uint64(r.back))
	if r.back > 0 {
		w.putUint(zigzag(r.mantissa))
		w.putUint(zigzag(r.exponent))
	}
}

func (r *bitReader) takeReference() (ref reference) {
	back := r.takeUint()
	if back == 0 || back > 1<<16 {
		return reference{}
	}
	ref = reference{int(back), unzigzag(r.takeUint()), unzigzag(r.takeUint())}
	if ref.exponent < -1100 || ref.exponent > 1100 {
		r.fail(errReference)
		return reference{}
	}
	return ref
}

// A fit is how nearly one sequence is a multiple of another.
type fit struct{ n, x, y, xx, xy, yy float64 }

func (f *fit) add(x, y float64) {
	f.n++
	f.x += x
	f.y += y
	f.xx += x * x
	f.xy += x * y
	f.yy += y * y
}

// slope is the factor, and the square of the correlation.
func (f *fit) slope() (factor, square float64) {
	xx, xy, yy := f.xx-f.x*f.x/f.n, f.xy-f.x*f.y/f.n, f.yy-f.y*f.y/f.n
	if !(xx > 0 && yy > 0) {
		return 0, 0
	}
	return xy / yy, xy / xx * xy / yy
}

// samples is of how many values a fit is made at most.
const samples = 40

// refer finds the earlier column that the one at hand is most like, by its first
// sequence: of raw rows the differences, of a tier the sums.
func (c *coder) refer() {
	x := c.all[0].x
	best := likeness
	for back := 1; back <= min(reach, c.at); back++ {
		other := c.columns[c.at-back]
		if !other.integers || len(other.all[0].x) != len(x) {
			continue
		}
		factor, square := compare(x, other.all[0].x, len(c.all) == 1)
		if square > best {
			best, c.ref = square, newReference(back, factor)
		}
	}
}

func compare(x, y []int64, rises bool) (factor, square float64) {
	var f fit
	from := 0
	if rises {
		from = 1
	}
	for i, stride := from, 1+len(x)/samples; i < len(x); i += stride {
		if rises {
			f.add(float64(x[i]-x[i-1]), float64(y[i]-y[i-1]))
		} else {
			f.add(float64(x[i]-x[0]), float64(y[i]-y[0]))
		}
	}
	return f.slope()
}

// expect is what the column referred to lets expect of n values: of a tier's sums
// multiples of its sums, of other parts the mean and multiples of how much its
// part differs from its mean, and of raw rows multiples of its differences. It
// is nil if a product is too large.
func (c *coder) expect(part, n int) []int64 {
	other, factor := c.columns[c.at-c.ref.back], c.ref.factor()
	c.like = grow(c.like, n)
	switch x := other.all[part].x; {
	case len(c.all) < numParts:
		c.like = c.like[:n-1]
		delta(c.like, x)
	case part > partSum:
		subtract(c.like, x[:n], other.mean)
	default:
		copy(c.like, x)
	}
	most := uint64(0)
	for _, v := range c.like {
		sign := v >> 63
		most = max(most, uint64(v^sign-sign))
	}
	// The product of the greatest is the greatest: rounding keeps the order.
	if !(math.Abs(factor)*float64(most) < likeLimit) {
		return nil
	}
	if part > partSum {
		for i, v := range c.like {
			c.like[i] = int64(factor*float64(v)) + c.mean[i]
		}
		return c.like
	}
	for i, v := range c.like {
		c.like[i] = int64(factor * float64(v))
	}
	return c.like
}
