package rrdstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

const (
	// expireAtOnce bounds the windows a tick removes, garbageAtOnce the series.
	expireAtOnce  = 4
	garbageAtOnce = 4096
)

// expired is how many of the oldest windows go with this tick: those whose rows
// are in the archive, and one where the file is too full. The window under way
// always stays.
func (s *Store) expired() (n int) {
	archived := s.archived.Load()
	if behind := s.behind.Load(); behind != 0 {
		archived = min(archived, behind)
	}
	for n < min(expireAtOnce, len(s.windows)-1) && s.windows[n].last < archived {
		n++
	}
	if n == 0 && len(s.windows) > 1 && s.used > s.opts.softBytes() {
		n = 1
	}
	return n
}

// growth is by how much a file grows when it is full: by more the larger it is, so
// that a small one stays small.
func growth(size, most int64) int { return int(min(max(size/8/pageSize*pageSize, 64<<10), most)) }

// measure learns how much of the file is there and in use.
func (s *Store) measure() {
	stats := s.db.Stats()
	_ = s.db.View(func(tx *bbolt.Tx) error {
		s.high = tx.Size()
		s.used = s.high - int64(stats.FreePageN+stats.PendingPageN)*pageSize
		s.db.AllocSize = growth(s.high, s.opts.growBytes())
		return nil
	})
}

// reclaim gives up the oldest window so that a tick finds room on a full disk.
// It reports whether it did.
func (s *Store) reclaim() bool {
	if s.stale && s.guard(s.load) != nil || len(s.windows) < 2 {
		return false
	}
	err := s.guard(func() error {
		return s.update(func(tx *bbolt.Tx) error {
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

// errMoved and errCut say that a file is no longer what was opened.
var (
	errMoved = errors.New("it was removed or replaced while in use")
	errCut   = errors.New("it was cut while in use")
)

// intact looks at head.db from outside. bbolt would go on writing a file that has
// no name any more, and faults on one that was cut short.
func (s *Store) intact() error { return intact(filepath.Join(s.dir, headName), s.opened, s.high) }

// intact compares a file with what was opened, of which high bytes were in use.
func intact(path string, opened fs.FileInfo, high int64) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, opened):
		return &DamagedError{Path: path, Err: errMoved}
	case err != nil:
		return err
	case info.Size() < high:
		return &DamagedError{Path: path, Err: fmt.Errorf("%w: from %d bytes or more to %d", errCut, high, info.Size())}
	}
	return nil
}

// replace gives up a file that proved damaged while it was in use, puts it aside
// and starts a new one, which the tick at hand fills with every account that is
// present. One that took its place meanwhile is used if it is good.
func (s *Store) replace() error {
	cause := s.broken
	_ = closeBolt(s.db, errFault)
	var err error
	if errors.Is(cause, errMoved) {
		err = s.openHead()
		if err == nil {
			s.opts.Logger.Error("store was removed or replaced, using what is there now")
			return nil
		}
	}
	if err == nil || errors.Is(err, ErrDamaged) {
		if s.stats.Aside, err = putAside(s.dir, headName); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("replace damaged store: %w", err)
	}
	s.opts.Logger.Error("store proved damaged in use, starting a new one", "aside", s.stats.Aside, "err", cause)
	return s.openHead()
}
