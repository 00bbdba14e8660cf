package director

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"lvs/dataplane"
)

// Config is what an Applier needs.
type Config struct {
	Table Table
	// Logger takes a line for every change made, every failure and all drift when
	// they begin and end; nil discards.
	Logger *slog.Logger
	// StatePath is a file that keeps what was applied across restarts, so that a
	// service no longer in the configuration is still known as the director's
	// own. Empty is none: then a restarted director starts from the table alone.
	StatePath string
}

// An Applier brings a Table to a Spec and keeps watching it. It is safe for
// concurrent use. Nothing in it writes before the first Apply.
type Applier struct {
	table  Table
	log    *slog.Logger
	state  string
	kick   chan struct{} // the schedule changed
	status atomic.Pointer[Status]

	mu       sync.Mutex // guards all below, and is held while the table is changed
	want     *Spec      // sorted; nil before the first Apply
	base     *base
	drains   drains
	failures failures
	touched  time.Time // when the table was last changed
	drift    map[Difference]Difference
	counts   Counts
	applied  time.Time
	saved    []byte // the state as last written
}

// New returns an Applier. An unreadable state file is an error, with which the
// Applier still works, as one without a past.
func New(cfg Config) (*Applier, error) {
	a := &Applier{
		table: cfg.Table, log: cfg.Logger, state: cfg.StatePath,
		kick: make(chan struct{}, 1), base: newBase(""), drains: drains{}, failures: failures{},
		drift: map[Difference]Difference{},
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.status.Store(&Status{})
	if err := a.load(); err != nil {
		return a, fmt.Errorf("director: state: %w", err)
	}
	return a, nil
}

// Apply makes spec what is wanted, instead of what was before, and brings the
// table to it. Steps that fail are joined in the error; the others are done all
// the same, and Run and Record try again. Apply with the zero Spec removes all
// that was applied before.
func (a *Applier) Apply(ctx context.Context, spec *Spec) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.want = spec.sorted()
	clear(a.failures) // another configuration, another chance
	err := a.step(ctx)
	a.reschedule()
	return err
}

// Record compares a sorted snapshot with what is wanted: it is a sink of the
// sampler. What has to be done is done before it returns, on a fresh reading of
// the table. Its error is that of Apply.
func (a *Applier) Record(ctx context.Context, have *dataplane.Snapshot) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	// A reading that began before the last change says nothing about it.
	if a.want == nil || have.Partial || have.Time.Add(-have.Took).Before(a.touched) {
		return nil
	}
	if len(a.plan(have).changes) == 0 {
		if len(a.failures) == 0 {
			a.applied = have.Time
		}
		a.publish()
		return nil
	}
	err := a.step(ctx)
	a.reschedule()
	return err
}

// drainPoll is how often connections of what drains are looked at.
const drainPoll = 5 * time.Second

// Run retries what failed and ends what drains, in time, until ctx ends; then it
// returns nil.
func (a *Applier) Run(ctx context.Context) error {
	for {
		var due <-chan time.Time
		if wait, waiting := a.next(); waiting {
			due = time.After(wait)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-a.kick:
		case <-due:
			a.mu.Lock()
			// Failures are logged and in the Status.
			_ = a.step(ctx)
			a.mu.Unlock()
		}
	}
}

func (a *Applier) reschedule() {
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

// next is how long until something is due.
func (a *Applier) next() (wait time.Duration, waiting bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	at, waiting := a.failures.next()
	for _, d := range a.drains {
		due := now.Add(drainPoll)
		if !d.Deadline.IsZero() && d.Deadline.Before(due) {
			due = d.Deadline
		}
		if !waiting || due.Before(at) {
			at, waiting = due, true
		}
	}
	return max(at.Sub(now), 0), waiting
}

// A plan is what a table needs.
type plan struct {
	held    *Spec
	changes []Change
}

// plan notes drift in have, a sorted snapshot, and returns what is to be done.
func (a *Applier) plan(have *dataplane.Snapshot) plan {
	now := time.Now()
	if epoch := have.Director.Epoch; epoch != "" && epoch != a.base.epoch {
		if a.base.epoch != "" {
			a.log.Warn("the kernel's table began anew; applying all of it", "epoch", epoch)
			a.base = newBase(epoch)
		}
		a.base.epoch = epoch
	}
	owned := a.base.owned()
	eff := a.want
	all := diff(a.want, have, owned)
	var drifted []Difference
	if len(all) > 0 {
		yielded := a.base.yield(a.want, have)
		drifted = without(differences(all), differences(diff(yielded, have, owned)))
		if !a.want.Enforce {
			eff = yielded
		}
	}
	a.noteDrift(drifted, now)
	held := a.drains.hold(eff, have, a.base, now)
	return plan{held, a.failures.ready(diff(held, have, owned), now)}
}

// step reads the table and does what it needs.
func (a *Applier) step(ctx context.Context) error {
	if a.want == nil {
		return nil
	}
	defer a.publish()
	have, err := a.table.Snapshot(ctx)
	if a.noteFailure(failureKey{what: reading}, "read the table", err) {
		return fmt.Errorf("director: read the table: %w", err)
	}
	have.Sort()
	p := a.plan(have)
	out := &outcome{have: have, held: p.held, failed: a.failures.objects(), gone: map[object]bool{}}
	err = a.execute(ctx, p.changes, out)
	a.base.settle(a.want, out)
	serr := a.save()
	if a.noteFailure(failureKey{what: saving}, "save the state", serr) {
		err = errors.Join(err, fmt.Errorf("director: state: %w", serr))
	}
	if len(a.failures) == 0 {
		a.applied = time.Now()
	}
	return err
}

// execute makes the changes in their order, and goes on after one that fails.
func (a *Applier) execute(ctx context.Context, changes []Change, out *outcome) error {
	for i := range changes {
		delete(out.failed, changes[i].object()) // failed before, and tried again
	}
	var errs []error
	for i := range changes {
		c := &changes[i]
		o := c.object()
		if err := ctx.Err(); err != nil {
			out.failed[o] = true
			errs = append(errs, fmt.Errorf("%v: %w", c, err))
			continue
		}
		if c.Op == AddRealServer && out.failed[object{service: c.Key}] && out.have.Service(c.Key) == nil || c.Op == StartDaemon && out.failed[o] {
			out.failed[o] = true // without its service; or beside the daemon that did not stop
			continue
		}
		if err := a.change(ctx, c); err != nil {
			out.failed[o] = true
			errs = append(errs, fmt.Errorf("%v: %w", c, err))
			continue
		}
		if c.removes() {
			out.gone[o] = true
			delete(a.drains, o)
		}
	}
	return errors.Join(errs...)
}

// change makes one change and tells of it.
func (a *Applier) change(ctx context.Context, c *Change) error {
	err := c.apply(ctx, a.table)
	a.touched = time.Now()
	if c.removes() && errors.Is(err, fs.ErrNotExist) {
		err = nil // somebody was faster
	}
	if a.noteFailure(failureKey{object: c.object()}, c.String(), err) {
		return err
	}
	a.counts.Changes[c.Op]++
	a.log.Info(c.String(), c.attrs()...)
	for _, d := range c.Differences() {
		if _, drifted := a.drift[d.place()]; drifted {
			delete(a.drift, d.place())
			a.counts.PutBack++
		}
	}
	return nil
}
