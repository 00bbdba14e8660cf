package mib

import (
	"math"
	"time"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// The arcs below the root of the scalars of the LVS-DIRECTOR-MIB.
var (
	directorArc = tableArc(1)
	agentArc    = tableArc(2)
	storeArc    = tableArc(3)
	servicesArc = tableArc(4)
	realsArc    = tableArc(5)
	serversArc  = tableArc(6)
	notifyArc   = tableArc(7)
)

// directorScalars are lvsdDirector.
var directorScalars = join(
	always(
		textCol(1, "lvsdHostName", func(v *view) string { return v.figures.HostName }).
			when(func(v *view) bool { return v.figures.HostName != "" }),
	),
	[]column[*view]{
		textCol(2, "lvsdIpvsVersion", func(v *view) string { return v.Director.Version }).
			when(func(v *view) bool { return v.Director.Version != "" }),
	},
	always(
		numCol(3, "lvsdDataplaneState", smi.Integer, func(v *view) uint64 { return uint64(v.figures.Dataplane) + 1 }),
		textCol(4, "lvsdDataplaneReason", func(v *view) string { return v.figures.DataplaneReason }),
		dateCol(5, "lvsdDataplaneLastChange", func(v *view) time.Time { return v.figures.DataplaneSince }).
			when(func(v *view) bool { return !v.figures.DataplaneSince.IsZero() }),
	),
	[]column[*view]{
		dateCol(6, "lvsdSampleTime", func(v *view) time.Time { return v.Time }),
	},
	always(
		gaugeCol(7, "lvsdSampleInterval", func(v *view) uint64 { return uint64(v.figures.Interval / time.Millisecond) }).
			when(func(v *view) bool { return v.figures.Interval > 0 }),
	),
	[]column[*view]{
		gaugeCol(8, "lvsdSampleDuration", func(v *view) uint64 { return uint64(v.Took / time.Microsecond) }),
		gaugeCol(9, "lvsdServiceCount", func(v *view) uint64 { return uint64(len(v.Services)) }),
		gaugeCol(10, "lvsdServicesUnavailable", func(v *view) uint64 { return uint64(v.servicesUnavailable) }),
		gaugeCol(11, "lvsdRealCount", func(v *view) uint64 { return uint64(v.realServers) }),
		gaugeCol(12, "lvsdRealsAvailable", func(v *view) uint64 { return uint64(v.available) }),
		gaugeCol(13, "lvsdConnTableSize", func(v *view) uint64 { return uint64(v.Director.ConnTableSize) }).
			when(func(v *view) bool { return v.Director.ConnTableSize != 0 }),
		gaugeCol(14, "lvsdConnTableEntries", func(v *view) uint64 { return v.Director.Connections }).when(hasConnections),
		gaugeCol(15, "lvsdConnTablePeak", func(v *view) uint64 { return v.Director.Peak }).when(hasConnections),
		gaugeCol(16, "lvsdDirectorActiveConns", func(v *view) uint64 { return v.active }),
		gaugeCol(17, "lvsdDirectorInactiveConns", func(v *view) uint64 { return v.inactive }),
		gaugeCol(18, "lvsdDirectorPersistentConns", func(v *view) uint64 { return v.persistent }).when(whole),
	},
	counterColumns(19, "lvsdDirector", hasStats,
		func(v *view) *dataplane.Counters { return &v.Director.Total },
		func(v *view) *dataplane.Rates {
			return rates(v.Director.HasRates, &v.Director.Rates, &v.Director.KernelRates)
		}),
	[]column[*view]{
		dateCol(34, "lvsdDirectorFirstSeen", func(v *view) time.Time { return v.Director.FirstSeen }).when(hasStats),
		dateCol(35, "lvsdDirectorDiscontinuity", func(v *view) time.Time { return v.Director.Discontinuity() }).when(hasStats),
		countCol(36, "lvsdDirectorResets", func(v *view) uint64 { return v.Director.Resets.Sum() }).when(hasStats),
		timeoutCol(37, "lvsdTimeoutTcp", func(t *dataplane.Timeouts) time.Duration { return t.TCP }),
		timeoutCol(38, "lvsdTimeoutTcpFin", func(t *dataplane.Timeouts) time.Duration { return t.TCPFin }),
		timeoutCol(39, "lvsdTimeoutUdp", func(t *dataplane.Timeouts) time.Duration { return t.UDP }),
	},
	syncColumns(40, "lvsdSyncMaster", dataplane.Master),
	syncColumns(43, "lvsdSyncBackup", dataplane.Backup),
)

func hasConnections(v *view) bool { return v.Director.HasConnections }

func hasStats(v *view) bool { return v.Director.HasStats }

// timeoutCol is one of the director's timeouts in seconds.
func timeoutCol(sub uint32, name string, of func(*dataplane.Timeouts) time.Duration) column[*view] {
	return gaugeCol(sub, name, func(v *view) uint64 { return uint64(of(&v.Director.Timeouts) / time.Second) }).
		when(func(v *view) bool { return of(&v.Director.Timeouts) > 0 })
}

// syncColumns tell of the sync daemon with a role. A partial snapshot tells of none.
func syncColumns(first uint32, prefix string, role dataplane.SyncRole) []column[*view] {
	find := func(v *view) (d dataplane.SyncDaemon) {
		for _, running := range v.Director.Daemons {
			if running.Role == role {
				return running
			}
		}
		return d
	}
	return []column[*view]{
		numCol(first, prefix+"Running", smi.Integer, func(v *view) uint64 { return truth(find(v).Role == role) }).when(whole),
		textCol(first+1, prefix+"Interface", func(v *view) string { return find(v).Interface }).when(whole),
		gaugeCol(first+2, prefix+"Id", func(v *view) uint64 { return clamp(uint64(find(v).SyncID), math.MaxUint8) }).when(whole),
	}
}
