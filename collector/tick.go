package collector

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"lvs/dataplane"
)

// tick reads once and publishes what it read, if it could.
func (s *Sampler) tick(work context.Context, tick time.Time, commit bool) {
	began := time.Now()
	src, err := s.read(work)
	s.failing = logChange(s.log, s.failing, err, "the director cannot be read, the last sample stays and every tick tries again", "the director can be read again")
	if err != nil {
		s.counts.update(func(st *Stats) { st.SourceErrors++; st.Failing = true })
		return
	}
	snapshot := s.complete(src, tick)
	took := time.Since(began)
	if s.observe != nil {
		s.observe(took)
	}
	if commit && s.ledger != nil && s.recalled && s.isNew(snapshot) {
		s.commit(snapshot)
	}
	s.publish(snapshot, took)
}

// read gives the source at most nine tenths of the interval.
func (s *Sampler) read(work context.Context) (*dataplane.Snapshot, error) {
	limit := min(s.Interval()*9/10, maxReading)
	deadline := time.Now().Add(limit)
	ctx, cancel := context.WithDeadline(work, deadline)
	defer cancel()
	snapshot, err := s.source.Snapshot(ctx)
	// Asked of the clock: a source may notice before the context does.
	if err != nil && work.Err() == nil && !time.Now().Before(deadline) {
		err = fmt.Errorf("not done within %v: %w", limit, err)
	}
	return snapshot, err
}

// complete adds to a reading what the kernel does not know.
func (s *Sampler) complete(src *dataplane.Snapshot, tick time.Time) *dataplane.Snapshot {
	if s.adopts {
		return adopt(src, tick)
	}
	before := s.continuity.resets
	s.continuity.setNames(s.names.Load())
	out := s.continuity.Apply(src, tick)
	if s.recalled {
		if r, ok := s.source.(Recycler); ok {
			r.Recycle(src)
		}
	} else {
		now := out.Time.Round(0)
		s.interim.keep(src, before != s.continuity.resets || out.ServicesChanged.Equal(now) || out.RealsChanged.Equal(now))
		hideNumbers(out)
	}
	s.noteResets(before, s.continuity.resets)
	return out
}

// adopt is a snapshot as another sampler completed it.
func adopt(src *dataplane.Snapshot, tick time.Time) *dataplane.Snapshot {
	out := *src
	if out.Tick.IsZero() {
		out.Tick = tick
	}
	return &out
}

// isNew reports whether the snapshot's tick is behind all that the ledger was
// handed, and takes it for handed over. Only another sampler's ticks may not be.
func (s *Sampler) isNew(snapshot *dataplane.Snapshot) bool {
	if !s.adopts {
		return true
	}
	tick := snapshot.Tick.Unix()
	if tick <= max(s.newest, s.stored) {
		return false
	}
	s.stored = tick
	return true
}

// hideNumbers takes away numbers that were given without knowing those in the
// ledger: nobody must take one service for another.
func hideNumbers(s *dataplane.Snapshot) {
	for i := range s.Services {
		s.Services[i].Number = 0
		for j := range s.Services[i].Reals {
			s.Services[i].Reals[j].Number = 0
		}
	}
	s.Removed = slices.Clone(s.Removed) // shared with other snapshots
	for i := range s.Removed {
		s.Removed[i].Number = 0
	}
}

// noteResets writes one line for each tick in which counters began anew, not one
// for each of what may be ten thousand real servers.
func (s *Sampler) noteResets(before, now [3]dataplane.ResetCounts) {
	if before == now {
		return
	}
	var attrs []any
	for reason := range dataplane.NumResetReasons {
		var in [3]any
		var sum uint32
		for scope, name := range [3]string{"director", "services", "reals"} {
			n := now[scope][reason] - before[scope][reason]
			in[scope] = slog.Uint64(name, uint64(n))
			sum += n
		}
		if sum > 0 {
			attrs = append(attrs, slog.Group(reason.String(), in[:]...))
		}
		s.counts.update(func(st *Stats) {
			st.DirectorResets[reason] += now[ofDirector][reason] - before[ofDirector][reason]
			st.ServiceResets[reason] += now[ofService][reason] - before[ofService][reason]
			st.RealResets[reason] += now[ofReal][reason] - before[ofReal][reason]
		})
	}
	s.log.Info("kernel counters began anew, totals go on", attrs...)
}

// patience is how long a snapshot may be held back for the ledger.
func (s *Sampler) patience() time.Duration { return min(s.Interval()/4, maxPatience) }

func (s *Sampler) commit(snapshot *dataplane.Snapshot) {
	behind := !s.ledger.commit(snapshot, s.patience())
	s.counts.update(func(st *Stats) {
		if st.Ledger.Behind = behind; behind {
			st.Ledger.Late++
		}
	})
	switch {
	case behind && !s.behind:
		s.log.Warn("storing is slow, samples are served before they are kept")
	case s.behind && !behind:
		s.log.Info("storing keeps up again")
	}
	s.behind = behind
}

// publish makes the snapshot visible.
func (s *Sampler) publish(snapshot *dataplane.Snapshot, took time.Duration) {
	s.counts.update(func(st *Stats) {
		st.Samples++
		st.Failing = false
		st.LastTick, st.Took = snapshot.Tick, took
		st.Retries += uint64(snapshot.Retries)
		st.Inconsistent += uint64(snapshot.Inconsistent)
		st.Unnumbered = s.continuity.unnumbered
	})
	if s.latest.Swap(snapshot) == nil {
		close(s.ready)
	}
	for _, q := range s.sinks {
		q.push(snapshot)
	}
}

// recall asks the ledger for the accounts, unless it was asked already, and waits
// for them, but no longer than patience. Until they are there, serving goes on
// without: nothing is committed then, lest what is remembered be lost.
func (s *Sampler) recall(patience time.Duration) {
	if s.recalling == nil {
		s.recalling = s.ledger.recall()
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r := <-s.recalling:
		s.recalling = nil
		if s.opening && r.err == nil {
			s.log.Info("the store is open, samples are stored")
		}
		s.opening = false
		if r.err == nil {
			s.continuity, s.recalled = NewContinuity(r.accounts, s.forget), true
			s.continuity.setNames(s.names.Load())
			s.noteResets([3]dataplane.ResetCounts{}, s.interim.replay(s.continuity))
			if !r.newest.IsZero() {
				s.newest = r.newest.Unix()
			}
		}
	case <-timer.C:
	}
}
