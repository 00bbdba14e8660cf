package director

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestQuiescedRealServerIsRemovedWithoutConnections(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() { _ = r.a.Run(ctx) })
		defer cancel()
		quiet := Quiesce{Enabled: true}
		both, one := service(web, realServer(1, 1), realServer(2, 1)), service(web, realServer(1, 1))
		both.Quiesce, one.Quiesce = quiet, quiet
		r.apply(&Spec{Services: []Service{both}})
		r.table.Connect(web, rip("10.0.0.2:80"), 3)
		r.table.Calls()
		r.apply(&Spec{Services: []Service{one}})
		r.calls("edit real server 10.0.0.2:80 of tcp/192.0.2.10:80")
		time.Sleep(time.Hour)
		r.table.Disconnect(web, rip("10.0.0.2:80"), 3)
		time.Sleep(time.Minute)
		r.calls() // they are inactive, but there
		r.drift()
		if d := r.a.Status().Draining; len(d) != 1 || d[0].Connections != 3 || d[0].Real != rip("10.0.0.2:80") {
			t.Errorf("draining is %+v, want 10.0.0.2:80 with 3 connections", d)
		}
		r.table.Expire(web, rip("10.0.0.2:80"))
		time.Sleep(drainPoll)
		synctest.Wait()
		r.calls("delete real server 10.0.0.2:80 of tcp/192.0.2.10:80")
		if d := r.a.Status().Draining; len(d) != 0 {
			t.Errorf("draining is %+v after removal, want none", d)
		}
		// Without connections it still takes no new ones before it goes.
		r.apply(&Spec{Services: []Service{both}})
		r.apply(&Spec{Services: []Service{one}})
		time.Sleep(drainPoll)
		synctest.Wait()
		r.calls("add real server 10.0.0.2:80 of tcp/192.0.2.10:80", "edit real server 10.0.0.2:80 of tcp/192.0.2.10:80", "delete real server 10.0.0.2:80 of tcp/192.0.2.10:80")
	})
}

func TestQuiescingEndsAtItsLimit(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = r.a.Run(ctx) })
		defer wg.Wait()
		defer cancel()
		s := service(web, realServer(1, 1), realServer(2, 5))
		s.Quiesce = Quiesce{Enabled: true, Limit: 62 * time.Second}
		r.apply(&Spec{Services: []Service{s}})
		r.table.Connect(web, rip("10.0.0.2:80"), 3)
		r.table.Calls()
		began := time.Now()
		r.apply(&Spec{})
		r.calls("edit real server 10.0.0.1:80 of tcp/192.0.2.10:80", "edit real server 10.0.0.2:80 of tcp/192.0.2.10:80")
		time.Sleep(62*time.Second - time.Millisecond)
		r.calls()
		if d := r.a.Status().Draining; len(d) != 1 || !d[0].Deadline.Equal(began.Add(62*time.Second)) {
			t.Errorf("draining is %+v, want the service until its limit", d)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		r.calls("delete service tcp/192.0.2.10:80")
	})
}

func TestQuiescingIsCancelledWhenWantedAgain(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		s := service(web, realServer(1, 1), realServer(2, 5))
		s.Quiesce = Quiesce{Enabled: true, Limit: time.Minute}
		r.apply(&Spec{Services: []Service{s}})
		r.table.Connect(web, rip("10.0.0.2:80"), 3)
		for _, without := range []*Spec{{}, {Services: []Service{{Service: s.Service, Quiesce: s.Quiesce, Reals: s.Reals[:1]}}}} {
			r.apply(without)
			r.table.Calls()
			time.Sleep(30 * time.Second)
			r.apply(&Spec{Services: []Service{s}})
			want(t, "changes left", texts(Diff(&Spec{Services: []Service{s}}, read(t, r.table), Owned{})))
			r.drift()
			if d := r.a.Status().Draining; len(d) != 0 {
				t.Errorf("draining is %+v, want none", d)
			}
			time.Sleep(time.Minute)
			if err := r.tick(); err != nil {
				t.Error(err)
			}
			for _, call := range r.table.Calls() {
				if strings.HasPrefix(call, "delete") {
					t.Errorf("%s, though it is wanted again", call)
				}
			}
		}
	})
}
