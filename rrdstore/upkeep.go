package rrdstore

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// openArch opens the archive and brings its levels in line with the options. A
// damaged one is put aside: the rows of the head begin another.
func (s *Store) openArch() error {
	err := s.tryArch()
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	if err := s.asideArch("archive was damaged, starting a new one", err); err != nil {
		return err
	}
	return s.tryArch()
}

func (s *Store) tryArch() error {
	if err := inspect(s.dir, archName, true); err != nil {
		return err
	}
	a, err := openArchive(s.dir, &s.opts)
	if err != nil {
		return err
	}
	if err := guard(func() error { return a.configure(&s.opts) }); err != nil {
		return errors.Join(fmt.Errorf("open archive: %w", err), closeBolt(a.db, err))
	}
	if a.damaged > 0 {
		s.opts.Logger.Error("archive has damaged records, which are left out", "records", a.damaged)
	}
	s.noteFrontiers(a)
	s.arch.Store(a)
	s.mu.Lock()
	defer s.mu.Unlock()
	a.oldUntil = s.tick
	if s.tick != 0 && s.tick < s.ahead.Load() { // see accept
		s.behind.Store(min(s.tick, s.windows[0].first))
	}
	return nil
}

// asideArch puts a damaged archive aside and says so.
func (s *Store) asideArch(message string, cause error) error {
	aside, err := putAside(s.dir, archName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("put damaged archive aside: %w", err)
	}
	s.archived.Store(0)
	s.ahead.Store(0)
	s.behind.Store(0)
	s.mu.Lock()
	s.stats.Aside = aside
	s.publish()
	s.mu.Unlock()
	s.opts.Logger.Error(message, "aside", aside, "err", cause)
	return nil
}

func (s *Store) closeArch() error {
	a := s.arch.Load()
	if a == nil {
		return nil
	}
	return a.db.Close()
}

// replaceArch gives up an archive that proved damaged in use. A new one is opened
// with the next call of Maintain.
func (s *Store) replaceArch(cause error) error {
	a := s.arch.Load()
	s.job = nil
	if a == nil { // it could not even be opened
		return cause
	}
	s.arch.Store(nil)
	a.shared.Store(nil)
	_ = closeBolt(a.db, errFault)
	return errors.Join(cause, s.asideArch("archive proved damaged in use, starting a new one", cause))
}

// configure makes the levels what the options ask for. Rows of a step that is
// asked for no more stay until their time is over.
func (a *archive) configure(o *Options) error {
	step, beat := dataStep(o.Step, o.Tiers), uint32(o.Heartbeat/time.Second)
	want := []level{{step: 0, span: spanOf(step), keep: seconds(o.Retention)}}
	for _, t := range o.Tiers {
		s := seconds(t.Step)
		want = append(want, level{step: s, span: spanOf(s), keep: seconds(t.Keep)})
	}
	return a.update(func(tx *bbolt.Tx) error {
		if a.step != step || a.beat != beat {
			if err := putMeta(tx, keyStep, step, beat); err != nil {
				return err
			}
			if a.beat > beat {
				a.oldBeat = a.beat
			}
			a.step, a.beat = step, beat
		}
		for _, l := range a.levels {
			if l.fed && !slices.ContainsFunc(want, func(w level) bool { return w.step == l.step }) {
				if l.fed = false; l.put(tx) != nil {
					return l.put(tx)
				}
			}
		}
		for _, w := range want {
			l := a.level(w.step)
			if l == nil {
				l = &level{step: w.step, span: w.span}
				a.levels = append(a.levels, l)
				a.windows[l.step] = windowsOf(tx, l.step) // of one whose record was lost
			}
			if l.fed && l.keep == w.keep {
				continue
			}
			l.fed, l.keep = true, w.keep
			if err := l.put(tx); err != nil {
				return err
			}
		}
		sortLevels(a.levels)
		return nil
	})
}

func sortLevels(levels []*level) {
	slices.SortFunc(levels, func(a, b *level) int { return cmp.Compare(a.step, b.step) })
}

func seconds(d time.Duration) uint32 { return uint32(d / time.Second) }

// retireOne removes one window that is beyond what is kept, or that there is no room
// for. It reports whether there was one. Windows are counted rather than compared
// with the time: a clock that leaps, or a director that was down for long, costs
// nothing of what there is.
func (s *Store) retireOne(a *archive, newest uint32) (bool, error) {
	for i, l := range a.levels {
		w := a.windows[l.step]
		if l.keep == 0 || len(w) <= int((uint64(l.keep)+uint64(l.span)-1)/uint64(l.span)) {
			continue
		}
		needed := addTick(w[0], l.span)
		if l.step == 0 { // the data points after it follow from its last rows
			needed = addTick(needed, a.beat+a.step)
		}
		if above := a.above(i); above != nil && l.fed && above.frontier < needed {
			continue // it is still to be made a tier of
		}
		return true, a.remove(l)
	}
	if a.used > s.opts.archSoft() {
		if l := a.fullest(newest); l != nil {
			return true, a.remove(l)
		}
	}
	return false, nil
}

// above is the level that is made from level i, nil if there is none.
func (a *archive) above(i int) *level {
	for _, l := range a.levels[i+1:] {
		if l.fed {
			return l
		}
	}
	return nil
}

// archSoft is how much of arch.db may be in use before the oldest windows go.
func (o *Options) archSoft() int64 { return o.archBytes() - o.archBytes()/8 - 1<<20 }

// fullest is the level that has most of what it would keep: where there is no
// room, all are cut short in proportion. What imports brought goes last.
func (a *archive) fullest(newest uint32) (fullest *level) {
	most := 0.0
	for _, l := range a.levels {
		w := a.windows[l.step]
		if len(w) < 2 {
			continue
		}
		share := 1e-9
		if l.keep != 0 {
			share = float64(subTick(newest, w[0])) / float64(l.keep)
		}
		if share > most {
			most, fullest = share, l
		}
	}
	return fullest
}

// remove drops the oldest window of a level.
func (a *archive) remove(l *level) error {
	w, kept := a.windows[l.step][0], *l
	if kept.first != 0 {
		kept.first = max(kept.first, addTick(w, l.span))
	}
	err := guard(func() error {
		return a.update(func(tx *bbolt.Tx) error {
			b := levelBucket(tx, l.step)
			if b == nil || b.Bucket(windowKey(w)) == nil {
				return nil
			}
			if err := b.DeleteBucket(windowKey(w)); err != nil || kept.first == l.first {
				return err
			}
			return kept.put(tx)
		})
	})
	if err != nil {
		return fmt.Errorf("remove window %d of step %d: %w", w, l.step, err)
	}
	*l = kept
	a.windows[l.step] = a.windows[l.step][1:]
	return a.view(func(tx *bbolt.Tx) error { a.measure(tx); return nil })
}

// giveUp removes a window so that there is room for others, and reports whether
// it did.
func (s *Store) giveUp() bool {
	a := s.arch.Load()
	if a == nil {
		return false
	}
	s.mu.Lock()
	newest := max(s.tick, a.newest)
	s.mu.Unlock()
	s.dropJob()
	l := a.fullest(newest)
	if l == nil || a.remove(l) != nil {
		return false
	}
	s.mu.Lock()
	s.stats.Reclaimed++
	s.mu.Unlock()
	if !s.warned {
		s.warned = true
		s.opts.Logger.Warn("no room for the archive, giving up its oldest windows")
	}
	return true
}

// SetStep makes step the time between rows from now on, and the heartbeat twice
// that. Tiers are those of the options that are not finer.
func (s *Store) SetStep(step time.Duration) error {
	s.chore.Lock()
	defer s.chore.Unlock()
	next := s.opts
	next.Step, next.Heartbeat, next.Tiers = step, 2*step, usable(s.allTiers, step)
	if a := s.arch.Load(); a != nil {
		s.dropJob()
		err := a.fresh(&s.opts)
		if err == nil {
			err = guard(func() error { return a.configure(&next) })
		}
		if err != nil {
			a.stale = true
			return fmt.Errorf("set step: %w", err)
		}
		s.mu.Lock()
		a.oldUntil = s.tick
		s.mu.Unlock()
	}
	s.opts.Step, s.opts.Heartbeat, s.opts.Tiers = next.Step, next.Heartbeat, next.Tiers
	return nil
}
