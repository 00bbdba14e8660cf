package web

import (
	"net/url"
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
	// Version of the program.
	Version string
	// Table is what the page is of; nil before the first sample.
	Table *Table
	// Interval between samples; Stale says that the source fails.
	Interval time.Duration
	Stale    bool
	// Error tells what was wrong with the request; empty is nothing.
	Error string

	Query  Query
	Groups []Group
	// Collapsed says that real servers which are up are left out.
	Collapsed bool

	// Service is set on a service's page.
	Service *Detail
}

// A Detail is what a service's page has besides its rows.
type Detail struct {
	Group Group
	// Real is the row of the one real server that graphs are of; nil of the
	// service.
	Real *Row
	// Start and End of the graphs, as the history API reads them.
	Start, End string
	From, To   int64 // the same, in seconds since 1970
	Graphs     []Graph
}

// A Graph is a picture of the history.
type Graph struct {
	Kind, Title string
	Key         string
	Start, End  string
}

// URL is where the picture is, from the root.
func (g Graph) URL(theme string) string {
	v := url.Values{"key": {g.Key}, "kind": {g.Kind}, "start": {g.Start}, "end": {g.End}, "theme": {theme}, "zone": {"UTC"}}
	return "api/v1/graph.svg?" + v.Encode()
}

// A Span is a time that graphs can be of.
type Span struct{ Name, Start string }

// Spans are those with a link of their own.
func Spans() []Span {
	return []Span{{"1 hour", "-1h"}, {"6 hours", "-6h"}, {"1 day", "-1d"}, {"1 week", "-7d"}, {"1 month", "-31d"}, {"1 year", "-365d"}, {"2 years", "-730d"}}
}

// View puts onto p the rows of t that q asks for.
func (t *Table) View(p *Page, q Query) {
	p.Table, p.Query, p.Groups = t, q, q.Select(t)
	n := 0
	for i := range p.Groups {
		n += len(p.Groups[i].Reals)
	}
	if q.All || n <= MaxReals {
		return
	}
	p.Collapsed = true
	room := MaxReals
	for i := range p.Groups {
		g := &p.Groups[i]
		all := g.Reals
		g.Reals = nil
		for j := range all {
			if all[j].Status != dataplane.Up && room > 0 {
				g.Reals, room = append(g.Reals, all[j]), room-1
			}
		}
	}
}

// Detail puts onto p the page of a service, with graphs of the service or, where
// rip is not empty, of one of its real servers. It reports whether both are in the
// table.
func (t *Table) Detail(p *Page, key dataplane.ServiceKey, rip, start, end string) bool {
	row := t.Row(key.String())
	if row == nil {
		return false
	}
	d := &Detail{Start: start, End: end}
	for i := range t.Groups {
		if &t.Groups[i].Row == row {
			d.Group = t.Groups[i]
		}
	}
	graphed := row.ID()
	kinds := []Graph{{Kind: "traffic", Title: "Traffic"}, {Kind: "connections", Title: "New connections"}, {Kind: "active", Title: "Connections"}, {Kind: "packets", Title: "Packets"}}
	if rip != "" {
		graphed += "," + rip
		if d.Real = t.Row(graphed); d.Real == nil {
			return false
		}
	} else {
		kinds = append(kinds, Graph{Kind: "reals", Title: "Real servers, bytes in"}, Graph{Kind: "reals:active", Title: "Real servers, active connections"})
	}
	for _, g := range kinds {
		g.Key, g.Start, g.End = graphed, start, end
		d.Graphs = append(d.Graphs, g)
	}
	p.Table, p.Service, p.Groups = t, d, []Group{d.Group}
	return true
}

// Of counts the real servers of a service, shown or not.
func (g Group) Of() int { return len(g.Service.Reals) }

// Heading is a column's heading: its words, an explanation for who points at it,
// and where a click leads.
type Heading struct {
	Words, Title, Name string
	Number             bool // its cells are aligned to the right
	Sorted             string
	URL                string
}

// headings are the table's, without order.
var headings = [NumColumns]Heading{
	Name:      {Words: "Service / real server", Title: "protocol, address and port, or firewall mark"},
	State:     {Words: "State"},
	Since:     {Words: "Since, why", Title: "UTC"},
	Kind:      {Words: "Scheduler / forward"},
	Weight:    {Words: "Weight", Number: true},
	Expected:  {Words: "Expected", Title: "share of new connections that the weight asks for", Number: true},
	Actual:    {Words: "Actual", Title: "share of new connections now", Number: true},
	Active:    {Words: "Active", Title: "active connections / upper threshold", Number: true},
	Inactive:  {Words: "Inactive", Title: "inactive connections", Number: true},
	ConnRate:  {Words: "Conn/s", Title: "new connections per second", Number: true},
	InRate:    {Words: "In B/s", Title: "bytes per second from clients", Number: true},
	OutRate:   {Words: "Out B/s", Title: "bytes per second to clients; n/a where answers pass by the director", Number: true},
	ConnTotal: {Words: "Conns", Title: "connections in total", Number: true},
	InTotal:   {Words: "In", Title: "bytes from clients in total", Number: true},
	OutTotal:  {Words: "Out", Title: "bytes to clients in total", Number: true},
	LastHour:  {Words: "Last hour", Title: "bytes per second from clients"},
}

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

// AllURL is the page with all real servers.
func (p *Page) AllURL() string {
	q := p.Query
	q.All = true
	return "?" + q.URL()
}

// Spans are for the templates.
func (p *Page) Spans() []Span { return Spans() }

// States are for the templates.
func (p *Page) States() []string { return States }

// Time is the table's, as the page writes it.
func (p *Page) Time() string { return p.Table.Tick.UTC().Format(timeLayout) }

// Seconds is the interval.
func (p *Page) Seconds() int { return int(p.Interval / time.Second) }
