package rrdstore

import (
	"context"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"lvs/dataplane"
)

// Stats tell how a store fares.
type Stats struct {
	// Bytes is the size of both files; Used, how much of head.db holds something.
	Bytes, Used int64
	// Rows is how many are in head.db, from Oldest to Newest, which are zero when
	// there is none.
	Rows           uint64
	Oldest, Newest time.Time
	// Begin is how far back either file goes, as of the last Maintain that left
	// nothing to do; zero if nothing is stored.
	Begin time.Time
	// Series is how many accounts are remembered, those gone included; Retired,
	// how many superseded ones old rows still need.
	Series, Retired int

	// Commits succeeded and Failures did not; CommitTime is what both took
	// together, and LastCommit the last one.
	Commits, Failures      uint64
	CommitTime, LastCommit time.Duration
	RowBytes               int // of the last row
	Unnumbered             int // entries left out of the last row, having no number
	// Windows of the head were removed, for they were in the archive or there was
	// no room; Reclaimed ones of either file, because the disk was full.
	Windows, Reclaimed uint64
	// Damaged is how many records were left out when the file was last read.
	Damaged int
	// Aside is where a damaged file was put in this process's time; empty: none.
	Aside string
}

// Stats is how the store fared up to the last commit. It never waits for one
// under way, however slow the disk.
func (s *Store) Stats() Stats {
	st := *s.published.Load()
	st.Bytes = s.fileSize()
	return st
}

// publish makes the present figures what Stats tells. The caller holds mu.
func (s *Store) publish() {
	st := s.stats
	st.Series, st.Retired, st.Used = len(s.byID), len(s.retired), s.used
	for _, w := range s.windows {
		st.Rows += w.rows
	}
	if len(s.windows) > 0 {
		st.Oldest = time.Unix(int64(s.windows[0].first), 0).UTC()
	}
	if s.tick != 0 {
		st.Newest = time.Unix(int64(s.tick), 0).UTC()
	}
	if st.Begin = s.began; st.Begin.IsZero() || st.Rows > 0 && st.Oldest.Before(st.Begin) {
		st.Begin = st.Oldest
	}
	s.published.Store(&st)
}

// findBegin finds how far back the archive goes. Its first window may begin
// before there was anything to put into it.
func (s *Store) findBegin(a *archive) error {
	first, end := uint32(math.MaxUint32), uint32(0)
	err := a.view(func(tx *bbolt.Tx) error {
		for _, l := range a.levels {
			b := levelBucket(tx, l.step)
			if b == nil {
				continue
			}
			if k, _ := b.Cursor().First(); len(k) == 4 && keyNumber(k) < first {
				first, end = keyNumber(k), addTick(keyNumber(k), l.span)
			}
		}
		return nil
	})
	if err != nil || end == 0 {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = tickTime(first)
	if d := s.byID[identity{}]; d != nil {
		if seen := d.firstSeen.time(); seen.After(s.began) && seen.Before(tickTime(end)) {
			s.began = seen.Truncate(time.Second)
		}
	}
	return nil
}

// Remembered is every account as of the last committed tick, ordered by
// [dataplane.Remembered.Compare].
func (s *Store) Remembered(ctx context.Context) ([]dataplane.Remembered, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.ready(); err != nil {
		return nil, err
	}
	epoch := ""
	if d := s.byID[identity{}]; d != nil {
		epoch = d.epoch
	}
	all := make([]dataplane.Remembered, 0, len(s.byID))
	for _, se := range s.byID {
		all = append(all, s.remembered(se, epoch))
	}
	slices.SortFunc(all, dataplane.Remembered.Compare)
	return all, nil
}

func (s *Store) remembered(se *series, epoch string) dataplane.Remembered {
	m := dataplane.Remembered{
		Key: se.id.key, RIP: se.id.rip, Epoch: epoch, Gone: se.gone,
		Status: se.status,
		Account: dataplane.Account{
			Number: se.sid, Total: se.total,
			FirstSeen: se.firstSeen.time(), LastSeen: se.lastSeen.time(),
			LastReset: se.lastReset.time(), Resets: se.resets, LastChange: se.lastChange.time(),
			Changes: se.changes, Failures: se.failures, Peak: se.covered,
		},
	}
	if se.gone {
		m.Epoch = se.epoch
	}
	if !se.held {
		m.Total = s.last[se.index]
	}
	if se.follows {
		m.LastSeen = s.time.time()
	}
	if se.id.rip.IsValid() {
		m.Number &= 0xffff
	} else {
		m.Number >>= 16
	}
	m.Kernel = minus(m.Total, se.offset)
	return m
}
