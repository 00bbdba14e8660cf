package rrd

import "math"

// wrap32 is what RRDtool adds to a negative difference of a COUNTER to undo a
// wrap at 2^32, and wrap64 what it adds besides if that was not enough. The first
// is one short; it is RRDtool's (rrd_update.c, update_pdp_prep), so it is ours.
const (
	wrap32 = 1<<32 - 1
	wrap64 = 1<<64 - 1<<32
)

// growth is by how much a Counter or Derive grew from a to b. The integers are
// subtracted exactly before anything is rounded, so that a counter that wraps at
// 2^64 keeps its low digits, which RRDtool loses.
func growth(t Type, a, b uint64) float64 {
	switch {
	case b >= a:
		return float64(b - a)
	case t == Derive:
		return -float64(a - b)
	case a-b <= wrap32:
		return float64(wrap32 - (a - b))
	}
	return float64(b - a - 1) // wrap32 and wrap64 are 2^64-1 together
}

// growthFloat is growth of values that are no integers of 64 bits; NaN if one of
// them is. RRDtool finds no difference between numbers of different sign
// (rrd_diff.c).
func growthFloat(t Type, a, b float64) float64 {
	if (a < 0) != (b < 0) {
		return math.NaN()
	}
	d := b - a
	if t == Counter && d < 0 {
		d += wrap32
		if d < 0 {
			d += wrap64
		}
	}
	return d
}
