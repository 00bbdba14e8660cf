package rrdstore

import (
	"testing"
	"time"
)

// TestImportedRowsAreReadBesideLiveOnes brings a year of days, a month of half
// hours and a week of five minutes into a store that has two days of its own.
func TestImportedRowsAreReadBesideLiveOnes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{Step: time.Minute})
	start := int64(1_700_000_000) / 86400 * 86400
	for i := range int64(2 * 86400 / 60) {
		mustTend(t, s, table(1, 1, start+i*60, uint64(i)*60))
	}
	now := start + 2*86400
	src, key := StandardSources()[0], testKey(0)
	for step, rows := range map[int64]int64{86400: 365, 1800: 31 * 48, 300: 7 * 288} {
		values := make([]float64, rows)
		for i := range values {
			values[i] = 7
		}
		r := &Rows{Key: key, Source: src, Step: time.Duration(step) * time.Second, Start: tickAt(now - now%step - rows*step), Values: values}
		for _, f := range []Function{Average, Max} {
			r.Function = f
			if _, err := s.ImportRows(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
	}
	mustMaintain(t, s)
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for resolution, back := range map[time.Duration]time.Duration{day: 365 * day, 30 * time.Minute: 31 * day, 5 * time.Minute: 7 * day} {
		res, err := r.Fetch(t.Context(), Query{
			Series: r.Series()[1:2], Sources: []string{src.Name}, Functions: []Function{Max},
			Start: tickAt(now).Add(-back), End: tickAt(now - 60), Resolution: resolution,
		})
		if err != nil || res.Step != resolution {
			t.Fatalf("step %v, %v", res, err)
		}
		rows := map[float64]int{}
		for _, v := range res.Columns[0].Values[:res.Rows-1] {
			rows[v]++
		}
		live := int(2*day/resolution) - 1
		if rows[1] < live || rows[7] < res.Rows-live-4 || len(rows) != 2 {
			t.Errorf("%s: of %d rows so many have each value: %v", resolution, res.Rows, rows)
		}
	}
}
