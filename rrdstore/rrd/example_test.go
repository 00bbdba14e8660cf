package rrd_test

import (
	"fmt"
	"math"

	"lvs/rrdstore/rrd"
)

// A byte counter that is read every 10 seconds, missed once and then begins anew,
// as rows of 30 seconds and of a minute.
func Example() {
	u := rrd.Updates{
		Times: []uint32{1200, 1210, 1220, 1240, 1250, 1260},
		Uints: []uint64{5000, 5100, 5300, 6300, 40, 90},
	}
	src := rrd.Source{Type: rrd.Derive, Heartbeat: 25, Min: 0, Max: math.NaN()}
	pdp := make([]float64, 6)
	rrd.DataPoints(pdp, 1200, 10, src, &u)
	fmt.Println("bytes in 10 s:", pdp)

	var half, minute rrd.Cells
	half.Resize(2)
	rrd.Consolidate(&half, pdp, 3)
	minute.Resize(1)
	rrd.Merge(&minute, &half, 2)
	fmt.Println("known:", half.Known, minute.Known)
	fmt.Println("bytes/s, mean:", minute.Value(0, rrd.Average, 6, 0.5)/10)
	fmt.Println("bytes/s, peak:", minute.Value(0, rrd.Max, 6, 0.5)/10)
	fmt.Println("with no point unknown:", minute.Value(0, rrd.Average, 6, 0)/10)
	// Output:
	// bytes in 10 s: [100 200 500 500 NaN 50]
	// known: [3 2] [5]
	// bytes/s, mean: 27
	// bytes/s, peak: 50
	// with no point unknown: NaN
}
