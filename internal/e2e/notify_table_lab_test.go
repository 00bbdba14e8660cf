//go:build lab

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/dataplane/ipvs"
	"lvs/internal/lab"
)

// The sync daemons of a script run on this interface, with this number.
const (
	syncInterface = "lvsync0"
	syncID        = 5
)

// heldConns is how many connections each real server of a held service has.
const heldConns = 3

// A scripted is a service of the script and the real servers that it may have.
type scripted struct {
	service dataplane.Service
	rips    []netip.AddrPort
	// held services have connections for as long as they are there; their real
	// servers are never taken out of the table, only the others' are.
	held bool
}

// script are the services, all of which are in the table when the agent starts:
// two with connections, three without, and one whose only connection ends when
// the script wants it to.
func script() (held, free []*scripted, drained *scripted) {
	udp := func(vip string, rips ...string) *scripted {
		key := dataplane.ServiceKey{Family: dataplane.INET, Protocol: dataplane.UDP, VIP: netip.MustParseAddrPort(vip)}
		return &scripted{service: dataplane.Service{Key: key, Scheduler: "rr", Netmask: dataplane.FullMask(key.Family)}, rips: addresses(rips), held: true}
	}
	held = []*scripted{
		udp("192.0.2.130:9", "192.0.2.140:9", "192.0.2.141:9", "192.0.2.142:9", "192.0.2.143:9"),
		udp("192.0.2.131:9", "192.0.2.144:9", "192.0.2.145:9"),
	}
	drained = udp("192.0.2.132:9", "192.0.2.150:9")
	for _, s := range []scripted{
		{service: dataplane.Service{Key: dataplane.ServiceKey{Family: dataplane.INET, Protocol: dataplane.TCP, VIP: netip.MustParseAddrPort("192.0.2.10:80")}},
			rips: addresses([]string{"10.9.0.1:80", "10.9.0.2:80", "10.9.0.3:8080"})},
		{service: dataplane.Service{Key: dataplane.ServiceKey{Family: dataplane.INET6, Protocol: dataplane.TCP, VIP: netip.MustParseAddrPort("[2001:db8::10]:443")}},
			rips: addresses([]string{"[2001:db8:9::1]:443", "[2001:db8:9::2]:443"})},
		{service: dataplane.Service{Key: dataplane.ServiceKey{Family: dataplane.INET, FWMark: 7}},
			rips: addresses([]string{"10.9.1.1:0", "10.9.1.2:0", "10.9.1.3:0"})},
	} {
		s.service.Scheduler, s.service.Netmask = "wlc", dataplane.FullMask(s.service.Key.Family)
		free = append(free, &s)
	}
	return held, free, drained
}

func addresses(texts []string) (out []netip.AddrPort) {
	for _, s := range texts {
		out = append(out, netip.MustParseAddrPort(s))
	}
	return out
}

// An alteration changes the kernel's table, and the model of it in the same way.
type alteration struct {
	kernel func() error
	model  func(modelTable)
}

// A hand alters the table.
type hand struct {
	t       *testing.T
	client  *ipvs.Client
	rng     *rand.Rand
	held    []*scripted
	free    []*scripted
	drained *scripted
}

// newHand prepares the guest for the script: addresses that its own datagrams
// reach, and an interface for the daemons.
func newHand(t *testing.T, seed uint64) *hand {
	t.Helper()
	lab.Guest(t)
	lab.Run(t, "ip", "address", "replace", "192.0.2.129/27", "dev", "lo") // all 32 of them
	lab.Run(t, "ip", "link", "add", syncInterface, "type", "dummy")
	lab.Run(t, "ip", "address", "add", "10.77.0.1/24", "dev", syncInterface)
	lab.Run(t, "ip", "link", "set", syncInterface, "up")
	h := &hand{t: t, client: newEditor(t).client, rng: rand.New(rand.NewPCG(seed, 4))}
	h.held, h.free, h.drained = script()
	was, err := h.client.Timeouts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		lab.Run(t, "sh", "-c", "ipvsadm --stop-daemon master; ipvsadm --stop-daemon backup; true")
		h.endConnections()
		lab.Run(t, "ipvsadm", "-C")
		lab.Wait(t, "the end of all connections", func() bool { return len(connections(t)) == 0 })
		write(t, expireNoDest, "0")
		if err := h.client.SetTimeouts(context.WithoutCancel(t.Context()), was); err != nil {
			t.Error(err)
		}
		lab.Run(t, "ip", "link", "del", syncInterface)
		lab.Run(t, "ip", "address", "del", "192.0.2.129/27", "dev", "lo")
	})
	return h
}

const expireNoDest = "/proc/sys/net/ipv4/vs/expire_nodest_conn"

// endConnections has connections end with their real servers.
func (h *hand) endConnections() {
	h.t.Helper()
	write(h.t, expireNoDest, "1")
}

func (h *hand) scripted() []*scripted {
	return append(append([]*scripted{h.drained}, h.held...), h.free...)
}

// addService puts a service with all its real servers into the table.
func (h *hand) addService(s *scripted) []alteration {
	key := s.service.Key
	list := []alteration{{
		func() error { return h.client.AddService(h.t.Context(), s.service) },
		func(m modelTable) { m.services[key] = map[netip.AddrPort]modelReal{} },
	}}
	for _, rip := range s.rips {
		list = append(list, h.addReal(s, rip, 1))
	}
	return list
}

func (h *hand) removeService(s *scripted) alteration {
	return alteration{
		func() error { return h.client.DeleteService(h.t.Context(), s.service.Key) },
		func(m modelTable) { delete(m.services, s.service.Key) },
	}
}

func realServer(rip netip.AddrPort, r modelReal) dataplane.RealServer {
	return dataplane.RealServer{RIP: rip, Method: dataplane.Masquerade, Weight: r.weight, UpperThreshold: r.upper}
}

func (h *hand) addReal(s *scripted, rip netip.AddrPort, weight uint32) alteration {
	r := modelReal{weight: weight}
	return alteration{
		func() error { return h.client.AddRealServer(h.t.Context(), s.service.Key, realServer(rip, r)) },
		func(m modelTable) { m.services[s.service.Key][rip] = r },
	}
}

func (h *hand) editReal(s *scripted, rip netip.AddrPort, r modelReal) alteration {
	return alteration{
		func() error { return h.client.EditRealServer(h.t.Context(), s.service.Key, realServer(rip, r)) },
		func(m modelTable) { m.services[s.service.Key][rip] = r },
	}
}

func (h *hand) removeReal(s *scripted, rip netip.AddrPort) alteration {
	return alteration{
		func() error {
			return h.client.DeleteRealServer(h.t.Context(), s.service.Key, realServer(rip, modelReal{}))
		},
		func(m modelTable) { delete(m.services[s.service.Key], rip) },
	}
}

// setDaemon starts or stops a sync daemon.
func (h *hand) setDaemon(role dataplane.SyncRole, on bool) alteration {
	return alteration{func() error {
		if on {
			return h.client.StartDaemon(h.t.Context(), dataplane.SyncDaemon{Role: role, Interface: syncInterface, SyncID: syncID})
		}
		return h.client.StopDaemon(h.t.Context(), role)
	}, func(m modelTable) { m.daemons[role] = on }}
}

// random are one to four alterations of a table.
func (h *hand) random(m modelTable) (list []alteration) {
	m = m.clone()
	for range 1 + h.rng.IntN(4) {
		var some []alteration
		switch kind := h.rng.IntN(10); {
		case kind == 0:
			role := dataplane.SyncRole(1 + h.rng.IntN(2))
			some = append(some, h.setDaemon(role, !m.daemons[role]))
		case kind == 1:
			s := h.free[h.rng.IntN(len(h.free))]
			if m.services[s.service.Key] == nil {
				some = h.addService(s)
			} else {
				some = append(some, h.removeService(s))
			}
		case kind < 6:
			some = append(some, h.randomHeld(m))
		default:
			some = h.randomFree(m)
		}
		for _, a := range some {
			a.model(m)
		}
		list = append(list, some...)
	}
	return list
}

// randomHeld gives a real server with connections another weight, or another
// threshold, above or below what it has.
func (h *hand) randomHeld(m modelTable) alteration {
	s := h.held[h.rng.IntN(len(h.held))]
	rip := s.rips[h.rng.IntN(len(s.rips))]
	r := m.services[s.service.Key][rip]
	if h.rng.IntN(2) == 0 {
		r.weight = []uint32{0, 5}[h.rng.IntN(2)]
	} else {
		r.upper = []uint32{0, heldConns - 1, heldConns, heldConns + 1}[h.rng.IntN(4)]
	}
	return h.editReal(s, rip, r)
}

// randomFree adds, edits or removes a real server without connections.
func (h *hand) randomFree(m modelTable) []alteration {
	s := h.free[h.rng.IntN(len(h.free))]
	reals := m.services[s.service.Key]
	rip := s.rips[h.rng.IntN(len(s.rips))]
	r, there := reals[rip]
	switch {
	case reals == nil:
		return nil
	case !there:
		return []alteration{h.addReal(s, rip, uint32(h.rng.IntN(3)))}
	case h.rng.IntN(3) == 0:
		return []alteration{h.removeReal(s, rip)}
	case r.weight == 0:
		r.weight = 3
	default:
		r.weight = 0
	}
	return []alteration{h.editReal(s, rip, r)}
}

// connect opens the connections of the held services, which then stay: one
// datagram each, from a socket of its own. Real servers must all have the same
// weight and take turns.
func (h *hand) connect(m modelTable) {
	h.t.Helper()
	h.setTimeout(time.Hour)
	for _, s := range h.held {
		for range heldConns * len(s.rips) {
			h.talk(s)()
		}
		for rip, r := range m.services[s.service.Key] {
			r.conns = heldConns
			m.services[s.service.Key][rip] = r
		}
	}
}

// talk returns what sends a datagram to a service, always over the same
// connection. Nobody is there to answer; that we are told so does not matter.
func (h *hand) talk(s *scripted) func() {
	h.t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(192, 0, 2, 129), Port: int(sourcePort())})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return func() {
		h.t.Helper()
		if _, err := c.WriteToUDPAddrPort([]byte(payload), s.service.Key.VIP); err != nil {
			h.t.Fatal(err)
		}
	}
}

// setTimeout is how long a connection is kept from its next datagram on.
func (h *hand) setTimeout(d time.Duration) {
	h.t.Helper()
	if err := h.client.SetTimeouts(h.t.Context(), dataplane.Timeouts{UDP: d}); err != nil {
		h.t.Fatal(err)
	}
}

// minFlaps is how many steps have everything in them once.
const minFlaps = 30

// flaps is $LVS_FLAPS, or the number of steps that fits among the other tests.
func flaps(t *testing.T) (n int) {
	t.Helper()
	if text := os.Getenv("LVS_FLAPS"); text != "" {
		if _, err := fmt.Sscan(text, &n); err != nil {
			t.Fatal(err)
		}
	}
	return max(n, minFlaps)
}
