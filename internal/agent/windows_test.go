package agent

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/dataplane"
	"lvs/dataplane/dataplanetest"
	"lvs/internal/lab"
	"lvs/mib"
	"lvs/mib/smi"
	"lvs/rrdstore"
)

// TestEveryWindowTellsTheSameTotals has random things happen to a director, and an
// agent sample it that is ended or killed now and then and goes on from its store.
// After each sample the metrics, the MIB and the history must have the integers of
// an agent that was never ended, and the rows the numbers.
func TestEveryWindowTellsTheSameTotals(t *testing.T) {
	for seed := range lab.Repeat(t, "LVS_LIVES", 4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newStage(t, seed)
			for range 60 {
				did := s.happen()
				s.sample()
				if t.Failed() {
					t.Fatalf("at %v, after %q", s.tick, did)
				}
				s.restart()
			}
		})
	}
}

// totals are what a window tells, by rows: "tcp/192.0.2.1:80" is a service and
// "tcp/192.0.2.1:80 10.0.0.1:80" a real server of it.
type totals map[string]dataplane.Counters

// A stage is a director with two agents that sample it at the same moments: one
// goes on from its store, the other is never ended.
type stage struct {
	*testing.T
	rand   *rand.Rand
	table  dataplanetest.Table
	tick   time.Time
	steady *collector.Continuity
	mortal *collector.Continuity
	dir    string
	store  *rrdstore.Store
	latest *dataplane.Snapshot
	scrape *prom.Exposition
}

func newStage(t *testing.T, seed uint64) *stage {
	s := &stage{T: t, rand: rand.New(rand.NewPCG(seed, 3)), tick: epoch, dir: t.TempDir(),
		steady: collector.NewContinuity(nil, collector.DefaultForget)}
	s.open()
	t.Cleanup(func() { s.close() })
	var err error
	if s.scrape, err = prom.New(prom.Options{Snapshot: func() *dataplane.Snapshot { return s.latest }}); err != nil {
		t.Fatal(err)
	}
	return s
}

// open has the mortal agent begin anew.
func (s *stage) open() {
	s.Helper()
	var err error
	if s.store, err = rrdstore.Open(s.dir, rrdstore.Options{}); err != nil {
		s.Fatal(err)
	}
	accounts, err := s.store.Remembered(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	s.mortal = collector.NewContinuity(accounts, collector.DefaultForget)
}

func (s *stage) close() {
	s.Helper()
	if err := s.store.Close(); err != nil {
		s.Error(err)
	}
}

// restart ends the mortal agent now and then, in order or, as a copy of its files
// has it, where it stands.
func (s *stage) restart() {
	s.Helper()
	switch s.rand.IntN(12) {
	case 0:
		s.close()
		s.open()
	case 1:
		dir := s.TempDir()
		for _, name := range []string{"head.db", "arch.db"} {
			data, err := os.ReadFile(filepath.Join(s.dir, name))
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
			}
			if err != nil {
				s.Fatal(err)
			}
		}
		s.close()
		s.dir = dir
		s.open()
	}
}

func (s *stage) key() dataplane.ServiceKey {
	n := s.rand.IntN(5)
	if n == 4 {
		return dataplane.MarkKey(dataplane.INET6, 7)
	}
	return dataplane.AddrKey(dataplane.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), 80))
}

// happen does some things at random, and tells which; what the table refuses is
// none.
func (s *stage) happen() (did []string) {
	for range s.rand.IntN(8) {
		key := s.key()
		family := netip.AddrFrom4([4]byte{10, 0, 0, byte(s.rand.IntN(3))})
		real := dataplane.RealServer{RIP: netip.AddrPortFrom(family, 80), Method: dataplane.Masquerade, Weight: 1}
		if key.Family == dataplane.INET6 {
			real.RIP = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0xfd, 15: byte(1 + s.rand.IntN(3))}), 0)
		}
		if s.change(key, real) == nil {
			did = append(did, s.table.Calls()...)
		}
	}
	return did
}

func (s *stage) change(key dataplane.ServiceKey, real dataplane.RealServer) error {
	ctx := context.Background()
	switch op := s.rand.IntN(40); {
	case op < 5:
		return s.table.AddService(ctx, dataplane.Service{Key: key, Scheduler: "wlc"})
	case op < 12:
		return s.table.AddRealServer(ctx, key, real)
	case op < 14:
		return s.table.DeleteRealServer(ctx, key, real)
	case op == 14:
		return s.table.DeleteService(ctx, key)
	case op == 15:
		return s.table.EditService(ctx, dataplane.Service{Key: key, Scheduler: "rr"})
	case op == 16:
		s.table.Zero()
	case op == 17 && s.rand.IntN(5) == 0:
		s.table.Reload()
	default:
		s.traffic(op)
	}
	return nil
}

// traffic goes through some real server, or ends; or one service is zeroed.
func (s *stage) traffic(op int) {
	s.Helper()
	snap, err := s.table.Snapshot(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	for i := range snap.Services {
		v := &snap.Services[i]
		if op == 18 && s.rand.IntN(3) == 0 {
			s.table.Zero(v.Key)
		}
		for _, r := range v.Reals {
			s.table.Connect(v.Key, r.RIP, s.rand.Uint32N(20))
			if s.rand.IntN(3) == 0 {
				s.table.Disconnect(v.Key, r.RIP, r.Active)
				s.table.Expire(v.Key, r.RIP)
			}
		}
	}
}

// sample has both agents read, and holds all windows of the one against what the
// other knows.
func (s *stage) sample() {
	s.Helper()
	s.tick = s.tick.Add(10 * time.Second)
	read := func(c *collector.Continuity) *dataplane.Snapshot {
		src, err := s.table.Snapshot(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		src.Time = s.tick
		return c.Apply(src, s.tick)
	}
	want := read(s.steady)
	s.latest = read(s.mortal)
	if err := s.store.Commit(s.Context(), s.latest); err != nil {
		s.Fatal(err)
	}
	s.compare("the sample", want, ofSnapshot(s.latest))
	s.compare("the MIB", want, s.ofTree(want))
	s.compare("the metrics", want, s.ofMetrics())
	s.compare("the history", want, s.ofHistory())
}

func (s *stage) compare(window string, want *dataplane.Snapshot, got totals) {
	s.Helper()
	if diff := cmp.Diff(ofSnapshot(want), got); diff != "" {
		s.Errorf("%s (-want +got):\n%s", window, diff)
	}
}

func ofSnapshot(snap *dataplane.Snapshot) totals {
	got := totals{}
	for i := range snap.Services {
		v := &snap.Services[i]
		got[v.Key.String()] = v.Total
		for j := range v.Reals {
			got[v.Key.String()+" "+v.Reals[j].RIP.String()] = v.Reals[j].Total
		}
	}
	return got
}

// ofTree reads the rows that have the numbers which the steady agent gave.
func (s *stage) ofTree(numbered *dataplane.Snapshot) totals {
	oids := map[string]smi.OID{}
	for _, o := range mib.Objects() {
		oids[o.Name] = o.OID
	}
	tree := mib.Build(s.latest, mib.Figures{})
	row := func(prefix string, index ...uint32) (key string, c dataplane.Counters) {
		cell := func(name string) smi.Value { return tree.Get(oids[prefix+name].Append(index...)) }
		return string(cell("Key").Bytes), dataplane.Counters{Connections: cell("HCConns").Int, InPackets: cell("HCInPkts").Int,
			OutPackets: cell("HCOutPkts").Int, InBytes: cell("HCInBytes").Int, OutBytes: cell("HCOutBytes").Int}
	}
	got := totals{}
	for i := range numbered.Services {
		v := &numbered.Services[i]
		key, c := row("lvsdService", v.Number)
		got[key] = c
		for j := range v.Reals {
			key, c := row("lvsdReal", v.Number, v.Reals[j].Number)
			got[key] = c
		}
	}
	return got
}

func (s *stage) ofMetrics() totals {
	s.Helper()
	families, err := s.scrape.Gather()
	if err != nil {
		s.Fatal(err)
	}
	got := totals{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := ""
			for _, l := range m.GetLabel() {
				switch l.GetName() {
				case "service":
					name = l.GetValue() + name
				case "real":
					name += " " + l.GetValue()
				}
			}
			c := got[name]
			if field := counterOf(&c, f.GetName()); field != nil {
				*field = uint64(m.GetCounter().GetValue())
				got[name] = c
			}
		}
	}
	return got
}

// counterOf is the counter that a family shows, nil if it shows another thing.
func counterOf(c *dataplane.Counters, family string) *uint64 {
	for name, field := range map[string]*uint64{"connections": &c.Connections, "incoming_packets": &c.InPackets, "outgoing_packets": &c.OutPackets,
		"incoming_bytes": &c.InBytes, "outgoing_bytes": &c.OutBytes} {
		if family == "lvs_service_"+name+"_total" || family == "lvs_real_server_"+name+"_total" {
			return field
		}
	}
	return nil
}

// ofHistory is the last row of the store.
func (s *stage) ofHistory() totals {
	s.Helper()
	reader, err := s.store.Reader(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	got := totals{}
	for row, err := range reader.Rows(s.Context(), s.tick, s.tick.Add(time.Second), func(*rrdstore.Series) bool { return true }) {
		if err != nil {
			s.Fatal(err)
		}
		for i := range row.Entries {
			e := &row.Entries[i]
			name := e.Series.Key.String()
			if e.Series.RealNumber != 0 {
				name += " " + e.Series.RIP.String()
			}
			got[name] = e.Total
		}
	}
	return got
}
