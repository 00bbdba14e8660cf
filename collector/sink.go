package collector

import (
	"context"
	"log/slog"

	"lvs/dataplane"
)

// A sinkQueue feeds one sink: it holds the latest snapshot the sink was not yet
// shown.
type sinkQueue struct {
	name   string
	sink   Sink
	queue  chan *dataplane.Snapshot // of one; only push and close write
	counts *counts
	log    *slog.Logger
}

func newSinkQueue(name string, sink Sink, c *counts, log *slog.Logger) *sinkQueue {
	return &sinkQueue{name, sink, make(chan *dataplane.Snapshot, 1), c, log.With("sink", name)}
}

// push never waits: a snapshot the sink has not come to yet gives way.
func (q *sinkQueue) push(s *dataplane.Snapshot) {
	select {
	case <-q.queue:
		q.counts.updateSink(q.name, func(s *SinkStats) { s.Dropped++ })
	default:
	}
	q.queue <- s
}

// run shows snapshots to the sink until the queue is closed and empty.
func (q *sinkQueue) run(ctx context.Context) {
	failing := false
	for s := range q.queue {
		err := q.sink.Record(ctx, s)
		q.counts.updateSink(q.name, func(s *SinkStats) {
			s.Failing = err != nil
			if err != nil {
				s.Errors++
			} else {
				s.Records++
			}
		})
		failing = logChange(q.log, failing, err, "sink fails", "sink works again")
	}
}

// logChange writes one line when a thing that worked fails, and one when it works
// again; it returns whether it fails now.
func logChange(log *slog.Logger, failing bool, err error, fails, works string) bool {
	switch {
	case err != nil && !failing:
		log.Error(fails, "err", err)
	case err == nil && failing:
		log.Info(works)
	}
	return err != nil
}
