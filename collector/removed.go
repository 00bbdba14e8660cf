package collector

import (
	"cmp"
	"container/list"
	"net/netip"
	"slices"
	"time"

	"lvs/dataplane"
)

// Limits of [dataplane.Snapshot.Removed].
const (
	removedFor = 24 * time.Hour
	maxRemoved = 1000
)

// absences are the accounts whose entries went from the table of late. All of
// the last day are kept in the order in which they went, so that those which come
// back or grow old make room for others; an account knows its place, so that
// neither is searched for.
type absences struct {
	// doubtful are missing so far only where the tables moved under the reading,
	// which may have passed them over.
	doubtful list.List // of lost
	gone     list.List // of lost, sorted by compareGoing
	shown    []dataplane.Removed
	stale    bool // shown is to be made anew
}

// compareGoing orders by when the entry was last in the table. Of those that went
// together a service is behind its real servers: it is what to show if not all
// can be.
func compareGoing(a, b lost) int {
	return cmp.Or(a.lastSeen.Compare(b.lastSeen), compareRow(b, a))
}

func compareRow(a, b lost) int {
	return cmp.Or(a.service.config.Key.Compare(b.service.config.Key), a.rip().Compare(b.rip()))
}

// account of what was lost.
func (l lost) account() *account {
	if l.real != nil {
		return &l.real.account
	}
	return &l.service.account
}

// rip of a real server; the zero AddrPort of a service.
func (l lost) rip() netip.AddrPort {
	if l.real != nil {
		return l.real.rip
	}
	return netip.AddrPort{}
}

// noteRemoved tells what the sample lacks, or has again, and returns what was
// removed of late. Before any of the sample is applied, when services and real
// servers still have the order of the last one; it looks at those that changed.
// Samples share the list until it changes.
func (c *Continuity) noteRemoved(consistent bool, now time.Time) []dataplane.Removed {
	a := &c.absences
	for _, s := range c.order {
		if s.mark != c.gen {
			c.miss(s, nil)
			c.missReals(s)
		}
	}
	for _, s := range c.dump {
		came := s.gen != c.gen-1
		if came {
			a.cancel(&s.account)
		}
		if came || s.changed {
			c.missReals(s)
			for _, r := range s.dump {
				a.cancel(&r.account)
			}
		}
	}
	if consistent {
		a.confirm()
	}
	a.age(now)
	if a.stale {
		a.shown, a.stale = a.list(c.names), false
	}
	return a.shown
}

// missReals notes which of its last sample's real servers a service lacks.
func (c *Continuity) missReals(s *service) {
	for _, r := range s.order {
		if r.mark != c.gen {
			c.miss(s, r)
		}
	}
}

// miss notes that an entry is not in the sample, unless that is known: it is when
// a consistent sample lacked it before.
func (c *Continuity) miss(s *service, r *real) {
	l := lost{service: s, real: r}
	a := l.account()
	if a.absent == nil && a.gen >= c.solid {
		l.lastSeen = a.LastSeen
		a.absent = c.absences.doubtful.PushBack(l)
	}
}

// cancel is for an entry that is in the table again, or forgotten.
func (a *absences) cancel(of *account) {
	if of.absent == nil {
		return
	}
	a.doubtful.Remove(of.absent) // each list leaves the other's alone
	before := a.gone.Len()
	a.gone.Remove(of.absent)
	a.stale = a.stale || a.gone.Len() < before
	of.absent = nil
}

// confirm takes all that is missing for removed.
func (a *absences) confirm() {
	if a.doubtful.Len() == 0 {
		return
	}
	went := make([]lost, 0, a.doubtful.Len())
	for e := a.doubtful.Front(); e != nil; e = e.Next() {
		went = append(went, e.Value.(lost))
	}
	a.doubtful.Init()
	a.add(went)
}

// add merges went into the list, from its end: what went before is behind only
// where the clock was set back.
func (a *absences) add(went []lost) {
	slices.SortFunc(went, compareGoing)
	behind := a.gone.Back()
	for _, l := range slices.Backward(went) {
		for behind != nil && compareGoing(behind.Value.(lost), l) > 0 {
			behind = behind.Prev()
		}
		if behind == nil {
			l.account().absent = a.gone.PushFront(l)
		} else {
			l.account().absent = a.gone.InsertAfter(l, behind)
		}
	}
	a.stale = true
}

// age lets go of what went more than a day ago.
func (a *absences) age(now time.Time) {
	for e := a.gone.Front(); e != nil; e = a.gone.Front() {
		l := e.Value.(lost)
		if now.Sub(l.lastSeen) <= removedFor {
			return
		}
		a.cancel(l.account())
	}
}

// list is what a snapshot shows: those that went last, in the order of the table.
func (a *absences) list(names Names) []dataplane.Removed {
	var rows []lost
	for e := a.gone.Back(); e != nil && len(rows) < maxRemoved; e = e.Prev() {
		rows = append(rows, e.Value.(lost))
	}
	slices.SortFunc(rows, compareRow)
	var shown []dataplane.Removed
	for _, l := range rows {
		r := dataplane.Removed{Key: l.service.config.Key, RIP: l.rip(), Account: l.account().Account}
		if names != nil {
			r.Name = names(r.Key, r.RIP)
		}
		shown = append(shown, r)
	}
	return shown
}

// recallAbsent lists what was gone from the table, or whose service was, when it
// was remembered.
func (c *Continuity) recallAbsent() {
	var gone []lost
	for _, s := range c.services {
		out := s.gen < 0
		if out && s.known {
			gone = append(gone, lost{s, nil, s.LastSeen})
		}
		for _, r := range s.reals {
			if out || r.gen < 0 {
				gone = append(gone, lost{s, r, r.LastSeen})
			}
		}
	}
	c.absences.add(gone)
}
