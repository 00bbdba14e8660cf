package director

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lvs/dataplane"
	"lvs/dataplane/dataplanetest"
)

var web = key("tcp/192.0.2.10:80")

func key(s string) dataplane.ServiceKey {
	k, err := dataplane.ParseServiceKey(s)
	if err != nil {
		panic(err)
	}
	return k
}

func rip(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// real is a masquerading real server of web, 10.0.0.N:80.
func realServer(n int, weight uint32) dataplane.RealServer {
	return dataplane.RealServer{RIP: rip(fmt.Sprintf("10.0.0.%d:80", n)), Weight: weight}
}

// service is one with wlc.
func service(k dataplane.ServiceKey, reals ...dataplane.RealServer) Service {
	return Service{Service: dataplane.Service{Key: k, Scheduler: "wlc"}, Reals: reals}
}

// read is the table, sorted.
func read(t *testing.T, table Table) *dataplane.Snapshot {
	t.Helper()
	snap, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snap.Sort()
	return snap
}

// do makes changes and fails the test where one is refused.
func do(t *testing.T, table Table, changes []Change) {
	t.Helper()
	for i := range changes {
		if err := changes[i].apply(t.Context(), table); err != nil {
			t.Fatal(err)
		}
	}
}

func texts(changes []Change) (list []string) {
	for _, c := range changes {
		list = append(list, c.String())
	}
	return list
}

func driftTexts(s *Status) (list []string) {
	for _, d := range s.Drift {
		list = append(list, d.String())
	}
	return list
}

// want compares lists of texts.
func want(t *testing.T, what string, have []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, have, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// A rig is an Applier on a table in memory.
type rig struct {
	*testing.T
	table *dataplanetest.Table
	a     *Applier
	log   *strings.Builder
}

func newRig(t *testing.T, state string) *rig {
	t.Helper()
	r := &rig{T: t, table: &dataplanetest.Table{}, log: &strings.Builder{}}
	r.restart(state)
	return r
}

// restart begins with a new Applier on the same table.
func (r *rig) restart(state string) {
	r.Helper()
	a, err := New(Config{Table: r.table, StatePath: state, Logger: logger(r.log)})
	if err != nil {
		r.Fatal(err)
	}
	r.a = a
}

func (r *rig) apply(spec *Spec) {
	r.Helper()
	if err := r.a.Apply(r.Context(), spec); err != nil {
		r.Fatal(err)
	}
}

// tick gives the Applier a reading, as the sampler does.
func (r *rig) tick() error {
	r.Helper()
	return r.a.Record(r.Context(), read(r.T, r.table))
}

// calls are the changes since the last time.
func (r *rig) calls(list ...string) {
	r.Helper()
	want(r.T, "calls", r.table.Calls(), list...)
}

func (r *rig) drift(list ...string) {
	r.Helper()
	want(r.T, "drift", driftTexts(r.a.Status()), list...)
}

// hand is a change by somebody else, which calls does not list.
func (r *rig) hand(change func(context.Context) error) {
	r.Helper()
	time.Sleep(time.Second) // virtual in synctest; the director's own reading is older
	if err := change(r.Context()); err != nil {
		r.Fatal(err)
	}
	r.table.Calls()
}

func (r *rig) handReal(s dataplane.RealServer) {
	r.Helper()
	r.hand(func(ctx context.Context) error { return r.table.EditRealServer(ctx, web, s) })
}

// randomSpec wants some of a few services, each with some of a few real servers,
// so that two of them have much in common.
func randomSpec(rnd *rand.Rand) *Spec {
	keys := []string{"tcp/192.0.2.10:80", "udp/192.0.2.10:53", "tcp/[2001:db8::1]:80", "fwm4/7", "fwm6/7", "sctp/192.0.2.11:80"}
	spec := &Spec{}
	for _, i := range rnd.Perm(len(keys)) {
		if rnd.IntN(3) == 0 {
			continue
		}
		s := service(key(keys[i]))
		s.Scheduler = []string{"wlc", "rr", "sh"}[rnd.IntN(3)]
		if rnd.IntN(2) == 0 {
			s.Flags, s.Timeout = dataplane.FlagPersistent, time.Duration(1+rnd.IntN(2))*time.Minute
		}
		for _, n := range rnd.Perm(6) {
			if rnd.IntN(2) == 0 {
				s.Reals = append(s.Reals, randomReal(rnd, s.Key.Family, n))
			}
		}
		spec.Services = append(spec.Services, s)
	}
	if rnd.IntN(2) == 0 {
		spec.Timeouts = dataplane.Timeouts{TCP: time.Duration(1+rnd.IntN(2)) * time.Minute}
	}
	for _, role := range []dataplane.SyncRole{dataplane.Master, dataplane.Backup} {
		if rnd.IntN(2) == 0 {
			spec.Daemons = append(spec.Daemons, dataplane.SyncDaemon{Role: role, Interface: "lo", SyncID: uint32(rnd.IntN(2))})
		}
	}
	return spec
}

func randomReal(rnd *rand.Rand, f dataplane.Family, n int) dataplane.RealServer {
	r := realServer(n+1, uint32(rnd.IntN(3)))
	if f == dataplane.INET6 {
		r.RIP = rip(fmt.Sprintf("[2001:db8:1::%d]:80", n+1))
	}
	r.Method = dataplane.Method(rnd.IntN(4))
	if r.Method == dataplane.Tunnel {
		r.Encap = []dataplane.Encap{{}, {Type: dataplane.GRE}, {Type: dataplane.GUE, Port: 6080}}[rnd.IntN(3)]
	}
	r.UpperThreshold = uint32(rnd.IntN(3))
	r.LowerThreshold = uint32(rnd.IntN(int(r.UpperThreshold) + 1))
	return r
}
