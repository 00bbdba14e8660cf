package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"lvs/dataplane"
)

// Columns are the names by which a Query orders, by column; those that are empty
// order nothing.
var Columns = [NumColumns]string{
	Name: "name", State: "state", Since: "since", Kind: "kind", Weight: "weight", Expected: "expected", Actual: "actual", Active: "active", Inactive: "inactive",
	ConnRate: "conn_rate", InRate: "in_rate", OutRate: "out_rate", ConnTotal: "conn_total", InTotal: "in_total", OutTotal: "out_total",
}

// States are what a Query's State may be, besides empty for all.
var States = []string{"not-up", "down", "removed", "draining", "overloaded", "up"}

// A Query says which rows of a table are wanted, and how. The zero Query wants
// all services in the order of their keys.
type Query struct {
	// Text is looked for in names, keys and addresses, in any case.
	Text string
	// State keeps real servers in that state, and services that have one or are
	// in it themselves. What went from the table is down, and removed.
	State string
	// Sort is one of Columns; empty is the order of keys. Desc is from the
	// greatest to the least.
	Sort string
	Desc bool
	// All shows the real servers of a table of any size.
	All bool
}

// maxText is how many bytes a Query's Text may have: every link of the page has it.
const maxText = 200

// ParseQuery reads the parameters q, state, sort, dir and all. Others are an error,
// as are values that mean nothing.
func ParseQuery(v url.Values) (q Query, err error) {
	for name := range v {
		if !slices.Contains([]string{"q", "state", "sort", "dir", "all"}, name) {
			return q, fmt.Errorf("there is no parameter %q; there are q, state, sort, dir, all", name)
		}
	}
	q = Query{Text: strings.TrimSpace(v.Get("q")), State: v.Get("state"), Sort: v.Get("sort")}
	if len(q.Text) > maxText {
		return q, fmt.Errorf("q has %d bytes; there may be %d", len(q.Text), maxText)
	}
	if q.State != "" && !slices.Contains(States, q.State) {
		return q, fmt.Errorf("state %q: want one of %s", q.State, strings.Join(States, ", "))
	}
	if q.Sort != "" && !slices.Contains(Columns[:LastHour], q.Sort) {
		return q, fmt.Errorf("sort %q: want one of %s", q.Sort, strings.Join(Columns[:LastHour], ", "))
	}
	switch dir := v.Get("dir"); dir {
	case "", "asc":
	case "desc":
		q.Desc = true
	default:
		return q, fmt.Errorf("dir %q: want asc or desc", dir)
	}
	if all := v.Get("all"); all != "" {
		if q.All, err = strconv.ParseBool(all); err != nil {
			return q, fmt.Errorf("all %q: want 1 or 0", all)
		}
	}
	return q, nil
}

// URL is the query as the part of a URL after the question mark.
func (q Query) URL() string {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("q", q.Text)
	set("state", q.State)
	set("sort", q.Sort)
	if q.Desc {
		v.Set("dir", "desc")
	}
	if q.All {
		v.Set("all", "1")
	}
	return v.Encode()
}

// Select picks and orders the groups of a table. The table stays as it is.
func (q Query) Select(t *Table) []Group {
	groups := make([]Group, 0, len(t.Groups))
	for _, g := range t.Groups {
		if g, ok := q.pick(g); ok {
			groups = append(groups, g)
		}
	}
	column := Column(slices.Index(Columns[:], q.Sort))
	if q.Sort == "" || column < 0 {
		return groups
	}
	slices.SortStableFunc(groups, func(a, b Group) int { return q.compare(&a.Row, &b.Row, column) })
	for i := range groups {
		groups[i].Reals = slices.Clone(groups[i].Reals)
		slices.SortStableFunc(groups[i].Reals, func(a, b Row) int { return q.compare(&a, &b, column) })
	}
	return groups
}

// pick keeps of g what is asked for. A service that matches the text by itself
// keeps all its real servers.
func (q Query) pick(g Group) (Group, bool) {
	text := strings.ToLower(q.Text)
	own := text == "" || g.matches(text)
	keep := func(r *Row) bool { return (own || r.matches(text)) && q.inState(r) }
	if own && q.State == "" {
		return g, true
	}
	all := g.Reals
	g.Reals = nil
	for i := range all {
		if keep(&all[i]) {
			g.Reals = append(g.Reals, all[i])
		}
	}
	return g, len(g.Reals) > 0 || own && q.inState(&g.Row)
}

func (q Query) inState(r *Row) bool {
	switch q.State {
	case "":
		return true
	case "not-up":
		return r.Status != dataplane.Up
	case "removed":
		return r.Gone
	}
	return q.State == r.Status.String()
}

// matches reports whether lower-case text is in what names the row.
func (r *Row) matches(text string) bool {
	return strings.Contains(strings.ToLower(r.Label()), text) || r.Real == nil && strings.Contains(r.Key(), text) ||
		r.Real != nil && strings.Contains(r.RIP(), text)
}

func (q Query) compare(a, b *Row, c Column) int {
	if q.Desc {
		a, b = b, a
	}
	switch c {
	case Name:
		return cmp.Or(cmp.Compare(a.Label(), b.Label()), a.Service.Key.Compare(b.Service.Key), a.compareRIP(b))
	case Since:
		return a.changed().Compare(b.changed())
	case Kind:
		return cmp.Compare(a.kind(), b.kind())
	case State:
		return cmp.Compare(a.severity(), b.severity())
	}
	return cmp.Compare(a.value(c), b.value(c))
}

func (r *Row) compareRIP(o *Row) int {
	if r.Real == nil || o.Real == nil {
		return 0
	}
	return r.Real.RIP.Compare(o.Real.RIP)
}

// changed is when the row's state became what it is.
func (r *Row) changed() time.Time {
	if r.Gone {
		return r.account().LastSeen
	}
	return r.account().LastChange
}

// kind is what the column of that name orders by.
func (r *Row) kind() string {
	switch {
	case r.Gone:
		return ""
	case r.Real == nil:
		return r.Service.Scheduler
	}
	return r.Real.Method.String()
}

// severities order states from the worst to the best, after what went.
var severities = [dataplane.NumStatus]int{dataplane.Down: 1, dataplane.Draining: 2, dataplane.Overloaded: 3, dataplane.Up: 4}

func (r *Row) severity() int {
	if r.Gone {
		return 0
	}
	return severities[r.Status]
}

// value is the number that a column orders by.
func (r *Row) value(c Column) float64 {
	var rates, total dataplane.Counters
	var weight, active, inactive uint64
	if r.Real == nil {
		rates, total, weight = dataplane.Counters(r.Service.Rates), r.Service.Total, r.Weights
		active, inactive, _ = r.Service.Connections()
	} else {
		rates, total, weight = dataplane.Counters(r.Real.Rates), r.Real.Total, uint64(r.Real.Weight)
		active, inactive = uint64(r.Real.Active), uint64(r.Real.Inactive)
	}
	switch c {
	case Weight:
		return float64(weight)
	case Expected:
		return share(r.Expected, r.ExpectedOf)
	case Actual:
		if r.Real == nil || r.Recents < fewest { // not told
			return share(0, 0)
		}
		return share(r.Real.Recent, r.Recents)
	case Active:
		return float64(active)
	case Inactive:
		return float64(inactive)
	case ConnRate:
		return float64(rates.Connections)
	case InRate:
		return float64(rates.InBytes)
	case OutRate:
		return float64(rates.OutBytes)
	case ConnTotal:
		return float64(total.Connections)
	case InTotal:
		return float64(total.InBytes)
	case OutTotal:
		return float64(total.OutBytes)
	}
	return 0
}
