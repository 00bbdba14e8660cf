package rrd

import "math"

// A Function is a consolidation function, RRDtool's CF: how the data points of a
// row become its value.
type Function uint8

const (
	Average Function = iota // the mean of the known ones
	Min                     // the least of them
	Max                     // the greatest
	Last                    // the last one, unknown if that is
)

// Value is row i under f. It is NaN when more of the row's per data points are
// unknown than the share xff, from 0 to below 1, allows; for a row of one point
// that comes to nothing. Amounts stay amounts: the rate is the value over the step
// of the data points.
func (c *Cells) Value(i int, f Function, per uint32, xff float64) float64 {
	known := c.Known[i]
	if known == 0 || float64(per)-float64(known) > float64(per)*xff {
		return math.NaN()
	}
	switch f {
	case Average:
		return c.Sum[i] / float64(known)
	case Min:
		return c.Min[i]
	case Max:
		return c.Max[i]
	}
	return c.Last[i]
}

// Values sets dst to all rows' Value; it is as long as c.
func (c *Cells) Values(dst []float64, f Function, per uint32, xff float64) {
	for i := range dst {
		dst[i] = c.Value(i, f, per, xff)
	}
}
