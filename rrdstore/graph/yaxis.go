package graph

import (
	"math"
	"strconv"
)

// A scale is the value axis: what is at the lower and upper end of the plot, and
// the values that are labelled, multiples of step.
type scale struct {
	low, high   float64
	step        float64 // 1, 2 or 5 times a power of ten
	first, last int     // the labelled multiples of step
	decimals    int     // of labels, after their prefix
	prefix      int     // in thousands
	exponent    bool    // labels are too large or too small for prefixes
}

// newScale is the axis for values from low to high, and zero, with about n steps.
// Whole values are not divided.
func newScale(low, high float64, n int, whole bool) scale {
	low, high = min(low, 0), max(high, 0)
	if max(high, -low) < leastValue {
		low, high = 0, 1
	}
	// Room above the highest peak, so that its line does not touch the frame.
	room := 0.04 * (high - low)
	if high > 0 {
		high += room
	}
	if low < 0 {
		low -= room
	}
	s := scale{low: low, high: high}
	var exp int
	// Zero alone is no scale: a low plot has a step more then.
	for n = max(n, 1); s.first == s.last; n++ {
		s.step, exp = niceStep((high - low) / float64(n))
		if whole && s.step < 1 {
			s.step, exp = 1, 0
		}
		s.first, s.last = int(math.Ceil(low/s.step)), int(math.Floor(high/s.step))
	}
	top := s.step * float64(max(s.last, -s.first))
	for top >= 1000 && s.prefix < len(prefixes)-1 {
		top, s.prefix = top/1000, s.prefix+1
	}
	s.decimals = max(0, 3*s.prefix-exp)
	s.exponent = s.decimals > 4 || top >= 1e4
	return s
}

// niceStep is the least of 1, 2 and 5 times a power of ten that is at least
// rough, and the exponent of that power.
func niceStep(rough float64) (step float64, exp int) {
	exp = int(math.Floor(math.Log10(rough)))
	for _, m := range [...]float64{1, 2, 5} {
		// Of a rough step that is nice but for the last bit, that is meant.
		if step = m * math.Pow10(exp); step >= rough*(1-1e-9) {
			return step, exp
		}
	}
	return math.Pow10(exp + 1), exp + 1
}

// label is the text at the i-th multiple of the step.
func (s *scale) label(i int, mirrored bool) string {
	v := s.step * float64(i)
	switch {
	case i == 0:
		return "0"
	case mirrored:
		v = math.Abs(v)
	}
	if s.exponent {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	text := strconv.FormatFloat(v/math.Pow10(3*s.prefix), 'f', s.decimals, 64)
	if s.prefix > 0 {
		text += " " + prefixes[s.prefix]
	}
	return text
}
