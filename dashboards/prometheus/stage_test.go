package prometheus

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/dataplane"
	"lvs/dataplane/dataplanetest"
)

// reals is how many real servers the service of a stage has.
const reals = 4

// A stage is a director with a service of four real servers, and the agent that
// samples it, for a scene to break.
type stage struct {
	dataplanetest.Table
	t       *testing.T
	sampler *collector.Sampler
	key     dataplane.ServiceKey

	flow   [reals]uint32 // new connections a minute, ended within it
	weight [reals]uint32
	held   [reals]uint32 // connections that stay

	unstable    atomic.Int64                       // tables that move under each reading
	connections atomic.Uint64                      // in the kernel's connection table
	past        atomic.Pointer[dataplane.Counters] // what the director counted of services since removed
	storeBytes  int64
	ills        func(*prom.Health) // of the agent itself; nil if it is well
	unreachable bool               // the agent cannot be scraped
	dropped     bool               // it is not a target any more
	unlisted    bool               // neither is the other one there is
	flaps       bool               // the first real server comes and goes every minute
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t, key: dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort("192.0.2.1:80")), storeBytes: 1 << 28}
	s.connections.Store(100)
	s.fill()
	s.must(s.StartDaemon(t.Context(), daemon))
	sampler, err := collector.New(collector.Config{Source: s})
	if err != nil {
		t.Fatal(err)
	}
	s.sampler = sampler
	return s
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// daemon is the synchronisation daemon of a stage.
var daemon = dataplane.SyncDaemon{Role: dataplane.Master, Interface: "eth1", SyncID: 7}

// stop stops it.
func (s *stage) stop() {
	s.t.Helper()
	s.must(s.StopDaemon(s.t.Context(), daemon.Role))
}

// startAs starts one with this role.
func (s *stage) startAs(role dataplane.SyncRole) {
	s.t.Helper()
	d := daemon
	d.Role = role
	s.must(s.StartDaemon(s.t.Context(), d))
}

// fill adds the service to an empty table.
func (s *stage) fill() {
	s.t.Helper()
	s.must(s.AddService(s.t.Context(), dataplane.Service{Key: s.key, Scheduler: "wlc", Netmask: dataplane.FullMask(dataplane.INET)}))
	for i := range reals {
		s.add(i)
	}
}

func (s *stage) real(i int) dataplane.RealServer {
	rip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 80)
	return dataplane.RealServer{RIP: rip, Weight: s.weight[i], UpperThreshold: 1000}
}

// add adds a real server, which gets 60 connections a minute.
func (s *stage) add(i int) {
	s.t.Helper()
	s.weight[i], s.flow[i] = 1, 60
	s.must(s.AddRealServer(s.t.Context(), s.key, s.real(i)))
}

func (s *stage) remove(i int) {
	s.t.Helper()
	s.must(s.DeleteRealServer(s.t.Context(), s.key, s.real(i)))
	s.weight[i], s.held[i] = 0, 0
}

// empty clears the table. The director goes on counting from where it was.
func (s *stage) empty() {
	s.t.Helper()
	snap, err := s.Snapshot(s.t.Context())
	s.must(err)
	s.past.Store(&snap.Director.Kernel)
	s.must(s.DeleteService(s.t.Context(), s.key))
	s.weight, s.held = [reals]uint32{}, [reals]uint32{}
}

// weigh gives the first n real servers a weight.
func (s *stage) weigh(n int, weight uint32) {
	s.t.Helper()
	for i := range n {
		s.weight[i] = weight
		s.must(s.EditRealServer(s.t.Context(), s.key, s.real(i)))
	}
}

// hold has a real server get n connections more, which stay.
func (s *stage) hold(i int, n uint32) {
	s.Connect(s.key, s.real(i).RIP, n)
	s.held[i] += n
}

// release ends those.
func (s *stage) release(i int) {
	s.Disconnect(s.key, s.real(i).RIP, s.held[i])
	s.Expire(s.key, s.real(i).RIP)
	s.held[i] = 0
}

// minute lets the connections of a minute come and go.
func (s *stage) minute() {
	if s.flaps {
		s.weigh(1, 1-s.weight[0])
	}
	for i := range reals {
		if s.weight[i] == 0 {
			continue
		}
		rip := s.real(i).RIP
		s.Connect(s.key, rip, s.flow[i])
		s.Disconnect(s.key, rip, s.flow[i])
		s.Expire(s.key, rip)
	}
}

// Snapshot is the table's, with what only a kernel has.
func (s *stage) Snapshot(ctx context.Context) (*dataplane.Snapshot, error) {
	snap, err := s.Table.Snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("the stage: %w", err)
	}
	snap.Inconsistent = int(s.unstable.Load())
	snap.Director.Connections, snap.Director.HasConnections = s.connections.Load(), true
	snap.Director.HasStats = true
	if past := s.past.Load(); past != nil {
		snap.Director.Kernel = *past
	}
	for i := range snap.Services {
		snap.Director.Kernel = snap.Director.Kernel.Add(snap.Services[i].Kernel)
	}
	return snap, nil
}

// agent shows the stage as lvs-agent does.
func (s *stage) agent() prom.Options {
	return prom.Options{Snapshot: s.sampler.Latest, Health: s.health}
}

// health is what the agent says of itself.
func (s *stage) health() prom.Health {
	stats := s.sampler.Stats()
	up := stats.Samples > 0 && !stats.Failing
	h := prom.Health{
		Up: up, Interval: s.sampler.Interval(), Inconsistent: stats.Inconsistent, Resets: s.resets(),
		Components: map[string]bool{"kernel": up, "store": true, "agentx": true, "director": true},
		Store:      &prom.StoreHealth{Bytes: s.storeBytes, Limit: 1 << 30},
		Config:     &prom.ConfigHealth{ReloadOK: true},
		Director:   &prom.DirectorHealth{Drift: map[string]int{}},
		Notify:     map[string]prom.NotifyHealth{"agentx": {Lost: map[string]uint64{"full": 0, "coalesced": 5}}},
	}
	if s.ills != nil {
		s.ills(&h)
	}
	return h
}

// resets are those that were seen, by scope and reason.
func (s *stage) resets() (r prom.Resets) {
	stats := s.sampler.Stats()
	for scope, counts := range map[prom.ResetScope]dataplane.ResetCounts{
		prom.DirectorResets: stats.DirectorResets, prom.ServiceResets: stats.ServiceResets, prom.RealResets: stats.RealResets,
	} {
		for reason, n := range counts {
			r[scope][reason] = uint64(n)
		}
	}
	return r
}

// fleet shows it as lvs-exporter does, which is told of two parts.
func (s *stage) fleet() prom.Options {
	return prom.Options{Members: func() []prom.Member {
		h := s.health()
		told := map[string]bool{"kernel": h.Components["kernel"], "store": h.Components["store"]}
		h.Components = told
		return []prom.Member{{Director: "lvs1", Snapshot: s.sampler.Latest(), Up: h.Up, Resets: &h.Resets, Agent: &h}}
	}}
}
