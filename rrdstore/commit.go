package rrdstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"lvs/dataplane"
)

// windowRows and windowSpan say when a window is full: after an hour, though not
// before it has rows enough to make its keyframe worthwhile.
const (
	windowRows = keyframeEvery
	windowSpan = 3600
)

// Commit stores a tick of the sampler: its row, and of every account what the
// row does not tell. All of it is durable when Commit returns nil, and none of it
// when it returns an error, except that a failing disk may have kept it
// nonetheless; the next Commit finds out. Services and real servers without a
// number are left out and counted.
//
// A tick that is not after the last one is a [*TickError]. Where the disk or
// MaxBytes leaves no room the oldest window is given up once and the tick tried
// again. A canceled ctx keeps Commit from starting, not from ending.
func (s *Store) Commit(ctx context.Context, snap *dataplane.Snapshot) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("commit tick: %w", err)
	}
	begin := time.Now()
	defer s.publish()
	err := s.commit(snap)
	s.stats.LastCommit = time.Since(begin)
	s.stats.CommitTime += s.stats.LastCommit
	if err != nil {
		s.stats.Failures++
		return fmt.Errorf("commit tick: %w", err)
	}
	s.stats.Commits++
	return nil
}

func (s *Store) commit(snap *dataplane.Snapshot) error {
	if err := s.ready(); err != nil {
		return err
	}
	tick := snap.Tick.Unix()
	if tick <= 0 || tick > math.MaxUint32 || snap.Tick.Nanosecond() != 0 {
		return &TickError{Tick: snap.Tick}
	}
	if uint32(tick) <= s.tick {
		return &TickError{Tick: snap.Tick, Last: time.Unix(int64(s.tick), 0)}
	}
	err := s.guard(func() error { return s.write(snap, uint32(tick)) })
	if noSpace(err) && s.reclaim() {
		err = s.guard(func() error { return s.write(snap, uint32(tick)) })
	}
	return err
}

// ready brings memory in line with the file after a failure, and puts a file
// aside that proved damaged while it was in use.
func (s *Store) ready() error {
	if suspect := s.suspect.Load(); s.broken == nil && suspect != nil {
		s.broken = *suspect
	}
	if s.broken == nil {
		if err := s.intact(); err != nil {
			s.broken = err
			return err
		}
	} else if err := s.replace(); err != nil {
		return err
	}
	if s.stale {
		return s.guard(s.load)
	}
	return nil
}

// write plans the tick and stores it in one transaction.
func (s *Store) write(snap *dataplane.Snapshot, tick uint32) error {
	if s.stale { // an attempt before this one failed
		if err := s.load(); err != nil {
			return err
		}
	}
	s.stale = true
	p, err := s.plan(snap, tick)
	if err != nil {
		return err
	}
	expired := s.expired()
	if err := s.update(func(tx *bbolt.Tx) error { return s.store(tx, p, expired) }); err != nil {
		return err
	}
	s.accept(p, expired)
	s.stale = false
	return nil
}

// store is the transaction of a tick.
func (s *Store) store(tx *bbolt.Tx, p *plan, expired int) error {
	rows, all := tx.Bucket([]byte(bucketRow)), tx.Bucket([]byte(bucketSeries))
	for _, w := range s.windows[:expired] {
		if err := rows.DeleteBucket(windowKey(w.first)); err != nil {
			return fmt.Errorf("remove window %d: %w", w.first, err)
		}
	}
	for _, k := range s.drops {
		if err := all.Delete(k.bytes()); err != nil {
			return fmt.Errorf("remove series: %w", err)
		}
	}
	for i := range s.puts {
		put := &s.puts[i]
		if err := all.Put(put.key.bytes(), put.record.append(nil, put.key)); err != nil {
			return fmt.Errorf("put series: %w", err)
		}
	}
	if len(s.peakRecord) > 0 {
		if err := tx.Bucket([]byte(bucketMeta)).Put([]byte(keyPeaks), s.peakRecord); err != nil {
			return fmt.Errorf("put peaks: %w", err)
		}
	}
	w, err := rows.CreateBucketIfNotExists(windowKey(p.window))
	if err != nil {
		return fmt.Errorf("put window: %w", err)
	}
	w.FillPercent = 1 // keys only ever come at the end
	for _, r := range s.writer.records {
		if err := w.Put(r.key.bytes(), s.writer.buf[r.start:r.end:r.end]); err != nil {
			return fmt.Errorf("put row: %w", err)
		}
	}
	return w.SetSequence(w.Sequence() + 1)
}

// accept makes what was planned the state, now that it is durable.
func (s *Store) accept(p *plan, expired int) {
	s.windows = append(s.windows[:0], s.windows[expired:]...)
	if p.newWindow {
		s.windows = append(s.windows, window{first: p.window})
		s.windowBytes = 0
	}
	w := &s.windows[len(s.windows)-1]
	w.last = p.tick
	w.rows++
	s.windowBytes += int64(len(s.writer.buf))
	s.fresh = false
	for _, k := range s.drops {
		delete(s.retired, k)
	}
	s.tick, s.time = p.tick, p.time
	if p.tick < s.ahead.Load() { // an import is ahead of the clock, or the clock was set back
		s.behind.CompareAndSwap(0, p.tick)
	}
	s.last = append(s.last[:0], p.totals...)
	for _, se := range s.roster {
		se.index = -1
	}
	s.roster, s.spare = p.roster, s.roster[:0]
	for i, se := range s.roster {
		se.index = i
	}
	s.acceptPeaks(p)
	s.writer.accept()
	if cap(s.puts) > 1024 { // after the first tick, or a flood
		s.puts = nil
	}
	s.measure()
	s.stats.Windows += uint64(expired)
	s.stats.RowBytes, s.stats.Unnumbered = len(s.writer.buf), p.unnumbered
}

// update is bbolt's Update, except that after a panic it rolls nothing back:
// bbolt would look for free pages by walking the whole file in a goroutine of its
// own, where meeting the damage again ends the process.
func (s *Store) update(fn func(*bbolt.Tx) error) error {
	tx, err := s.db.Begin(true)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// guard runs fn, which uses the database, and turns a panic or fault of bbolt on
// a damaged file into an error.
func (s *Store) guard(fn func() error) (err error) {
	err = guard(fn)
	if errors.Is(err, errFault) {
		s.broken = err
	}
	return err
}

var errFault = errors.New("reading it failed")

// openBolt opens a database. bbolt reads the list of free pages at once, and
// panics on one that is damaged. Where there is no address space for all that the
// file may ever be, it is mapped with a quarter of that, so that something is left
// to others, or with less: a commit that has to map more waits for readers then.
func openBolt(path string, o *bbolt.Options) (db *bbolt.DB, err error) {
	err = guard(func() error {
		for try := *o; ; try.InitialMmapSize /= 4 {
			db, err = bbolt.Open(path, 0o600, &try)
			if try.InitialMmapSize == 0 || !errors.Is(err, syscall.ENOMEM) {
				return err
			}
		}
	})
	return db, err
}

// closeBolt closes a database after an error. After a fault bbolt may hold its
// locks for ever: that is not waited for. The file it maps stays valid, under
// whatever name.
func closeBolt(db *bbolt.DB, cause error) error {
	if errors.Is(cause, errFault) {
		go func() { _ = guard(db.Close) }()
		return nil
	}
	return db.Close()
}

func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %w: %v", ErrDamaged, errFault, p)
		}
	}()
	return fn()
}

// noSpace tells errors that giving up old rows may cure. Where growing the file
// failed, bbolt passes on the error's text alone.
func noSpace(err error) bool {
	if err == nil {
		return false
	}
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, errno) || strings.Contains(err.Error(), errno.Error()) {
			return true
		}
	}
	return errors.Is(err, berrors.ErrMaxSizeReached)
}
