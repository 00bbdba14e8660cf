package rrdstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"lvs/rrdstore/chunk"
)

// These bound what one call of Maintain holds in
// memory and writes. The more blocks of rows are taken over at once, the fewer
// times the head is read.
const (
	rowBlocksAtOnce  = 4
	tierBlocksAtOnce = 2
	tierSlotsAtOnce  = 32
)

// upkeep is what Maintain remembers from one call to the next.
type upkeep struct {
	allTiers []Tier // of the options, whatever the step
	job      *job
	// archived is the tick before which all rows are in the archive: commits
	// remove those windows of the head. ahead is the furthest frontier; a row that
	// is committed before it is behind, the first of which Maintain sets all
	// frontiers back to. It is zero when there is none.
	archived, ahead, behind atomic.Uint32
	parts                   [rowBlocksAtOnce]rawPart // their memory is used again
	columns                 []uint64                 // of the part that is encoded
	encoded                 encoding
	tier                    chunk.Tier // that is encoded
	warned                  bool       // of the archive having no room
}

// Maintain does a bounded part of what is to be done for the archive: rows of
// windows that are over are taken over from the head, tiers made of them, and
// what is too old removed. It reports whether there is more to do now. It never
// keeps a commit waiting, and is to be called after each one; calls take turns.
//
// An error means that the archive has to wait; the head goes on holding the rows
// for as long as it has room.
func (s *Store) Maintain(ctx context.Context) (more bool, err error) {
	s.chore.Lock()
	defer s.chore.Unlock()
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	closed, newest := s.closed, s.tick
	s.mu.Unlock()
	if closed {
		return false, ErrClosed
	}
	more, err = s.maintain(ctx, newest)
	switch {
	case !errors.Is(err, errHead) && (errors.Is(err, errFault) || errors.Is(err, errMoved) || errors.Is(err, errCut)):
		return false, fmt.Errorf("maintain archive: %w", s.replaceArch(err))
	case noSpace(err) && s.giveUp():
		return true, nil
	case err != nil:
		s.dropJob()
		return false, fmt.Errorf("maintain archive: %w", err)
	}
	s.mu.Lock()
	s.publish()
	s.mu.Unlock()
	return more, nil
}

func (s *Store) maintain(ctx context.Context, newest uint32) (more bool, err error) {
	a := s.arch.Load()
	if a == nil {
		if err := s.openArch(); err != nil {
			return false, err
		}
		a = s.arch.Load()
	}
	if err := a.intact(); err != nil {
		return false, err
	}
	if err := s.currentArch(a); err != nil {
		return false, err
	}
	newest = max(newest, a.newest)
	if s.job == nil {
		if s.job, err = s.nextJob(ctx, a, newest); err != nil {
			return false, err
		}
	}
	if s.job == nil {
		more, err := s.retireOne(a, newest)
		if err == nil && !more {
			err = s.findBegin(a)
		}
		return more, err
	}
	if err := s.work(ctx, a, s.job); err != nil {
		return false, err
	}
	if len(s.job.blocks) == 0 {
		s.job = nil
	}
	return true, nil
}

// currentArch brings memory in line with the archive's file, and frontiers with
// the rows of the head.
func (s *Store) currentArch(a *archive) error {
	if err := a.fresh(&s.opts); err != nil {
		return err
	}
	behind := s.behind.Load()
	if behind == 0 {
		return nil
	}
	s.dropJob()
	if err := guard(func() error { return a.rewind(behind) }); err != nil {
		return err
	}
	s.behind.CompareAndSwap(behind, 0)
	s.noteFrontiers(a)
	return a.fresh(&s.opts)
}

// noteFrontiers tells commits how far the archive is.
func (s *Store) noteFrontiers(a *archive) {
	ahead := uint32(0)
	for _, l := range a.levels {
		if l.fed {
			ahead = max(ahead, l.frontier)
		}
	}
	s.archived.Store(a.levels[0].frontier)
	s.ahead.Store(ahead)
}

// rewind sets frontiers back: rows came that belong before them. What is made
// once more is merged with what is there.
func (a *archive) rewind(to uint32) error {
	return a.update(func(tx *bbolt.Tx) error {
		for _, l := range a.levels {
			if to = l.floor(to); l.fed && l.frontier > to {
				l.frontier = to
				if err := l.put(tx); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// dropJob forgets the window under way, and what the archive was told of it that
// is not in the file.
func (s *Store) dropJob() {
	s.job = nil
	if a := s.arch.Load(); a != nil {
		a.stale = true
	}
}

// nextJob is the oldest window that is over, of the finest level that has one.
func (s *Store) nextJob(ctx context.Context, a *archive, newest uint32) (*job, error) {
	for i, l := range a.levels {
		if !l.fed {
			continue
		}
		var ok bool
		if l.step == 0 {
			ok = s.dueRows(l, a.newest)
		} else {
			ok = a.dueTier(i, newest)
		}
		if ok {
			return s.newJob(ctx, a, l)
		}
	}
	return nil, nil
}

// dueRows reports whether a window of rows is over, and moves the frontier on to
// where there are rows.
func (s *Store) dueRows(l *level, imported uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := s.tick
	if s.stats.Commits == 0 { // no rows are coming: those imported are all
		newest = max(newest, imported)
	}
	for _, w := range s.windows {
		if w.last < l.frontier {
			continue
		}
		l.frontier = max(l.frontier, l.floor(w.first))
		return newest >= addTick(l.frontier, l.span)
	}
	if s.stats.Commits == 0 {
		l.frontier = max(l.frontier, l.floor(newest))
	}
	return false
}

// dueTier is dueRows of level i, which is made from the one below.
func (a *archive) dueTier(i int, newest uint32) bool {
	l, below := a.levels[i], a.below(i)
	for _, w := range a.windows[below.step] {
		if uint64(w)+uint64(below.span) > uint64(l.frontier) {
			// No further than rows may still come, where an import is ahead of them.
			l.frontier = max(l.frontier, l.floor(min(w, below.frontier)))
			end := addTick(l.frontier, l.span)
			return below.frontier >= end && newest >= addTick(end, a.beat)
		}
	}
	return false
}

// below is the level that level i is made from.
func (a *archive) below(i int) *level {
	for i--; i > 0; i-- {
		if a.levels[i].fed {
			break
		}
	}
	return a.levels[i]
}
