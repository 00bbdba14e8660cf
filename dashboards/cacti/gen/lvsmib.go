package main

// The tables of the LVS-MIB. Every agent of it has these columns; what falls when
// rows move is a scalar of LVS-DIRECTOR-MIB, which the same agent answers.

const protocols = "VALUE/TABLE:-1:mark:6:tcp:17:udp:132:sctp"

func lvsServices() query {
	traffic := trafficStore("lvs_service_traffic", "Service traffic (LVS-MIB)",
		"lvsServiceStatsConns", "lvsServiceStatsInPkts", "lvsServiceStatsOutPkts", "lvsServiceStatsInBytes", "lvsServiceStatsOutBytes")
	rates := rateStore("lvs_service_rates", "Service rates (LVS-MIB)",
		"lvsServiceRateCps", "lvsServiceRateInPPS", "lvsServiceRateOutPPS", "lvsServiceRateInBPS", "lvsServiceRateOutBPS")
	members := store{"lvs_service_members", "Service members (LVS-MIB)", []source{{"real_servers", "lvsServiceNumDests", gauge}}}
	return query{
		name: "lvs_services", title: "LVS - Virtual services (LVS-MIB)",
		description: "Virtual services by number. " + bypassed,
		index:       "lvsServiceNumber", count: "lvsNumServices", moved: "lvsdServiceRowsVersion",
		order: []string{"lvsServiceNumber"}, numeric: true,
		inputs: []input{
			{"lvsServiceNumber", "Number", ""},
			{"lvsServiceProto", "Protocol", protocols},
			{"lvsServiceAddr", "Address", ""},
			{"lvsServicePort", "Port", ""},
			{"lvsServiceFWMark", "Firewall mark", ""},
			{"lvsServiceSchedType", "Scheduler", ""},
		},
		subject: "Service |query_lvsServiceNumber| |query_lvsServiceProto| |query_lvsServiceAddr|:|query_lvsServicePort|",
		stores:  []store{traffic, rates, members},
		graphs: append(append(trafficGraphs(traffic.name, "Service", "LVS-MIB"), rateGraphs(rates.name, "Service", "LVS-MIB")...),
			graph{name: "lvs_service_members", title: "Service real servers (LVS-MIB)", vertical: "real servers", store: members.name,
				items: []item{{source: "real_servers", label: "Real servers", shape: area, colour: blue}}}),
	}
}

func lvsRealServers() query {
	traffic := trafficStore("lvs_real_traffic", "Real server traffic (LVS-MIB)",
		"lvsRealStatsConns", "lvsRealStatsInPkts", "lvsRealStatsOutPkts", "lvsRealStatsInBytes", "lvsRealStatsOutBytes")
	rates := rateStore("lvs_real_rates", "Real server rates (LVS-MIB)",
		"lvsRealRateCps", "lvsRealRateInPPS", "lvsRealRateOutPPS", "lvsRealRateInBPS", "lvsRealRateOutBPS")
	weight := store{"lvs_real_weight", "Real server weight (LVS-MIB)", []source{{"weight", "lvsRealServerWeight", gauge}}}
	return query{
		name: "lvs_real_servers", title: "LVS - Real servers (LVS-MIB)",
		description: "Real servers by the number of their service and their own. " + bypassed,
		index:       "lvsRealServerNumber", deep: true, moved: "lvsdRealRowsVersion",
		order: []string{"lvsRealNumber"}, numeric: false,
		inputs: []input{
			{"lvsRealNumber", "Number", "index"},
			{"lvsRealServiceNumber", "Number of the service", ""},
			{"lvsRealServerNumber", "Number within the service", ""},
			{"lvsRealServerAddr", "Address", ""},
			{"lvsRealServerPort", "Port", ""},
			{"lvsRealServerFlags", "Forwarding method", "VALUE/TABLE:0:masquerade:1:local:2:tunnel:3:route:4:bypass"},
		},
		subject: "Service |query_lvsRealServiceNumber| real server |query_lvsRealServerNumber| |query_lvsRealServerAddr|:|query_lvsRealServerPort|",
		stores:  []store{traffic, rates, weight},
		graphs: append(append(trafficGraphs(traffic.name, "Real server", "LVS-MIB"), rateGraphs(rates.name, "Real server", "LVS-MIB")...),
			graph{name: "lvs_real_weight", title: "Real server weight (LVS-MIB)", vertical: "weight", store: weight.name,
				items: []item{{source: "weight", label: "Weight", shape: line, colour: blue}}}),
	}
}
