package web

import (
	"net/url"
	"strings"
	"time"

	"lvs/dataplane"
)

// A Detail is what a service's page has besides its rows.
type Detail struct {
	Group Group
	// Real is the row of the one real server that graphs are of; nil of the
	// service.
	Real *Row
	// Start and End of the graphs, as the history API reads them, and From and To,
	// when that is.
	Start, End string
	From, To   time.Time
	Graphs     []Graph
}

// A Graph is a picture of the history.
type Graph struct {
	Kind, Title string
	Key         string
}

// Picture is where the picture of a graph is, from the root. It is of From and To,
// not of the words that told them, for it may be asked for later than the page.
func (d *Detail) Picture(g Graph, theme string) string {
	v := url.Values{"key": {g.Key}, "kind": {g.Kind}, "start": {stamp(d.From)}, "end": {stamp(d.To)}, "theme": {theme}, "zone": {"UTC"}}
	return "api/v1/graph.svg?" + v.Encode()
}

// Follows says that the graphs are of so long until now, whenever that is.
func (d *Detail) Follows() bool {
	return d.End == "now" && (strings.HasPrefix(d.Start, "-") || strings.HasPrefix(d.Start, "end-"))
}

// Detail puts onto p the page of a service, with graphs of the service or, where
// rip is not empty, of one of its real servers. It reports whether both are in the
// table, or went from it.
func (t *Table) Detail(p *Page, key dataplane.ServiceKey, rip, start, end string) bool {
	group := t.groups[key]
	if group == nil {
		return false
	}
	d := &Detail{Group: *group, Start: start, End: end}
	graphed := group.ID()
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
		g.Key = graphed
		d.Graphs = append(d.Graphs, g)
	}
	p.Table, p.Service, p.Groups = t, d, []Group{*group}
	return true
}

// A Span is a time that graphs can be of, by its name.
type Span struct {
	Name, Start, End string
	// Current says that the graphs are of it.
	Current bool
}

// URL is where its link leads, for graphs of a real server or, where that is
// empty, of the service.
func (s Span) URL(real string) string {
	v := url.Values{"start": {s.Start}}
	if s.End != "" {
		v.Set("end", s.End)
	}
	if real != "" {
		v.Set("real", real)
	}
	return "?" + v.Encode()
}

// Spans are those with a link of their own: they end now.
func (d *Detail) Spans() []Span {
	list := []Span{
		{Name: "1 hour", Start: "-1h"}, {Name: "6 hours", Start: "-6h"}, {Name: "1 day", Start: "-1d"}, {Name: "1 week", Start: "-7d"},
		{Name: "1 month", Start: "-31d"}, {Name: "1 year", Start: "-365d"}, {Name: "2 years", Start: "-730d"},
	}
	for i := range list {
		list[i].Current = d.End == "now" && d.Start == list[i].Start
	}
	return list
}

// The lengths of time that the links of Moves go to.
const (
	shortest = time.Minute
	longest  = 800 * 24 * time.Hour
)

// Moves lead from the time of the graphs to others near it, which is zooming for
// who does not drag. None goes beyond now.
func (d *Detail) Moves(now time.Time) []Span {
	length := d.To.Sub(d.From)
	at := func(name string, from time.Time, length time.Duration) Span {
		length = min(max(length, shortest), longest)
		if from.Add(length).After(now) {
			from = now.Add(-length)
		}
		return Span{Name: name, Start: stamp(from), End: stamp(from.Add(length))}
	}
	list := []Span{at("← Earlier", d.From.Add(-length/2), length)}
	if d.To.Before(now.Add(-time.Second)) {
		list = append(list, at("Later →", d.From.Add(length/2), length))
	}
	if length > shortest {
		list = append(list, at("Zoom in", d.From.Add(length/4), length/2))
	}
	if length < longest {
		list = append(list, at("Zoom out", d.From.Add(-length/2), 2*length))
	}
	return list
}

// When is the time of the graphs in words.
func (d *Detail) When() string {
	return d.From.UTC().Format("2006-01-02 15:04:05") + " to " + d.To.UTC().Format(timeLayout) + ", " + age(d.To.Sub(d.From))
}

// Key is what the graphs are of, as the history API reads it.
func (d *Detail) Key() string { return d.Graphs[0].Key }

// RIP is the real server's of the graphs; empty of the service.
func (d *Detail) RIP() string {
	if d.Real == nil {
		return ""
	}
	return d.Real.RIP()
}
