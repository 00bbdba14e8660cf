package e2e

import (
	"maps"
	"math"
	"strconv"
)

// The rules of the LVS-MIB, from its text.

// protocols are numbers of IP protocols; what has none is a firewall mark.
var protocols = map[string]int{"": 0, "tcp": 6, "udp": 17, "sctp": 132}

// isMark reports whether a service is one of a firewall mark.
func isMark(p place) bool { return p.text("protocol") == "" }

func lvsScalarRules() map[string]rule {
	return map[string]rule{
		"lvsVersion":       octets("director.ipvs_version"),
		"lvsNumServices":   computed("INTEGER", func(p place) int { return len(p.list("services")) }),
		"lvsHashTableSize": whole("director.connection_table_size"),
		"lvsTcpTimeOut":    whole("director.timeouts_seconds.tcp"),
		"lvsTcpFinTimeOut": whole("director.timeouts_seconds.tcp_fin"),
		"lvsUdpTimeOut":    whole("director.timeouts_seconds.udp"),
		"lvsDaemonState":   computed("INTEGER", func(p place) int { state, _ := lvsDaemon(p); return state }),
		"lvsMcastInt":      computed("STRING", func(p place) string { _, in := lvsDaemon(p); return in }),
	}
}

// lvsDaemon is the daemon that the MIB tells of, and its interface: none(0),
// master(1) or backup(2); both are a master.
func lvsDaemon(p place) (state int, in string) {
	for _, role := range []string{"backup", "master"} {
		if d := daemonOf(p, role); d.row != nil {
			state, in = map[string]int{"master": 1, "backup": 2}[role], d.text("interface")
		}
	}
	return state, in
}

// daemonOf is the synchronisation daemon of a role; its row is nil where none
// runs.
func daemonOf(p place, role string) place {
	for _, d := range p.list("director.sync_daemons") {
		if d["role"] == role {
			return place{doc: p.doc, row: d}
		}
	}
	return place{}
}

func lvsServiceRules() map[string]rule {
	m := lvsAccountRules("lvsService")
	maps.Copy(m, map[string]rule{
		"lvsServiceNumber":    whole("number"),
		"lvsServiceSchedType": octets("scheduler"),
		"lvsServiceProto": computed("INTEGER", func(p place) int {
			if isMark(p) {
				return -1
			}
			return protocols[p.text("protocol")]
		}),
		"lvsServiceAddr": computed("IpAddress", func(p place) string { return ipAddress(p.text("vip")) }),
		"lvsServicePort": computed("INTEGER", func(p place) string {
			if isMark(p) {
				return "-1"
			}
			n, _ := p.number("port")
			return strconv.FormatUint(n, 10)
		}),
		"lvsServiceFWMark":         computed("INTEGER", func(p place) int32 { n, _ := p.number("fwmark"); return int32(uint32(n)) }),
		"lvsServicePersistTimeout": orZero("INTEGER", whole("persistence_timeout_seconds")),
		"lvsServicePersistNetmask": computed("IpAddress", lvsNetmask),
		"lvsServiceNumDests":       computed("INTEGER", func(p place) int { return min(len(p.list("real_servers")), math.MaxUint16) }),
	})
	return m
}

// lvsNetmask is what joins clients, as an IpAddress.
func lvsNetmask(p place) string {
	switch mask := p.text("persistence_netmask"); {
	case p.text("family") == "inet6":
		return "0.0.0.0"
	case mask == "":
		return "255.255.255.255"
	default:
		return mask
	}
}

func lvsRealRules() map[string]rule {
	m := lvsAccountRules("lvsReal")
	maps.Copy(m, map[string]rule{
		"lvsRealServiceNumber": computed("INTEGER", func(p place) any { return p.service["number"] }),
		"lvsRealServerNumber":  whole("number"),
		"lvsRealServerAddr":    computed("IpAddress", func(p place) string { return ipAddress(ripOf(p).Addr().String()) }),
		"lvsRealServerPort":    computed("INTEGER", func(p place) uint16 { return ripOf(p).Port() }),
		"lvsRealServerFlags":   enumerated("forwarding_method", map[string]int{"masquerade": 0, "local": 1, "tunnel": 2, "route": 3, "bypass": 4}),
		"lvsRealServerWeight":  numeric("INTEGER", "weight", below(math.MaxUint16)),
	})
	return m
}

// lvsAccountRules are the counters and rates of both of its tables.
func lvsAccountRules(prefix string) map[string]rule {
	m := map[string]rule{
		prefix + "StatsInBytes":  counter64("total.in_bytes"),
		prefix + "StatsOutBytes": counter64("total.out_bytes"),
	}
	for name, counter := range map[string]string{"StatsConns": "connections", "StatsInPkts": "in_packets", "StatsOutPkts": "out_packets"} {
		m[prefix+name] = counter32("total." + counter)
	}
	for name, counter := range map[string]string{
		"Cps": "connections", "InPPS": "in_packets", "OutPPS": "out_packets", "InBPS": "in_bytes", "OutBPS": "out_bytes",
	} {
		m[prefix+"Rate"+name] = rate("Gauge32", "", counter, below(math.MaxUint32))
	}
	return m
}
