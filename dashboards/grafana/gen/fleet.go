package main

// fleet is the dashboard of all directors: few series of each, so that hundreds
// can be shown.
func fleet() board {
	return board{
		uid: fleetUID, title: titles[fleetUID],
		about:     "All directors: what is down, what they do, and whether what is shown can be believed. Needs the recording rules lvs.rules.yml.",
		variables: []choice{jobChoice, instanceChoice.several(), directorChoice.several()},
		links:     []string{directorUID, serviceUID},
		marks:     []mark{lostMarks, resetMarks},
		rows: []section{
			{title: "What is down", views: append(fleetNumbers(), fleetDown(), fleetTable())},
			{title: "Traffic", views: fleetTraffic()},
			{title: "Since when", views: fleetTrouble()},
			{title: "Agents and refused connections", closed: true, views: fleetAgents()},
		},
	}
}

func fleetNumbers() []view {
	return []view{
		stat("Directors up", "Directors whose IPVS table was read at the last attempt.", "none", good(),
			query{expr: "sum(lvs_up)"}),
		stat("Directors down", "Directors whose agent cannot read the table, those that an exporter cannot reach, and those that answered within the last hour and do not now.", "none", bad(),
			query{expr: "count(" + directorUp + " < 1) or 0 * count(" + directorUp + ")"}),
		stat("Virtual services", "Virtual services in the tables of all directors.", "none", plain(),
			query{expr: "sum(lvs_services)"}),
		stat("Services down", "Virtual services none of whose real servers is in service: clients get nothing.", "none", bad(),
			query{expr: "sum(director:lvs_services_down:sum)"}),
		stat("Real servers", "Real servers in all tables, counted once in each service that they belong to.", "none", plain(),
			query{expr: "sum(lvs_real_servers)"}),
		stat("Real servers out of service", "Real servers whose weight is 0: down, or draining while connections are left.", "none", []step{{Color: "green"}, above("orange", 1)},
			query{expr: "sum(director:lvs_real_servers_down:sum)"}),
	}
}

// short are the services that lack real servers: they have none in service, or
// fewer than an hour ago. Rules told how many, so no real server is asked for.
const short = "(lvs_service_up == 0 or lvs_service_up and on (" + eachService + ") service:lvs_real_servers_up:ratio1h < 1)"

// fleetDown answers what is down, where, and since when.
func fleetDown() view {
	const (
		by      = " by (service, instance, director) "
		those   = " and on (" + eachService + ") " + short
		downAge = "service:lvs_real_servers_down_age:seconds"
	)
	return table("Services that lack real servers", "Virtual services with no real server in service, and those with fewer than the most that the last hour saw: down, draining or taken out of the table. Since is when the service went down or, while it is up, when the latest of its real servers that are still in the table did. Click one to see its real servers.",
		[]column{
			{name: "service", title: "Service", link: toService},
			{name: "instance", title: "Instance", link: toDirector},
			{name: "director", title: "Director", link: toDirector},
			{name: "for", hide: true},
			{name: "Value #A", title: "State", words: upDown},
			{name: "Value #B", title: "Since", unit: "dateTimeFromNow"},
			{name: "Value #C", title: "In service", unit: "none"},
			{name: "Value #D", title: "In the table", unit: "none"},
			{name: "Value #E", title: "Of the last hour's", unit: "percentunit", steps: share()},
			{name: "Value #F", title: "Failures", unit: "none"},
		},
		query{expr: addressed("min" + by + short)},
		query{expr: "1000 * max" + by + "(lvs_service_last_change_timestamp_seconds and lvs_service_up == 0 or timestamp(" + downAge + ") - " + downAge + ")"},
		query{expr: "sum" + by + "(service:lvs_real_servers_up:sum" + those + ")"},
		query{expr: "sum" + by + "(service:lvs_real_servers:sum" + those + ")"},
		query{expr: "min" + by + "(service:lvs_real_servers_up:ratio1h < 1)"},
		query{expr: "max" + by + "(lvs_service_failures_total" + those + ")"},
	).sized(24, 8).worstFirst()
}

func fleetTable() view {
	const by = "by (instance, director) "
	return table("Directors", "Every director now, also one that answered within the last hour and does not now. Click an instance to see one. Rates are those of the last five minutes. Bytes out are n/a where no reply has ever passed the director, as with direct routing and tunnels.",
		[]column{
			{name: "instance", title: "Instance", link: toDirector},
			{name: "director", title: "Director", link: toDirector},
			{name: "for", hide: true},
			{name: "Value #A", title: "State", words: answers},
			{name: "Value #B", title: "Services", unit: "none"},
			{name: "Value #C", title: "Without real server", unit: "none", steps: bad()},
			{name: "Value #D", title: "Real servers", unit: "none"},
			{name: "Value #E", title: "Out of service", unit: "none", steps: []step{{Color: "green"}, above("orange", 1)}},
			{name: "Value #F", title: "Connections", unit: "cps"},
			{name: "Value #G", title: "Bytes in", unit: "Bps"},
			{name: "Value #H", title: "Bytes out", unit: "Bps"},
			{name: "Value #I", title: "Age of snapshot", unit: "s", steps: lag()},
		},
		query{expr: addressed("min " + by + directorUp)},
		query{expr: "sum " + by + "(lvs_services)"},
		query{expr: "sum " + by + "(director:lvs_services_down:sum)"},
		query{expr: "sum " + by + "(lvs_real_servers)"},
		query{expr: "sum " + by + "(director:lvs_real_servers_down:sum)"},
		query{expr: "sum " + by + "(director:lvs_connections:rate5m)"},
		query{expr: "sum " + by + "(director:lvs_incoming_bytes:rate5m)"},
		query{expr: "sum " + by + "(" + repliesOfDirector("director:lvs_outgoing_bytes:rate5m", "lvs_director_outgoing_bytes_total") + ")"},
		query{expr: "max " + by + "(lvs_agent_snapshot_age_seconds)"},
	).sized(24, 8).worstFirst()
}

func fleetTraffic() []view {
	const each = "{{instance}} {{director}}"
	inOut := func(unit, what string) []query {
		return []query{
			{expr: "rate(lvs_director_incoming_" + what + "_total[$__rate_interval])", legend: "in " + each},
			{expr: repliesOfDirector("rate(lvs_director_outgoing_"+what+"_total[$__rate_interval])", "lvs_director_outgoing_"+what+"_total"), legend: "out " + each, below: true},
		}
	}
	return []view{
		chart("Bytes", "Bytes per second of every director: from clients above the axis, to clients below it. A director that has never seen a reply has nothing below.", "Bps", inOut("Bps", "bytes")...).stacked().tall(),
		chart("Packets", "Packets per second of every director: from clients above the axis, to clients below it.", "pps", inOut("pps", "packets")...).stacked().tall(),
		chart("New connections", "Connections per second that every director took on.", "cps",
			query{expr: "rate(lvs_director_connections_total[$__rate_interval])", legend: each}).stacked().tall(),
		chart("Connections now", "Connections in the table of every director: the kernel's number or, where it does not tell, those of all real servers.", "short",
			query{expr: "director:lvs_connections:sum", legend: each}).stacked().tall(),
	}
}

func fleetTrouble() []view {
	const each = "{{instance}} {{director}}"
	return []view{
		timeline("Directors", "Whether the table of every director was read at the last attempt; a gap is an agent that did not answer.", upDown,
			query{expr: "lvs_up", legend: each}).sized(24, 6),
		chart("Services without a real server", "Virtual services of every director that had no real server in service.", "none",
			query{expr: "director:lvs_services_down:sum", legend: each}).stacked().stepped(),
		chart("Real servers out of service", "Real servers of every director whose weight is 0: down, or draining while connections are left.", "none",
			query{expr: "director:lvs_real_servers_down:sum", legend: each}).stacked().stepped(),
	}
}

func fleetAgents() []view {
	const each = "{{instance}} {{director}}"
	return []view{
		chart("Age of snapshot", "How old what is shown here is. It stays below the interval of sampling, but for a moment.", "s",
			query{expr: "lvs_agent_snapshot_age_seconds", legend: each}),
		chart("Resets of counters", "How often the kernel's counters began anew in the time of a step; the totals went on.", "none",
			query{expr: "sum by (instance, director, reason) (increase(lvs_resets_total[$__rate_interval]))", legend: "{{reason}} " + each}).counted(),
		chart("Failed samples", "Samples per second that the director's own agent failed to take, by stage.", "cps",
			query{expr: "sum by (instance, director, stage) (rate(lvs_agent_sample_errors_total[$__rate_interval]))", legend: "{{stage}} " + each}),
		chart("Series left out", "Series of real servers that are not shown because there are more than the limit.", "none",
			query{expr: "lvs_agent_series_suppressed", legend: each}).stepped(),
		chart("Refused connections", "Connections per second that got no real server, on the dataplanes that tell; the kernel's IPVS does not.", "cps",
			query{expr: "sum by (instance, director) (rate(lvs_service_refused_connections_total[$__rate_interval]))", legend: each}),
	}
}
