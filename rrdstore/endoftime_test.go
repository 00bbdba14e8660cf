package rrdstore

import (
	"math"
	"testing"
	"time"
)

// TestQueriesBeyondTheLastTick ask for times that no tick can have: rows end with
// ticks, in 2106, and what is known is told.
func TestQueriesBeyondTheLastTick(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{Step: time.Hour})
	tick := int64(firstTick) / 86400 * 86400
	for i := range int64(30) {
		mustTend(t, s, table(1, 1, tick+i*3600, uint64(i)))
	}
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := time.Unix(math.MaxUint32, 0)
	far := time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)
	for _, end := range []time.Time{last.Add(-2 * day), last, last.Add(time.Second), far} {
		res, err := r.Fetch(t.Context(), Query{
			Series: r.Series()[1:2], Sources: []string{"active"}, Functions: []Function{Last}, Start: tickAt(tick), End: end, Resolution: day,
		})
		if err != nil {
			t.Errorf("until %v: %v", end, err)
			continue
		}
		if !res.Start.Equal(tickAt(tick)) || res.End().After(last) || last.Sub(res.End()) > 3*day {
			t.Errorf("until %v: rows from %v to %v", end, res.Start, res.End())
		}
		if v := res.Columns[0].Values; res.Rows == 0 || !Known(v[0]) || Known(v[1]) {
			t.Errorf("until %v: %d rows, of which the first is known and no other: %v", end, res.Rows, v[:min(2, len(v))])
		}
	}
	res, err := r.Fetch(t.Context(), Query{Series: r.Series()[1:2], Start: far, End: far, Resolution: day})
	if err != nil || res.Rows > 1 {
		t.Errorf("in %d: %d rows, %v", far.Year(), res.Rows, err)
	}
}
