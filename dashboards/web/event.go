package web

import (
	"fmt"
	"time"

	"lvs/dataplane"
)

// An Event tells an open page what changed from one table to a later one. Its
// JSON is an object with what changed only.
type Event struct {
	// Tick is the later table's.
	Tick time.Time `json:"tick"`
	// Summary is the line above the table.
	Summary string `json:"summary"`
	// Shape says that rows came or went, so that the page is to be asked for
	// anew.
	Shape bool `json:"shape,omitempty"`
	// Partial says that real servers which are up are left out below.
	Partial bool `json:"partial,omitempty"`
	// Rows that changed, by ID.
	Rows map[string]Change `json:"rows,omitempty"`
}

// A Change is what is different in a row.
type Change struct {
	// State is the new one; empty if it is as it was.
	State string `json:"state,omitempty"`
	// Cells are the new texts, by column.
	Cells map[Column]string `json:"cells,omitempty"`
	// Spark is the new sparkline's path, Peak its greatest value.
	Spark string `json:"spark,omitempty"`
	Peak  string `json:"peak,omitempty"`
}

// Summary is the state of the table in a line.
func (t *Table) Summary() string {
	s := fmt.Sprintf("%d services, %d real servers: %d up", len(t.Groups), t.Reals, t.Counts[dataplane.Up])
	for _, status := range []dataplane.Status{dataplane.Overloaded, dataplane.Draining, dataplane.Down} {
		if n := t.Counts[status]; n > 0 {
			s += fmt.Sprintf(", %d %s", n, status)
		}
	}
	return s
}

// Since is the event that brings a page of prev up to t. Of tables too large to
// be shown whole it tells real servers only where they are not up, or were not:
// pages show no others, unless somebody opened a service.
func (t *Table) Since(prev *Table) *Event {
	e := &Event{Tick: t.Tick, Summary: t.Summary(), Rows: map[string]Change{}, Partial: t.large(), Shape: len(t.byID) != len(prev.byID)}
	for id, row := range t.byID {
		old := prev.byID[id]
		switch {
		case old == nil:
			e.Shape = true
		case t.large() && row.Real != nil && row.Status == dataplane.Up && old.Status == dataplane.Up:
		default:
			if c, ok := row.since(old); ok {
				e.Rows[id] = c
			}
			// What the page cannot change in place: the first cell.
			e.Shape = e.Shape || row.Label() != old.Label()
		}
	}
	return e
}

// large reports whether a page leaves real servers out that are up.
func (t *Table) large() bool { return t.Reals > MaxReals }

// since is what changed in the row, if anything did.
func (r *Row) since(old *Row) (c Change, changed bool) {
	if r.Status != old.Status {
		c.State, changed = r.Status.String(), true
	}
	for i := range r.Cells {
		if r.Cells[i] != old.Cells[i] {
			if c.Cells == nil {
				c.Cells = map[Column]string{}
			}
			c.Cells[Column(i)], changed = r.Cells[i], true
		}
	}
	if r.Spark.Path != "" && r.Spark != old.Spark {
		c.Spark, c.Peak, changed = r.Spark.Path, r.Spark.Peak, true
	}
	return c, changed
}
