package rrd

import (
	"math"
	"strconv"
	"testing"

	"lvs/internal/lab"
)

// randomDatabases is how many the comparison makes unless LVS_RRDS tells.
const randomDatabases = 500

// tally counts what the comparison found.
type tally struct {
	cells, numeric    int
	wrapped, canceled int // different, by RRDtool's rounding
}

// All cells of all archives of random databases are what the real rrdtool makes
// of the same updates.
func TestEqualsRRDtool(t *testing.T) {
	r := startTool(t)
	var sum tally
	for number := range lab.Repeat(t, "LVS_RRDS", randomDatabases) {
		d := randomDatabase(number)
		r.make(d)
		dump := r.dump()
		if len(dump) != len(d.archives) {
			t.Fatalf("database %d: %d archives dumped, want %d", number, len(dump), len(d.archives))
		}
		for i, a := range d.archives {
			for k := range d.series {
				if !sum.compare(t, d, a, &d.series[k], k, dump[i]) {
					t.Fatalf("database %d, archive %d, source %d: step %d, %+v, %+v", number, i, k, d.step, a, d.series[k].Source)
				}
			}
		}
	}
	t.Logf("%d cells, %d of them numbers; %d differ where a COUNTER lost its digits at 2^64, and %d where values cancel out",
		sum.cells, sum.numeric, sum.wrapped, sum.canceled)
	if sum.numeric < sum.cells/20 || sum.wrapped == 0 {
		t.Error("the databases hold too little to show anything")
	}
}

// compare holds one source's column of an archive against the dump.
func (n *tally) compare(t *testing.T, d *database, a archive, s *series, column int, dump []dumped) bool {
	t.Helper()
	if len(dump) != a.rows {
		t.Errorf("%d rows dumped, want %d", len(dump), a.rows)
		return false
	}
	got := d.consolidate(a, s.Source, &s.Updates)
	var theirs []float64 // by RRDtool's own subtraction
	ok := true
	for i, row := range dump {
		end := d.end(a) - uint32(a.rows-1-i)*d.step*uint32(a.per)
		want := row.values[column]
		n.cells++
		if want == want {
			n.numeric++
		}
		if row.end == end && near(got[i], want) {
			continue
		}
		if s.Type == Counter && theirs == nil {
			lossy := s.lossy()
			theirs = d.consolidate(a, Source{Absolute, s.Heartbeat, s.Min, s.Max}, &lossy)
		}
		switch {
		case row.end == end && s.Type == Counter && near(theirs[i], want):
			n.wrapped++
		case row.end == end && s.Type != Counter && math.Abs(got[i]-want) < 1e-12*s.largest(end-d.step*uint32(a.per), end):
			n.canceled++
		default:
			t.Errorf("row that ends at %d (dumped as %d): %v, rrdtool says %v", end, row.end, got[i], want)
			ok = false
		}
	}
	return ok
}

// end is the end of an archive's last row.
func (d *database) end(a archive) uint32 {
	last := d.times[len(d.times)-1]
	return last - last%(d.step*uint32(a.per))
}

// consolidate is a source's column of an archive: in two stages where per is not
// prime, as coarser tiers are made of finer ones.
func (d *database) consolidate(a archive, src Source, u *Updates) []float64 {
	pdp := make([]float64, a.rows*a.per)
	DataPoints(pdp, d.end(a)-uint32(len(pdp))*d.step, d.step, src, u)
	if src.Type != Gauge {
		for i := range pdp {
			pdp[i] /= float64(d.step)
		}
	}
	stage := 2
	for stage < a.per && a.per%stage != 0 {
		stage++
	}
	var fine, rows Cells
	rows.Resize(a.rows)
	if stage < a.per {
		fine.Resize(len(pdp) / stage)
		Consolidate(&fine, pdp, stage)
		Merge(&rows, &fine, a.per/stage)
	} else {
		Consolidate(&rows, pdp, a.per)
	}
	values := make([]float64, a.rows)
	rows.Values(values, a.function, uint32(a.per), a.xff)
	return values
}

// near is equality as far as rrdtool prints digits.
func near(a, b float64) bool {
	return a == b || a != a && b != b || math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
}

// largest is the largest that the source's values and differences are in a time
// or at its borders, whatever their signs: the sums of a row that cancel out are
// no more exact than those.
func (s *series) largest(from, to uint32) (most float64) {
	for i := 1; i < len(s.Times); i++ {
		if s.Times[i] <= from || s.Times[i-1] >= to {
			continue
		}
		v := s.value(i)
		if s.Type == Derive {
			v -= s.value(i - 1)
		}
		most = max(most, math.Abs(v))
	}
	return most
}

// lossy is a COUNTER's updates as amounts of which those that wrap at 2^64 were
// subtracted as RRDtool does it: the exact difference becomes a floating-point
// number, and only then is the wrap undone. That the package loses nothing there
// is what FuzzGrowth is for.
func (s *series) lossy() Updates {
	u := Updates{Times: s.Times, Floats: make([]float64, len(s.Times))}
	for i := range u.Floats {
		switch {
		case i == 0 || s.unknown(i) || s.unknown(i-1):
			u.Floats[i] = math.NaN()
		case s.Uints[i-1] > s.Uints[i] && s.Uints[i-1]-s.Uints[i] >= 1<<32:
			u.Floats[i] = lossyWrap(s.Uints[i-1] - s.Uints[i])
		default:
			u.Floats[i] = growth(Counter, s.Uints[i-1], s.Uints[i])
		}
	}
	return u
}

// lossyWrap undoes a decrease that is too large for a wrap at 2^32. It reads the
// decrease as rrdtool reads numbers, digit by digit.
func lossyWrap(decrease uint64) float64 {
	v := 0.0
	for _, c := range strconv.FormatUint(decrease, 10) {
		v = float64(v*10) + float64(c-'0')
	}
	return float64(-v+(1<<32-1)) + (1<<64 - 1<<32)
}
