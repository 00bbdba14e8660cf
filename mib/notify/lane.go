package notify

import (
	"context"
	"errors"
	"time"

	"lvs/mib/smi"
)

// A lane is a target with what waits for it. The Queue's lock guards all of it but
// the first three fields, which do not change, and retry, which only run uses.
type lane struct {
	name   string
	target Target
	q      *Queue

	// items wait, the oldest first. The first of them is under way while flying.
	items  []item
	flying bool
	bucket bucket
	wake   chan struct{} // has a token after items changed
	stats  Stats

	overflowed bool   // was logged, and items have not been empty since
	failing    string // the failure that was logged; "" while all is well

	retry time.Duration // the last delay before another try
}

type item struct {
	smi.Notification
	came time.Time
}

// push adds what came last.
func (l *lane) push(n smi.Notification, now time.Time) {
	l.stats.Enqueued++
	switch {
	case l.q.off:
		l.stats.Suppressed++
		return
	case l.q.stopped:
		l.stats.Stopped++
		return
	}
	l.expire(now)
	if len(l.items) > l.q.c.Limit/4 && n.Subject != "" {
		l.stats.Coalesced += l.remove(func(o item) bool { return o.Subject == n.Subject })
	}
	l.items = append(l.items, item{n, now})
	if len(l.items) > l.q.c.Limit {
		if l.flying {
			l.items[1] = l.items[0] // the one under way is not dropped
		}
		l.pop()
		l.stats.Full++
	}
}

// expire drops what waits for too long.
func (l *lane) expire(now time.Time) {
	for !l.flying && len(l.items) > 0 && now.Sub(l.items[0].came) > l.q.c.MaxAge {
		l.pop()
		l.stats.Aged++
	}
}

// remove drops those that wait, but not the one under way, if drop says so; it
// returns how many.
func (l *lane) remove(drop func(item) bool) uint64 {
	kept := l.items[:0]
	if l.flying {
		kept = l.items[:1]
	}
	for _, o := range l.items[len(kept):] {
		if !drop(o) {
			kept = append(kept, o)
		}
	}
	n := len(l.items) - len(kept)
	clear(l.items[len(kept):])
	l.items = kept
	return uint64(n)
}

// pop removes the first.
func (l *lane) pop() {
	l.items[0] = item{} // its variables are no longer held
	if l.items = l.items[1:]; len(l.items) == 0 {
		l.items, l.overflowed = nil, false
	}
}

// suppress drops what waits because notifications were switched off.
func (l *lane) suppress(now time.Time) {
	l.expire(now)
	l.stats.Suppressed += l.remove(func(item) bool { return true })
}

// stir has run look at the items again.
func (l *lane) stir() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run delivers until ctx is done and nothing waits, or grace is over.
func (l *lane) run(ctx, grace context.Context) {
	for {
		n, ok := l.next(ctx, grace)
		if !ok {
			return
		}
		err := l.target.Notify(grace, n)
		if again := l.done(grace, err); again > 0 && !pause(ctx, grace, again) {
			return
		}
	}
}

// next is the notification to send now, when there is one and the rate allows.
func (l *lane) next(ctx, grace context.Context) (n smi.Notification, ok bool) {
	for grace.Err() == nil {
		n, wait, ok := l.first(time.Now())
		switch {
		case ok:
			return n, true
		case wait > 0:
			// Neither ctx nor what comes meanwhile makes the rate any higher.
			pause(grace, grace, wait)
		case ctx.Err() != nil:
			return n, false
		default:
			select {
			case <-l.wake:
			case <-ctx.Done():
			}
		}
	}
	return n, false
}

// first takes the oldest that is not too old on its way; otherwise it says how long
// to wait, zero if nothing is there to be sent.
func (l *lane) first(now time.Time) (n smi.Notification, wait time.Duration, ok bool) {
	l.q.mu.Lock()
	defer l.q.mu.Unlock()
	l.expire(now)
	if len(l.items) == 0 {
		return n, 0, false
	}
	if wait := l.bucket.take(now); wait > 0 {
		return n, wait, false
	}
	l.flying = true
	return l.items[0].Notification, 0, true
}

// done accounts for the one under way and returns how long to leave the target
// alone.
func (l *lane) done(grace context.Context, err error) (again time.Duration) {
	// That the grace is over is no failure of the target's.
	later := errors.Is(err, ErrLater) || err != nil && grace.Err() != nil && errors.Is(err, grace.Err())
	if later {
		l.retry = min(max(2*l.retry, l.q.c.RetryMin), l.q.c.RetryMax)
		again = l.retry
	} else {
		l.retry = 0
	}
	now := time.Now()
	l.q.mu.Lock()
	l.flying = false
	if err != nil {
		l.stats.LastError, l.stats.LastFailure = err, now
	}
	switch {
	case err == nil:
		l.stats.Sent++
		l.stats.LastSent = now
	case later && l.q.off:
		l.stats.Suppressed++
	case later:
		l.stats.Retries++
	case errors.Is(err, ErrUnknown):
		l.stats.Unknown++
	default:
		l.stats.Refused++
	}
	if !later || l.q.off {
		l.pop()
	}
	waiting := len(l.items)
	l.q.mu.Unlock()
	l.log(err, later, waiting)
	return again
}

// log tells of a failure once for as long as it stays the same.
func (l *lane) log(err error, later bool, waiting int) {
	was := l.failing
	l.failing = ""
	if err != nil {
		l.failing = err.Error()
	}
	switch log := l.q.c.Logger; {
	case l.failing == was:
	case err == nil:
		log.Info("notifications are delivered again", "target", l.name, "waiting", waiting)
	case later:
		log.Warn("notifications wait", "target", l.name, "waiting", waiting, "err", err)
	default:
		log.Warn("a notification was given up", "target", l.name, "err", err)
	}
}

// pause waits for d and reports whether grace has not ended meanwhile. It wakes
// when ctx ends: what waits is to be tried at once then.
func pause(ctx, grace context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	stopping := ctx.Done()
	if ctx.Err() != nil {
		stopping = nil
	}
	select {
	case <-timer.C:
	case <-stopping:
	case <-grace.Done():
	}
	return grace.Err() == nil
}
