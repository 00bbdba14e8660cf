package web

import (
	"strconv"
	"time"

	"lvs/dataplane"
)

// MaxReals is how many real servers a page shows unless all are asked for. Where
// there are more, only those that are not up are shown beneath their services, as
// many as that.
const MaxReals = 500

// A Page is what the templates are given.
type Page struct {
	// Base is the way from the page to the root: "", or "../" once per slash.
	Base string
	// Title is the page's own, without the program's name.
	Title string
	// Host is the director's name; empty if it has none. Version is the program's.
	Host, Version string
	// Table is what the page is of; nil before the first sample.
	Table *Table
	// Now is when the page is made, from which ages count; zero is the table's time.
	Now time.Time
	// Interval between samples; Stale says that the source fails.
	Interval time.Duration
	Stale    bool
	// Error tells what was wrong with the request; empty is nothing.
	Error string

	Query  Query
	Groups []Group
	// Collapsed says that real servers are left out: those which are up, unless they
	// were asked for, and Cut that there was no room for all others.
	Collapsed, Cut bool

	// Service is set on a service's page.
	Service *Detail
}

// View puts onto p the rows of t that q asks for. Of services that went from the
// table their real servers are left to their own page.
func (t *Table) View(p *Page, q Query) {
	p.Table, p.Query, p.Groups = t, q, q.Select(t)
	n := 0
	for i := range p.Groups {
		g := &p.Groups[i]
		if g.Gone {
			g.Reals = nil
			n++
		}
		n += len(g.Reals)
	}
	if q.All || n <= MaxReals {
		return
	}
	p.Collapsed = true
	room := MaxReals
	all := p.Groups
	p.Groups = nil
	for _, g := range all {
		reals := g.Reals
		g.Reals = nil
		for j := range reals {
			switch {
			case reals[j].Status == dataplane.Up && q.State != dataplane.Up.String():
			case room == 0:
				p.Cut = true
			default:
				g.Reals, room = append(g.Reals, reals[j]), room-1
			}
		}
		if g.Gone {
			if room == 0 {
				p.Cut = true
				continue
			}
			room--
		}
		p.Groups = append(p.Groups, g)
	}
}

// Heading is a column's heading: its words, an explanation for who points at it,
// and where a click leads.
type Heading struct {
	Words, Title, Name string
	Number             bool // its cells are aligned to the right
	First              bool // it begins a Span of columns
	Sorted             string
	URL                string
}

// headings are the table's, without order.
var headings = [NumColumns]Heading{
	Name:      {Words: "Service / real server", Title: "protocol, address and port, or firewall mark"},
	State:     {Words: "State", Title: "of a service with how many of its real servers are in service"},
	Since:     {Words: "Since, why", Title: "how long it is in that state"},
	Kind:      {Words: "Scheduler / forward"},
	Weight:    {Words: "Weight", Number: true, First: true},
	Expected:  {Words: "Expected", Title: "share of new connections that the weight asks for, as the scheduler takes it", Number: true},
	Actual:    {Words: "Actual", Title: "share of the new connections of the last one to two minutes; the mark in the bar is the expected one", Number: true},
	Active:    {Words: "Active", Title: "active connections / upper threshold, which inactive ones count for as well", Number: true, First: true},
	Inactive:  {Words: "Inactive", Title: "inactive connections", Number: true},
	ConnRate:  {Words: "Conn/s", Title: "new connections per second", Number: true, First: true},
	InRate:    {Words: "In/s", Title: "bytes per second from clients", Number: true},
	OutRate:   {Words: "Out/s", Title: "bytes per second to clients; n/a where answers pass by the director", Number: true},
	ConnTotal: {Words: "Conns", Title: "connections in total", Number: true, First: true},
	InTotal:   {Words: "In", Title: "bytes from clients in total", Number: true},
	OutTotal:  {Words: "Out", Title: "bytes to clients in total; n/a where answers pass by the director", Number: true},
	LastHour:  {Words: "Last hour", Title: "bytes per second, in above and out below, each up to its greatest", First: true},
}

// A Band is a heading over several columns.
type Band struct {
	Words   string // empty over those that need none
	Columns int
}

// bands are over the headings, from left to right.
var bands = []Band{{"", int(Weight)}, {"Share", int(Active - Weight)}, {"Connections", int(ConnRate - Active)}, {"Now", int(ConnTotal - ConnRate)}, {"In total", int(LastHour - ConnTotal)}, {"", 1}}

// Bands are for the templates.
func (p *Page) Bands() []Band { return bands }

// Headings are the table's, each with a link to the page ordered by it: from the
// greatest first where it is a number, the other way on the second click.
func (p *Page) Headings() []Heading {
	list := headings
	for c := range list {
		h := &list[c]
		if h.Name = Columns[c]; h.Name == "" || p.Service != nil {
			continue
		}
		q := p.Query
		q.Sort, q.Desc = h.Name, h.Number
		if p.Query.Sort == h.Name {
			q.Desc = !p.Query.Desc
			if h.Sorted = "ascending"; p.Query.Desc {
				h.Sorted = "descending"
			}
		}
		h.URL = "?" + q.URL()
	}
	return list[:]
}

// LeftOut says what is left out of a page that is collapsed.
func (p *Page) LeftOut() string {
	shown := "those that are not up"
	if p.Query.State != "" {
		shown = "those that match"
	}
	if p.Cut {
		shown = "the first " + strconv.Itoa(MaxReals) + " of " + shown
	}
	return "There are too many real servers to show at once: beneath their services are " + shown + "."
}

// AllURL is the page with all real servers.
func (p *Page) AllURL() string {
	q := p.Query
	q.All = true
	return "?" + q.URL()
}

// States are for the templates.
func (p *Page) States() []string { return States }

// Time is the table's, as the page writes it.
func (p *Page) Time() string { return p.Table.Tick.UTC().Format(timeLayout) }

// now is the time that ages are of.
func (p *Page) now() time.Time {
	if p.Now.IsZero() && p.Table != nil {
		return p.Table.Tick
	}
	return p.Now
}

// Made is now, for the scripts.
func (p *Page) Made() string { return stamp(p.now()) }

// Name is what the page is called in the browser.
func (p *Page) Name() string {
	if p.Host != "" {
		return p.Title + " on " + p.Host + " · lvs-agent"
	}
	return p.Title + " · lvs-agent"
}

// Headline is the name, before which on the page of all services comes what is
// down.
func (p *Page) Headline() string {
	if p.Table != nil && p.Service == nil && p.Table.Down() > 0 {
		return strconv.Itoa(p.Table.Down()) + " down · " + p.Name()
	}
	return p.Name()
}

// Seconds is the interval.
func (p *Page) Seconds() int { return int(p.Interval / time.Second) }

// Moves are for the templates.
func (p *Page) Moves() []Span { return p.Service.Moves(p.now()) }
