package director

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"lvs/dataplane/dataplanetest"
)

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
