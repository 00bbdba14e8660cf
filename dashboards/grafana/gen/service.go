package main

// service is the dashboard of one virtual service with its real servers.
func service() board {
	return board{
		uid: serviceUID, title: titles[serviceUID],
		about: "One virtual service: its real servers, who gets how much, who is down, draining or full.",
		variables: []choice{jobChoice, instanceChoice, directorChoice,
			{label: "service", title: "Virtual service", metric: "lvs_service_info", about: "The configured name, or else the key."},
			{label: "real", title: "Real server", metric: "lvs_real_server_info", many: true, all: true, about: "Which real servers are shown."}},
		links: []string{fleetUID, directorUID},
		marks: []mark{lostMarks,
			{"Real server out of service", called(byName(grown("lvs_real_server_failures_total") + " > 0")), "{{who}} went out of service", "red"},
			{"State of a real server", called(byName(grown("lvs_real_server_state_changes_total") + " - " + grown("lvs_real_server_failures_total") + " > 0.5")),
				"{{who}} changed its state otherwise: it came back, is full, or has drained", "orange"},
			resetMarks},
		rows: []section{
			{title: "Now", views: append(serviceNumbers(), realTable())},
			{title: "State", views: serviceState()},
			{title: "Traffic", views: serviceTraffic()},
			{title: "Connections", views: serviceConnections()},
			{title: "Balance", views: serviceBalance()},
			{title: "Draining and thresholds", views: serviceDrain()},
		},
	}
}

func serviceNumbers() []view {
	called := func(title, about, legend string) view {
		v := stat(title, about, "none", plain(), query{expr: "lvs_service_info", legend: legend})
		v.options["textMode"] = "name"
		return v
	}
	return []view{
		stat("Service", "Up while a real server is in service.", "none", good(), query{expr: "min(lvs_service_up)"}).worded(upDown).sized(3, 4),
		called("Address", "What clients connect to, or the firewall mark of their packets.", "{{protocol}} {{vip}} {{port}} {{fwmark}}").sized(6, 4),
		stat("In service", "Real servers that are up or overloaded.", "none", good(), query{expr: `sum(lvs_service_real_servers{state=~"up|overloaded"})`}).sized(3, 4),
		stat("Out of service", "Real servers that are down or draining.", "none", []step{{Color: "green"}, above("orange", 1)}, query{expr: `sum(lvs_service_real_servers{state=~"down|draining"})`}).sized(3, 4),
		stat("Last change", "When the state of the service, the best of its real servers', last changed.", "dateTimeFromNow", plain(), query{expr: "1000 * max(lvs_service_last_change_timestamp_seconds)"}).sized(3, 4),
		called("Scheduler", "How real servers are chosen.", "{{scheduler}}").sized(3, 4),
		stat("Persistence", "How long a client stays with its real server.", "s", plain(), query{expr: "max(lvs_service_persistence_timeout_seconds)"}).worded(ifAny).sized(3, 4),
	}
}

// even are the schedulers that ask of a weight only whether it is 0.
const even = `lvs_service_info{scheduler=~"rr|lc|dh"}`

// Shares of a real server: what it is entitled to by its weight, or by being there
// where the scheduler makes no difference, and what it got of the new connections.
// They are told in the same way wherever they are shown.
const (
	expected = "lvs_real_server_weight / on (" + eachService + ") group_left () (lvs_service_weight > 0)" +
		" unless on (" + eachService + ") " + even +
		" or (lvs_real_server_up / on (" + eachService + ") group_left () (sum by (" + eachService + `) (lvs_service_real_servers{state=~"up|overloaded"}) > 0)` +
		" and on (" + eachService + ") " + even + ")"
	actual = "rate(lvs_real_server_connections_total[$__rate_interval]) / on (" + eachService + ") group_left () (rate(lvs_service_connections_total[$__rate_interval]) > 0)"
)

// taken are the connections of a real server that its thresholds count.
const taken = "(lvs_real_server_connections_active + lvs_real_server_connections_inactive)"

// full is 1 for a real server that is at its upper threshold, else 0.
const full = "(lvs_real_server_upper_threshold_connections > bool 0) * (" + taken + " >= bool lvs_real_server_upper_threshold_connections)"

// realState is 3 for a real server in service, 2 for one that is full, 1 for one
// that drains, 0 for one that is down; see realStates.
const realState = "lvs_real_server_up * (3 - " + full + ") + (1 - lvs_real_server_up) * (" + taken + " > bool 0)"

func realTable() view {
	// Rows meet by real alone: that is the label that all queries share.
	by := func(expr string) query { return query{expr: "sum by (real) (" + expr + ")"} }
	rate := func(expr string) query { return by(still(lately(expr), eachReal, "lvs_real_server_up")) }
	return table("Real servers", "The real servers now. Expected is the share of new connections that its weight entitles it to (with rr, lc and dh, an equal one), actual the share that came; new is how many came a second; rates and shares are those of the last five minutes. Bytes out are n/a where replies pass the director by (route, tunnel).",
		[]column{
			{name: "real", title: "Real server", width: 140},
			{name: "name", title: "Name", width: 90},
			{name: "forwarding_method", title: "Method", width: 115},
			{name: "Value #A", hide: true},
			{name: "Value #B", title: "State", words: realStates},
			{name: "Value #C", title: "Since", unit: "dateTimeFromNow"},
			{name: "Value #D", title: "Weight", unit: "none", width: 70},
			{name: "Value #E", title: "Expected", unit: "percentunit"},
			{name: "Value #F", title: "Actual", unit: "percentunit"},
			{name: "Value #G", title: "Active", unit: "short", width: 70},
			{name: "Value #H", title: "Inactive", unit: "short"},
			{name: "Value #I", title: "Peak", unit: "short", width: 70},
			{name: "Value #J", title: "Threshold", unit: "short"},
			{name: "Value #K", title: "New", unit: "cps"},
			{name: "Value #L", title: "Bytes in", unit: "Bps"},
			{name: "Value #M", title: "Bytes out", unit: "Bps"},
			{name: "Value #N", title: "Failures", unit: "none"},
		},
		query{expr: "max by (real, name, forwarding_method) (lvs_real_server_info)"},
		by(realState),
		by("1000 * lvs_real_server_last_change_timestamp_seconds"),
		by("lvs_real_server_weight"),
		by(expected),
		rate(actual),
		by("lvs_real_server_connections_active"),
		by("lvs_real_server_connections_inactive"),
		by("lvs_real_server_peak_connections"),
		by("lvs_real_server_upper_threshold_connections > 0"),
		rate("rate(lvs_real_server_connections_total[$__rate_interval])"),
		rate("rate(lvs_real_server_incoming_bytes_total[$__rate_interval])"),
		rate(repliesOfReal("rate(lvs_real_server_outgoing_bytes_total[$__rate_interval])")),
		by("lvs_real_server_failures_total"),
	).sized(24, 9).worstFirst()
}

// goneTable shows the real servers that somebody, a health checker most often, took
// out of the table. It asks in steps: a month of samples is more than Prometheus
// reads for one query.
func goneTable() view {
	const gone = " unless on (" + eachReal + ") lvs_real_server_up"
	return table("Real servers no longer in the table", "Real servers that the service had in the time shown, and has no more, as when a health checker takes out those that fail.",
		[]column{
			{name: "real", title: "Real server"},
			{name: "name", title: "Name"},
			{name: "forwarding_method", title: "Method"},
			{name: "Value #A", hide: true},
			{name: "Value #B", title: "Last seen", unit: "dateTimeFromNow"},
			{name: "Value #C", title: "Weight", unit: "none"},
			{name: "Value #D", title: "Peak", unit: "short"},
		},
		query{expr: "max by (real, name, forwarding_method) (last_over_time(lvs_real_server_info[$__range:$__interval])" + gone + ")"},
		query{expr: "1000 * max by (real) (max_over_time(timestamp(lvs_real_server_up)[$__range:$__interval])" + gone + ")"},
		query{expr: "max by (real) (last_over_time(lvs_real_server_weight[$__range:$__interval])" + gone + ")"},
		query{expr: "max by (real) (last_over_time(lvs_real_server_peak_connections[$__range:$__interval])" + gone + ")"},
	).sized(24, 5)
}

func serviceState() []view {
	return []view{
		timeline("Real servers", "What each real server was: up takes new connections; overloaded is at its upper threshold; draining has weight 0 and connections left; down has weight 0 and none.", realStates,
			query{expr: byName(realState), legend: realLegend}),
		goneTable(),
		chart("Real servers by state", "How many real servers were up, at their upper threshold, draining and down.", "none",
			query{expr: "sum by (state) (lvs_service_real_servers)", legend: "{{state}}"}).stacked().stepped().byState(),
		chart("Weight", "Weights of the real servers.", "none",
			query{expr: byName("lvs_real_server_weight"), legend: realLegend}).stacked().stepped(),
		chart("Changes of state", "How often real servers changed their state in the time of a step.", "none",
			query{expr: byName("increase(lvs_real_server_state_changes_total[$__rate_interval])"), legend: realLegend}).counted(),
		chart("Refused connections", "Connections per second that got no real server, where the dataplane tells; the kernel's IPVS does not.", "cps",
			query{expr: "rate(lvs_service_refused_connections_total[$__rate_interval])", legend: "refused"}),
	}
}

func serviceTraffic() []view {
	whole := func(what string) []query {
		return []query{
			{expr: "rate(lvs_service_incoming_" + what + "_total[$__rate_interval])", legend: "in"},
			{expr: repliesOfService("rate(lvs_service_outgoing_" + what + "_total[$__rate_interval])"), legend: "out", below: true},
		}
	}
	parts := func(what string) []query {
		return []query{
			{expr: byName("rate(lvs_real_server_incoming_" + what + "_total[$__rate_interval])"), legend: "in " + realLegend},
			{expr: byName(repliesOfReal("rate(lvs_real_server_outgoing_" + what + "_total[$__rate_interval])")), legend: "out " + realLegend, below: true},
		}
	}
	const below = " From clients above the axis, to clients below it; where replies pass the director by (route, tunnel) there is nothing below."
	return []view{
		chart("Bytes", "Bytes per second of the service."+below, "Bps", whole("bytes")...),
		chart("Packets", "Packets per second of the service."+below, "pps", whole("packets")...),
		chart("Bytes by real server", "Bytes per second of each real server."+below, "Bps", parts("bytes")...).stacked().tall(),
		chart("Packets by real server", "Packets per second of each real server."+below, "pps", parts("packets")...).stacked().tall(),
	}
}

func serviceConnections() []view {
	return []view{
		chart("New connections by real server", "Connections per second that each real server got.", "cps",
			query{expr: byName("rate(lvs_real_server_connections_total[$__rate_interval])"), legend: realLegend}).stacked().tall(),
		chart("Active and inactive", "Connections of the service now. Inactive ones are those that ended and wait for their timeout, and most of UDP.", "short",
			query{expr: "lvs_service_connections_active", legend: "active"},
			query{expr: "lvs_service_connections_inactive", legend: "inactive"},
			query{expr: "lvs_service_connections_persistent", legend: "persistence templates"},
			query{expr: "lvs_service_peak_connections", legend: "peak"}).dashed("D").tall(),
		chart("Active by real server", "Active connections of each real server.", "short",
			query{expr: byName("lvs_real_server_connections_active"), legend: realLegend}).stacked().tall(),
		chart("Inactive by real server", "Inactive connections of each real server.", "short",
			query{expr: byName("lvs_real_server_connections_inactive"), legend: realLegend}).stacked().tall(),
	}
}

func serviceBalance() []view {
	return []view{
		chart("Imbalance", "By how much of all new connections a real server got more (above 0) or less than it is entitled to by its weight or, with the schedulers rr, lc and dh, by being one of them. Persistence and few connections make it move; a lasting distance is worth a look.", "percentunit",
			query{expr: byName("(" + actual + ") - (" + expected + ")"), legend: realLegend}).tall(),
		chart("Expected and actual share", "The share of new connections that the weight entitles each real server to (dashed), and the share that came.", "percentunit",
			query{expr: byName(expected), legend: "expected " + realLegend},
			query{expr: byName(actual), legend: "actual " + realLegend}).dashed("A").tall(),
	}
}

// serviceDrain follows real servers on their way out, and those that are nearly full.
func serviceDrain() []view {
	const quiesced = " and on (" + eachReal + ") lvs_real_server_weight == 0"
	return []view{
		bars("Drained", "How much of its active connections a real server with weight 0 has got rid of, of the most that it had in the time shown.",
			query{expr: byName("1 - lvs_real_server_connections_active / (max_over_time(lvs_real_server_connections_active[$__range:$__interval]) > 0)" + quiesced), legend: realLegend}),
		chart("Connections left", "Active and inactive connections of the real servers with weight 0. A real server can go when it has none.", "short",
			query{expr: byName(taken + quiesced), legend: realLegend}),
		chart("Towards the upper threshold", "How much of its upper threshold a real server has used; at 1 it gets no more connections. None where there is no threshold.", "percentunit",
			query{expr: byName(taken + " / (lvs_real_server_upper_threshold_connections > 0)"), legend: realLegend}).limited(above("orange", 0.9), above("red", 1)),
		chart("Failures", "How often each real server went out of service since its totals began.", "none",
			query{expr: byName("lvs_real_server_failures_total"), legend: realLegend}).stepped(),
	}
}
