package director

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"
)

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

func TestRefusedTimeoutsAndDaemonsAreTriedAgain(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		daemon := func(id uint32) []dataplane.SyncDaemon {
			return []dataplane.SyncDaemon{{Role: dataplane.Master, Interface: "lo", SyncID: id}}
		}
		r.apply(&Spec{Daemons: daemon(1)})
		r.table.Calls()
		refuse := true
		r.table.Before = func(string) error {
			if refuse {
				return errors.New("refused")
			}
			return nil
		}
		spec := &Spec{Daemons: daemon(2), Timeouts: dataplane.Timeouts{UDP: time.Minute}}
		if err := r.a.Apply(t.Context(), spec); err == nil {
			t.Error("no error")
		}
		r.calls("set timeouts", "stop master sync daemon") // and none beside it
		refuse = false
		time.Sleep(firstRetry)
		if err := r.tick(); err != nil {
			t.Error(err)
		}
		r.calls("set timeouts", "stop master sync daemon", "start master sync daemon")
		want(t, "changes left", texts(Diff(spec, read(t, r.table), Owned{})))
	})
}

func TestWhatIsGoneAlreadyIsRemoved(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.apply(&Spec{Services: []Service{service(web, realServer(1, 1))}})
		r.table.Before = func(call string) error {
			if strings.HasPrefix(call, "delete") {
				return fs.ErrNotExist // somebody was faster
			}
			return nil
		}
		r.apply(&Spec{Services: []Service{service(web)}})
		r.apply(&Spec{})
		if f := r.a.Status().Failures; len(f) != 0 {
			t.Errorf("failures are %+v, want none", f)
		}
	})
}
