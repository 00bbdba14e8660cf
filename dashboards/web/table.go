package web

import (
	"strconv"
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
	Actual           // share of new connections now
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
	// Weights and ConnRates are the sums over the service that shares are of.
	Weights, ConnRates uint64
	// Status is the state's, which also gives the row its colour.
	Status dataplane.Status
	// Cells are the texts of the columns but the first and the last.
	Cells [NumColumns]string
	// Spark is the last hour of a service; the zero Spark is none.
	Spark Spark
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

// A Group is a service and its real servers.
type Group struct {
	Row
	Reals []Row
}

// A Table is a snapshot in rows.
type Table struct {
	Tick   time.Time
	Groups []Group
	// Counts of real servers by state.
	Counts [dataplane.NumStatus]int
	Reals  int
	// ByID finds each row's place.
	byID map[string]*Row
}

// NewTable makes the table of a snapshot, which is kept and must not change.
// Sparks may be nil.
func NewTable(s *dataplane.Snapshot, sparks map[dataplane.ServiceKey]Spark) *Table {
	t := &Table{Tick: s.Tick, Groups: make([]Group, len(s.Services)), Reals: s.RealServers()}
	t.byID = make(map[string]*Row, len(s.Services)+t.Reals)
	for i := range s.Services {
		g := &t.Groups[i]
		*g = newGroup(&s.Services[i], s.Partial)
		g.Spark = sparks[g.Service.Key]
		t.byID[g.ID()] = &g.Row
		for j := range g.Reals {
			t.byID[g.Reals[j].ID()] = &g.Reals[j]
			t.Counts[g.Reals[j].Status]++
		}
	}
	return t
}

// Row finds a row by its ID; nil if it is not there.
func (t *Table) Row(id string) *Row { return t.byID[id] }

func newGroup(s *dataplane.ServiceState, partial bool) Group {
	g := Group{Reals: make([]Row, len(s.Reals))}
	var rates uint64
	bypass := len(s.Reals) > 0
	for i := range s.Reals {
		rates += s.Reals[i].Rates.Connections
		bypass = bypass && s.Reals[i].Method.RepliesBypass()
	}
	weights := s.Weight()
	g.Row = Row{Service: s, Weights: weights, ConnRates: rates, Status: s.Status()}
	active, inactive, _ := s.Connections()
	c := &g.Cells
	c[State], c[Since] = g.Status.String(), since(s.LastChange, s.Reason())
	c[Kind] = s.Scheduler
	if flags := s.Flags.Configured().String(); flags != "" {
		c[Kind] += " " + flags
	}
	if s.Flags&dataplane.FlagPersistent != 0 {
		c[Kind] += " " + strconv.FormatInt(int64(s.Timeout/time.Second), 10) + " s"
	}
	c[Weight] = strconv.FormatUint(weights, 10)
	c[Active], c[Inactive] = strconv.FormatUint(active, 10), strconv.FormatUint(inactive, 10)
	fillCounters(c, ratesIf(s.HasRates && !partial, &s.Rates), totalIf(!partial, &s.Account), bypass)
	for i := range s.Reals {
		g.Reals[i] = newReal(&g.Row, &s.Reals[i], partial)
	}
	return g
}

func newReal(service *Row, r *dataplane.RealState, partial bool) Row {
	row := Row{Service: service.Service, Real: r, Weights: service.Weights, ConnRates: service.ConnRates, Status: r.Status()}
	c := &row.Cells
	c[State], c[Since] = row.Status.String(), since(r.LastChange, r.Reason())
	c[Kind] = r.Method.String()
	if r.Method == dataplane.Tunnel {
		c[Kind] += " " + r.Encap.Type.String()
	}
	c[Weight] = strconv.FormatUint(uint64(r.Weight), 10)
	c[Expected], c[Actual] = percent(uint64(r.Weight), row.Weights), unknown
	if r.HasRates && !partial {
		c[Actual] = percent(r.Rates.Connections, row.ConnRates)
	}
	c[Active] = limited(uint64(r.Active), uint64(r.UpperThreshold))
	c[Inactive] = strconv.FormatUint(uint64(r.Inactive), 10)
	fillCounters(c, ratesIf(r.HasRates && !partial, &r.Rates), totalIf(!partial, &r.Account), r.Method.RepliesBypass())
	return row
}

// fillCounters writes rates and totals; nil is unknown. Where replies bypass the
// director its outgoing side is not available rather than none.
func fillCounters(c *[NumColumns]string, rates *dataplane.Rates, total *dataplane.Counters, bypass bool) {
	for i := ConnRate; i <= OutTotal; i++ {
		c[i] = unknown
	}
	if rates != nil {
		c[ConnRate], c[InRate], c[OutRate] = compact(rates.Connections), compact(rates.InBytes), compact(rates.OutBytes)
	}
	if total != nil {
		c[ConnTotal], c[InTotal], c[OutTotal] = compact(total.Connections), compact(total.InBytes), compact(total.OutBytes)
	}
	if bypass {
		c[OutRate], c[OutTotal] = notAvailable, notAvailable
	}
}

func ratesIf(known bool, r *dataplane.Rates) *dataplane.Rates {
	if !known {
		return nil
	}
	return r
}

func totalIf(known bool, a *dataplane.Account) *dataplane.Counters {
	if !known {
		return nil
	}
	return &a.Total
}
