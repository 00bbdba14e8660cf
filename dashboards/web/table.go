package web

import (
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"lvs/dataplane"
)

// A Column is a column of the table, numbered as in a page's row. The name is
// the first.
type Column int

// The columns, from left to right. Their names, for the order of a Query, are in
// Columns.
const (
	Name      Column = iota
	State            // up, draining, down, overloaded
	Since            // since when it is in that state, and why
	Kind             // scheduler and flags, or forwarding method
	Weight           // of a service the sum of its real servers'
	Expected         // share of new connections that the weight asks for
	Actual           // share of the new connections of late
	Active           // connections, of a real server with its upper threshold
	Inactive         // connections
	ConnRate         // new connections per second
	InRate           // bytes per second
	OutRate          // bytes per second
	ConnTotal        // connections since the account began
	InTotal          // bytes
	OutTotal         // bytes
	LastHour         // sparkline, of services only
	NumColumns
)

// A Row is one line of the table. Its values are immutable.
type Row struct {
	Service *dataplane.ServiceState
	Real    *dataplane.RealState // nil in a service's own row
	// Gone says that it went from the table. Service, or Real, then has no more
	// than its key, name and account.
	Gone bool
	// Weights is the sum over the service, and Recents that of the new connections of
	// late, of which a real server has a share. Expected of ExpectedOf is the share
	// that its weight asks for.
	Weights, Recents     uint64
	Expected, ExpectedOf uint64
	// Status is the state's, which also gives the row its colour.
	Status dataplane.Status
	// Spark is the last hour of a service; the zero Spark is none.
	Spark Spark

	partial bool // counters are not known
	bypass  bool // answers pass by the director
}

// ID names the row in pages and events: a service's key, or KEY,RIP.
func (r *Row) ID() string {
	if r.Real == nil {
		return r.Key()
	}
	return r.Key() + "," + r.RIP()
}

// Key is the text of the service's key.
func (r *Row) Key() string { return r.Service.Key.String() }

// RIP is the real server's address and port; empty of a service.
func (r *Row) RIP() string {
	if r.Real == nil {
		return ""
	}
	return r.Real.RIP.String()
}

// Label is the configured name; empty if there is none.
func (r *Row) Label() string {
	if r.Real == nil {
		return r.Service.Name
	}
	return r.Real.Name
}

// Class is the row's class of style: whose it is, and its state.
func (r *Row) Class() string {
	class := "r "
	if r.Real == nil {
		class = "s "
	}
	class += r.Status.String()
	if r.Gone {
		class += " gone"
	}
	return class
}

// account is the row's.
func (r *Row) account() *dataplane.Account {
	if r.Real == nil {
		return &r.Service.Account
	}
	return &r.Real.Account
}

// A Group is a service and its real servers, those that went from it among them.
type Group struct {
	Row
	Reals []Row
	// Of is how many real servers there are, shown or not.
	Of int
}

// A Table is a snapshot in rows.
type Table struct {
	Tick time.Time
	// Groups are the services in the table, then those that went from it.
	Groups []Group
	// Counts of real servers in the table by state, and Reals in all.
	Counts [dataplane.NumStatus]int
	Reals  int
	// GoneReals went from services that are still there, GoneServices altogether.
	GoneReals, GoneServices int
	// IPVS is the version of the kernel's; empty when not told.
	IPVS string
	// Figures are what is above the table.
	Figures []Figure
	// places finds each row, and groups each service's.
	places map[place]*Row
	groups map[dataplane.ServiceKey]*Group
}

// A place is what a row is of, by which it is found; rip is invalid of a service.
type place struct {
	key dataplane.ServiceKey
	rip netip.AddrPort
}

func (r *Row) place() place {
	p := place{key: r.Service.Key}
	if r.Real != nil {
		p.rip = r.Real.RIP
	}
	return p
}

// NewTable makes the table of a snapshot, which is kept and must not change.
// Sparks may be nil; that of the zero key is the director's.
func NewTable(s *dataplane.Snapshot, sparks map[dataplane.ServiceKey]Spark, agent Agent) *Table {
	t := &Table{Tick: s.Tick, IPVS: s.Director.Version, Groups: make([]Group, len(s.Services)), Reals: s.RealServers()}
	gone := map[dataplane.ServiceKey][]*dataplane.Removed{}
	for i := range s.Removed {
		gone[s.Removed[i].Key] = append(gone[s.Removed[i].Key], &s.Removed[i])
	}
	for i := range s.Services {
		g := &t.Groups[i]
		*g = newGroup(&s.Services[i], s.Partial)
		g.Spark = sparks[g.Service.Key]
		g.lose(gone[g.Service.Key])
		delete(gone, g.Service.Key)
	}
	t.Groups = append(t.Groups, lost(gone)...)
	t.places = make(map[place]*Row, len(t.Groups)+t.Reals+len(s.Removed))
	t.groups = make(map[dataplane.ServiceKey]*Group, len(t.Groups))
	for i := range t.Groups {
		t.groups[t.Groups[i].Service.Key] = &t.Groups[i]
	}
	for row := range t.rows() {
		t.places[row.place()] = row
		t.count(row)
	}
	t.Figures = figures(t, s, sparks[dataplane.ServiceKey{}], agent)
	return t
}

// count counts a row by its state.
func (t *Table) count(r *Row) {
	switch {
	case r.Real != nil && !r.Gone:
		t.Counts[r.Status]++
	case r.Real == nil && r.Gone:
		t.GoneServices++
	case r.Gone:
		// Those of a service that went are gone with it.
		if service := t.groups[r.Service.Key]; service != nil && !service.Gone {
			t.GoneReals++
		}
	}
}

// rows are all, each service before its real servers.
func (t *Table) rows() iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		for i := range t.Groups {
			g := &t.Groups[i]
			if !yield(&g.Row) {
				return
			}
			for j := range g.Reals {
				if !yield(&g.Reals[j]) {
					return
				}
			}
		}
	}
}

// Row finds a row by its ID; nil if it is not there.
func (t *Table) Row(id string) *Row {
	service, rip, real := strings.Cut(id, ",")
	var p place
	var err error
	if p.key, err = dataplane.ParseServiceKey(service); err != nil {
		return nil
	}
	if real {
		if p.rip, err = netip.ParseAddrPort(rip); err != nil {
			return nil
		}
	}
	return t.places[p]
}

func newGroup(s *dataplane.ServiceState, partial bool) Group {
	g := Group{Reals: make([]Row, len(s.Reals)), Of: len(s.Reals)}
	g.Row = Row{Service: s, Weights: s.Weight(), Status: s.Status(), partial: partial, bypass: len(s.Reals) > 0}
	for i := range s.Reals {
		g.Recents += s.Reals[i].Recent
		g.ExpectedOf += s.EffectiveWeight(s.Reals[i].Weight)
		g.bypass = g.bypass && s.Reals[i].Method.RepliesBypass()
	}
	for i := range s.Reals {
		r := &s.Reals[i]
		g.Reals[i] = Row{
			Service: s, Real: r, Weights: g.Weights, Recents: g.Recents, Expected: s.EffectiveWeight(r.Weight), ExpectedOf: g.ExpectedOf,
			Status: r.Status(), partial: partial, bypass: r.Method.RepliesBypass(),
		}
	}
	return g
}

// lose adds the real servers that went from a group's service, each at its place
// and once.
func (g *Group) lose(gone []*dataplane.Removed) {
	seen := make(map[netip.AddrPort]bool, len(gone))
	for _, e := range gone {
		if !e.RIP.IsValid() || g.Service.Real(e.RIP) != nil || seen[e.RIP] {
			continue
		}
		seen[e.RIP] = true
		real := &dataplane.RealState{RealServer: dataplane.RealServer{RIP: e.RIP}, Name: e.Name, Account: e.Account}
		g.Reals = append(g.Reals, Row{Service: g.Service, Real: real, Gone: true, Status: dataplane.Down, partial: g.partial})
	}
	if len(g.Reals) > g.Of {
		g.Of = len(g.Reals)
		slices.SortStableFunc(g.Reals, func(a, b Row) int { return a.Real.RIP.Compare(b.Real.RIP) })
	}
}

// lost are the groups of services that went, with their real servers, in the order
// of keys.
func lost(gone map[dataplane.ServiceKey][]*dataplane.Removed) (groups []Group) {
	for _, entries := range gone {
		i := slices.IndexFunc(entries, func(e *dataplane.Removed) bool { return !e.RIP.IsValid() })
		if i < 0 {
			continue // it is not said that the service itself went
		}
		s := &dataplane.ServiceState{Service: dataplane.Service{Key: entries[i].Key}, Name: entries[i].Name, Account: entries[i].Account}
		g := Group{Row: Row{Service: s, Gone: true, Status: dataplane.Down}}
		g.lose(entries)
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b Group) int { return a.Service.Key.Compare(b.Service.Key) })
	return groups
}
