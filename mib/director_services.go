package mib

import (
	"time"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// servicesScalars are those of lvsdServices.
var servicesScalars = tableScalars("Service", "Services",
	func(v *view) int { return v.services }, func(v *view) time.Time { return v.ServicesChanged })

// directorServiceEntry is the arc of lvsdServiceEntry below the root.
var directorServiceEntry = entryArc(4)

// directorServiceColumns are the columns of lvsdServiceTable.
var directorServiceColumns = join(
	[]column[*serviceRow]{
		numCol(2, "lvsdServiceAddressType", smi.Integer, func(s *serviceRow) uint64 { return inetType(s.Key.VIP.Addr()) }),
		octetsCol(3, "lvsdServiceAddress", func(b []byte, s *serviceRow) []byte { return appendInet(b, s.Key.VIP.Addr()) }),
		gaugeCol(4, "lvsdServicePort", func(s *serviceRow) uint64 { return uint64(s.Key.VIP.Port()) }),
		octetsCol(5, "lvsdServiceAddressText", func(b []byte, s *serviceRow) []byte { return appendAddrText(b, s.Key.VIP.Addr()) }),
		octetsCol(6, "lvsdServiceKey", func(b []byte, s *serviceRow) []byte { return append(b, s.key...) }),
		textCol(7, "lvsdServiceName", func(s *serviceRow) string { return s.Name }),
		textCol(8, "lvsdServiceLabel", func(s *serviceRow) string { return s.label }),
		gaugeCol(9, "lvsdServiceProtocol", func(s *serviceRow) uint64 { return uint64(s.Key.Protocol) }),
		gaugeCol(10, "lvsdServiceFirewallMark", func(s *serviceRow) uint64 { return uint64(s.Key.FWMark) }),
		numCol(11, "lvsdServiceFamily", smi.Integer, func(s *serviceRow) uint64 { return inetVersion(s.Key.Family) }),
		textCol(12, "lvsdServiceScheduler", func(s *serviceRow) string { return s.Scheduler }),
		textCol(13, "lvsdServiceFlags", func(s *serviceRow) string { return s.Flags.String() }),
		gaugeCol(14, "lvsdServicePersistTimeout", func(s *serviceRow) uint64 { return uint64(s.Timeout / time.Second) }),
		textCol(15, "lvsdServicePersistNetmask", func(s *serviceRow) string { return persistNetmask(s).String() }),
		gaugeCol(16, "lvsdServicePersistPrefixLength", prefixLength),
		textCol(17, "lvsdServicePersistEngine", func(s *serviceRow) string { return s.PersistenceEngine }).when(whole),
		gaugeCol(18, "lvsdServiceRealServers", func(s *serviceRow) uint64 { return uint64(len(s.Reals)) }),
		gaugeCol(19, "lvsdServiceAvailable", func(s *serviceRow) uint64 { return uint64(s.available) }),
		gaugeCol(20, "lvsdServiceWeightSum", func(s *serviceRow) uint64 { return s.weight }),
		gaugeCol(21, "lvsdServiceActiveConns", func(s *serviceRow) uint64 { return s.active }),
		gaugeCol(22, "lvsdServiceInactiveConns", func(s *serviceRow) uint64 { return s.inactive }),
		gaugeCol(23, "lvsdServicePersistentConns", func(s *serviceRow) uint64 { return s.persistent }).when(whole),
		gaugeCol(24, "lvsdServicePeakConns", func(s *serviceRow) uint64 { return s.Peak }),
		countCol(25, "lvsdServiceRefused", func(s *serviceRow) uint64 { return s.Refused }).where(hasRefused),
		numCol(26, "lvsdServiceHCRefused", smi.Counter64, func(s *serviceRow) uint64 { return s.Refused }).where(hasRefused),
	},
	counterColumns(27, "lvsdService", whole,
		func(s *serviceRow) *dataplane.Counters { return &s.Total },
		func(s *serviceRow) *dataplane.Rates { return rates(s.HasRates, &s.Rates, &s.KernelRates) }),
	stateColumns(42, "lvsdService", stateful[*serviceRow]{
		status:  func(s *serviceRow) dataplane.Status { return s.status },
		reason:  func(s *serviceRow) string { return s.Reason() },
		account: func(s *serviceRow) *dataplane.Account { return &s.Account },
		now:     func(s *serviceRow) time.Time { return s.view.Time },
	}),
)

func hasRefused(s *serviceRow) bool { return s.HasRefused }

// inetVersion is a family as RFC 4001 numbers it: unknown(0), ipv4(1), ipv6(2).
func inetVersion(f dataplane.Family) uint64 {
	switch f {
	case dataplane.INET:
		return 1
	case dataplane.INET6:
		return 2
	}
	return 0
}

// persistNetmask is what joins the clients of a persistent service, full where
// none was given, and the zero Netmask for one that is not persistent.
func persistNetmask(s *serviceRow) dataplane.Netmask {
	if s.Flags&dataplane.FlagPersistent == 0 {
		return dataplane.Netmask{}
	}
	if s.Netmask.IsZero() {
		return dataplane.FullMask(s.Key.Family)
	}
	return s.Netmask
}

func prefixLength(s *serviceRow) uint64 {
	n, _ := persistNetmask(s).PrefixLen()
	return uint64(n)
}
