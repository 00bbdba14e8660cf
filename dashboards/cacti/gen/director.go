package main

import "slices"

// The tables and scalars of LVS-DIRECTOR-MIB. Rows are followed by their text
// keys, which stay a row's own whatever number it has.

func directorServices() query {
	traffic := trafficStore("lvsd_service_traffic", "Service traffic",
		"lvsdServiceHCConns", "lvsdServiceHCInPkts", "lvsdServiceHCOutPkts", "lvsdServiceHCInBytes", "lvsdServiceHCOutBytes")
	rates := rateStore("lvsd_service_rates", "Service rates",
		"lvsdServiceConnRate", "lvsdServiceInPktRate", "lvsdServiceOutPktRate", "lvsdServiceInByteRate", "lvsdServiceOutByteRate")
	conns := store{"lvsd_service_connections", "Service connections", []source{
		{"active", "lvsdServiceActiveConns", gauge},
		{"inactive", "lvsdServiceInactiveConns", gauge},
		{"persistent", "lvsdServicePersistentConns", gauge},
		{"peak", "lvsdServicePeakConns", gauge},
	}}
	members := memberStore("lvsd_service_members", "Service members", "lvsdServiceRealServers", "lvsdServiceAvailable", "lvsdServiceWeightSum")
	changes := changeStore("lvsd_service_changes", "Service changes", "lvsdServiceStateChanges", "lvsdServiceFailures")
	refused := store{"lvsd_service_refused", "Service refused connections", []source{{"refused", "lvsdServiceHCRefused", derive}}}
	return query{
		name: "lvsd_services", title: "LVS - Virtual services",
		description: "Virtual services by name or key. " + bypassed,
		index:       "lvsdServiceKey", count: "lvsdServiceRows", moved: "lvsdServiceRowsVersion",
		order: []string{"lvsdServiceKey"},
		inputs: []input{
			{"lvsdServiceKey", "Key", ""},
			{"lvsdServiceLabel", "Name", ""},
			{"lvsdServiceScheduler", "Scheduler", ""},
		},
		subject: "Service |query_lvsdServiceLabel|",
		stores:  []store{traffic, rates, conns, members, changes, refused},
		graphs: slices.Concat(trafficGraphs(traffic.name, "Service", ""), rateGraphs(rates.name, "Service", ""),
			[]graph{connectionGraph(conns.name, "Service", item{source: "peak", label: "Peak", shape: line, colour: red})},
			memberGraphs(members.name, "Service"), []graph{changeGraph(changes.name, "Service"), {
				name: "lvsd_service_refused", title: "Service refused connections", vertical: "connections/s", store: refused.name,
				items: []item{{source: "refused", label: "Refused/s", shape: area, colour: red}},
				note:  "Connections that got no real server. The kernel's IPVS does not count them.",
			}}),
	}
}

func directorRealServers() query {
	traffic := trafficStore("lvsd_real_traffic", "Real server traffic",
		"lvsdRealHCConns", "lvsdRealHCInPkts", "lvsdRealHCOutPkts", "lvsdRealHCInBytes", "lvsdRealHCOutBytes")
	rates := rateStore("lvsd_real_rates", "Real server rates",
		"lvsdRealConnRate", "lvsdRealInPktRate", "lvsdRealOutPktRate", "lvsdRealInByteRate", "lvsdRealOutByteRate")
	conns := store{"lvsd_real_connections", "Real server connections", []source{
		{"active", "lvsdRealActiveConns", gauge},
		{"inactive", "lvsdRealInactiveConns", gauge},
		{"persistent", "lvsdRealPersistentConns", gauge},
		{"peak", "lvsdRealPeakConns", gauge},
		{"upper_threshold", "lvsdRealUpperThreshold", gauge},
		{"lower_threshold", "lvsdRealLowerThreshold", gauge},
	}}
	weight := store{"lvsd_real_weight", "Real server weight", []source{
		{"weight", "lvsdRealWeight", gauge},
		{"share", "lvsdRealWeightShare", gauge},
	}}
	changes := changeStore("lvsd_real_changes", "Real server changes", "lvsdRealStateChanges", "lvsdRealFailures")
	return query{
		name: "lvsd_real_servers", title: "LVS - Real servers",
		description: "Real servers by name or key, in each service of their own. " + bypassed,
		index:       "lvsdRealKey", deep: true, count: "lvsdRealRows", moved: "lvsdRealRowsVersion",
		order: []string{"lvsdRealKey"},
		inputs: []input{
			{"lvsdRealKey", "Key", ""},
			{"lvsdRealLabel", "Name", ""},
			{"lvsdRealMethod", "Forwarding method", ""},
		},
		subject: "Real server |query_lvsdRealLabel|",
		stores:  []store{traffic, rates, conns, weight, changes},
		graphs: slices.Concat(trafficGraphs(traffic.name, "Real server", ""), rateGraphs(rates.name, "Real server", ""), []graph{
			connectionGraph(conns.name, "Real server",
				item{source: "peak", label: "Peak", shape: line, colour: red},
				item{source: "upper_threshold", label: "Upper threshold", shape: line, colour: orange},
				item{source: "lower_threshold", label: "Lower threshold", shape: line, colour: purple}),
			{name: "lvsd_real_weight", title: "Real server weight", vertical: "weight", store: weight.name, items: []item{
				{source: "weight", label: "Weight", shape: line, colour: blue},
				{source: "share", label: "Per mille of the service's", shape: line, colour: grey},
			}},
			changeGraph(changes.name, "Real server"),
		}),
	}
}

func directorHosts() query {
	traffic := trafficStore("lvsd_host_traffic", "Host traffic",
		"lvsdServerHCConns", "lvsdServerHCInPkts", "lvsdServerHCOutPkts", "lvsdServerHCInBytes", "lvsdServerHCOutBytes")
	rates := rateStore("lvsd_host_rates", "Host rates",
		"lvsdServerConnRate", "lvsdServerInPktRate", "lvsdServerOutPktRate", "lvsdServerInByteRate", "lvsdServerOutByteRate")
	conns := store{"lvsd_host_connections", "Host connections", []source{
		{"active", "lvsdServerActiveConns", gauge},
		{"inactive", "lvsdServerInactiveConns", gauge},
		{"persistent", "lvsdServerPersistentConns", gauge},
	}}
	members := memberStore("lvsd_host_members", "Host members", "lvsdServerRealServers", "lvsdServerAvailable", "lvsdServerWeightSum")
	return query{
		name: "lvsd_servers", title: "LVS - Hosts",
		description: "The hosts of the real servers, each over all services and ports. " + bypassed,
		index:       "lvsdServerAddressText", deep: true, count: "lvsdServerRows", moved: "lvsdServerRowsVersion",
		order:   []string{"lvsdServerAddressText"},
		inputs:  []input{{"lvsdServerAddressText", "Address", ""}},
		subject: "Host |query_lvsdServerAddressText|",
		stores:  []store{traffic, rates, conns, members},
		graphs: slices.Concat(trafficGraphs(traffic.name, "Host", ""), rateGraphs(rates.name, "Host", ""),
			[]graph{connectionGraph(conns.name, "Host")}, memberGraphs(members.name, "Host")),
	}
}

// directorGraphs are those of the director as a whole.
func directorGraphs() []looseGraph {
	traffic := trafficStore("lvsd_director_traffic", "Director",
		"lvsdDirectorHCConns", "lvsdDirectorHCInPkts", "lvsdDirectorHCOutPkts", "lvsdDirectorHCInBytes", "lvsdDirectorHCOutBytes")
	rates := rateStore("lvsd_director_rates", "Director",
		"lvsdDirectorConnRate", "lvsdDirectorInPktRate", "lvsdDirectorOutPktRate", "lvsdDirectorInByteRate", "lvsdDirectorOutByteRate")
	conns := store{"lvsd_director_connections", "Director", []source{
		{"active", "lvsdDirectorActiveConns", gauge},
		{"inactive", "lvsdDirectorInactiveConns", gauge},
		{"persistent", "lvsdDirectorPersistentConns", gauge},
	}}
	table := store{"lvsd_director_table", "Director", []source{
		{"entries", "lvsdConnTableEntries", gauge},
		{"entries_peak", "lvsdConnTablePeak", gauge},
		{"buckets", "lvsdConnTableSize", gauge},
	}}
	rows := store{"lvsd_director_rows", "Director", []source{
		{"services", "lvsdServiceCount", gauge},
		{"services_down", "lvsdServicesUnavailable", gauge},
		{"real_servers", "lvsdRealCount", gauge},
		{"real_servers_up", "lvsdRealsAvailable", gauge},
	}}
	samples := store{"lvsd_director_samples", "Director", []source{
		{"samples", "lvsdAgentSamples", derive},
		{"sample_errors", "lvsdAgentSampleErrors", derive},
		{"skipped_ticks", "lvsdAgentSkippedTicks", derive},
	}}
	graphs := slices.Concat(loosen(traffic, trafficGraphs(traffic.name, "Director", "")...), loosen(rates, rateGraphs(rates.name, "Director", "")...))
	graphs = append(graphs, loosen(conns, connectionGraph(conns.name, "Director"))...)
	graphs = append(graphs, loosen(table, graph{name: table.name, title: "Director connection table", vertical: "entries", items: []item{
		{source: "entries", label: "Entries", shape: area, colour: blue},
		{source: "entries_peak", label: "Peak", shape: line, colour: red},
		{source: "buckets", label: "Hash buckets", shape: line, colour: grey},
	}})...)
	graphs = append(graphs, loosen(rows, graph{name: rows.name, title: "Director services and real servers", items: []item{
		{source: "real_servers", label: "Real servers", shape: area, colour: grey},
		{source: "real_servers_up", label: "Available", shape: area, colour: green},
		{source: "services", label: "Services", shape: line, colour: blue},
		{source: "services_down", label: "Without any", shape: line, colour: red},
	}})...)
	return append(graphs, loosen(samples, graph{name: samples.name, title: "Director samples of the agent", vertical: "per second", items: []item{
		{source: "samples", label: "Samples", shape: area, colour: green},
		{source: "sample_errors", label: "Errors", shape: line, colour: red},
		{source: "skipped_ticks", label: "Skipped", shape: line, colour: orange},
	}})...)
}
