package snmp

// The columns of lvsdServiceTable.
const (
	lvsdServiceAddress    = 3
	lvsdServicePort       = 4
	lvsdServiceName       = 7
	lvsdServiceProtocol   = 9
	lvsdServiceMark       = 10
	lvsdServiceFamily     = 11
	lvsdServiceScheduler  = 12
	lvsdServiceFlags      = 13
	lvsdServiceTimeout    = 14
	lvsdServiceNetmask    = 15
	lvsdServiceEngine     = 17
	lvsdServicePeak       = 24
	lvsdServiceRefused    = 25
	lvsdServiceHCRefused  = 26
	lvsdServiceConns      = 27
	lvsdServiceLastChange = 44
	lvsdServiceChanges    = 46
	lvsdServiceFailures   = 47
	lvsdServiceResets     = 48
	lvsdServiceFirstSeen  = 49
	lvsdServiceDiscont    = 50
)

// The columns of lvsdRealTable.
const (
	lvsdRealAddress    = 3
	lvsdRealPort       = 4
	lvsdRealName       = 7
	lvsdRealMethod     = 9
	lvsdRealTunnelType = 10
	lvsdRealTunnelPort = 11
	lvsdRealTunnelFlag = 12
	lvsdRealWeight     = 13
	lvsdRealUpper      = 15
	lvsdRealLower      = 16
	lvsdRealActive     = 17
	lvsdRealInactive   = 18
	lvsdRealPersistent = 19
	lvsdRealPeak       = 20
	lvsdRealConns      = 21
	lvsdRealLastChange = 38
	lvsdRealChanges    = 40
	lvsdRealFailures   = 41
	lvsdRealResets     = 42
	lvsdRealFirstSeen  = 43
	lvsdRealDiscont    = 44
)

// The columns of lvsdServerTable.
const (
	lvsdServerReals      = 4
	lvsdServerAvailable  = 5
	lvsdServerWeight     = 6
	lvsdServerActive     = 7
	lvsdServerInactive   = 8
	lvsdServerPersistent = 9
	lvsdServerConns      = 10
	lvsdServerDiscont    = 25
	lvsdServerBypass     = 26
)

// A directorTable is a table of the MIB in two parts: what of a row moves all the
// time, and what stays as long as the row does, or is changed by people.
type directorTable struct{ moving, still tableSpec }

// specs are the tables as one version reads them: with counters of 64 bits and
// rates or, in SNMPv1, with those of 32 bits.
type specs struct {
	services, reals directorTable
	servers         tableSpec
}

func newSpecs(narrow bool) *specs {
	counted := func(first int, more ...int) []int {
		for i := range 5 {
			if narrow {
				more = append(more, first+i)
			} else {
				more = append(more, first+wideAfter+i, first+ratesAfter+i)
			}
		}
		return more
	}
	refused := lvsdServiceHCRefused
	if narrow {
		refused = lvsdServiceRefused
	}
	spec := func(name, group string, cols ...int) tableSpec {
		return tableSpec{name: name, entry: group + lvsdTableEntry, cols: cols, sparse: true}
	}
	return &specs{
		services: directorTable{
			spec("lvsdServiceTable", lvsdServices, counted(lvsdServiceConns, lvsdServicePeak, refused, lvsdServiceLastChange,
				lvsdServiceChanges, lvsdServiceFailures, lvsdServiceResets, lvsdServiceDiscont)...),
			spec("lvsdServiceTable", lvsdServices, lvsdServicePort, lvsdServiceAddress, lvsdServiceName, lvsdServiceProtocol,
				lvsdServiceMark, lvsdServiceFamily, lvsdServiceScheduler, lvsdServiceFlags, lvsdServiceTimeout, lvsdServiceNetmask,
				lvsdServiceEngine, lvsdServiceFirstSeen),
		},
		reals: directorTable{
			spec("lvsdRealTable", lvsdReals, counted(lvsdRealConns, lvsdRealWeight, lvsdRealUpper, lvsdRealLower, lvsdRealActive,
				lvsdRealInactive, lvsdRealPersistent, lvsdRealPeak, lvsdRealLastChange, lvsdRealChanges, lvsdRealFailures,
				lvsdRealResets, lvsdRealDiscont)...),
			spec("lvsdRealTable", lvsdReals, lvsdRealPort, lvsdRealAddress, lvsdRealName, lvsdRealMethod, lvsdRealTunnelType,
				lvsdRealTunnelPort, lvsdRealTunnelFlag, lvsdRealFirstSeen),
		},
		servers: spec("lvsdServerTable", lvsdServers, counted(lvsdServerConns, lvsdServerReals, lvsdServerAvailable, lvsdServerWeight,
			lvsdServerActive, lvsdServerInactive, lvsdServerPersistent, lvsdServerDiscont, lvsdServerBypass)...),
	}
}

var wideSpecs, narrowSpecs = newSpecs(false), newSpecs(true)
