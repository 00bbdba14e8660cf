package dataplanetest

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"testing"
	"time"

	"lvs/dataplane"
)

// A Director is a table that can be read and changed.
type Director interface {
	Snapshot(ctx context.Context) (*dataplane.Snapshot, error)
	AddService(ctx context.Context, s dataplane.Service) error
	EditService(ctx context.Context, s dataplane.Service) error
	DeleteService(ctx context.Context, key dataplane.ServiceKey) error
	AddRealServer(ctx context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error
	EditRealServer(ctx context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error
	DeleteRealServer(ctx context.Context, key dataplane.ServiceKey, r dataplane.RealServer) error
	SetTimeouts(ctx context.Context, t dataplane.Timeouts) error
	StartDaemon(ctx context.Context, d dataplane.SyncDaemon) error
	StopDaemon(ctx context.Context, role dataplane.SyncRole) error
}

// Conformance holds a Director to what the rest of the project relies on. open
// returns an empty one, with a network interface "lo".
func Conformance(t *testing.T, open func(t *testing.T) Director) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *session)
	}{
		{"empty table is no error", testEmpty},
		{"services of every kind read back as written", testServices},
		{"real servers read back as written", testReals},
		{"edits change configuration only", testEdits},
		{"refusals are told apart", testRefusals},
		{"deleting a service deletes its real servers", testDelete},
		{"timeouts of zero are left alone", testTimeouts},
		{"sync daemons run once for each role", testDaemons},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, &session{t: t, d: open(t)}) })
	}
}

// A session is a Director under test.
type session struct {
	t *testing.T
	d Director
}

func (s *session) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) is(err, want error) {
	s.t.Helper()
	if !errors.Is(err, want) {
		s.t.Errorf("error is %v, want %v", err, want)
	}
}

func (s *session) refused(err error, what string) {
	s.t.Helper()
	if err == nil {
		s.t.Errorf("%s was not refused", what)
	}
}

func (s *session) snapshot() *dataplane.Snapshot {
	s.t.Helper()
	snap, err := s.d.Snapshot(s.t.Context())
	s.ok(err)
	snap.Sort()
	return snap
}

func key(s string) dataplane.ServiceKey {
	k, err := dataplane.ParseServiceKey(s)
	if err != nil {
		panic(err)
	}
	return k
}

func rip(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

// web is the service most tests use.
var web = dataplane.Service{Key: key("tcp/192.0.2.10:80"), Scheduler: "wlc"}

func testEmpty(t *testing.T, s *session) {
	snap := s.snapshot()
	if len(snap.Services) != 0 || len(snap.Director.Daemons) != 0 {
		t.Errorf("the empty table has %d services and %d daemons", len(snap.Services), len(snap.Director.Daemons))
	}
	if snap.Director.Version == "" || snap.Director.ConnTableSize == 0 || snap.Time.IsZero() {
		t.Errorf("version %q, connection table size %d, time %v: want all of them", snap.Director.Version, snap.Director.ConnTableSize, snap.Time)
	}
}

func testServices(t *testing.T, s *session) {
	persistent := dataplane.FlagPersistent
	list := []dataplane.Service{
		web,
		{Key: key("udp/192.0.2.10:53"), Scheduler: "rr", Flags: dataplane.FlagOnePacket},
		{Key: key("sctp/192.0.2.10:2905"), Scheduler: "wrr"},
		{Key: key("tcp/192.0.2.11:0"), Scheduler: "lc", Flags: persistent, Timeout: 300 * time.Second, Netmask: dataplane.Mask4(0xffff00ff)},
		{Key: key("udp/192.0.2.10:5060"), Scheduler: "rr", Flags: persistent, Timeout: time.Minute, PersistenceEngine: "sip"},
		{Key: key("tcp/[2001:db8::1]:443"), Scheduler: "mh", Flags: dataplane.FlagSched1 | dataplane.FlagSched2},
		{Key: key("udp/[2001:db8::1]:443"), Scheduler: "sh", Flags: persistent, Timeout: time.Second, Netmask: dataplane.Mask6(64)},
		{Key: key("fwm4/257"), Scheduler: "dh"},
		{Key: key("fwm6/257"), Scheduler: "sed"},
		{Key: key("fwm4/4294967295"), Scheduler: "nq"},
	}
	for _, svc := range list {
		s.ok(s.d.AddService(t.Context(), svc))
	}
	snap := s.snapshot()
	if len(snap.Services) != len(list) {
		t.Errorf("%d services, want %d", len(snap.Services), len(list))
	}
	for _, want := range list {
		have := snap.Service(want.Key)
		if have == nil {
			t.Errorf("no service %v", want.Key)
			continue
		}
		if have.Flags != want.Flags|dataplane.FlagHashed {
			t.Errorf("%v: flags are %v, want %v and hashed", want.Key, have.Flags, want.Flags)
		}
		got := have.Service
		got.Flags = got.Flags.Configured()
		if want.Netmask.IsZero() {
			want.Netmask = dataplane.FullMask(want.Key.Family)
		}
		if got != want {
			t.Errorf("service is %+v, want %+v", got, want)
		}
	}
}

func testReals(t *testing.T, s *session) {
	s.ok(s.d.AddService(t.Context(), web))
	v6 := dataplane.Service{Key: key("tcp/[2001:db8::1]:80"), Scheduler: "rr"}
	s.ok(s.d.AddService(t.Context(), v6))
	gue := dataplane.Encap{Type: dataplane.GUE, Port: 6080, Flags: dataplane.EncapRemoteChecksum}
	lists := map[dataplane.ServiceKey][]dataplane.RealServer{
		web.Key: {
			{RIP: rip("10.2.0.1:80"), Weight: 1},
			{RIP: rip("10.2.0.1:8080"), Weight: 0, UpperThreshold: 1000, LowerThreshold: 800},
			{RIP: rip("10.2.0.2:80"), Method: dataplane.Route, Weight: 1<<31 - 1},
			{RIP: rip("10.2.0.3:80"), Method: dataplane.Tunnel, Weight: 65536},
			{RIP: rip("10.2.0.4:80"), Method: dataplane.Tunnel, Encap: gue},
			{RIP: rip("10.2.0.5:80"), Method: dataplane.Tunnel, Encap: dataplane.Encap{Type: dataplane.GRE, Flags: dataplane.EncapChecksum}},
			{RIP: rip("[2001:db8:1::1]:80"), Method: dataplane.Tunnel, Weight: 7},
		},
		v6.Key: {
			{RIP: rip("[2001:db8:1::1]:80"), Weight: 3},
			{RIP: rip("10.2.0.1:80"), Method: dataplane.Tunnel, Weight: 4},
		},
	}
	for k, list := range lists {
		for _, r := range list {
			s.ok(s.d.AddRealServer(t.Context(), k, r))
		}
	}
	snap := s.snapshot()
	for k, list := range lists {
		for _, want := range list {
			if have := snap.Service(k).Real(want.RIP); have == nil || have.RealServer != want {
				t.Errorf("%v: real server is %+v, want %+v", k, have, want)
			}
		}
		if n := len(snap.Service(k).Reals); n != len(list) {
			t.Errorf("%v: %d real servers, want %d", k, n, len(list))
		}
	}
}

func testEdits(t *testing.T, s *session) {
	r := dataplane.RealServer{RIP: rip("10.2.0.1:80"), Weight: 1}
	s.ok(s.d.AddService(t.Context(), web))
	s.ok(s.d.AddRealServer(t.Context(), web.Key, r))
	edited := web
	edited.Scheduler, edited.Flags, edited.Timeout = "rr", dataplane.FlagPersistent, time.Minute
	s.ok(s.d.EditService(t.Context(), edited))
	r.Weight, r.Method = 0, dataplane.Route
	s.ok(s.d.EditRealServer(t.Context(), web.Key, r))
	have := s.snapshot().Service(web.Key)
	if have.Scheduler != "rr" || have.Timeout != time.Minute || len(have.Reals) != 1 || have.Reals[0].RealServer != r {
		t.Errorf("service is %+v with %+v, want %+v with %+v", have.Service, have.Reals, edited, r)
	}
	s.ok(s.d.EditService(t.Context(), web))
	if have := s.snapshot().Service(web.Key); have.Flags.Configured() != 0 {
		t.Errorf("flags %v are left, want none", have.Flags)
	}
}

func testRefusals(t *testing.T, s *session) {
	ctx := t.Context()
	r := dataplane.RealServer{RIP: rip("10.2.0.1:80"), Weight: 1}
	s.is(s.d.EditService(ctx, web), fs.ErrNotExist)
	s.is(s.d.DeleteService(ctx, web.Key), fs.ErrNotExist)
	s.is(s.d.AddRealServer(ctx, web.Key, r), fs.ErrNotExist)
	s.is(s.d.DeleteRealServer(ctx, web.Key, r), fs.ErrNotExist)
	s.ok(s.d.AddService(ctx, web))
	s.is(s.d.AddService(ctx, web), fs.ErrExist)
	s.is(s.d.EditRealServer(ctx, web.Key, r), fs.ErrNotExist)
	s.is(s.d.DeleteRealServer(ctx, web.Key, r), fs.ErrNotExist)
	s.ok(s.d.AddRealServer(ctx, web.Key, r))
	s.is(s.d.AddRealServer(ctx, web.Key, r), fs.ErrExist)
	nosuch := web
	nosuch.Scheduler = "nosuch"
	s.is(s.d.EditService(ctx, nosuch), fs.ErrNotExist)
	for what, bad := range map[string]dataplane.RealServer{
		"lower threshold above the upper": {RIP: rip("10.2.0.2:80"), UpperThreshold: 1, LowerThreshold: 2},
		"lower threshold alone":           {RIP: rip("10.2.0.2:80"), LowerThreshold: 2},
		"weight of 2^31":                  {RIP: rip("10.2.0.2:80"), Weight: 1 << 31},
		"another family with masquerade":  {RIP: rip("[2001:db8:1::1]:80"), Weight: 1},
		"address 0.0.0.0":                 {RIP: rip("0.0.0.0:80")},
		"a tunnel type with masquerade":   {RIP: rip("10.2.0.2:80"), Encap: dataplane.Encap{Type: dataplane.GRE}},
		"gue without a port":              {RIP: rip("10.2.0.2:80"), Method: dataplane.Tunnel, Encap: dataplane.Encap{Type: dataplane.GUE}},
	} {
		s.refused(s.d.AddRealServer(ctx, web.Key, bad), what)
	}
	if n := s.snapshot().RealServers(); n != 1 {
		t.Errorf("%d real servers after refusals, want 1", n)
	}
}

func testDelete(t *testing.T, s *session) {
	s.ok(s.d.AddService(t.Context(), web))
	s.ok(s.d.AddRealServer(t.Context(), web.Key, dataplane.RealServer{RIP: rip("10.2.0.1:80"), Weight: 1}))
	s.ok(s.d.DeleteService(t.Context(), web.Key))
	s.ok(s.d.AddService(t.Context(), web))
	if n := s.snapshot().RealServers(); n != 0 {
		t.Errorf("%d real servers of a service added anew, want 0", n)
	}
}

func testTimeouts(t *testing.T, s *session) {
	s.ok(s.d.SetTimeouts(t.Context(), dataplane.Timeouts{TCP: 100 * time.Second, TCPFin: 20 * time.Second, UDP: 30 * time.Second}))
	s.ok(s.d.SetTimeouts(t.Context(), dataplane.Timeouts{TCPFin: 21 * time.Second}))
	want := dataplane.Timeouts{TCP: 100 * time.Second, TCPFin: 21 * time.Second, UDP: 30 * time.Second}
	if have := s.snapshot().Director.Timeouts; have != want {
		t.Errorf("timeouts are %v, want %v", have, want)
	}
}

func testDaemons(t *testing.T, s *session) {
	ctx := t.Context()
	master := dataplane.SyncDaemon{Role: dataplane.Master, Interface: "lo", SyncID: 7}
	s.is(s.d.StopDaemon(ctx, dataplane.Master), fs.ErrNotExist)
	s.refused(s.d.StartDaemon(ctx, dataplane.SyncDaemon{Role: dataplane.Master, Interface: "nosuch0"}), "a daemon on no interface")
	s.ok(s.d.StartDaemon(ctx, master))
	s.is(s.d.StartDaemon(ctx, master), fs.ErrExist)
	s.ok(s.d.StartDaemon(ctx, dataplane.SyncDaemon{
		Role: dataplane.Backup, Interface: "lo", SyncID: 9, Group: netip.MustParseAddr("224.0.0.99"), Port: 9000, TTL: 3, MaxLen: 1000,
	}))
	have := map[dataplane.SyncRole]dataplane.SyncDaemon{}
	for _, d := range s.snapshot().Director.Daemons {
		have[d.Role] = d
	}
	if d := have[dataplane.Master]; len(have) != 2 || d.Interface != "lo" || d.SyncID != 7 {
		t.Errorf("daemons are %+v, want a backup and the master %+v", have, master)
	}
	if d := have[dataplane.Backup]; d.SyncID != 9 || d.Port != 9000 || d.TTL != 3 || d.Group != netip.MustParseAddr("224.0.0.99") {
		t.Errorf("backup is %+v, want what was asked for", d)
	}
	for _, role := range []dataplane.SyncRole{dataplane.Master, dataplane.Backup} {
		s.stopped(s.d.StopDaemon(ctx, role), role)
	}
	if n := len(s.snapshot().Director.Daemons); n != 0 {
		t.Errorf("%d daemons run, want 0", n)
	}
}

// stopped wants err to be nil, or the daemon gone. A daemon whose thread has not
// run yet is stopped by the kernel without an answer: kthread_stop is -EINTR
// then, upon which netlink_rcv_skb acknowledges nothing.
func (s *session) stopped(err error, role dataplane.SyncRole) {
	s.t.Helper()
	for _, d := range s.snapshot().Director.Daemons {
		if d.Role == role {
			s.t.Errorf("the %v still runs: %v", role, err)
		}
	}
	if err != nil {
		s.t.Logf("the %v is gone, though: %v", role, err)
	}
}
