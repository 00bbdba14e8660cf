package director

import (
	"net/netip"
	"slices"
	"time"

	"lvs/dataplane"
)

// A Spec is what the configuration wants of the kernel's table. It is immutable
// once handed to an Applier. The zero Spec wants nothing, and removes only what
// the director itself applied before.
type Spec struct {
	Services []Service
	// Timeouts to set; a zero field is left as the kernel has it.
	Timeouts dataplane.Timeouts
	// Daemons to run, at most one of each role. A role that is not listed is left
	// alone, unless the director started it.
	Daemons []dataplane.SyncDaemon
	// Enforce puts back what others changed; without it drift is only reported.
	Enforce bool
	// Exclusive says that the table is the director's alone: services that are not
	// listed are drift, and with Enforce are deleted.
	Exclusive bool
	// Quiesce is how what Exclusive deletes is removed; services have their own.
	Quiesce Quiesce
}

// A Service is a virtual service as it is wanted, with its real servers.
type Service struct {
	dataplane.Service
	// Quiesce is how the service and its real servers are removed.
	Quiesce Quiesce
	Reals   []dataplane.RealServer
}

// Quiesce is how a real server leaves the table: at once, or with weight 0
// first, until no connections are left. The zero Quiesce is at once.
type Quiesce struct {
	Enabled bool
	// Limit is the longest wait for connections to end; zero is no limit.
	Limit time.Duration
}

// Owned is what the director may remove: what it applied itself before.
type Owned struct {
	Services map[dataplane.ServiceKey]bool
	Daemons  map[dataplane.SyncRole]bool
}

// sorted is a copy of s in the order of sorted snapshots, so that both are
// searched alike. Real servers are not copied where they are in order.
func (s *Spec) sorted() *Spec {
	out := *s
	out.Services = slices.Clone(s.Services)
	slices.SortFunc(out.Services, func(a, b Service) int { return a.Key.Compare(b.Key) })
	for i := range out.Services {
		w := &out.Services[i]
		if !slices.IsSortedFunc(w.Reals, compareReals) {
			w.Reals = slices.Clone(w.Reals)
			slices.SortFunc(w.Reals, compareReals)
		}
	}
	return &out
}

func compareReals(a, b dataplane.RealServer) int { return a.RIP.Compare(b.RIP) }

// service finds a service of a sorted Spec; nil if it is not there.
func (s *Spec) service(key dataplane.ServiceKey) *Service {
	i, found := slices.BinarySearchFunc(s.Services, key, func(w Service, k dataplane.ServiceKey) int { return w.Key.Compare(k) })
	if !found {
		return nil
	}
	return &s.Services[i]
}

// real finds a real server of a service of a sorted Spec; nil if it is not there.
func (w *Service) real(rip netip.AddrPort) *dataplane.RealServer {
	i, found := slices.BinarySearchFunc(w.Reals, rip, func(r dataplane.RealServer, rip netip.AddrPort) int { return r.RIP.Compare(rip) })
	if !found {
		return nil
	}
	return &w.Reals[i]
}

// daemon finds the daemon of a role.
func daemonOf(list []dataplane.SyncDaemon, role dataplane.SyncRole) (dataplane.SyncDaemon, bool) {
	for _, d := range list {
		if d.Role == role {
			return d, true
		}
	}
	return dataplane.SyncDaemon{}, false
}

// An object is one thing a Change is about: a service, with a RIP one of its
// real servers, with a role a sync daemon, and the zero object the timeouts.
type object struct {
	service dataplane.ServiceKey
	rip     netip.AddrPort
	role    dataplane.SyncRole
}
