package director

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"
	"lvs/dataplane/dataplanetest"
)

// logger writes lines without their time.
func logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

// virtual runs a test whose time passes at once.
func virtual(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newRig(t, "")) })
}

func TestApplyTouchesNothingUnchanged(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		spec := &Spec{Services: []Service{service(web, realServer(1, 1), realServer(2, 1))}}
		r.apply(spec)
		r.calls("add service tcp/192.0.2.10:80", "add real server 10.0.0.1:80 of tcp/192.0.2.10:80", "add real server 10.0.0.2:80 of tcp/192.0.2.10:80")
		r.table.Connect(web, rip("10.0.0.1:80"), 7)
		r.apply(spec)
		r.calls()
		r.apply(&Spec{Services: []Service{service(web, realServer(1, 9), realServer(2, 1))}})
		r.calls("edit real server 10.0.0.1:80 of tcp/192.0.2.10:80")
		if n := read(t, r.table).Services[0].Reals[0].Kernel.Connections; n != 7 {
			t.Errorf("%d connections are counted after an edit, want 7", n)
		}
		r.apply(&Spec{})
		r.calls("delete service tcp/192.0.2.10:80")
	})
}

func TestServicesOfOthersAreLeftAlone(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		other := key("tcp/192.0.2.99:80")
		r.hand(func(ctx context.Context) error {
			return r.table.AddService(ctx, dataplane.Service{Key: other, Scheduler: "rr"})
		})
		r.apply(&Spec{Services: []Service{service(web)}, Enforce: true})
		r.apply(&Spec{Enforce: true})
		r.calls("add service tcp/192.0.2.10:80", "delete service tcp/192.0.2.10:80")
		r.apply(&Spec{Exclusive: true})
		r.calls()
		r.drift("service tcp/192.0.2.99:80 is present, want absent")
		r.apply(&Spec{Exclusive: true, Enforce: true})
		r.calls("delete service tcp/192.0.2.99:80")
		r.drift()
	})
}

func TestServiceTakenOverLosesForeignRealServers(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.hand(func(ctx context.Context) error {
			return errors.Join(r.table.AddService(ctx, dataplane.Service{Key: web, Scheduler: "wlc"}), r.table.AddRealServer(ctx, web, realServer(9, 1)))
		})
		r.table.Connect(web, rip("10.0.0.9:80"), 1)
		s := service(web, realServer(1, 1))
		s.Quiesce = Quiesce{Enabled: true, Limit: time.Minute}
		r.apply(&Spec{Services: []Service{s}})
		r.calls("add real server 10.0.0.1:80 of tcp/192.0.2.10:80", "edit real server 10.0.0.9:80 of tcp/192.0.2.10:80")
		for range 2 {
			time.Sleep(30 * time.Second)
			if err := r.tick(); err != nil {
				t.Error(err)
			}
			r.drift()
		}
		r.calls("delete real server 10.0.0.9:80 of tcp/192.0.2.10:80")
	})
}

func TestDriftIsReportedAndNotPutBack(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		spec := &Spec{
			Services: []Service{service(web, realServer(1, 1), realServer(2, 1)), service(key("udp/192.0.2.10:53"))},
			Timeouts: dataplane.Timeouts{TCP: time.Minute},
			Daemons:  []dataplane.SyncDaemon{{Role: dataplane.Backup, Interface: "lo", SyncID: 3}},
		}
		r.apply(spec)
		r.calls("set timeouts", "add service udp/192.0.2.10:53", "add service tcp/192.0.2.10:80", "add real server 10.0.0.1:80 of tcp/192.0.2.10:80",
			"add real server 10.0.0.2:80 of tcp/192.0.2.10:80", "start backup sync daemon")
		began := time.Now()
		r.handReal(realServer(1, 0))
		r.hand(func(ctx context.Context) error { return r.table.DeleteRealServer(ctx, web, realServer(2, 1)) })
		r.hand(func(ctx context.Context) error { return r.table.AddRealServer(ctx, web, realServer(3, 1)) })
		r.hand(func(ctx context.Context) error { return r.table.DeleteService(ctx, key("udp/192.0.2.10:53")) })
		r.hand(func(ctx context.Context) error {
			return r.table.EditService(ctx, dataplane.Service{Key: web, Scheduler: "rr"})
		})
		r.hand(func(ctx context.Context) error {
			return r.table.SetTimeouts(ctx, dataplane.Timeouts{TCP: 2 * time.Minute})
		})
		r.hand(func(ctx context.Context) error { return r.table.StopDaemon(ctx, dataplane.Backup) })
		r.log.Reset()
		all := []string{
			"backup sync daemon is absent, want present",
			"tcp of timeouts is 120s, want 60s",
			"service udp/192.0.2.10:53 is absent, want present",
			"scheduler of service tcp/192.0.2.10:80 is rr, want wlc",
			"weight of real server 10.0.0.1:80 of tcp/192.0.2.10:80 is 0, want 1",
			"real server 10.0.0.2:80 of tcp/192.0.2.10:80 is absent, want present",
			"real server 10.0.0.3:80 of tcp/192.0.2.10:80 is present, want absent",
		}
		for range 3 {
			if err := r.tick(); err != nil {
				t.Error(err)
			}
			r.drift(all...)
			time.Sleep(10 * time.Second)
		}
		r.calls()
		if since := r.a.Status().Drift[0].Since.Sub(began); since != 7*time.Second {
			t.Errorf("drift is since %v, want when it was first seen, after 7s", since)
		}
		if n := strings.Count(r.log.String(), "drift: "); n != len(all) {
			t.Errorf("%d log lines of drift, want one for each of %d", n, len(all))
		}
		// A reload for another matter does not override what was done by hand.
		spec.Services[0].Reals[0].UpperThreshold = 50
		r.apply(spec)
		r.calls("edit real server 10.0.0.1:80 of tcp/192.0.2.10:80")
		r.drift(all...)
		if s := read(t, r.table).Service(web).Real(rip("10.0.0.1:80")); s.Weight != 0 || s.UpperThreshold != 50 {
			t.Errorf("weight is %d and upper threshold %d, want 0 as by hand and 50", s.Weight, s.UpperThreshold)
		}
		spec.Enforce = true
		r.apply(spec)
		r.drift()
		want(t, "changes left", texts(Diff(spec, read(t, r.table), Owned{})))
		if n := r.a.Status().Counts.PutBack; n != uint64(len(all)) {
			t.Errorf("%d put back, want %d", n, len(all))
		}
	})
}

func TestEnforcePutsBackAtTheNextTick(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.apply(&Spec{Services: []Service{service(web, realServer(1, 1))}, Enforce: true})
		r.table.Calls()
		r.handReal(realServer(1, 0))
		stale := read(t, r.table)
		time.Sleep(time.Second)
		if err := r.tick(); err != nil {
			t.Error(err)
		}
		r.calls("edit real server 10.0.0.1:80 of tcp/192.0.2.10:80")
		r.drift()
		// A reading from before the change does not bring the drift back.
		if err := r.a.Record(t.Context(), stale); err != nil {
			t.Error(err)
		}
		r.calls()
		r.drift()
		r.hand(func(ctx context.Context) error { return r.table.DeleteService(ctx, web) })
		if err := r.tick(); err != nil {
			t.Error(err)
		}
		r.calls("add service tcp/192.0.2.10:80", "add real server 10.0.0.1:80 of tcp/192.0.2.10:80")
	})
}

func TestPartialSnapshotsSayNothing(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.apply(&Spec{Services: []Service{service(web)}})
		time.Sleep(time.Second)
		if err := r.a.Record(t.Context(), &dataplane.Snapshot{Time: time.Now(), Partial: true}); err != nil {
			t.Error(err)
		}
		r.drift()
	})
}

func TestTableThatBeganAnewIsFilledAgain(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.apply(&Spec{Services: []Service{service(web)}, Timeouts: dataplane.Timeouts{TCP: time.Minute}})
		r.table.Calls()
		r.table.Reload()
		time.Sleep(time.Second)
		if err := r.tick(); err != nil {
			t.Error(err)
		}
		r.calls("set timeouts", "add service tcp/192.0.2.10:80")
		r.drift()
	})
}

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

func TestFailedStepIsRetriedWithBackoffAndTheRestGoesOn(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		var refuse atomic.Bool
		refuse.Store(true)
		r.table.Before = func(call string) error {
			if refuse.Load() && call == "add real server 10.0.0.1:80 of tcp/192.0.2.10:80" {
				return errors.New("no memory")
			}
			return nil
		}
		began := time.Now()
		err := r.a.Apply(t.Context(), &Spec{Services: []Service{service(web, realServer(1, 1), realServer(2, 1)), service(key("fwm4/7"))}})
		if err == nil || !strings.Contains(err.Error(), "add real server 10.0.0.1:80 of tcp/192.0.2.10:80") || !strings.Contains(err.Error(), "no memory") {
			t.Errorf("error is %v, want the step and its reason", err)
		}
		r.calls("add service tcp/192.0.2.10:80", "add real server 10.0.0.1:80 of tcp/192.0.2.10:80", "add real server 10.0.0.2:80 of tcp/192.0.2.10:80", "add service fwm4/7")
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = r.a.Run(ctx) })
		defer wg.Wait()
		defer cancel()
		tried := 0
		var at []time.Duration
		for range 200 {
			synctest.Wait()
			if n := len(r.table.Calls()); n > 0 {
				tried++
				at = append(at, time.Since(began))
			}
			// The sampler's ticks do not try again any sooner.
			if err := r.tick(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if tried < 6 || tried > 9 || at[0] != time.Second || at[1] != 3*time.Second || at[2] != 7*time.Second {
			t.Errorf("tried again %d times in 200s, at %v; want after 1s, 3s, 7s and so on to every minute", tried, at)
		}
		f := r.a.Status().Failures
		if len(f) != 1 || f[0].Attempts != tried+1 || !f[0].Since.Equal(began) {
			t.Errorf("failures are %+v, want one of %d attempts since %v", f, tried+1, began)
		}
		r.drift() // what was never applied is not somebody else's doing
		refuse.Store(false)
		time.Sleep(lastRetry)
		synctest.Wait()
		r.calls("add real server 10.0.0.1:80 of tcp/192.0.2.10:80")
		if f := r.a.Status().Failures; len(f) != 0 {
			t.Errorf("failures are %+v, want none", f)
		}
		if log := r.log.String(); strings.Count(log, "failed: ") != 1 || !strings.Contains(log, "works again") {
			t.Errorf("the log tells of one failure not once, or not of its end:\n%s", log)
		}
	})
}

func TestRealServersWaitWithTheirService(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		refuse := true
		r.table.Before = func(call string) error {
			if refuse && call == "add service tcp/192.0.2.10:80" {
				return errors.New("no such scheduler")
			}
			return nil
		}
		if err := r.a.Apply(t.Context(), &Spec{Services: []Service{service(web, realServer(1, 1))}}); err == nil {
			t.Error("no error")
		}
		r.calls("add service tcp/192.0.2.10:80")
		if err := r.tick(); err != nil {
			t.Error(err)
		}
		r.calls()
		refuse = false
		time.Sleep(firstRetry)
		if err := r.tick(); err != nil {
			t.Error(err)
		}
		r.calls("add service tcp/192.0.2.10:80", "add real server 10.0.0.1:80 of tcp/192.0.2.10:80")
	})
}

func TestUnreadableTableIsTriedAgain(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = r.a.Run(ctx) })
		defer wg.Wait()
		defer cancel()
		r.table.Break(dataplane.ErrNotSupported)
		if err := r.a.Apply(t.Context(), &Spec{Services: []Service{service(web)}}); !errors.Is(err, dataplane.ErrNotSupported) {
			t.Errorf("error is %v, want %v", err, dataplane.ErrNotSupported)
		}
		time.Sleep(10 * time.Second)
		if f := r.a.Status().Failures; len(f) != 1 || f[0].Step != "read the table" {
			t.Errorf("failures are %+v, want the reading", f)
		}
		r.table.Break(nil)
		time.Sleep(10 * time.Second)
		r.calls("add service tcp/192.0.2.10:80")
	})
}

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

// Whatever configurations follow each other, whatever others do in between and
// whatever is refused for a while: with Enforce the table ends as wanted, and
// without it everything that is not as wanted is drift.
func TestTableEndsAsWantedOrIsDrift(t *testing.T) {
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) { randomLife(t, rand.New(rand.NewPCG(seed, 2)), seed) })
		if t.Failed() {
			return
		}
	}
}

func randomLife(t *testing.T, rnd *rand.Rand, seed uint64) {
	r := newRig(t, "")
	refusing := false
	r.table.Before = func(string) error {
		if refusing && rnd.IntN(4) == 0 {
			return errors.New("refused")
		}
		return nil
	}
	var spec *Spec
	for range 6 {
		spec = randomSpec(rnd)
		spec.Enforce = rnd.IntN(2) == 0
		if rnd.IntN(2) == 0 {
			for i := range spec.Services {
				spec.Services[i].Quiesce = Quiesce{Enabled: true, Limit: time.Minute}
			}
		}
		refusing = rnd.IntN(3) == 0
		_ = r.a.Apply(t.Context(), spec) // refusals are tried again
		refusing = false
		for range rnd.IntN(3) {
			time.Sleep(time.Second)
			// Somebody makes one or two changes of quite another configuration.
			changes := Diff(randomSpec(rnd), read(t, r.table), Owned{})
			for _, i := range rnd.Perm(len(changes))[:min(len(changes), 2)] {
				_ = changes[i].apply(t.Context(), r.table)
			}
			_ = r.tick()
		}
	}
	for range 5 {
		time.Sleep(2 * time.Minute) // beyond retries and limits
		if err := r.tick(); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	r.table.Calls()
	s := r.a.Status()
	if len(s.Failures) != 0 || len(s.Draining) != 0 {
		t.Errorf("seed %d: failures %+v and draining %+v, want none", seed, s.Failures, s.Draining)
	}
	left := differences(Diff(spec, read(t, r.table), r.a.base.owned()))
	if spec.Enforce && len(left) > 0 {
		t.Errorf("seed %d: enforced, but %v", seed, left)
	}
	if over := without(left, s.Drift); len(over) > 0 {
		t.Errorf("seed %d: %v is no drift", seed, over)
	}
	if len(s.Drift) > len(left) {
		t.Errorf("seed %d: drift %v, but differences are %v", seed, s.Drift, left)
	}
	if err := r.tick(); err != nil || len(r.table.Calls()) > 0 {
		t.Errorf("seed %d: a settled table is changed again (%v)", seed, err)
	}
}
