package dataplanetest

import (
	"errors"
	"testing"

	"lvs/dataplane"
)

func TestTableConforms(t *testing.T) {
	Conformance(t, func(*testing.T) Director { return &Table{} })
}

func TestTableGivesBackWhatWasDeleted(t *testing.T) {
	table, ctx := &Table{}, t.Context()
	r := dataplane.RealServer{RIP: rip("10.2.0.1:80"), Weight: 1}
	add := func() {
		t.Helper()
		if err := table.AddRealServer(ctx, web.Key, r); err != nil {
			t.Fatal(err)
		}
	}
	state := func() dataplane.RealState {
		snap, err := table.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return snap.Services[0].Reals[0]
	}
	if err := table.AddService(ctx, web); err != nil {
		t.Fatal(err)
	}
	add()
	table.Connect(web.Key, r.RIP, 3)
	table.Disconnect(web.Key, r.RIP, 1)
	if err := table.DeleteRealServer(ctx, web.Key, r); err != nil {
		t.Fatal(err)
	}
	add()
	if s := state(); s.Active != 2 || s.Inactive != 1 || s.Kernel.Connections != 3 {
		t.Errorf("a real server added again has %d active, %d inactive and %d counted, want 2, 1 and 3", s.Active, s.Inactive, s.Kernel.Connections)
	}
	if err := table.DeleteService(ctx, web.Key); err != nil {
		t.Fatal(err)
	}
	if err := table.AddService(ctx, web); err != nil {
		t.Fatal(err)
	}
	add()
	if s := state(); s.Active != 2 || s.Kernel.Connections != 0 {
		t.Errorf("with its service it has %d active and %d counted, want 2 and 0", s.Active, s.Kernel.Connections)
	}
}

func TestTableIsZeroed(t *testing.T) {
	table, ctx := &Table{}, t.Context()
	r := dataplane.RealServer{RIP: rip("10.2.0.1:80"), Weight: 1}
	mail := dataplane.Service{Key: dataplane.MarkKey(dataplane.INET, 25), Scheduler: "rr"}
	for _, s := range []dataplane.Service{web, mail} {
		if err := errors.Join(table.AddService(ctx, s), table.AddRealServer(ctx, s.Key, r)); err != nil {
			t.Fatal(err)
		}
		table.Connect(s.Key, r.RIP, 3)
	}
	left := func() (services, reals uint64) {
		snap, err := table.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for i := range snap.Services {
			services += snap.Services[i].Kernel.Connections
			reals += snap.Services[i].Reals[0].Kernel.Connections
		}
		return services, reals
	}
	table.Zero(web.Key)
	if services, reals := left(); services != 3 || reals != 3 {
		t.Errorf("%d and %d connections are counted with one service zeroed, want 3 and 3", services, reals)
	}
	if err := table.DeleteRealServer(ctx, mail.Key, r); err != nil {
		t.Fatal(err)
	}
	table.Zero()
	if err := table.AddRealServer(ctx, mail.Key, r); err != nil {
		t.Fatal(err)
	}
	if services, reals := left(); services != 0 || reals != 3 {
		t.Errorf("%d and %d connections are counted with all zeroed but what was in the trash, want 0 and 3", services, reals)
	}
}
