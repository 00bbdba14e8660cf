package rrdstore

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"go.etcd.io/bbolt"
)

const (
	// expireAtOnce bounds the windows a tick removes, garbageAtOnce the series.
	expireAtOnce  = 4
	garbageAtOnce = 4096
)

// expired is how many of the oldest windows go with this tick: those all of whose
// rows are too old, and one where the file is too full. The window under way
// always stays.
func (s *Store) expired(tick uint32) (n int) {
	oldest := int64(tick) - int64(s.opts.Retention/time.Second)
	for n < min(expireAtOnce, len(s.windows)-1) && int64(s.windows[n+1].first) <= oldest {
		n++
	}
	if n == 0 && len(s.windows) > 1 && s.used() > s.opts.softBytes() {
		n = 1
	}
	return n
}

// used is how many bytes of the file hold something.
func (s *Store) used() (n int64) {
	stats := s.db.Stats()
	_ = s.db.View(func(tx *bbolt.Tx) error {
		n = tx.Size() - int64(stats.FreePageN+stats.PendingPageN)*pageSize
		return nil
	})
	return n
}

// reclaim gives up the oldest window so that a tick finds room on a full disk.
// It reports whether it did.
func (s *Store) reclaim() bool {
	if s.stale && s.guard(s.load) != nil || len(s.windows) < 2 {
		return false
	}
	err := s.guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(bucketRow)).DeleteBucket(windowKey(s.windows[0].first))
		})
	})
	s.stale = true
	if err != nil {
		return false
	}
	s.stats.Reclaimed++
	if s.stats.Reclaimed == 1 {
		s.opts.Logger.Warn("no room for the store, giving up its oldest rows")
	}
	return true
}

// garbage drops series that no row names any more: those superseded before the
// oldest row, and those gone for longer than Forget.
func (s *Store) garbage(p *plan) {
	oldest := p.tick
	if len(s.windows) > 0 {
		oldest = s.windows[0].first
	}
	for k, until := range s.retired {
		if until <= oldest && len(s.drops) < garbageAtOnce {
			s.drops = append(s.drops, k)
		}
	}
	limit := min(stamp(int64(p.tick)*int64(time.Second)-int64(s.opts.Forget)), stamp(int64(oldest)*int64(time.Second)))
	for id, se := range s.byID {
		if se.gone && se.index < 0 && se.seen != p.tick && se.lastSeen < limit && len(s.drops) < garbageAtOnce {
			s.drops = append(s.drops, se.seriesKey)
			delete(s.byID, id)
			delete(s.bySID, se.sid)
		}
	}
}

// replace puts a file aside that proved damaged while it was in use, and starts
// a new one, which the tick at hand fills with every account that is present.
func (s *Store) replace() error {
	// bbolt may hold its locks for ever after a panic: closing it is not waited
	// for. The file it maps stays valid under its new name.
	go func(db *bbolt.DB) { _ = guard(db.Close) }(s.db)
	aside, err := putAside(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("put damaged file aside: %w", err)
	}
	s.opts.Logger.Error("store proved damaged in use, starting a new one", "aside", aside, "err", s.broken)
	s.stats.Aside = aside
	return s.openHead()
}
