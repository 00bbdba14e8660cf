package director

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"
	"lvs/dataplane/dataplanetest"
)

func TestRestartedDirectorKnowsWhatItApplied(t *testing.T) {
	state := filepath.Join(t.TempDir(), "director.json")
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, state)
		dns := service(key("udp/192.0.2.10:53"))
		dns.Quiesce = Quiesce{Enabled: true, Limit: time.Hour}
		dns.Flags, dns.Timeout, dns.Netmask = dataplane.FlagPersistent, time.Minute, dataplane.Mask4(0xffff0000)
		v6 := service(key("fwm6/9"))
		v6.Flags, v6.Timeout, v6.Netmask = dataplane.FlagPersistent, time.Minute, dataplane.Mask6(64)
		spec := &Spec{Services: []Service{service(web, realServer(1, 1)), dns, v6}, Timeouts: dataplane.Timeouts{UDP: time.Minute},
			Daemons: []dataplane.SyncDaemon{{Role: dataplane.Master, Interface: "lo", SyncID: 1}}}
		r.apply(spec)
		r.handReal(realServer(1, 0))
		r.restart(state)
		r.apply(spec)
		r.calls()
		r.drift("weight of real server 10.0.0.1:80 of tcp/192.0.2.10:80 is 0, want 1")
		r.restart(state)
		r.apply(&Spec{Services: []Service{dns, v6}})
		r.calls("stop master sync daemon", "delete service tcp/192.0.2.10:80")
		r.hand(func(ctx context.Context) error { return r.table.AddRealServer(ctx, dns.Key, realServer(1, 1)) })
		r.table.Connect(dns.Key, realServer(1, 1).RIP, 1)
		r.apply(&Spec{Services: []Service{v6}})
		r.calls("edit real server 10.0.0.1:80 of udp/192.0.2.10:53")
		time.Sleep(59 * time.Minute)
		r.restart(state)
		r.apply(&Spec{Services: []Service{v6}})
		r.calls()
		time.Sleep(time.Minute)
		if err := r.tick(); err != nil {
			t.Error(err)
		}
		r.calls("delete service udp/192.0.2.10:53")
	})
}

func TestUnreadableStateIsToldAndDoesNotStopIt(t *testing.T) {
	for name, text := range map[string]string{"truncated": `{"version":1,"serv`, "newer": `{"version":99}`, "wrong": `{"version":1,"services":[{"key":"tcp"}]}`} {
		t.Run(name, func(t *testing.T) {
			state := filepath.Join(t.TempDir(), "director.json")
			if err := os.WriteFile(state, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			table := &dataplanetest.Table{}
			a, err := New(Config{Table: table, StatePath: state})
			if err == nil || !strings.Contains(err.Error(), state) {
				t.Errorf("error is %v, want one that names %s", err, state)
			}
			if err := a.Apply(t.Context(), &Spec{Services: []Service{service(web)}}); err != nil {
				t.Error(err)
			}
			if _, err := New(Config{Table: table, StatePath: state}); err != nil {
				t.Errorf("after an apply the state is still unreadable: %v", err)
			}
		})
	}
}

// No state file makes the director panic, or keeps it from what is wanted now.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"version":1,"epoch":"epoch-0","services":[{"key":"tcp/192.0.2.10:80","scheduler":"wlc","flags":1,"timeout":60000000000,"netmask_family":4,"netmask":4294967040,"quiesce":{"Enabled":true,"Limit":1},"reals":[{"RIP":"10.0.0.1:80","Method":0,"Weight":1}]}],"timeouts":{"TCP":1},"daemons":[{"Role":1,"Interface":"lo","Group":"224.0.0.81"}],"drains":[{"service":"tcp/192.0.2.10:80","real":"10.0.0.1:80","since":"2026-01-01T00:00:00Z"}]}`))
	f.Add([]byte(`{"version":1,"services":[{},{"reals":[{}]}],"daemons":[{}],"drains":[{}]}`))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		state := filepath.Join(t.TempDir(), "director.json")
		if err := os.WriteFile(state, text, 0o600); err != nil {
			t.Fatal(err)
		}
		table := &dataplanetest.Table{}
		other := service(key("fwm4/7"), realServer(1, 1))
		do(t, table, Diff(&Spec{Services: []Service{other}}, read(t, table), Owned{}))
		a, _ := New(Config{Table: table, StatePath: state}) // an error is for people
		spec := &Spec{Services: []Service{service(web, realServer(1, 1))}, Enforce: true}
		if err := a.Apply(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		if left := texts(Diff(spec, read(t, table), Owned{})); len(left) > 0 {
			t.Errorf("%q is left to do", left)
		}
	})
}

func TestApplierIsSafeForConcurrentUse(t *testing.T) {
	table := &dataplanetest.Table{}
	a, err := New(Config{Table: table, StatePath: filepath.Join(t.TempDir(), "director.json")})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	specs := []*Spec{{Services: []Service{service(web, realServer(1, 1))}, Enforce: true}, {Services: []Service{service(web, realServer(2, 1))}}}
	for i := range 4 {
		wg.Go(func() {
			for range 50 {
				if err := a.Apply(t.Context(), specs[i%2]); err != nil {
					t.Error(err)
				}
				snap, err := table.Snapshot(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				snap.Sort()
				if err := a.Record(t.Context(), snap); err != nil {
					t.Error(err)
				}
				if s := a.Status(); s.Services != 1 {
					t.Errorf("status is %+v", s)
				}
			}
		})
	}
	wg.Wait()
	if err := a.Apply(t.Context(), specs[0]); err != nil {
		t.Fatal(err)
	}
	if left := texts(Diff(specs[0], read(t, table), Owned{})); len(left) > 0 {
		t.Errorf("%q is left to do", left)
	}
}

func TestStateThatCannotBeWrittenIsAFailure(t *testing.T) {
	table := &dataplanetest.Table{}
	a, err := New(Config{Table: table, StatePath: filepath.Join(t.TempDir(), "none", "director.json")})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Apply(t.Context(), &Spec{Services: []Service{service(web)}}); err == nil {
		t.Error("no error")
	}
	if read(t, table).Service(web) == nil {
		t.Error("the service was not added for all that")
	}
	if f := a.Status().Failures; len(f) != 1 || f[0].Step != "save the state" {
		t.Errorf("failures are %+v, want the state's", f)
	}
}
