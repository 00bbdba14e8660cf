package e2e

import (
	"fmt"
	"maps"
	"math"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// The rules of the LVS-DIRECTOR-MIB, from its text.

func directorRules() map[string]rule {
	m := accountRules("lvsdDirector", "director.")
	maps.Copy(m, historyRules("lvsdDirector", "director."))
	maps.Copy(m, syncRules("Master", "master"))
	maps.Copy(m, syncRules("Backup", "backup"))
	maps.Copy(m, map[string]rule{
		"lvsdHostName":            octets("agent.host"),
		"lvsdIpvsVersion":         octets("director.ipvs_version"),
		"lvsdDataplaneState":      enumerated("agent.dataplane", map[string]int{"running": 1, "stale": 2, "unavailable": 3}),
		"lvsdDataplaneReason":     octets("agent.dataplane_reason"),
		"lvsdDataplaneLastChange": date("agent.dataplane_since"),
		"lvsdSampleTime":          date("time"),
		"lvsdSampleInterval":      seconds("interval_seconds", 1e3),
		"lvsdSampleDuration":      seconds("took_seconds", 1e6),
		"lvsdServiceCount":        computed("Gauge32", func(p place) int { return len(p.list("services")) }),
		"lvsdServicesUnavailable": computed("Gauge32", func(p place) int {
			return count(p.list("services"), func(s object) bool { return count(place{row: s}.list("real_servers"), takesConns) == 0 })
		}),
		"lvsdRealCount":               computed("Gauge32", func(p place) int { return len(reals(p)) }),
		"lvsdRealsAvailable":          computed("Gauge32", func(p place) int { return count(reals(p), takesConns) }),
		"lvsdConnTableSize":           gauge32("director.connection_table_size"),
		"lvsdConnTableEntries":        gauge32("director.connections"),
		"lvsdConnTablePeak":           gauge32("director.peak_connections"),
		"lvsdDirectorActiveConns":     sum("servers", "active_connections"),
		"lvsdDirectorInactiveConns":   sum("servers", "inactive_connections"),
		"lvsdDirectorPersistentConns": sum("servers", "persistent_connections"),
		"lvsdTimeoutTcp":              gauge32("director.timeouts_seconds.tcp"),
		"lvsdTimeoutTcpFin":           gauge32("director.timeouts_seconds.tcp_fin"),
		"lvsdTimeoutUdp":              gauge32("director.timeouts_seconds.udp"),
	})
	return m
}

// seconds is a number of seconds in parts of one, to the nearest.
func seconds(path string, parts float64) rule {
	return computed("Gauge32", func(p place) uint64 {
		f, err := strconv.ParseFloat(fmt.Sprint(p.get(path)), 64)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", path, err))
		}
		return uint64(math.Floor(f*parts + 1e-6)) // less than what a float64 leaves of nanoseconds
	})
}

func syncRules(name, role string) map[string]rule {
	prefix := "lvsdSync" + name
	return map[string]rule{
		prefix + "Running":   truth(func(p place) bool { return daemonOf(p, role).row != nil }),
		prefix + "Interface": computed("STRING", func(p place) string { return daemonOf(p, role).text("interface") }),
		prefix + "Id":        computed("Gauge32", func(p place) uint64 { n, _ := daemonOf(p, role).number("sync_id"); return n }),
	}
}

func agentRules() map[string]rule {
	m := map[string]rule{
		"lvsdAgentVersion":      octets("agent.version"),
		"lvsdAgentStartTime":    date("agent.started"),
		"lvsdAgentSamples":      counter32("agent.samples"),
		"lvsdAgentSampleErrors": counter32("agent.sample_errors"),
		"lvsdAgentLateTicks":    counter32("agent.late_ticks"),
		"lvsdAgentSkippedTicks": counter32("agent.skipped_ticks"),
		"lvsdAgentInconsistent": counter32("agent.inconsistent_dumps"),
		"lvsdAgentUnnumbered": computed("Gauge32", func(p place) int {
			unnumbered := func(o object) bool { return fmt.Sprint(o["number"]) == "0" }
			return count(p.list("services"), unnumbered) + count(reals(p), unnumbered)
		}),
		"lvsdAgentResetDirector": resetsFor("director"),
		"lvsdAgentResetServices": resetsFor("services"),
		"lvsdAgentResetReals":    resetsFor("real_servers"),
		"lvsdNotifyEnable":       truth(func(p place) bool { return p.get("agent.notifications.enabled") == true }),
		"lvsdNotifySent":         counter32("agent.notifications.sent"),
		"lvsdNotifyDropped":      counter32("agent.notifications.dropped"),
		"lvsdNotifyCoalesced":    counter32("agent.notifications.coalesced"),
		"lvsdNotifySequence":     gauge32("agent.notifications.sequence"),
		"lvsdNotifyTime":         date("agent.notifications.time"),
		"lvsdNotifyMessage":      octets("agent.notifications.message"),

		"lvsdStoreState":        enumerated("agent.store.state", map[string]int{"running": 1, "behind": 2, "failing": 3, "": 4}),
		"lvsdStoreBytes":        counter64("agent.store.bytes"),
		"lvsdStoreLimit":        where("agent.store", orZero("Counter64", counter64("agent.store.limit_bytes"))),
		"lvsdStoreSeries":       gauge32("agent.store.series"),
		"lvsdStoreOldest":       where("agent.store.oldest", date("agent.store.oldest")),
		"lvsdStoreNewest":       where("agent.store.newest", date("agent.store.newest")),
		"lvsdStoreCommits":      counter32("agent.store.commits"),
		"lvsdStoreCommitErrors": counter32("agent.store.commit_errors"),
		"lvsdStoreLateCommits":  counter32("agent.store.late_commits"),
	}
	maps.Copy(m, rowsRules("Service", "Services", "lvsdServiceTable", "services_changed"))
	maps.Copy(m, rowsRules("Real", "Reals", "lvsdRealTable", "real_servers_changed"))
	maps.Copy(m, rowsRules("Server", "Servers", "lvsdServerTable", "real_servers_changed"))
	return m
}

// resetReasons are the rows of lvsdAgentResetTable.
var resetReasons = []string{"recreated", "zeroed", "kernel_restart", "wrap32"}

// resetsFor are those of a scope that the agent saw for the reason of a row.
func resetsFor(scope string) rule {
	return computed("Counter32", func(p place) uint64 {
		row, err := strconv.Atoi(p.index)
		if err != nil {
			panic(err)
		}
		n, _ := p.number("agent.resets." + scope + "." + resetReasons[row-1])
		return low32(n)
	})
}

func serviceRules() map[string]rule {
	m := accountRules("lvsdService", "")
	maps.Copy(m, historyRules("lvsdService", ""))
	maps.Copy(m, stateRules("lvsdService"))
	maps.Copy(m, map[string]rule{
		"lvsdServiceAddressType":    computed("INTEGER", func(p place) int { return inetType(p.text("vip")) }),
		"lvsdServiceAddress":        computed("STRING", func(p place) string { return inetAddress(p.text("vip")) }),
		"lvsdServicePort":           gauge32("port"),
		"lvsdServiceAddressText":    octets("vip"),
		"lvsdServiceKey":            octets("key"),
		"lvsdServiceName":           octets("name"),
		"lvsdServiceLabel":          computed("STRING", serviceLabel),
		"lvsdServiceProtocol":       computed("Gauge32", func(p place) int { return protocols[p.text("protocol")] }),
		"lvsdServiceFirewallMark":   orZero("Gauge32", gauge32("fwmark")),
		"lvsdServiceFamily":         enumerated("family", map[string]int{"inet": 1, "inet6": 2}),
		"lvsdServiceScheduler":      octets("scheduler"),
		"lvsdServiceFlags":          computed("STRING", serviceFlags),
		"lvsdServicePersistTimeout": orZero("Gauge32", gauge32("persistence_timeout_seconds")),
		"lvsdServicePersistNetmask": computed("STRING", func(p place) string { mask, _ := persistence(p); return mask }),
		"lvsdServicePersistPrefixLength": computed("Gauge32", func(p place) int {
			_, ones := persistence(p)
			return ones
		}),
		"lvsdServicePersistEngine":   octets("persistence_engine"),
		"lvsdServiceRealServers":     computed("Gauge32", func(p place) int { return len(p.list("real_servers")) }),
		"lvsdServiceAvailable":       gauge32("available_real_servers"),
		"lvsdServiceWeightSum":       sum("real_servers", "weight"),
		"lvsdServiceActiveConns":     sum("real_servers", "active_connections"),
		"lvsdServiceInactiveConns":   sum("real_servers", "inactive_connections"),
		"lvsdServicePersistentConns": sum("real_servers", "persistent_connections"),
		"lvsdServiceRefused":         counter32("refused_connections"),
		"lvsdServiceHCRefused":       counter64("refused_connections"),
	})
	return m
}

// serviceLabel is how people call a service.
func serviceLabel(p place) string {
	if name := p.text("name"); name != "" {
		return name
	}
	return p.text("key")
}

// serviceFlags are the document's and the one that the kernel sets on every
// service, in the order of the MIB's text.
func serviceFlags(p place) string {
	has := map[string]bool{"hashed": true}
	for flag := range strings.SplitSeq(p.text("flags"), ",") {
		has[flag] = true
	}
	var list []string
	for _, flag := range []string{"persistent", "hashed", "one-packet", "sched-1", "sched-2", "sched-3"} {
		if has[flag] {
			list = append(list, flag)
		}
	}
	return strings.Join(list, ",")
}

// persistence is what joins clients, and how many leading ones that has.
func persistence(p place) (mask string, ones int) {
	mask = p.text("persistence_netmask")
	six := p.text("family") == "inet6"
	switch {
	case !strings.Contains(p.text("flags"), "persistent"):
		return "", 0
	case mask == "" && six:
		return "128", 128
	case mask == "":
		return "255.255.255.255", 32
	case six:
		n, _ := strconv.Atoi(mask)
		return mask, n
	}
	for _, b := range netip.MustParseAddr(mask).AsSlice() {
		ones += bits.LeadingZeros8(^b)
		if b != 0xff {
			break
		}
	}
	return mask, ones
}

func realRules() map[string]rule {
	m := accountRules("lvsdReal", "")
	maps.Copy(m, historyRules("lvsdReal", ""))
	maps.Copy(m, stateRules("lvsdReal"))
	maps.Copy(m, map[string]rule{
		"lvsdRealAddressType": computed("INTEGER", func(p place) int { return inetType(ripOf(p).Addr().String()) }),
		"lvsdRealAddress":     computed("STRING", func(p place) string { return inetAddress(ripOf(p).Addr().String()) }),
		"lvsdRealPort":        computed("Gauge32", func(p place) uint16 { return ripOf(p).Port() }),
		"lvsdRealAddressText": computed("STRING", func(p place) string { return ripOf(p).Addr().String() }),
		"lvsdRealKey":         computed("STRING", func(p place) string { return fmt.Sprint(p.service["key"], " ", p.text("address")) }),
		"lvsdRealName":        octets("name"),
		"lvsdRealLabel": computed("STRING", func(p place) string {
			name := p.text("name")
			if name == "" {
				name = p.text("address")
			}
			return serviceLabel(place{row: p.service}) + " " + name
		}),
		"lvsdRealMethod":     enumerated("forwarding_method", map[string]int{"masquerade": 1, "local": 2, "tunnel": 3, "route": 4, "bypass": 5}),
		"lvsdRealTunnelType": enumerated("tunnel_type", map[string]int{"": 1, "ipip": 2, "gue": 3, "gre": 4}),
		"lvsdRealTunnelPort": orZero("Gauge32", gauge32("tunnel_port")),
		"lvsdRealTunnelFlags": computed("STRING", func(p place) string {
			if p.text("tunnel_type") == "ipip" {
				return ""
			}
			return p.text("tunnel_checksum")
		}),
		"lvsdRealWeight":          gauge32("weight"),
		"lvsdRealWeightShare":     computed("Gauge32", weightShare),
		"lvsdRealUpperThreshold":  orZero("Gauge32", gauge32("upper_threshold")),
		"lvsdRealLowerThreshold":  orZero("Gauge32", gauge32("lower_threshold")),
		"lvsdRealActiveConns":     gauge32("active_connections"),
		"lvsdRealInactiveConns":   gauge32("inactive_connections"),
		"lvsdRealPersistentConns": gauge32("persistent_connections"),
	})
	return m
}

// weightShare is the weight in whole thousandths of the service's.
func weightShare(p place) uint64 {
	own, _ := p.number("weight")
	all := uint64(0)
	for _, r := range (place{row: p.service}).list("real_servers") {
		n, _ := place{row: r}.number("weight")
		all += n
	}
	if all == 0 {
		return 0
	}
	return own * 1000 / all
}

func serverRules() map[string]rule {
	m := accountRules("lvsdServer", "")
	maps.Copy(m, map[string]rule{
		"lvsdServerAddressText":     octets("address"),
		"lvsdServerRealServers":     gauge32("real_servers"),
		"lvsdServerAvailable":       gauge32("available"),
		"lvsdServerWeightSum":       gauge32("weight"),
		"lvsdServerActiveConns":     gauge32("active_connections"),
		"lvsdServerInactiveConns":   gauge32("inactive_connections"),
		"lvsdServerPersistentConns": gauge32("persistent_connections"),
		"lvsdServerDiscontinuity":   date("since"),
		// Answers of masqueraded and local real servers pass the director.
		"lvsdServerRepliesBypass": truth(func(p place) bool {
			return count(reals(p), func(r object) bool {
				here := ripOf(place{row: r}).Addr().String() == p.text("address")
				return here && (r["forwarding_method"] == "masquerade" || r["forwarding_method"] == "local")
			}) == 0
		}),
	})
	return m
}
