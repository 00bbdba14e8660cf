package director

import (
	"time"

	"lvs/dataplane"
)

// A Failure is a step that did not work and is tried again.
type Failure struct {
	Step     string    `json:"step"` // the change in words, or "read the table"
	Error    string    `json:"error"`
	Since    time.Time `json:"since"`
	Attempts int       `json:"attempts"`
	Next     time.Time `json:"next"` // when it is tried again
}

// A failureKey is what failed: a change, by its object, or something else.
type failureKey struct {
	object
	what step
}

// A step is what can fail.
type step uint8

const (
	changing step = iota
	reading
	saving
)

type failures map[failureKey]*Failure

// The wait after a failure doubles from the first to the last.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// noteFailure notes how a step went, and reports whether it failed. A failure is
// logged when it begins or its error changes, and when it ends.
func (a *Applier) noteFailure(key failureKey, what string, err error) bool {
	f, failed := a.failures[key]
	if err == nil {
		if failed {
			delete(a.failures, key)
			a.log.Info("works again: "+f.Step, "attempts", f.Attempts)
		}
		return false
	}
	now := time.Now()
	a.counts.Failed++
	if !failed {
		f = &Failure{Since: now}
		a.failures[key] = f
	}
	if f.Error != err.Error() {
		a.log.Error("failed: "+what, "err", err)
	}
	f.Step, f.Error = what, err.Error()
	f.Next = now.Add(min(firstRetry<<min(f.Attempts, 16), lastRetry))
	f.Attempts++
	return true
}

// ready leaves out of changes what failed and is not due yet, and forgets
// failures of what is not needed any more.
func (m failures) ready(changes []Change, now time.Time) []Change {
	if len(m) == 0 {
		return changes
	}
	needed, added := map[object]bool{}, map[dataplane.ServiceKey]bool{}
	waiting := func(o object) bool {
		f := m[failureKey{object: o}]
		return f != nil && now.Before(f.Next)
	}
	var out []Change
	for i := range changes {
		c := &changes[i]
		needed[c.object()] = true
		if c.Op == AddService {
			added[c.Key] = true
		}
		// The real servers of a service that cannot be added wait with it.
		if !waiting(c.object()) && !(c.Op == AddRealServer && added[c.Key] && waiting(object{service: c.Key})) {
			out = append(out, *c)
		}
	}
	for key := range m {
		if key.what == changing && !needed[key.object] {
			delete(m, key)
		}
	}
	return out
}

// objects are what failed and was not done since.
func (m failures) objects() map[object]bool {
	failed := map[object]bool{}
	for key := range m {
		if key.what == changing {
			failed[key.object] = true
		}
	}
	return failed
}

// next is when the first of them is due.
func (m failures) next() (at time.Time, any bool) {
	for _, f := range m {
		if !any || f.Next.Before(at) {
			at, any = f.Next, true
		}
	}
	return at, any
}
