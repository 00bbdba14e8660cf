package graph

import (
	"math"
	"slices"
	"time"
)

// A summary is a trace in figures, for the table. What is unknown is NaN.
type summary struct {
	last, min, avg, max, p95 float64
	total                    float64 // of a rate: its mean times the time that is known
	peak                     int     // the row of max; -1: none
}

// summarize takes rows from up to and excluding to.
func (t *Trace) summarize(from, to int, step time.Duration) summary {
	nan := math.NaN()
	s := summary{nan, nan, nan, nan, nan, nan, -1}
	all := make([]float64, 0, max(to-from, 0))
	sum := 0.0
	for i := from; i < to; i++ {
		v := at(t.Values, i)
		if !known(v) {
			continue
		}
		s.last = v
		sum += v
		all = append(all, v)
		lo, hi := v, v
		if t.Min != nil {
			lo = at(t.Min, i)
		}
		if t.Max != nil {
			hi = at(t.Max, i)
		}
		if known(lo) && !(lo >= s.min) {
			s.min = lo
		}
		if known(hi) && !(hi <= s.max) {
			s.max, s.peak = hi, i
		}
	}
	if len(all) > 0 {
		s.avg = sum / float64(len(all))
		s.p95 = percentile(all, 95)
		s.total = sum * step.Seconds()
	}
	return s
}

// percentile is the least value that p per cent of all are not above (nearest
// rank). It sorts all.
func percentile(all []float64, p float64) float64 {
	slices.Sort(all)
	rank := int(math.Ceil(p * float64(len(all)) / 100))
	return all[min(max(rank, 1), len(all))-1]
}
