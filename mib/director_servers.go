package mib

import (
	"time"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// serversScalars are those of lvsdServers. Hosts come and go with real servers.
var serversScalars = tableScalars("Server", "Servers",
	func(v *view) int { return v.servers }, func(v *view) time.Time { return v.RealsChanged })

// serverEntry is the arc of lvsdServerEntry below the root.
var serverEntry = entryArc(6)

// serverColumns are the columns of lvsdServerTable.
var serverColumns = join(
	[]column[*dataplane.ServerState]{
		octetsCol(3, "lvsdServerAddressText", func(b []byte, s *dataplane.ServerState) []byte { return appendAddrText(b, s.Addr) }),
		gaugeCol(4, "lvsdServerRealServers", func(s *dataplane.ServerState) uint64 { return uint64(s.Reals) }),
		gaugeCol(5, "lvsdServerAvailable", func(s *dataplane.ServerState) uint64 { return uint64(s.Available) }),
		gaugeCol(6, "lvsdServerWeightSum", func(s *dataplane.ServerState) uint64 { return s.Weight }),
		gaugeCol(7, "lvsdServerActiveConns", func(s *dataplane.ServerState) uint64 { return s.Active }),
		gaugeCol(8, "lvsdServerInactiveConns", func(s *dataplane.ServerState) uint64 { return s.Inactive }),
		gaugeCol(9, "lvsdServerPersistentConns", func(s *dataplane.ServerState) uint64 { return s.Persistent }).when(whole),
	},
	serverCounters(),
	[]column[*dataplane.ServerState]{
		dateCol(25, "lvsdServerDiscontinuity", func(s *dataplane.ServerState) time.Time { return s.Since }).when(whole),
		numCol(26, "lvsdServerRepliesBypass", smi.Integer, func(s *dataplane.ServerState) uint64 { return truth(s.RepliesBypass) }),
	},
)

// serverCounters are the counters of hosts. The kernel has no rates of those, so
// that there are none until ours are known.
func serverCounters() []column[*dataplane.ServerState] {
	columns := counterColumns(10, "lvsdServer", whole,
		func(s *dataplane.ServerState) *dataplane.Counters { return &s.Total },
		func(s *dataplane.ServerState) *dataplane.Rates { return &s.Rates })
	for i := range columns[10:] {
		columns[10+i].has = func(s *dataplane.ServerState) bool { return s.HasRates }
	}
	return columns
}
