package rrdstore

import (
	"runtime"
	"testing"
	"time"
)

// TestFetchOfTimesBeforeTheStoreIsCheap asks a young store, of whose tiers no window
// is over, for days since 1980.
func TestFetchOfTimesBeforeTheStoreIsCheap(t *testing.T) {
	s := mustOpen(t, t.TempDir(), Options{})
	for i := range int64(200) {
		mustTend(t, s, table(2, 2, firstTick+10*i, uint64(i)))
	}
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, resolution := range []time.Duration{day, time.Hour, 17 * time.Hour} {
		res, err := r.Fetch(t.Context(), Query{Series: r.Series()[1:2], Start: tickAt(10 * 365 * 86400), End: tickAt(firstTick + 2*86400), Resolution: resolution})
		if err != nil || res.Step != resolution {
			t.Fatalf("not rows of %v: %v", resolution, err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
		t.Errorf("that took %d MiB", n>>20)
	}
}

// TestRowsThatOutliveTiers keeps the rows of ten days and of tiers as little as can
// be: what those gave up is made of rows again.
func TestRowsThatOutliveTiers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{
		Step: time.Minute, Retention: 1000 * time.Hour,
		Tiers: []Tier{{time.Minute, time.Minute}, {5 * time.Minute, 5 * time.Minute}, {time.Hour, time.Hour}},
	})
	w := newWitness(60, 120)
	id := identity{key: testKey(0)}
	var points []Point
	for i := range int64(10 * 1440) {
		if i%100 < 3 {
			continue // gaps
		}
		tick, v := firstTick+60*i, uint64(i*i%1009)
		w.add(id.String()+" active", Gauge, uint32(tick), v, 0)
		points = append(points, Point{tickAt(tick), id.key, id.rip, standardSources[5], UintValue(v)})
	}
	mustImport(t, s, points)
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info, err := r.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range info.Levels[1:] {
		if l.Windows > 24 { // until the next tier's first one is over
			t.Errorf("%d windows of %v are there", l.Windows, l.Step)
		}
	}
	for _, resolution := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, day} {
		for _, start := range []int64{firstTick - 90000, firstTick + 100000, firstTick + 9*86400} {
			q := Query{Series: r.Series()[:1], Sources: []string{"active"}, Functions: []Function{Average, Min, Max, Last}, Start: tickAt(start), End: tickAt(firstTick + 10*86400), Resolution: resolution}
			if n := w.compare(t, r, q); n < 4 {
				t.Errorf("%v: %d values were known", resolution, n)
			}
		}
	}
}
