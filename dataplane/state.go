package dataplane

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// A ServiceState is a virtual service as it was observed.
type ServiceState struct {
	Service
	// Name is the configured name; empty if there is none. See Label.
	Name        string
	KernelRates Rates // the kernel's own estimate; zero while estimation is off
	// Rates are ours: what Total grew by in a second, over at least two of the
	// kernel's two-second updates. HasRates is false until they are known.
	Rates    Rates
	HasRates bool
	// Refused is how many connections got no real server, since the dataplane
	// runs; known only where HasRefused. The kernel's IPVS does not count them.
	Refused    uint64
	HasRefused bool
	Account
	Reals []RealState // the sampler's are sorted by RIP
}

// Status is the best of its real servers': Up before Overloaded before Draining
// before Down, which is also that of a service without any.
func (s *ServiceState) Status() Status {
	best := Down
	for i := range s.Reals {
		best = best.Best(s.Reals[i].Status())
	}
	return best
}

// Available counts the real servers that take new connections, or would but for
// their upper threshold: states Up and Overloaded.
func (s *ServiceState) Available() (n int) {
	for i := range s.Reals {
		if s.Reals[i].Status().InService() {
			n++
		}
	}
	return n
}

// Connections are the sums of its real servers'.
func (s *ServiceState) Connections() (active, inactive, persistent uint64) {
	for i := range s.Reals {
		r := &s.Reals[i]
		active, inactive, persistent = active+uint64(r.Active), inactive+uint64(r.Inactive), persistent+uint64(r.Persistent)
	}
	return active, inactive, persistent
}

// Label is the configured name, or else the canonical key: how windows name the
// service.
func (s *ServiceState) Label() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Key.String()
}

// Weight is the sum of the real servers' weights.
func (s *ServiceState) Weight() (sum uint64) {
	for i := range s.Reals {
		sum += uint64(s.Reals[i].Weight)
	}
	return sum
}

// ExpectedShare is the part of the service's new connections that r, one of its
// real servers, is to get by its weight: part of whole, which is the sum over all
// of them; 0 of 0 where none is to get any. Thresholds and what clients persist on
// are left out. The recording rule real_server:lvs_expected_share:ratio is the same.
func (s *ServiceState) ExpectedShare(r *RealState) (part, whole uint64) {
	for i := range s.Reals {
		whole += s.EffectiveWeight(s.Reals[i].Weight)
	}
	return s.EffectiveWeight(r.Weight), whole
}

// EffectiveWeight is what the service's scheduler makes of a weight: rr, lc and dh
// ask only whether it is 0.
//
// Source: ip_vs_rr.c, ip_vs_lc.c and ip_vs_dh.c in net/netfilter/ipvs, whose choice
// passes over real servers of weight 0 and looks no further.
func (s *ServiceState) EffectiveWeight(weight uint32) uint64 {
	switch s.Scheduler {
	case "rr", "lc", "dh":
		return min(uint64(weight), 1)
	}
	return uint64(weight)
}

// A RealState is a real server as it was observed in one service.
type RealState struct {
	RealServer
	Name                         string // the configured name; empty if there is none
	Active, Inactive, Persistent uint32 // connections now
	KernelRates                  Rates
	Rates                        Rates
	HasRates                     bool
	// Recent is how many new connections there were in the last one to two minutes,
	// the same time for all, for shares that Rates are too coarse for: fewer of an
	// entry that came meanwhile, and zero from a source.
	Recent uint64
	Account
}

// A ServerState is one host's address and what its real servers, in whatever
// service and on whatever port, come to together.
type ServerState struct {
	Addr netip.Addr
	// Reals is how many entries of the table it is; of these, Available are in
	// service, as ServiceState.Available counts them.
	Reals, Available             int
	Weight                       uint64
	Active, Inactive, Persistent uint64 // connections now
	// Total adds up the accounts of the address, those of entries gone from the
	// table included, so that it goes on when a service is removed. It falls only
	// when such an account is forgotten: Since is when that last was, or else
	// when the first of the accounts began.
	Total    Counters
	Since    time.Time
	Rates    Rates
	HasRates bool
	// RepliesBypass: the answers of none of them pass the director.
	RepliesBypass bool
}

// A Status is what a real server, or a service as a whole, does for new
// connections.
type Status uint8

// The states of a real server, as far as the kernel's table tells them.
const (
	Up         Status = iota // it takes new connections
	Draining                 // weight 0, and connections are left
	Down                     // weight 0, and none is left
	Overloaded               // at its upper threshold
	// NumStatus is how many states there are.
	NumStatus
)

var statusNames = [NumStatus]string{"up", "draining", "down", "overloaded"}

// String is "up", "draining", "down" or "overloaded".
func (s Status) String() string {
	if s < NumStatus {
		return statusNames[s]
	}
	return "unknown"
}

// InService reports whether new connections are taken, or would be but for the
// upper threshold: Up and Overloaded.
func (s Status) InService() bool { return s == Up || s == Overloaded }

// Best is the better one of s and t, in the order of ServiceState.Status.
func (s Status) Best(t Status) Status {
	if t.rank() > s.rank() {
		return t
	}
	return s
}

// rank orders states by how much good they are for new connections.
func (s Status) rank() int {
	return [NumStatus]int{Up: 3, Overloaded: 2, Draining: 1, Down: 0}[s]
}

// Status follows from weight, thresholds and connections.
func (r *RealState) Status() Status {
	switch {
	case r.Weight == 0 && (r.Active > 0 || r.Inactive > 0):
		return Draining
	case r.Weight == 0:
		return Down
	case r.UpperThreshold > 0 && uint64(r.Active)+uint64(r.Inactive) >= uint64(r.UpperThreshold):
		return Overloaded
	}
	return Up
}

// Reason tells what Status rests on, in a few words: "weight is 0, no connection
// is left", "at its upper threshold of 100 connections". It is empty where the
// real server is Up.
func (r *RealState) Reason() string {
	switch r.Status() {
	case Draining:
		return "weight is 0, connections are left"
	case Down:
		return "weight is 0, no connection is left"
	case Overloaded:
		return fmt.Sprintf("at its upper threshold of %d connections", r.UpperThreshold)
	}
	return ""
}

// Reason tells what Status rests on, in a few words; it is empty where a real
// server is Up.
func (s *ServiceState) Reason() string {
	switch {
	case len(s.Reals) == 0:
		return "it has no real server"
	case s.Status() == Overloaded:
		return "every real server in service is at its upper threshold"
	case s.Status() != Up:
		return "every real server has weight 0"
	}
	return ""
}

// Real finds a real server of a service of a sorted snapshot; nil if it is not there.
func (s *ServiceState) Real(rip netip.AddrPort) *RealState {
	i, ok := slices.BinarySearchFunc(s.Reals, rip, func(a RealState, rip netip.AddrPort) int { return a.RIP.Compare(rip) })
	if !ok {
		return nil
	}
	return &s.Reals[i]
}
