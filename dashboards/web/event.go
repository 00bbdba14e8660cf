package web

import (
	"fmt"
	"slices"
	"time"

	"lvs/dataplane"
)

// An Event tells an open page what changed from one table to a later one. Its
// JSON is an object with what changed only.
type Event struct {
	// Tick is the later table's.
	Tick time.Time `json:"tick"`
	// Made is when the event was; zero where Since made it, which knows no clock.
	Made time.Time `json:"made,omitzero"`
	// Summary is the line above the table.
	Summary string `json:"summary"`
	// Shape says that services came or went, so that the page is to be asked for
	// anew.
	Shape bool `json:"shape,omitempty"`
	// Moved are keys of services whose real servers came, went or have other names,
	// so that these are to be asked for anew.
	Moved []string `json:"moved,omitempty"`
	// Partial says that real servers which are up are left out below.
	Partial bool `json:"partial,omitempty"`
	// Down is how many real servers in the table are.
	Down int `json:"down"`
	// Figures that changed, by ID.
	Figures map[string]Cell `json:"figures,omitempty"`
	// Rows that changed, by ID.
	Rows map[string]Change `json:"rows,omitempty"`
}

// A Change is what is different in a row.
type Change struct {
	// State is the new one; empty if it is as it was.
	State string `json:"state,omitempty"`
	// Cells are the new ones, by column.
	Cells map[Column]Cell `json:"cells,omitempty"`
}

// Summary is the state of the table in a line.
func (t *Table) Summary() string {
	s := fmt.Sprintf("%d services, %d real servers: %d up", len(t.Groups)-t.GoneServices, t.Reals, t.Counts[dataplane.Up])
	for _, status := range []dataplane.Status{dataplane.Overloaded, dataplane.Draining, dataplane.Down} {
		if n := t.Counts[status]; n > 0 {
			s += fmt.Sprintf(", %d %s", n, status)
		}
	}
	if t.GoneReals > 0 {
		s += fmt.Sprintf(", %d removed", t.GoneReals)
	}
	if t.GoneServices > 0 {
		s += fmt.Sprintf("; services removed: %d", t.GoneServices)
	}
	return s
}

// Down is how many real servers in the table are down.
func (t *Table) Down() int { return t.Counts[dataplane.Down] }

// Since is the event that brings a page of prev up to t. Of tables too large to
// be shown whole it tells real servers only where they are not up, or were not, and
// of those the first MaxReals: pages show no others, unless somebody asked for them.
func (t *Table) Since(prev *Table) *Event {
	e := &Event{
		Tick: t.Tick, Summary: t.Summary(), Down: t.Down(), Partial: t.large(),
		Figures: t.figuresSince(prev), Rows: map[string]Change{},
	}
	moved := t.movedSince(prev, e)
	room := MaxReals
	full, turned := false, false
	for row := range t.rows() {
		old := prev.places[row.place()]
		if old == nil || old.Label() != row.Label() || old.Gone != row.Gone {
			// What the page cannot change in place: the first cell, and what kind of
			// row it is.
			moved(row)
		}
		switch {
		case old == nil:
		case t.large() && row.Real != nil && row.Status == dataplane.Up && old.Status == dataplane.Up:
		case t.large() && row.Real != nil && room == 0:
			full, turned = true, turned || row.Status != old.Status
		default:
			if row.Real != nil {
				room, turned = room-1, turned || row.Status != old.Status
			}
			if c, ok := row.since(old); ok {
				e.Rows[row.ID()] = c
			}
		}
	}
	e.Shape = e.Shape || full && turned // others may be the first by now
	return e
}

// movedSince tells e of rows that went, and returns what tells it of others that
// are not where or what they were.
func (t *Table) movedSince(prev *Table, e *Event) func(*Row) {
	seen := map[dataplane.ServiceKey]bool{}
	moved := func(r *Row) {
		if r.Real == nil {
			e.Shape = true
		} else if key := r.Service.Key; !seen[key] {
			seen[key] = true
			e.Moved = append(e.Moved, key.String())
		}
	}
	for place, row := range prev.places {
		if t.places[place] == nil {
			moved(row)
		}
	}
	slices.Sort(e.Moved) // a map has no order
	return moved
}

// figuresSince are those that changed.
func (t *Table) figuresSince(prev *Table) map[string]Cell {
	list := map[string]Cell{}
	var compare func(now, before []Figure)
	compare = func(now, before []Figure) {
		for i := range now {
			if len(before) != len(now) {
				list[now[i].ID] = now[i].Cell // of the table before the first sample
				continue
			}
			if now[i].Cell != before[i].Cell {
				list[now[i].ID] = now[i].Cell
			}
			compare(now[i].States, before[i].States)
		}
	}
	compare(t.Figures, prev.Figures)
	return list
}

// large reports whether a page leaves real servers out that are up.
func (t *Table) large() bool { return t.Reals+t.GoneReals+t.GoneServices > MaxReals }

// since is what changed in the row, if anything did.
func (r *Row) since(old *Row) (c Change, changed bool) {
	if r.Status != old.Status {
		c.State, changed = r.Status.String(), true
	}
	now, before := r.Cells(), old.Cells()
	for i := range now {
		if now[i] != before[i] {
			if c.Cells == nil {
				c.Cells = map[Column]Cell{}
			}
			c.Cells[Column(i)], changed = now[i], true
		}
	}
	return c, changed
}
