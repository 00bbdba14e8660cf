package rrdstore

import (
	"testing"
	"time"
)

// TestYoungStoreAnswersInItsFinestRows asks for more than there is: the windows of
// coarse tiers begin long before the first row, and reach back no further for it.
func TestYoungStoreAnswersInItsFinestRows(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{})
	start := int64(firstTick)/86400*86400 + 80000
	for i := range int64(900) { // over midnight: a window of five minutes' rows is closed
		mustTend(t, s, table(1, 1, start+i*10, uint64(i)))
	}
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := tickAt(start + 9000)
	for back, want := range map[time.Duration]time.Duration{time.Hour: 10 * time.Second, day: 10 * time.Second, 20 * day: 10 * time.Second} {
		res, err := r.Fetch(t.Context(), Query{Series: r.Series()[1:2], Start: now.Add(-back), End: now})
		if err != nil || res.Step != want {
			t.Errorf("%s: step %v, %v; want %s", back, res.Step, err, want)
		}
	}
}
