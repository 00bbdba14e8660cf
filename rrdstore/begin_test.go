package rrdstore

import "testing"

// How far back a store goes is the first tick of all, however many windows the
// head gave to the archive, and after the store was opened again.
func TestStatsTellHowFarBackTheStoreGoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{})
	if b := s.Stats().Begin; !b.IsZero() {
		t.Errorf("an empty store begins at %v", b)
	}
	first := table(1, 2, stepAt(0), 0)
	for i := range uint64(1500) { // four hours
		snap := table(1, 2, stepAt(i), i)
		snap.Director.FirstSeen = first.Time
		mustCommit(t, s, snap)
	}
	mustMaintain(t, s)
	st := s.Stats()
	if !st.Begin.Equal(tickAt(stepAt(0))) || st.Oldest.Before(st.Begin) {
		t.Errorf("the store begins at %v and its head at %v, want %v and not before", st.Begin, st.Oldest, tickAt(stepAt(0)))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, Options{})
	mustMaintain(t, s)
	if b := s.Stats().Begin; !b.Equal(tickAt(stepAt(0))) {
		t.Errorf("opened again it begins at %v, want %v", b, tickAt(stepAt(0)))
	}
	// Older rows come by import: then it is their window that tells.
	if _, err := s.ImportPoints(t.Context(), pointsOf("queue", 0, 40, stepAt(0)-100_000, 10)); err != nil {
		t.Fatal(err)
	}
	mustMaintain(t, s)
	if b := s.Stats().Begin; b.After(tickAt(stepAt(0) - 100_000)) {
		t.Errorf("with older rows imported it begins at %v", b)
	}
}
