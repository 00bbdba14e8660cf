// Package rrd is RRDtool's arithmetic: how updates become primary data points,
// how those become consolidated rows, and which archive answers a question. It
// computes what rrdtool (1.7.2) computes on the same updates, and knows no files.
//
// A primary data point (PDP) is the value of one step; a consolidated data point
// (CDP) is one row of an archive, made of a whole number of PDPs. Both are named
// by the end of their interval. NaN is unknown.
//
// The data points of counters are amounts here, by how much the counter grew in
// the step, rather than rates: so they stay integers where nothing was missed.
//
// Two things are better than RRDtool's. A counter that wraps at 2^64 keeps its low
// digits. And where an interval is longer than a whole archive, RRDtool writes the
// row in which it began over the oldest one; here every row is in its place.
package rrd

import (
	"math"
	"slices"
)

// Cells are consolidated rows of one data source, with all that is needed to
// consolidate them further. The slices have one element for each row.
type Cells struct {
	// Known is how many of the row's primary data points were known.
	Known []uint32
	// Sum, Min and Max are of those; NaN where there is none.
	Sum, Min, Max []float64
	// Last is the last data point of the row, NaN if that one is unknown.
	Last []float64
}

// Resize makes c n rows long, all of them unknown.
func (c *Cells) Resize(n int) {
	c.Known = slices.Grow(c.Known[:0], n)[:n]
	clear(c.Known)
	for _, v := range [...]*[]float64{&c.Sum, &c.Min, &c.Max, &c.Last} {
		*v = slices.Grow((*v)[:0], n)[:n]
		for i := range *v {
			(*v)[i] = math.NaN()
		}
	}
}
