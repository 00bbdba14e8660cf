package web

import (
	"strconv"
	"strings"
	"time"

	"lvs/dataplane"
)

// An Agent is how the program fares whose page it is.
type Agent struct {
	// Source tells what the director is read with: "netlink".
	Source   string
	Interval time.Duration
	// Troubles are what does not work, in a few words each; without any it is well.
	Troubles []string
	// Stored says that there is a history: it has Used bytes and is held below Limit,
	// of which zero is none.
	Stored      bool
	Used, Limit uint64
}

// A Figure is one of those above the table: a term, and what it is now.
type Figure struct {
	// ID names it in pages and events.
	ID, Name string
	Cell
	// States are its parts, each leading to the real servers in that state.
	States  []Figure
	Picture picture
}

// figures are those of a table.
func figures(t *Table, s *dataplane.Snapshot, hour Spark, agent Agent) []Figure {
	d := &s.Director
	connRate, in, out := directorRates(t, s)
	last := Cell{Title: "no history"}
	if hour.Draw != "" {
		last = Cell{Title: hour.Title, Draw: hour.Draw}
	}
	return []Figure{
		{ID: "services", Name: "Services up", Cell: servicesFigure(t)},
		realsFigure(t),
		{ID: "conn_rate", Name: "New connections", Cell: connRate},
		{ID: "in_rate", Name: "In", Cell: in},
		{ID: "out_rate", Name: "Out", Cell: out},
		{ID: "hour", Name: "Last hour", Cell: last, Picture: sparkline},
		{ID: "connections", Name: "Connections", Cell: connectionsFigure(s)},
		{ID: "conn_table", Name: "Connection table", Cell: connTableFigure(d), Picture: loadBar},
		{ID: "sync", Name: "Sync daemons", Cell: syncFigure(s)},
		{ID: "counters", Name: "Counting for", Cell: countersFigure(d)},
		{ID: "reset", Name: "Last reset", Cell: resetFigure(d)},
		{ID: "agent", Name: "Agent", Cell: agentFigure(agent)},
		{ID: "store", Name: "History", Cell: storeFigure(agent), Picture: loadBar},
	}
}

func servicesFigure(t *Table) Cell {
	up, all := 0, len(t.Groups)-t.GoneServices
	for i := range t.Groups {
		if g := &t.Groups[i]; !g.Gone && g.Status.InService() {
			up++
		}
	}
	c := Cell{Text: strconv.Itoa(up), Soft: "of " + strconv.Itoa(all)}
	if up < all {
		c.Class = bad
	}
	if t.GoneServices > 0 {
		c.Soft += ", " + strconv.Itoa(t.GoneServices) + " removed"
	}
	return c
}

// realsFigure has a part for each state, from the best to the worst.
func realsFigure(t *Table) Figure {
	f := Figure{ID: "reals", Name: "Real servers", Picture: stateBar}
	parts := make([]int, 0, dataplane.NumStatus+1)
	add := func(state string, n int) {
		c := Cell{Text: strconv.Itoa(n), Soft: state}
		if n == 0 {
			c.Class = faint
		}
		f.States, parts = append(f.States, Figure{ID: "reals." + state, Name: state, Cell: c}), append(parts, n)
	}
	for _, status := range []dataplane.Status{dataplane.Up, dataplane.Overloaded, dataplane.Draining, dataplane.Down} {
		add(status.String(), t.Counts[status])
	}
	add("removed", t.GoneReals)
	f.Draw = drawParts(parts...)
	return f
}

// directorRates are the director's own, or else what its services come to.
func directorRates(t *Table, s *dataplane.Snapshot) (conns, in, out Cell) {
	r, has := s.Director.Rates, s.Director.HasStats && s.Director.HasRates
	bypass := len(t.Groups) > t.GoneServices
	for i := range s.Services {
		v := &s.Services[i]
		if bypass = bypass && t.Groups[i].bypass; !has && v.HasRates && !s.Partial {
			r = dataplane.Rates(dataplane.Counters(r).Add(dataplane.Counters(v.Rates)))
		}
		has = has || i == len(s.Services)-1 && v.HasRates && !s.Partial
	}
	if !has {
		return text(notAvailable), text(notAvailable), text(notAvailable)
	}
	conns, in, out = number(r.Connections), speed(r.InBytes), speed(r.OutBytes)
	conns.Soft = "per second"
	in.Soft, out.Soft = compact(r.InPackets)+" packets/s", compact(r.OutPackets)+" packets/s"
	if bypass {
		out = text(notAvailable)
		out.Title = "answers pass by the director"
	}
	return conns, in, out
}

func connectionsFigure(s *dataplane.Snapshot) Cell {
	var active, inactive uint64
	for i := range s.Services {
		a, n, _ := s.Services[i].Connections()
		active, inactive = active+a, inactive+n
	}
	c := number(active + inactive)
	c.Soft = compact(active) + " active, " + compact(inactive) + " inactive"
	return c
}

// connTableFigure is of all connections of the director, those of backups among
// them.
func connTableFigure(d *dataplane.Director) Cell {
	c := text(notAvailable)
	if d.HasConnections {
		c = number(d.Connections)
		c.Draw = box(0, hundredths(d.Connections, uint64(d.ConnTableSize)))
		c.Title = strconv.FormatUint(d.Connections, 10) + " connections now, at most " + strconv.FormatUint(d.Peak, 10) + " so far"
	}
	if d.ConnTableSize > 0 {
		c.Soft = "in " + compact(uint64(d.ConnTableSize)) + " buckets"
	}
	return c
}

func syncFigure(s *dataplane.Snapshot) Cell {
	if s.Partial {
		return text(notAvailable)
	}
	if len(s.Director.Daemons) == 0 {
		return Cell{Text: "none", Class: faint}
	}
	var list []string
	for _, d := range s.Director.Daemons {
		list = append(list, d.Role.String()+" "+d.Interface+" id "+strconv.FormatUint(uint64(d.SyncID), 10))
	}
	return Cell{Text: strings.Join(list, ", ")}
}

// countersFigure is since when the totals count.
func countersFigure(d *dataplane.Director) Cell {
	if !d.HasStats || d.FirstSeen.IsZero() {
		return text(notAvailable)
	}
	return Cell{At: d.FirstSeen.Unix()}
}

// resetFigure is when the kernel's counters last began anew, which the totals do
// not.
func resetFigure(d *dataplane.Director) Cell {
	switch {
	case !d.HasStats:
		return text(notAvailable)
	case d.LastReset.IsZero():
		return Cell{Text: "none", Class: faint}
	}
	return Cell{At: d.LastReset.Unix(), Soft: "ago, " + resetWords(d.Resets)}
}

func agentFigure(a Agent) Cell {
	if len(a.Troubles) > 0 {
		return Cell{Text: strings.Join(a.Troubles, ", "), Class: bad}
	}
	return Cell{Text: "well", Soft: "reads " + a.Source + " every " + age(a.Interval)}
}

func storeFigure(a Agent) Cell {
	if !a.Stored {
		return Cell{Text: "off", Class: faint}
	}
	c := octets(a.Used)
	if a.Limit > 0 {
		c.Soft, c.Draw = "of "+quantity(a.Limit, "B"), box(0, hundredths(a.Used, a.Limit))
	}
	return c
}
