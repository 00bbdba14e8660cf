package dataplane

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// A Snapshot is one reading of a director. It is complete and immutable once
// handed out: share it, never change it. A source fills what the kernel told
// (Kernel, not Total); the sampler's copy adds names, numbers, totals and rates.
// Services and real servers come from separate dumps of the kernel, so that it
// is not one instant; a service that vanished meanwhile is left out. A snapshot
// without services is valid.
type Snapshot struct {
	// Tick is the time on the sampling grid this snapshot stands for, whole
	// seconds; the zero Time from a source.
	Tick time.Time
	// Time is when the reading ended, by the wall clock.
	Time time.Time
	// Took is how long the reading took.
	Took time.Duration
	// Retries is how often tables were read again because they changed under
	// the reading; Inconsistent, how many still moved after the last try.
	Retries, Inconsistent int
	// Counters32 says that the kernel tells connections and packets in 32 bits
	// only (before Linux 4.1), so that they wrap.
	Counters32 bool
	// Partial says that the source cannot tell the counters of services and
	// real servers (/proc/net/ip_vs): they are unknown then, not zero.
	Partial bool

	Director Director
	Services []ServiceState // the sampler's are sorted by Key
	// Servers are the hosts of the real servers, each over all services it is
	// in, sorted by address; nil from a source.
	Servers []ServerState
	// Removed are the entries that went from the table of late: of the last day, at
	// most 1,000, those that went last. They are sorted by Key and RIP, a service
	// before its real servers; nil from a source.
	Removed []Removed
	// ServicesChanged is when the set of services, or the number or name of one,
	// last changed, and RealsChanged likewise of the real servers of all services;
	// the first sample of the agent is a change. The zero Time from a source.
	ServicesChanged, RealsChanged time.Time
}

// Director is what is known of the director as a whole.
type Director struct {
	// Version of the kernel's IPVS, "1.2.1"; empty when not told.
	Version string
	// ConnTableSize is the number of hash buckets of the connection table.
	ConnTableSize uint32
	// Connections in the connection table; known only where HasConnections.
	Connections    uint64
	HasConnections bool
	// Epoch names the life of the kernel's table that the counters belong to: it
	// differs after a reboot, after ip_vs was loaded again, and in another
	// network namespace. Empty is unknown.
	Epoch    string
	Timeouts Timeouts
	Daemons  []SyncDaemon // at most a master and a backup
	// Sysctls are net.ipv4.vs.*, by name, as the kernel prints them; nil where
	// they were not read.
	Sysctls map[string]string

	// The grand totals (/proc/net/ip_vs_stats), which deleting a service does
	// not touch. HasStats is false where they could not be read.
	HasStats    bool
	KernelRates Rates
	Rates       Rates // of Total; see ServiceState
	HasRates    bool
	Account
}

// Timeouts of connections; whole seconds. Zero is unknown in a snapshot and
// "leave alone" in a request. Source: IPVS_CMD_ATTR_TIMEOUT_*.
type Timeouts struct{ TCP, TCPFin, UDP time.Duration }

// A SyncRole is what a sync daemon does; its numbers are IP_VS_STATE_*.
type SyncRole uint8

// The roles of a sync daemon.
const (
	Master SyncRole = 1
	Backup SyncRole = 2
)

// String is "master" or "backup".
func (r SyncRole) String() string {
	switch r {
	case Master:
		return "master"
	case Backup:
		return "backup"
	}
	return "no role"
}

// A SyncDaemon is a running, or wanted, connection synchronisation daemon.
// Source: IPVS_DAEMON_ATTR_*. Zero in the optional fields means the kernel's
// default.
type SyncDaemon struct {
	Role      SyncRole
	Interface string
	SyncID    uint32     // 0 to 255
	MaxLen    uint16     // bytes of a sync message; optional
	Group     netip.Addr // multicast group; optional
	Port      uint16     // optional
	TTL       uint8      // optional
}

// An Account is what is kept of one service, real server or director beyond the
// life of the kernel's entry. A source fills Kernel only.
type Account struct {
	// Number is the stable row number: given once, kept in the store, used in
	// SNMP and in the history. Of a service it is 1 to 65535; of a real server
	// likewise, within its service. Zero: none (a director; or none was free).
	Number uint32
	// Kernel is what the kernel counts now, as ipvsadm shows it.
	Kernel Counters
	// Total continues Kernel over resets, restarts and reboots. It never falls.
	Total Counters
	// FirstSeen is when the Total began; LastSeen, when the entry was last in
	// the table.
	FirstSeen, LastSeen time.Time
	// LastReset is when the kernel's counters last started anew, the zero Time
	// if they never did; Resets counts those times by reason.
	LastReset time.Time
	Resets    ResetCounts
	// LastChange is when the entry's Status last became what it is; the zero Time
	// of the director and from a source. Changes counts how often it became
	// another since FirstSeen, where being out of the table counts as one; and
	// Failures, how often it went out of service: from Up or Overloaded to
	// Draining, Down or out of the table.
	LastChange        time.Time
	Changes, Failures uint32
	// Peak is the most connections, active and inactive, that any sample since
	// FirstSeen saw; of the director, those in its table.
	Peak uint64
}

// Discontinuity is when the Total last may have missed something: when the kernel's
// counters last started anew or, if they never did, when it began; the zero Time
// from a source.
func (a *Account) Discontinuity() time.Time {
	if a.LastReset.After(a.FirstSeen) {
		return a.LastReset
	}
	return a.FirstSeen
}

// Sort orders services by key and their real servers by RIP.
func (s *Snapshot) Sort() {
	slices.SortFunc(s.Services, func(a, b ServiceState) int { return a.Key.Compare(b.Key) })
	for i := range s.Services {
		slices.SortFunc(s.Services[i].Reals, func(a, b RealState) int { return a.RIP.Compare(b.RIP) })
	}
}

// Service finds a service of a sorted snapshot; nil if it is not there.
func (s *Snapshot) Service(k ServiceKey) *ServiceState {
	i, ok := slices.BinarySearchFunc(s.Services, k, func(a ServiceState, k ServiceKey) int { return a.Key.Compare(k) })
	if !ok {
		return nil
	}
	return &s.Services[i]
}

// RealServers counts the real servers of all services.
func (s *Snapshot) RealServers() (n int) {
	for i := range s.Services {
		n += len(s.Services[i].Reals)
	}
	return n
}

// A Remembered is the account of something that was once in the table, as the
// store keeps it across restarts of the agent. The zero Key is the director; the
// zero RIP, the service itself.
type Remembered struct {
	Key ServiceKey
	RIP netip.AddrPort
	// Epoch is the Director.Epoch that Account.Kernel belongs to.
	Epoch string
	Account
	// Gone says it was no longer in the table at the last stored tick.
	Gone bool
	// Status of a service or real server then.
	Status Status
}

// Compare orders what is remembered as the catalog lists it.
func (r Remembered) Compare(o Remembered) int {
	return cmp.Or(r.Key.Compare(o.Key), r.RIP.Compare(o.RIP))
}
