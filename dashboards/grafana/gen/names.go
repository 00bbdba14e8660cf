package main

import (
	"slices"
	"strings"

	"lvs/dataplane"
)

// titles are those of the dashboards, by uid.
var titles = map[string]string{
	fleetUID:    "LVS fleet",
	directorUID: "LVS director",
	serviceUID:  "LVS virtual service",
}

// The dashboards' identities, which links use: they are kept for ever.
const (
	fleetUID    = "lvs-fleet"
	directorUID = "lvs-director"
	serviceUID  = "lvs-service"
)

// What tells one series of a family from the others.
const (
	eachDirector = "job, instance, director"
	eachService  = eachDirector + ", service"
	eachReal     = eachService + ", real"
)

// The variables that all dashboards begin with.
var (
	jobChoice = choice{label: "job", title: "Job", metric: "lvs_up", many: true, all: true,
		about: "The scrape jobs of lvs-agent and lvs-exporter."}
	instanceChoice = choice{label: "instance", title: "Instance", metric: "lvs_up",
		about: "What Prometheus scrapes: the agent of a director, or an exporter that asks many."}
	directorChoice = choice{label: "director", title: "Director", metric: "lvs_up", all: true, absent: true,
		about: "The directors that lvs-exporter asks, both of a pair among them: all together are added up. An agent is its instance, and has none here."}
)

// several is the choice with more than one at a time, and all of them.
func (c choice) several() choice {
	c.many, c.all = true, true
	return c
}

// directorUp is 1 for a director whose table was read at the last attempt, 0 for one
// where that failed, and -1 for one that Prometheus knew an hour ago and cannot
// scrape: it would vanish from a fleet in silence. A label that its target was given
// since makes no other director of it. Dear over time, so ask for now.
const directorUp = "(lvs_up or on (" + eachDirector + ") 0 * last_over_time(lvs_up[1h]) - 1)"

// byName adds the configured names of real servers to their series. Operators of
// expr leave its labels alone, so that there is one name for each.
func byName(expr string) string {
	return "(" + expr + ") * on (" + eachReal + ") group_left (name) lvs_real_server_info"
}

// realLegend is that of series byName.
const realLegend = "{{name}} {{real}}"

// bypassing are the forwarding methods whose replies do not pass the director, as
// a regular expression.
func bypassing() string {
	var out []string
	for m := range dataplane.Method(255) {
		if m.RepliesBypass() {
			out = append(out, m.String())
		}
	}
	slices.Sort(out)
	return strings.Join(out, "|")
}

// bypassed are the real servers, in the same time as the rates beside it, whose
// method matches. A scrape that fails in between ends no rate, and must not end
// this either.
func bypassed(matches string) string {
	return "last_over_time(lvs_real_server_info{forwarding_method" + matches + `"` + bypassing() + `"}[$__rate_interval])`
}

// repliesOfReal leaves out the real servers whose replies the director does not
// see: their counters stay 0, which says nothing.
func repliesOfReal(expr string) string {
	return expr + " unless on (" + eachReal + ") " + bypassed("=~")
}

// repliesOfService leaves out the services all of whose real servers reply past
// the director. One whose real servers are not shown is not left out.
func repliesOfService(expr string) string {
	on := " unless on (" + eachService + ") "
	return expr + on + "(" + bypassed("=~") + on + bypassed("!~") + ")"
}

// repliesOfDirector leaves out a director that has never seen a reply: asking for
// the methods of all its real servers would be dear.
func repliesOfDirector(rate, counter string) string {
	return rate + " and " + counter + " > 0"
}

// still leaves of what is told of each the real servers or services that are in the
// table: rates outlive them by their window, and would make a row.
func still(expr, each, up string) string { return expr + " and on (" + each + ") " + up }

// lately takes the rates of an expression over five minutes, for tables of how things
// are now: the window of a graph is as long as its steps, hours where it shows a year.
func lately(expr string) string { return strings.ReplaceAll(expr, "$__rate_interval", "5m") }

// grown is by how much a counter grew at a step of a mark's query, and 0 where it did
// not. Grafana draws a hundred steps however long the time shown is, and some
// versions take a window that is shorter than a step of theirs, which misses what
// happened in between: so it is the difference between two steps where the window
// has nothing. That alone would miss what was not there a step before.
func grown(counter string) string {
	return "(increase(" + counter + "[$__rate_interval]) > 0 or " + counter + " - " + counter + " offset $__interval > 0 or 0 * " + counter + ")"
}

// addressed adds the label for, the value of the variable director that a link
// has to set: series of an agent have no label director, and Grafana would leave
// the name of a field that is not there as it is.
func addressed(expr string) string {
	return `label_replace(label_replace(` + expr + `, "for", "All", "director", ""), "for", "$1", "director", "(.+)")`
}

// go to another dashboard from a table's row, with the time and the rest of the
// choice as it is.
const keep = "?${__url_time_range}&${datasource:queryparam}&${job:queryparam}"

var (
	toDirector = &fieldLink{"Director", "/d/" + directorUID + keep + "&var-instance=${__data.fields.Instance:percentencode}&var-director=${__data.fields.for:percentencode}"}
	toService  = &fieldLink{"Virtual service", "/d/" + serviceUID + keep +
		"&var-instance=${__data.fields.Instance:percentencode}&var-director=${__data.fields.for:percentencode}&var-service=${__data.fields.Service:percentencode}"}
)

// placed adds the label at to a mark: the director, or the instance that is one. Where
// a series lacks a label, Grafana writes the label's name into the text of a mark.
func placed(expr string) string {
	return `label_replace(label_replace(` + expr + `, "at", "$1", "instance", "(.*)"), "at", "$1", "director", "(.+)")`
}

// called adds the label who to what is byName: name and address, or the address alone.
func called(expr string) string { return `label_join(` + expr + `, "who", " ", "name", "real")` }

// resetMarks are where the kernel's counters began anew.
var resetMarks = mark{"Counters reset", placed("sum by (instance, director, scope, reason) (" + grown("lvs_resets_total") + ") > 0"),
	"{{at}}: {{scope}}, {{reason}}", "purple"}

// lostMarks are where services lost their last real server.
var lostMarks = mark{"Service down", placed("sum by (instance, director, service) (" + grown("lvs_service_failures_total") + ") > 0"),
	"{{at}}: {{service}} lost its last real server", "red"}

// lag are the steps of a snapshot's age, in seconds.
func lag() []step { return []step{{Color: "green"}, above("orange", 30), above("red", 120)} }
