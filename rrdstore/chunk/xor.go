package chunk

import (
	"math"
	"math/bits"
)

// Floating-point numbers that are no integers in disguise are written as the
// bits in which each differs from the one before: nothing, bits within the span
// that the last such number had, or bits within a new span.

// putFloats writes values, all NaN as the same.
func (w *bitWriter) putFloats(values []float64) {
	var before uint64
	trail, span := uint(0), uint(0)
	for _, v := range values {
		u := floatBits(v)
		x := u ^ before
		before = u
		if x == 0 {
			w.put(0, 1)
			continue
		}
		first, last := uint(bits.TrailingZeros64(x)), uint(bits.Len64(x))
		if span > 0 && first >= trail && last <= trail+span && span <= last-first+12 {
			w.put(1, 2)
		} else {
			w.put(3, 2)
			trail, span = first, last-first
			w.put(uint64(trail), 6)
			w.put(uint64(span-1), 6)
		}
		w.put(x>>trail, span)
	}
}

// takeFloats reads what putFloats wrote.
func (r *bitReader) takeFloats(dst []float64) {
	var before uint64
	trail, span := uint(0), uint(0)
	for i := range dst {
		if r.take(1) == 1 {
			if r.take(1) == 1 {
				trail = uint(r.take(6))
				span = uint(r.take(6)) + 1
			}
			before ^= r.take(span) << trail
		}
		dst[i] = math.Float64frombits(before)
	}
}

// floatBits are the bits of v, the same ones for every NaN.
func floatBits(v float64) uint64 {
	if v != v {
		v = math.NaN()
	}
	return math.Float64bits(v)
}
