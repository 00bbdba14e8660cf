package web

import (
	"math"
	"strconv"
)

// The size of a sparkline, in CSS pixels.
const (
	sparkWidth  = 120
	sparkHeight = 24
)

// A Spark is a small graph without axes.
type Spark struct {
	// Path is the d of an SVG path in a picture of 120 x 24.
	Path string
	// Peak is the greatest value, rounded, which is at the upper edge.
	Peak string
}

// NewSpark draws values at equal distances, from zero at the lower edge. NaN is a
// gap. Without any known value it is the zero Spark.
func NewSpark(values []float64) Spark {
	peak := math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			peak = math.Max(peak, v)
		}
	}
	if math.IsInf(peak, 0) {
		return Spark{}
	}
	var b []byte
	pen := false
	for i, v := range values {
		if math.IsNaN(v) {
			pen = false
			continue
		}
		y := float64(sparkHeight - 1)
		if peak > 0 {
			y -= math.Round(math.Max(v, 0) / peak * (sparkHeight - 2))
		}
		switch {
		case !pen:
			b = append(b, 'M')
		default:
			b = append(b, 'L')
		}
		pen = true
		b = strconv.AppendInt(b, int64(i*sparkWidth/max(len(values)-1, 1)), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(y), 10)
		// A value alone between gaps is a line without a length, which round
		// caps make a dot.
		if alone := (i == 0 || math.IsNaN(values[i-1])) && (i == len(values)-1 || math.IsNaN(values[i+1])); alone {
			b = append(b, "h0"...)
		}
	}
	return Spark{Path: string(b), Peak: compact(uint64(math.Round(math.Max(peak, 0))))}
}
