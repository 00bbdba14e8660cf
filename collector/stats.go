package collector

import (
	"maps"
	"sync"
	"time"

	"lvs/dataplane"
)

// Stats is how a [Sampler] fares; counts are since it was made.
type Stats struct {
	// Samples were published; SourceErrors is how often the source could not be
	// read instead, and Latest stayed as it was.
	Samples, SourceErrors uint64
	// Late is how many readings began more than a tenth of the interval after
	// their tick; Skipped, how many ticks have none at all.
	Late, Skipped uint64
	// ClockSteps is how often the wall clock was set by half a second or more.
	ClockSteps uint64
	// Retries and Inconsistent are the sums of what the snapshots say.
	Retries, Inconsistent uint64
	// LastTick is that of the snapshot published last, Took how long its reading
	// and accounting took; zero before the first.
	LastTick time.Time
	Took     time.Duration
	// Failing says that the last reading of the source failed.
	Failing bool
	// Unnumbered is how many services and real servers of the last snapshot have
	// no number, because every one is in use.
	Unnumbered int
	// Resets of kernel counters, by reason.
	DirectorResets, ServiceResets, RealResets dataplane.ResetCounts

	Ledger LedgerStats
	Sinks  map[string]SinkStats
}

// LedgerStats is how the ledger fares; all zero without one.
type LedgerStats struct {
	// Commits are durable. Late is how many were so only after the snapshot had
	// been published; Dropped, how many snapshots the ledger was never shown
	// because it was still busy when the next one came.
	Commits, Errors, Late, Dropped uint64
	// RecallErrors is how often the remembered accounts could not be read. Until
	// they are, totals begin with the kernel's, there are no row numbers, and
	// nothing is committed.
	RecallErrors uint64
	// Failing says that the last call of the ledger failed, or that the accounts
	// are not read yet.
	Failing bool
	// Behind says that the snapshot published last was not durable by then: the
	// ledger is slow, or hangs.
	Behind bool
}

// SinkStats is how one sink fares.
type SinkStats struct {
	// Records were taken; Dropped, replaced by a newer snapshot while the sink
	// was busy.
	Records, Errors, Dropped uint64
	// Failing says that the last call failed.
	Failing bool
}

// counts guards a Stats that several goroutines write to.
type counts struct {
	mu sync.Mutex
	s  Stats
}

func (c *counts) update(f func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.s)
}

func (c *counts) updateSink(name string, f func(*SinkStats)) {
	c.update(func(s *Stats) {
		sink := s.Sinks[name]
		f(&sink)
		s.Sinks[name] = sink
	})
}

func (c *counts) read() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.s
	s.Sinks = maps.Clone(s.Sinks)
	return s
}
