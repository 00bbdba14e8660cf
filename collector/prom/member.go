package prom

import (
	"net/http"

	"lvs/dataplane"
)

// A Member is one director of a fleet, at one moment.
type Member struct {
	// Director is the value of the label director, which every series of it has;
	// empty is no label, for a director that is shown alone. Of members with the
	// same one the first is shown only, lest Prometheus refuse the scrape.
	Director string
	// Snapshot is its latest; nil before the first.
	Snapshot *dataplane.Snapshot
	// Up says that the latest reading of it succeeded.
	Up bool
	// Resets counts how often its kernel's counters started anew; nil is unknown.
	Resets *Resets
	// Agent is what its agent tells of itself, of which the families are shown that
	// are OfMembers; nil is nothing.
	Agent *Health
	// Lacks names the families that its source can tell nothing of, which are
	// left out; see Descriptions.
	Lacks []string
}

// ServeMembers answers a scrape as ServeHTTP does, but of these members: those
// that a request named as its target. The Exposition must be one of a fleet.
func (e *Exposition) ServeMembers(w http.ResponseWriter, r *http.Request, members ...Member) {
	e.serve(w, r, func(m *scrapeMemory, f *filter) { e.loadMembers(m, members, f) })
}
