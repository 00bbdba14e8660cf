package rrdstore

import (
	"testing"
	"time"
)

// TestSetStepIsTheArchives has rows come every minute after they came every ten
// seconds: no gaps, and a tier that is finer than them no longer fed.
func TestSetStepIsTheArchives(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{Tiers: []Tier{{30 * time.Second, day}, {5 * time.Minute, 7 * day}}})
	tick := int64(firstTick/3600*3600 + 3600)
	for i := range int64(720) {
		mustTend(t, s, table(1, 1, tick+i*10, uint64(i)))
	}
	if err := s.SetStep(time.Minute); err != nil {
		t.Fatal(err)
	}
	for i := range int64(180) {
		mustTend(t, s, table(1, 1, tick+7200+i*60, 720+uint64(i)))
	}
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info, err := r.Info(t.Context())
	if err != nil || info.Step != time.Minute || info.Heartbeat != 2*time.Minute {
		t.Errorf("info %+v, %v", info, err)
	}
	for _, l := range info.Levels {
		if l.Imported != (l.Step == 30*time.Second) {
			t.Errorf("level %+v", l)
		}
	}
	res, err := r.Fetch(t.Context(), Query{
		Series: r.Series()[1:2], Sources: []string{"connections"}, Start: tickAt(tick), End: tickAt(tick + 17700), Resolution: 5 * time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range res.Columns[0].Values[:res.Rows-1] {
		if !Known(v) {
			t.Errorf("row of %s is unknown", res.Time(i))
		}
	}
}

// TestRowsOfALongerStepStayKnown has rows come every ten seconds after they came
// every minute: the older ones were no gaps.
func TestRowsOfALongerStepStayKnown(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{Step: time.Minute})
	tick := int64(firstTick/3600*3600 + 3600)
	for i := range int64(170) {
		mustTend(t, s, table(1, 1, tick+i*60, uint64(i)))
	}
	if err := s.SetStep(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	for i := range int64(400) {
		mustTend(t, s, table(1, 1, tick+170*60+i*10, 170+uint64(i)))
	}
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	res, err := r.Fetch(t.Context(), Query{
		Series: r.Series()[1:2], Sources: []string{"connections"}, Start: tickAt(tick), End: tickAt(tick + 170*60), Resolution: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range res.Columns[0].Values {
		if !Known(v) {
			t.Fatalf("row of %s is unknown", res.Time(i))
		}
	}
}
