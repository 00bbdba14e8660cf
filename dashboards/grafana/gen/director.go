package main

import "slices"

// director is the dashboard of one director: its services, and its agent's health.
func director() board {
	return board{
		uid: directorUID, title: titles[directorUID],
		about: "One director: its virtual services, its traffic, and the health of its agent. Needs the recording rules lvs.rules.yml.",
		variables: []choice{jobChoice, instanceChoice, directorChoice,
			{label: "service", title: "Virtual service", metric: "lvs_service_info", many: true, all: true, about: "Which services are shown."}},
		links: []string{fleetUID, serviceUID},
		marks: []mark{lostMarks, {"State of a service",
			"sum by (service) (" + grown("lvs_service_state_changes_total") + " - " + grown("lvs_service_failures_total") + ") > 0.5",
			"{{service}} changed its state otherwise: it came back, is full, or has drained", "orange"}, resetMarks},
		rows: []section{
			{title: "Now", views: append(directorNumbers(), directorTable())},
			{title: "Traffic", views: directorTraffic()},
			{title: "Trouble", views: directorTrouble()},
			{title: "Agent", closed: true, views: slices.Concat(agentSampling(), agentWindows())},
		},
	}
}

func directorNumbers() []view {
	return []view{
		stat("Director", "Whether the IPVS table was read at the last attempt.", "none", good(), query{expr: "min(" + directorUp + ")"}).worded(answers).sized(3, 4),
		stat("Virtual services", "Virtual services in the table.", "none", plain(), query{expr: "sum(lvs_services)"}).sized(3, 4),
		stat("Services down", "Of the chosen services, those none of whose real servers is in service.", "none", bad(),
			query{expr: "count(lvs_service_up) - sum(lvs_service_up)"}).sized(3, 4),
		stat("Real servers", "Real servers in the table, counted once in each service that they belong to.", "none", plain(), query{expr: "sum(lvs_real_servers)"}).sized(3, 4),
		stat("Connections", "Connections now: the kernel's number or, where it does not tell, those of all real servers.", "short", plain(), query{expr: "sum(director:lvs_connections:sum)"}),
		stat("Sync daemons stopped", "How many fewer connection synchronisation daemons run than ran within the last hour; which they are, and since when, is below. A restart of the machine shows, too.", "none", bad(),
			query{expr: "sum(max_over_time(lvs_sync_daemons[1h]) - lvs_sync_daemons)"}),
		stat("Age of snapshot", "How old what is shown here is.", "s", lag(), query{expr: "max(lvs_agent_snapshot_age_seconds)"}),
	}
}

func directorTable() view {
	const by = "by (service, instance, director) "
	return table("Virtual services", "The services now. Click one to see its real servers. Of the last hour's is how many of the most real servers that the last hour saw are in service, those taken out of the table included. Rates are those of the last five minutes. Bytes out are n/a where all real servers reply past the director (route, tunnel).",
		[]column{
			{name: "service", title: "Service", link: toService},
			{name: "instance", title: "Instance"},
			{name: "director", title: "Director"},
			{name: "for", hide: true},
			{name: "Value #A", title: "State", words: upDown},
			{name: "Value #B", title: "Since", unit: "dateTimeFromNow"},
			{name: "Value #C", title: "In service", unit: "none"},
			{name: "Value #D", title: "Real servers", unit: "none"},
			{name: "Value #E", title: "Of the last hour's", unit: "percentunit", steps: share()},
			{name: "Value #F", title: "Weight", unit: "none"},
			{name: "Value #G", title: "Active", unit: "short"},
			{name: "Value #H", title: "Inactive", unit: "short"},
			{name: "Value #I", title: "Connections", unit: "cps"},
			{name: "Value #J", title: "Bytes in", unit: "Bps"},
			{name: "Value #K", title: "Bytes out", unit: "Bps"},
		},
		query{expr: addressed("min " + by + "(lvs_service_up)")},
		query{expr: "1000 * max " + by + "(lvs_service_last_change_timestamp_seconds)"},
		query{expr: "sum " + by + `(lvs_service_real_servers{state=~"up|overloaded"})`},
		query{expr: "sum " + by + "(lvs_service_real_servers)"},
		query{expr: "min " + by + "(service:lvs_real_servers_up:ratio1h)"},
		query{expr: "sum " + by + "(lvs_service_weight)"},
		query{expr: "sum " + by + "(lvs_service_connections_active)"},
		query{expr: "sum " + by + "(lvs_service_connections_inactive)"},
		query{expr: "sum " + by + "(" + still("service:lvs_connections:rate5m", eachService, "lvs_service_up") + ")"},
		query{expr: "sum " + by + "(" + still("service:lvs_incoming_bytes:rate5m", eachService, "lvs_service_up") + ")"},
		query{expr: "sum " + by + "(" + still("service:lvs_outgoing_bytes:rate5m", eachService, "lvs_service_up") + ")"},
	).sized(24, 11).worstFirst()
}

// directorTraffic shows no more than the busiest services: there may be thousands.
func directorTraffic() []view {
	top := func(expr string) string { return "topk(15, " + expr + ")" }
	inOut := func(what string) []query {
		return []query{
			{expr: top("service:lvs_incoming_" + what + ":rate5m"), legend: "in {{service}}"},
			{expr: top("service:lvs_outgoing_" + what + ":rate5m"), legend: "out {{service}}", below: true},
		}
	}
	total := func(what string) []query {
		out := "lvs_director_outgoing_" + what + "_total"
		return []query{
			{expr: "rate(lvs_director_incoming_" + what + "_total[$__rate_interval])", legend: "in"},
			{expr: repliesOfDirector("rate("+out+"[$__rate_interval])", out), legend: "out", below: true},
		}
	}
	return []view{
		chart("Bytes by service", "Bytes per second, over five minutes, of the 15 busiest of the chosen services: from clients above the axis, to clients below it. Services whose real servers reply past the director have nothing below.", "Bps", inOut("bytes")...).stacked().tall(),
		chart("New connections by service", "Connections per second, over five minutes, of the 15 busiest of the chosen services.", "cps",
			query{expr: top("service:lvs_connections:rate5m"), legend: "{{service}}"}).stacked().tall(),
		chart("Bytes of the director", "Bytes per second of all services, also of those since removed: from clients above the axis, to clients below it.", "Bps", total("bytes")...),
		chart("Packets of the director", "Packets per second of all services: from clients above the axis, to clients below it.", "pps", total("packets")...),
		chart("Connections now", "Active and inactive connections of the chosen services.", "short",
			query{expr: "sum(lvs_service_connections_active)", legend: "active"},
			query{expr: "sum(lvs_service_connections_inactive)", legend: "inactive"},
			query{expr: "sum(lvs_service_connections_persistent)", legend: "persistence templates"}),
		chart("Connection table", "Connections in the kernel's table or, where it does not tell, those of all real servers; the most that any sample saw, where it tells; and the table's hash buckets. More connections than buckets make it slow, not full.", "short",
			query{expr: "director:lvs_connections:sum", legend: "connections"},
			query{expr: "lvs_director_peak_connections", legend: "peak"},
			query{expr: "lvs_connection_table_size", legend: "buckets"}),
	}
}

func directorTrouble() []view {
	return []view{
		timeline("Services without a real server", "When the chosen services had no real server in service; one that always had is not here.", upDown,
			query{expr: "lvs_service_up == 0", legend: "{{service}}"}).sized(24, 6),
		chart("Real servers by state", "Real servers of the chosen services: up takes connections, overloaded is at its upper threshold, draining has weight 0 and connections left, down has weight 0 and none.", "none",
			query{expr: "sum by (state) (lvs_service_real_servers)", legend: "{{state}}"}).stacked().stepped().byState(),
		chart("Changes of state", "How often the chosen services changed their state in the time of a step.", "none",
			query{expr: "sum by (service) (increase(lvs_service_state_changes_total[$__rate_interval])) > 0", legend: "{{service}}"}).counted(),
		chart("Resets of counters", "How often the kernel's counters began anew in the time of a step, by whose they are and why; the totals went on.", "none",
			query{expr: "sum by (scope, reason) (increase(lvs_resets_total[$__rate_interval]))", legend: "{{scope}} {{reason}}"}).counted(),
		timeline("Synchronisation daemons", "The daemons that exchange connections with another director, while they run.", runs,
			query{expr: "lvs_sync_daemon_state", legend: "{{role}} on {{interface}}, id {{sync_id}}"}).sized(12, 9),
		chart("Refused connections", "Connections per second that got no real server, where the dataplane tells; the kernel's IPVS does not.", "cps",
			query{expr: "topk(15, rate(lvs_service_refused_connections_total[$__rate_interval]))", legend: "{{service}}"}),
	}
}
