package notify

import (
	"context"
	"sync"
	"time"

	"lvs/mib/smi"
)

// A Queue keeps notifications for each of its targets until they are delivered,
// replaced or dropped. It is safe for concurrent use.
type Queue struct {
	c     Config
	lanes []*lane // one for each target, all guarded by mu

	mu      sync.Mutex
	off     bool // notifications are switched off
	stopped bool // Run has returned
}

// New makes a Queue, which is switched on. Nothing is sent before Run.
func New(c Config) *Queue {
	q := &Queue{c: c.withDefaults()}
	for name, target := range q.c.Targets {
		q.lanes = append(q.lanes, &lane{name: name, target: target, q: q,
			bucket: newBucket(q.c.Rate, q.c.Burst), wake: make(chan struct{}, 1)})
	}
	return q
}

// Enqueue hands notifications to every target, in this order after those before.
// It never waits.
func (q *Queue) Enqueue(list []smi.Notification) {
	now := time.Now()
	var full []*lane
	q.mu.Lock()
	for _, l := range q.lanes {
		before := l.stats.Full
		for _, n := range list {
			l.push(n, now)
		}
		if l.stats.Full > before && !l.overflowed {
			l.overflowed = true
			full = append(full, l)
		}
		l.stir()
	}
	q.mu.Unlock()
	for _, l := range full {
		q.c.Logger.Warn("too many notifications wait, the oldest are dropped", "target", l.name, "limit", q.c.Limit)
	}
}

// SetEnabled switches notifications on and off. What waits when they are switched
// off is not sent, and neither is what comes until they are on again.
func (q *Queue) SetEnabled(on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.off == !on {
		return
	}
	q.off = !on
	for _, l := range q.lanes {
		if q.off {
			l.suppress(time.Now())
		}
	}
}

// Enabled reports whether notifications are switched on.
func (q *Queue) Enabled() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.off
}

// Stats are those of every target by its name.
func (q *Queue) Stats() map[string]Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := make(map[string]Stats, len(q.lanes))
	for _, l := range q.lanes {
		s := l.stats
		s.Waiting = len(l.items)
		all[l.name] = s
	}
	return all
}

// Run delivers until ctx is done, then tries what waits for at most Config.Grace,
// and returns nil. It is called once.
func (q *Queue) Run(ctx context.Context) error {
	// A delivery under way when ctx ends is not cut short: grace ends later.
	grace, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	defer context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(q.c.Grace, end)
		context.AfterFunc(grace, func() { timer.Stop() })
	})()
	var lanes sync.WaitGroup
	for _, l := range q.lanes {
		lanes.Go(func() { l.run(ctx, grace) })
	}
	lanes.Wait()
	<-ctx.Done() // also where there are no targets
	q.stop()
	return nil
}

// stop counts what is left.
func (q *Queue) stop() {
	q.mu.Lock()
	q.stopped = true
	left := map[*lane]int{}
	for _, l := range q.lanes {
		if n := len(l.items); n > 0 {
			left[l] = n
			l.items = nil
			l.stats.Stopped += uint64(n)
		}
	}
	q.mu.Unlock()
	for l, n := range left {
		q.c.Logger.Warn("notifications were not sent before the end", "target", l.name, "dropped", n)
	}
}
