package collector

import (
	"context"
	"log/slog"
	"time"

	"lvs/dataplane"
)

// A ledgerQueue calls the ledger from a goroutine of its own, so that a disk
// that hangs holds up nobody.
type ledgerQueue struct {
	ledger Ledger
	jobs   chan ledgerJob // of one; only submit and close write
	counts *counts
	log    *slog.Logger
}

// A ledgerJob is a commit or, without a snapshot, a recall. Its channel has room
// for the answer, so that nobody need wait for it.
type ledgerJob struct {
	snapshot  *dataplane.Snapshot
	committed chan error
	recalled  chan recall
}

type recall struct {
	accounts []dataplane.Remembered
	newest   time.Time
	err      error
}

func newLedgerQueue(l Ledger, c *counts, log *slog.Logger) *ledgerQueue {
	return &ledgerQueue{l, make(chan ledgerJob, 1), c, log}
}

// submit never waits: a commit that was not begun gives way to the next one,
// whose accounts contain its own.
func (q *ledgerQueue) submit(j ledgerJob) {
	select {
	case <-q.jobs:
		q.counts.update(func(s *Stats) { s.Ledger.Dropped++ })
	default:
	}
	q.jobs <- j
}

// recall asks for the remembered accounts; at most one such call is under way.
func (q *ledgerQueue) recall() <-chan recall {
	c := make(chan recall, 1)
	q.submit(ledgerJob{recalled: c})
	return c
}

// commit hands s to the ledger and waits for it to be durable, but not longer
// than patience; it reports whether the ledger answered by then.
func (q *ledgerQueue) commit(s *dataplane.Snapshot, patience time.Duration) bool {
	c := make(chan error, 1)
	q.submit(ledgerJob{snapshot: s, committed: c})
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c:
		return true
	case <-timer.C:
		return false
	}
}

// run does jobs until the queue is closed and empty.
func (q *ledgerQueue) run(ctx context.Context) {
	failing := false
	for j := range q.jobs {
		var err error
		if j.snapshot == nil {
			var accounts []dataplane.Remembered
			accounts, err = q.ledger.Remembered(ctx)
			q.count(err, func(s *LedgerStats) { s.RecallErrors++ }, func(*LedgerStats) {})
			var newest time.Time
			if err == nil {
				newest = q.ledger.Newest()
			}
			j.recalled <- recall{accounts, newest, err}
		} else {
			err = q.ledger.Commit(ctx, j.snapshot)
			q.count(err, func(s *LedgerStats) { s.Errors++ }, func(s *LedgerStats) { s.Commits++ })
			j.committed <- err
		}
		failing = logChange(q.log, failing, err, "samples cannot be stored, they are served without being kept", "samples are stored again")
	}
}

func (q *ledgerQueue) count(err error, failed, done func(*LedgerStats)) {
	q.counts.update(func(s *Stats) {
		s.Ledger.Failing = err != nil
		if err != nil {
			failed(&s.Ledger)
		} else {
			done(&s.Ledger)
		}
	})
}
