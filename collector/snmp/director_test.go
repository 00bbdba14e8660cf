package snmp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/mib"
	"lvs/mib/ber"

	"github.com/google/go-cmp/cmp"
)

// figures are those of an agent that samples every ten seconds.
var figures = mib.Figures{Interval: 10 * time.Second}

// whole is a director with one of everything that the LVS-DIRECTOR-MIB can tell.
func whole() *dataplane.Snapshot {
	s := director(5, 20)
	v6 := dataplane.ServiceState{Service: dataplane.Service{
		Key: key("tcp/[2001:db8::1]:443"), Scheduler: "mh", Timeout: 60 * time.Second, Netmask: dataplane.Mask6(64), PersistenceEngine: "sip",
		Flags: dataplane.FlagPersistent | dataplane.FlagHashed | dataplane.FlagSched1 | dataplane.FlagOnePacket,
	}, Name: "six", Account: account(60, 99), HasRates: true, Refused: 1 << 40, HasRefused: true}
	for i, encap := range []dataplane.Encap{{}, {Type: dataplane.GUE, Port: 6080, Flags: dataplane.EncapRemoteChecksum}, {Type: dataplane.GRE, Flags: dataplane.EncapChecksum}} {
		rip, _ := dataplane.ParseRIP(fmt.Sprintf("[2001:db8::1:%d]:443", i+1))
		r := dataplane.RealState{RealServer: dataplane.RealServer{RIP: rip, Method: dataplane.Tunnel, Encap: encap, Weight: 1<<31 - 1}, Account: account(uint32(65535-i), 1<<40), HasRates: true}
		v6.Reals = append(v6.Reals, r)
	}
	mark := dataplane.ServiceState{Service: dataplane.Service{Key: dataplane.MarkKey(dataplane.INET6, 9), Scheduler: "sh",
		Flags: dataplane.FlagHashed, Netmask: dataplane.FullMask(dataplane.INET6)}, Account: account(65535, 1), HasRates: true}
	s.Services = append(s.Services, v6, mark)
	s.Director.Daemons = append(s.Director.Daemons, dataplane.SyncDaemon{Role: dataplane.Backup, Interface: "eth1", SyncID: 8})
	for i, addr := range []string{"10.2.0.1", "2001:db8::1:1"} {
		rip, _ := dataplane.ParseRIP("[2001:db8::1:1]:1")
		if i == 0 {
			rip, _ = dataplane.ParseRIP(addr + ":1")
		}
		h := dataplane.ServerState{Addr: rip.Addr(), Reals: 6 + i, Available: 3, Weight: 100, Active: 5, Inactive: 6, Persistent: 7, Total: account(0, 50).Total,
			Since: base.Add(-time.Hour), HasRates: true, Rates: dataplane.Rates{InBytes: 8}, RepliesBypass: i == 1}
		s.Servers = append(s.Servers, h)
	}
	s.Sort()
	return s
}

func key(s string) dataplane.ServiceKey {
	k, err := dataplane.ParseServiceKey(s)
	if err != nil {
		panic(err)
	}
	return k
}

// recounted is what the LVS-DIRECTOR-MIB does not tell: by which reason counters
// started anew, and when a director's own last reading ended to the nanosecond.
func recounted(s *dataplane.Snapshot, version int) *dataplane.Snapshot {
	out := *s
	out.Services = slices.Clone(s.Services)
	low := func(c *dataplane.Counters) {
		if version == 1 {
			*c = dataplane.Counters{Connections: uint64(uint32(c.Connections)), InPackets: uint64(uint32(c.InPackets)), OutPackets: uint64(uint32(c.OutPackets)),
				InBytes: uint64(uint32(c.InBytes)), OutBytes: uint64(uint32(c.OutBytes))}
		}
	}
	narrow := func(a *dataplane.Account, rates *dataplane.Rates, has *bool) {
		low(&a.Kernel)
		low(&a.Total)
		if version == 1 {
			*rates, *has = dataplane.Rates{}, false
		}
	}
	out.Counters32 = version == 1
	narrow(&out.Director.Account, &out.Director.Rates, &out.Director.HasRates)
	for i := range out.Services {
		svc := &out.Services[i]
		narrow(&svc.Account, &svc.Rates, &svc.HasRates)
		if version == 1 {
			svc.Refused = uint64(uint32(svc.Refused))
		}
		svc.Reals = slices.Clone(svc.Reals)
		for j := range svc.Reals {
			narrow(&svc.Reals[j].Account, &svc.Reals[j].Rates, &svc.Reals[j].HasRates)
		}
	}
	out.Servers = slices.Clone(s.Servers)
	for i := range out.Servers {
		low(&out.Servers[i].Total)
		if version == 1 {
			out.Servers[i].Rates, out.Servers[i].HasRates = dataplane.Rates{}, false
		}
	}
	return &out
}

func TestDirectorTellsTheSnapshot(t *testing.T) {
	want := whole()
	a := serve(t, mib.Build(want, figures))
	for _, version := range []int{1, 2} {
		for _, most := range []int{7, 30, 100, 500} {
			p := poller(t, Config{Target: a.Addr(), Auth: Auth{Version: version}, MaxVariables: most, Module: Director, Servers: true})
			for range 2 {
				same(t, fmt.Sprintf("version %d, %d variables at once", version, most), recounted(want, version), poll(t, p))
			}
		}
	}
}

// What does not move is read once, until the rows are others.
func TestStillColumnsAreReadOnce(t *testing.T) {
	snap := whole()
	a := serve(t, mib.Build(snap, figures))
	p := poller(t, Config{Target: a.Addr(), Module: Director})
	requests := func() int {
		before := a.Requests.Load()
		same(t, "again", without(recounted(snap, 2)), poll(t, p))
		return int(a.Requests.Load() - before)
	}
	first, second := requests(), requests()
	if second >= first {
		t.Errorf("%d requests, and then %d", first, second)
	}
	snap = whole() // the last one is the tree's
	snap.Services[0].Name, snap.ServicesChanged = "renamed", base
	for i := range snap.Services {
		snap.Services[i].Total.Connections += 5
		snap.Services[i].Kernel.Connections += 5
	}
	a.Serve(mib.Build(snap, figures))
	if third := requests(); third <= second {
		t.Errorf("%d requests when a name changed, %d before", third, second)
	}
	gone := *snap
	gone.Services, gone.ServicesChanged, gone.RealsChanged = snap.Services[1:], base.Add(time.Second), base.Add(time.Second)
	snap = &gone
	a.Serve(mib.Build(snap, figures))
	requests()
}

func without(s *dataplane.Snapshot) *dataplane.Snapshot { s.Servers = nil; return s }

// Counters of 32 bits go on where they pass 2^32, as long as somebody looks.
func TestVersion1CountsOn(t *testing.T) {
	snap := director(1, 1)
	a := serve(t, mib.Build(snap, figures))
	p := poller(t, Config{Target: a.Addr(), Auth: Auth{Version: 1}, Module: Director})
	first := poll(t, p).Services[0].Reals[0].Total
	for n := range uint64(3) {
		snap = director(1, 1) // the last one is the tree's
		snap.Services[0].Reals[0].Total.InBytes += (n + 1) * 3 << 30
		snap.Director.Total.OutPackets += (n + 1) << 31
		a.Serve(mib.Build(snap, figures))
		poll(t, p)
	}
	got := poll(t, p)
	if d := got.Services[0].Reals[0].Total.InBytes - first.InBytes; d != 9<<30 {
		t.Errorf("%d bytes, want %d", d, uint64(9<<30))
	}
	if d := got.Director.Total.OutPackets - uint64(uint32(snap.Director.Total.OutPackets-3<<31)); d != 3<<31 {
		t.Errorf("%d packets, want %d", d, uint64(3<<31))
	}
}

// Tables of two samples are not mixed: a new sample while they are read has them
// read again. Where each reading meets one, the rows are whole, and the snapshot
// says that they are not all of one time.
func TestANewSampleWhileTablesAreRead(t *testing.T) {
	snap := director(3, 10)
	a := serve(t, mib.Build(snap, figures))
	samples := 0
	next := func(n int) func(int, *ber.PDU, *ber.PDU) [][]byte {
		return func(i int, _, _ *ber.PDU) [][]byte {
			if samples < n && i%5 == 0 {
				samples++
				later := *snap
				later.Time = snap.Time.Add(time.Duration(samples) * time.Second)
				later.Services = slices.Clone(snap.Services)
				later.Services[0].Total.Connections += uint64(samples)
				a.Serve(mib.Build(&later, figures))
			}
			return nil
		}
	}
	a.SetFault(next(1))
	got := poll(t, poller(t, Config{Target: a.Addr(), Module: Director}))
	if got.Retries != 1 || got.Inconsistent != 0 || got.Services[0].Total.Connections != snap.Services[0].Total.Connections+1 || !got.Time.Equal(base.Add(time.Second)) {
		t.Errorf("after one new sample: %d retries, inconsistent %d, %v, %d connections", got.Retries, got.Inconsistent, got.Time, got.Services[0].Total.Connections)
	}
	a.SetFault(next(1000))
	got = poll(t, poller(t, Config{Target: a.Addr(), Module: Director}))
	if got.Retries != attempts-1 || got.Inconsistent != 1 || len(got.Services) != 4 || got.RealServers() != 30 {
		t.Errorf("among new samples: %d retries, inconsistent %d, %d services, %d real servers", got.Retries, got.Inconsistent, len(got.Services), got.RealServers())
	}
}

// A director that does not answer takes no slot; one that does waits for one.
func TestSlotsAreForThoseWhoAnswer(t *testing.T) {
	slots := make(chan struct{}, 1)
	dead := serve(t, mib.Build(director(1, 1), figures))
	dead.SetFault(silent)
	alive := serve(t, mib.Build(director(1, 1), figures))
	waits := poller(t, Config{Target: dead.Addr(), Timeout: time.Hour, Slots: slots})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := waits.Snapshot(ctx)
		done <- err
	}()
	for _, module := range []Module{LVS, Director} {
		poll(t, poller(t, Config{Target: alive.Addr(), Module: module, Slots: slots}))
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	slots <- struct{}{}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := poller(t, Config{Target: alive.Addr(), Slots: slots}).Snapshot(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a poll without a slot: %v", err)
	}
}

// An agent that cannot read its table says so.
func TestAStaleDirectorIsTold(t *testing.T) {
	f := figures
	a := serve(t, mib.Build(director(1, 1), f))
	p := poller(t, Config{Target: a.Addr(), Module: Director})
	poll(t, p)
	if s := p.Stats().Stale; s != "" {
		t.Errorf("a director that runs is stale: %s", s)
	}
	f.Dataplane, f.DataplaneReason = f.Dataplane+1, "ip_vs is gone"
	a.Serve(mib.Build(director(1, 1), f))
	poll(t, p)
	if s := p.Stats().Stale; s != "ip_vs is gone" {
		t.Errorf("stale because %q", s)
	}
}

// The names and numbers written down here are those of the MIBs' text.
func TestColumnsAreThoseOfTheMIB(t *testing.T) {
	types := map[string]string{}
	for _, o := range mib.Objects() {
		types["."+o.OID.String()] = o.Name
	}
	named := map[string]string{}
	add := func(spec *tableSpec) {
		for _, sub := range spec.cols {
			named[fmt.Sprintf("%s.%d", spec.entry, sub)] = spec.name
		}
	}
	for _, s := range []*specs{wideSpecs, narrowSpecs} {
		for _, spec := range []*tableSpec{&s.services.moving, &s.services.still, &s.reals.moving, &s.reals.still, &s.servers} {
			add(spec)
		}
	}
	add(&lvsServices)
	add(&lvsReals)
	for _, name := range slices.Concat(lvsScalars, directorScalars) {
		named[strings.TrimSuffix(name, ".0")] = ""
	}
	for _, oid := range slices.Sorted(maps.Keys(named)) {
		name, ok := types[oid]
		if !ok || !strings.HasPrefix(name, strings.TrimSuffix(named[oid], "Table")) {
			t.Errorf("%s of %q is %q in the MIB", oid, named[oid], name)
		}
	}
	// By name, those that a wrong number would not be noticed of otherwise.
	got := map[string]string{}
	for what, oid := range map[string]string{
		"refused": lvsdServices + ".5.1." + fmt.Sprint(lvsdServiceHCRefused), "resets": lvsdReals + ".5.1." + fmt.Sprint(lvsdRealResets),
		"rate": lvsdReals + ".5.1." + fmt.Sprint(lvsdRealConns+ratesAfter), "wide": lvsdServers + ".5.1." + fmt.Sprint(lvsdServerConns+wideAfter),
		"version": lvsdReals + "." + fmt.Sprint(lvsdRowsVersion), "rows": lvsdServices + "." + fmt.Sprint(lvsdRows),
	} {
		got[what] = types[oid]
	}
	want := map[string]string{"refused": "lvsdServiceHCRefused", "resets": "lvsdRealResets", "rate": "lvsdRealConnRate", "wide": "lvsdServerHCConns",
		"version": "lvsdRealRowsVersion", "rows": "lvsdServiceRows"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every flag is read as dataplane writes it.
func TestFlagsRoundTrip(t *testing.T) {
	for f := range dataplane.ServiceFlags(256) {
		if got := flags(f.String()); got != f {
			t.Errorf("%q is read as %q", f, got)
		}
	}
}

func TestDateAndTime(t *testing.T) {
	for octets, want := range map[string]time.Time{
		"":                                 {},
		"\x00\x00\x00\x00\x00\x00\x00\x00": {},
		"\x07\xea\x0b\x14\x0c\x1e\x0f\x03": time.Date(2026, 11, 20, 12, 30, 15, 3e8, time.UTC),
		"\x07\xea\x0b\x14\x0c\x1e\x0f\x03+\x00\x00": time.Date(2026, 11, 20, 12, 30, 15, 3e8, time.UTC),
		"\x07\xea\x0b\x14\x0c\x1e\x0f\x03-\x05\x1e": time.Date(2026, 11, 20, 18, 0, 15, 3e8, time.UTC),
		"\x07\xea\x0b": {},
	} {
		if got := dateAndTime(value{text: []byte(octets)}); !got.Equal(want) {
			t.Errorf("%q is %v, want %v", octets, got, want)
		}
	}
}

// What an unprivileged agent does not see is not known here either, also where it has
// no service.
func TestPartialDirectors(t *testing.T) {
	for _, services := range []int{0, 3} {
		for _, partial := range []bool{true, false} {
			snap := director(3, 2)
			snap.Services, snap.Partial = snap.Services[:services], partial
			p := poller(t, Config{Target: serve(t, mib.Build(snap, figures)).Addr(), Module: Director})
			if got := poll(t, p); got.Partial != partial || (len(got.Director.Daemons) == 0) != partial || len(got.Services) != services {
				t.Errorf("%d services, partial %v: partial %v, %d services, daemons %v", services, partial, got.Partial, len(got.Services), got.Director.Daemons)
			}
		}
	}
}
