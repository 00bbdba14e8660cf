package rrdstore

import (
	"testing"
	"time"
)

// TestFileStaysBounded runs a store through two months of ticks of half an hour,
// with more churn than a day's rows hold, and through a table too large for the
// retention asked for.
func TestFileStaysBounded(t *testing.T) {
	t.Parallel()
	const maxBytes = 12 << 20
	for name, c := range map[string]struct {
		services, reals int
		interval        int64
		ticks           int
		wantSpan        time.Duration // of rows at the end, at least
	}{
		"by age":  {3, 8, 1800, 1016, 24 * time.Hour},
		"by size": {20, 50, 10, 600, 20 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			checkAfter(t, dir)
			s := mustOpen(t, dir, Options{MaxBytes: maxBytes, Forget: 48 * time.Hour})
			worst := int64(0)
			for i := range c.ticks {
				tick := firstTick + int64(i)*c.interval
				snap := table(c.services, c.reals, tick, uint64(i*i))
				// Real servers come and go, and their numbers pass on.
				for j := range snap.Services {
					reals := snap.Services[j].Reals
					for k := range reals {
						if (k+i/50)%4 == 0 {
							reals[k].RIP = testRIP(1000 + (k+i/200)%2000)
						}
					}
				}
				mustTend(t, s, snap)
				worst = max(worst, s.fileSize())
			}
			st := s.Stats()
			if worst > maxBytes {
				t.Errorf("file grew to %d bytes, limit %d", worst, maxBytes)
			}
			if st.Windows == 0 || st.Failures != 0 || st.Reclaimed != 0 {
				t.Errorf("stats %+v", st)
			}
			span := st.Newest.Sub(st.Oldest)
			if span < c.wantSpan {
				t.Errorf("rows span %v, want %v or more", span, c.wantSpan)
			}
			if name == "by age" && span > 100*time.Hour {
				t.Errorf("rows span %v, though 24 h and some windows are to be kept", span)
			}
			if limit := c.services * c.reals * 4; st.Series+st.Retired > limit {
				t.Errorf("%d series and %d retired ones, want %d at most", st.Series, st.Retired, limit)
			}
			checkWindowOrder(t, s)
		})
	}
}

func checkWindowOrder(t *testing.T, s *Store) {
	t.Helper()
	for i, w := range s.windows {
		if w.rows == 0 || w.last < w.first || i > 0 && w.first <= s.windows[i-1].last {
			t.Errorf("window %d: %+v", i, w)
		}
	}
}

func TestGoneAccountsAreForgottenInTime(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	opts := Options{Retention: 2 * time.Hour, Forget: 10 * time.Hour}
	s := mustOpen(t, dir, opts)
	mustCommit(t, s, table(3, 3, firstTick, 1))
	for i := range int64(200) {
		mustTend(t, s, table(2, 3, firstTick+300+i*300, 1))
		hours := float64(i*300) / 3600
		got := len(mustRemember(t, s))
		switch {
		case hours < 10 && got != 1+3+9:
			t.Fatalf("%d accounts after %.1f h, want 13", got, hours)
		case hours > 16 && got != 1+2+6:
			t.Fatalf("%d accounts after %.1f h, want 9", got, hours)
		}
	}
	// It counts for good only once it is in the file.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := len(mustRemember(t, mustOpen(t, dir, opts))); got != 9 {
		t.Errorf("%d accounts after reopening, want 9", got)
	}
}

func TestLongGapEndsAWindow(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{Retention: 3 * time.Hour})
	for i := range int64(100) {
		mustTend(t, s, table(1, 2, firstTick+i*10, uint64(i)))
	}
	mustTend(t, s, table(1, 2, firstTick+30*86400, 200))
	mustCommit(t, s, table(1, 2, firstTick+30*86400+10, 201))
	if st := s.Stats(); st.Rows != 2 || !st.Oldest.Equal(tickAt(firstTick+30*86400)) {
		t.Errorf("stats %+v", st)
	}
}
