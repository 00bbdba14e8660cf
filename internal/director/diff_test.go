package director

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/dataplane/dataplanetest"
)

func TestDiffSaysWhatItChanges(t *testing.T) {
	dns := key("udp/192.0.2.10:53")
	persistent := service(web, realServer(1, 1))
	persistent.Flags, persistent.Timeout, persistent.Netmask = dataplane.FlagPersistent, 5*time.Minute, dataplane.Mask4(0xffffff00)
	tunnelled := realServer(1, 1)
	tunnelled.Method, tunnelled.Encap = dataplane.Tunnel, dataplane.Encap{Type: dataplane.GUE, Port: 6080}
	limited := realServer(1, 5)
	limited.UpperThreshold, limited.LowerThreshold = 100, 80
	master := func(id uint32) []dataplane.SyncDaemon {
		return []dataplane.SyncDaemon{{Role: dataplane.Master, Interface: "lo", SyncID: id}}
	}
	base := &Spec{Services: []Service{service(web, realServer(1, 1))}}
	for _, test := range []struct {
		name       string
		have, want *Spec
		changes    []string
	}{
		{"nothing wanted, nothing owned", &Spec{}, &Spec{}, nil},
		{"the same", base, base, nil},
		{"a new service", &Spec{}, base, []string{
			"add service tcp/192.0.2.10:80 (wlc)",
			"add real server 10.0.0.1:80 of tcp/192.0.2.10:80 (masquerade, weight 1)",
		}},
		{"a weight", base, &Spec{Services: []Service{service(web, realServer(1, 5))}}, []string{
			"set weight of real server 10.0.0.1:80 of tcp/192.0.2.10:80 from 1 to 5",
		}},
		{"weight and thresholds", base, &Spec{Services: []Service{service(web, limited)}}, []string{
			"set weight of real server 10.0.0.1:80 of tcp/192.0.2.10:80 from 1 to 5, thresholds from upper 0 lower 0 to upper 100 lower 80",
		}},
		{"method", base, &Spec{Services: []Service{service(web, tunnelled)}}, []string{
			"set method of real server 10.0.0.1:80 of tcp/192.0.2.10:80 from masquerade to tunnel, tunnel from none to gue port 6080 nocsum",
		}},
		{"persistence", base, &Spec{Services: []Service{persistent}}, []string{
			"set persistence of service tcp/192.0.2.10:80 from none to 5m0s netmask 255.255.255.0",
		}},
		{"a service of somebody else stays", base, &Spec{Services: []Service{service(dns)}}, []string{
			"add service udp/192.0.2.10:53 (wlc)",
		}},
		{"unless the table is exclusive", base, &Spec{Exclusive: true}, []string{
			"delete service tcp/192.0.2.10:80",
		}},
		{"additions, then weights that rise, then those that fall, then removals",
			&Spec{Services: []Service{service(web, realServer(1, 5), realServer(2, 1), realServer(3, 1))}},
			&Spec{Services: []Service{service(web, realServer(1, 0), realServer(2, 5), realServer(4, 1))}}, []string{
				"set weight of real server 10.0.0.2:80 of tcp/192.0.2.10:80 from 1 to 5",
				"add real server 10.0.0.4:80 of tcp/192.0.2.10:80 (masquerade, weight 1)",
				"set weight of real server 10.0.0.1:80 of tcp/192.0.2.10:80 from 5 to 0",
				"delete real server 10.0.0.3:80 of tcp/192.0.2.10:80",
			}},
		{"timeouts first, daemons stop before and start after",
			&Spec{Daemons: master(1)},
			&Spec{Services: []Service{service(web)}, Daemons: master(2), Timeouts: dataplane.Timeouts{UDP: time.Minute}}, []string{
				"set udp of timeouts from 300s to 60s",
				"stop master sync daemon on lo, syncid 1",
				"add service tcp/192.0.2.10:80 (wlc)",
				"start master sync daemon on lo, syncid 2",
			}},
		{"a daemon of somebody else stays", &Spec{Daemons: master(1)}, &Spec{}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			table := &dataplanetest.Table{}
			do(t, table, Diff(test.have, read(t, table), Owned{}))
			changes := Diff(test.want, read(t, table), Owned{})
			want(t, "changes", texts(changes), test.changes...)
			do(t, table, changes)
			want(t, "changes left", texts(Diff(test.want, read(t, table), Owned{})))
		})
	}
}

func TestDiffRemovesWhatIsOwned(t *testing.T) {
	table := &dataplanetest.Table{}
	master := dataplane.SyncDaemon{Role: dataplane.Master, Interface: "lo", SyncID: 1}
	do(t, table, Diff(&Spec{Services: []Service{service(web)}, Daemons: []dataplane.SyncDaemon{master}}, read(t, table), Owned{}))
	owned := Owned{Services: map[dataplane.ServiceKey]bool{web: true}, Daemons: map[dataplane.SyncRole]bool{dataplane.Master: true}}
	want(t, "changes", texts(Diff(&Spec{}, read(t, table), owned)),
		"stop master sync daemon on lo, syncid 1", "delete service tcp/192.0.2.10:80")
}

// Whatever is there and whatever is wanted: one pass of changes, none of which
// the table refuses, brings it there, and touches nothing that is right.
func TestDiffConvergesAtOnceAndTouchesNothingElse(t *testing.T) {
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		table := &dataplanetest.Table{}
		spec := randomSpec(rnd)
		do(t, table, Diff(randomSpec(rnd), read(t, table), Owned{}))
		before := read(t, table)
		changes := Diff(spec, before, Owned{})
		seen := map[object]bool{}
		for i := range changes {
			c := &changes[i]
			if d := c.Differences(); len(d) == 0 && c.Op != StartDaemon {
				t.Errorf("seed %d: %v changes nothing", seed, c)
			}
			if c.Op != StopDaemon && seen[c.object()] {
				t.Errorf("seed %d: %v is changed twice", seed, c.object())
			}
			seen[c.object()] = c.Op != StopDaemon
		}
		do(t, table, changes)
		after := read(t, table)
		want(t, "changes left", texts(Diff(spec, after, Owned{})))
		wanted := spec.sorted()
		for i := range before.Services {
			if s := &before.Services[i]; wanted.service(s.Key) == nil && after.Service(s.Key) == nil {
				t.Errorf("seed %d: service %v of somebody else is gone", seed, s.Key)
			}
		}
		if t.Failed() {
			return
		}
	}
}

func BenchmarkDiffUnchanged(b *testing.B) {
	spec := &Spec{}
	snap := &dataplane.Snapshot{}
	for i := range 1000 {
		s := service(dataplane.AddrKey(dataplane.TCP, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 80)))
		state := dataplane.ServiceState{Service: s.Service}
		for j := range 10 {
			s.Reals = append(s.Reals, realServer(j+1, 1))
			state.Reals = append(state.Reals, dataplane.RealState{RealServer: s.Reals[j]})
		}
		spec.Services, snap.Services = append(spec.Services, s), append(snap.Services, state)
	}
	snap.Sort()
	spec = spec.sorted()
	for b.Loop() {
		if len(diff(spec, snap, Owned{})) > 0 {
			b.Fatal("changes in an unchanged table")
		}
	}
}
