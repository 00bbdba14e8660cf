package director

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"
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
			return errors.Join(r.table.AddService(ctx, dataplane.Service{Key: other, Scheduler: "rr"}), r.table.AddRealServer(ctx, other, realServer(1, 1)))
		})
		quiet := Quiesce{Enabled: true}
		r.apply(&Spec{Services: []Service{service(web)}, Enforce: true, Quiesce: quiet})
		r.apply(&Spec{Enforce: true, Quiesce: quiet})
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
			Timeouts: dataplane.Timeouts{TCP: time.Minute, TCPFin: time.Minute, UDP: time.Minute},
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
			return r.table.SetTimeouts(ctx, dataplane.Timeouts{TCP: 2 * time.Minute, TCPFin: time.Second, UDP: time.Second})
		})
		r.hand(func(ctx context.Context) error { return r.table.StopDaemon(ctx, dataplane.Backup) })
		r.log.Reset()
		all := []string{
			"backup sync daemon is absent, want present",
			"tcp of timeouts is 120s, want 60s",
			"tcpfin of timeouts is 1s, want 60s",
			"udp of timeouts is 1s, want 60s",
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

func TestReadingFromBeforeAChangeSaysNothing(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig) {
		r.apply(&Spec{Services: []Service{service(web, realServer(1, 1))}})
		stale := read(t, r.table)
		time.Sleep(time.Second)
		r.apply(&Spec{Services: []Service{service(web, realServer(1, 5))}})
		if err := r.a.Record(t.Context(), stale); err != nil {
			t.Error(err)
		}
		r.drift()
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
