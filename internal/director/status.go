package director

import (
	"cmp"
	"slices"
	"time"
)

// A Status is how the director stands, for windows. It is immutable.
type Status struct {
	// Applied is when the table was last seen as wanted, but for drift and for
	// what drains; the zero Time if it never was.
	Applied   time.Time    `json:"applied,omitzero"`
	Enforce   bool         `json:"enforce"`
	Exclusive bool         `json:"exclusive"`
	Services  int          `json:"services"` // in the configuration
	Drift     []Difference `json:"drift"`    // oldest first
	Failures  []Failure    `json:"failures"` // oldest first
	Draining  []Drain      `json:"draining"` // by service and real server
	Counts    Counts       `json:"-"`
}

// Counts are totals since the director began.
type Counts struct {
	Changes [StopDaemon + 1]uint64 // made, by Op
	Failed  uint64                 // steps that failed, retries as well
	PutBack uint64                 // differences made by others and put back
}

// Status is how the director stands. It never waits for a change under way.
func (a *Applier) Status() *Status { return a.status.Load() }

// publish makes the Status what the Applier knows.
func (a *Applier) publish() {
	s := &Status{Applied: a.applied, Counts: a.counts, Drift: []Difference{}, Failures: []Failure{}, Draining: []Drain{}}
	if a.want != nil {
		s.Enforce, s.Exclusive, s.Services = a.want.Enforce, a.want.Exclusive, len(a.want.Services)
	}
	for _, d := range a.drift {
		s.Drift = append(s.Drift, d)
	}
	slices.SortFunc(s.Drift, func(d, e Difference) int {
		return cmp.Or(d.Since.Compare(e.Since), d.Service.Compare(e.Service), d.Real.Compare(e.Real), cmp.Compare(d.Object, e.Object), cmp.Compare(d.Field, e.Field))
	})
	for _, f := range a.failures {
		s.Failures = append(s.Failures, *f)
	}
	slices.SortFunc(s.Failures, func(f, g Failure) int { return cmp.Or(f.Since.Compare(g.Since), cmp.Compare(f.Step, g.Step)) })
	for _, d := range a.drains {
		s.Draining = append(s.Draining, d)
	}
	sortDrains(s.Draining)
	a.status.Store(s)
}

func sortDrains(list []Drain) {
	slices.SortFunc(list, func(d, e Drain) int { return cmp.Or(d.Service.Compare(e.Service), d.Real.Compare(e.Real)) })
}

// noteDrift replaces the known drift; what stays keeps its Since. Drift is
// logged when it begins, and when it ends by itself.
func (a *Applier) noteDrift(now []Difference, at time.Time) {
	next := make(map[Difference]Difference, len(now))
	for _, d := range now {
		place := d.place()
		if old, known := a.drift[place]; known {
			d.Since = old.Since
		} else {
			d.Since = at
			a.log.Warn("drift: "+d.String(), d.attrs()...)
		}
		next[place] = d
	}
	for place, d := range a.drift {
		if _, still := next[place]; !still {
			a.log.Info("drift ended: "+d.String(), d.attrs()...)
		}
	}
	a.drift = next
}

func (d Difference) attrs() []any {
	c := Change{Key: d.Service}
	c.Real.RIP = d.Real
	return c.attrs()
}

// without are the differences of list that are not at a place of others.
func without(list, others []Difference) (out []Difference) {
	places := map[Difference]bool{}
	for _, d := range others {
		places[d.place()] = true
	}
	for _, d := range list {
		if !places[d.place()] {
			out = append(out, d)
		}
	}
	return out
}
