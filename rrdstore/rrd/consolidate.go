package rrd

import "math"

// Consolidate makes rows of per data points each, the first of them from the
// first of pdp, which has per points for each row of dst. RRDtool's rows end at
// multiples of their step since 1970: that the points begin after one is the
// caller's business.
func Consolidate(dst *Cells, pdp []float64, per int) {
	for i := range dst.Known {
		row := pdp[i*per : (i+1)*per]
		if sum, least, most, ok := positive(row); ok {
			dst.Known[i], dst.Sum[i], dst.Min[i], dst.Max[i], dst.Last[i] = uint32(per), sum, least, most, row[per-1]
			continue
		}
		known, sum := uint32(0), 0.0
		least, most := math.Inf(1), math.Inf(-1)
		for _, v := range row {
			if v != v {
				continue
			}
			known++
			sum += v
			if v < least {
				least = v
			}
			if v > most {
				most = v
			}
		}
		if known == 0 {
			sum, least, most = math.NaN(), math.NaN(), math.NaN()
		}
		dst.Known[i], dst.Sum[i], dst.Min[i], dst.Max[i], dst.Last[i] = known, sum, least, most, row[per-1]
	}
}

// positive is the sum, the least and the greatest of values if all are known and none
// has a sign. Then their bits are in the order of the values, and integers are
// compared without branches, which nobody could foresee.
func positive(values []float64) (sum, least, most float64, ok bool) {
	lo, hi := ^uint64(0), uint64(0)
	for _, v := range values {
		b := math.Float64bits(v)
		lo, hi = min(lo, b), max(hi, b)
		sum += v
	}
	if hi > infinity { // NaN, or a sign
		return 0, 0, 0, false
	}
	return sum, math.Float64frombits(lo), math.Float64frombits(hi), true
}

const infinity = 0x7ff << 52 // the bits of +Inf

// Merge makes each row of dst of the next n rows of src, which has n for each of
// dst's. It is what Consolidate makes of the data points of both.
func Merge(dst, src *Cells, n int) {
	for i := range dst.Known {
		known, sum := uint32(0), 0.0
		least, most := math.Inf(1), math.Inf(-1)
		for k := i * n; k < (i+1)*n; k++ {
			if src.Known[k] == 0 {
				continue
			}
			known += src.Known[k]
			sum += src.Sum[k]
			least, most = min(least, src.Min[k]), max(most, src.Max[k])
		}
		if known == 0 {
			sum, least, most = math.NaN(), math.NaN(), math.NaN()
		}
		dst.Known[i], dst.Sum[i], dst.Min[i], dst.Max[i], dst.Last[i] = known, sum, least, most, src.Last[(i+1)*n-1]
	}
}

// Overlay fills the rows of c of which nothing is known from o, which is as long.
func (c *Cells) Overlay(o *Cells) {
	for i, known := range c.Known {
		if known == 0 {
			c.Known[i], c.Sum[i], c.Min[i], c.Max[i], c.Last[i] = o.Known[i], o.Sum[i], o.Min[i], o.Max[i], o.Last[i]
		}
	}
}
