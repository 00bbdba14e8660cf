package agent

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"
	"lvs/mib"
)

// slowSource takes some time for a reading, and stops early when it has to.
type slowSource struct{ takes time.Duration }

func (s *slowSource) Snapshot(ctx context.Context) (*dataplane.Snapshot, error) {
	select {
	case <-time.After(s.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	snap := &dataplane.Snapshot{Time: time.Now()}
	time.Sleep(time.Millisecond) // until the caller looks at it
	return snap, nil
}

func TestReadingsThatTakeTooLongAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, slow := newProbe(), &slowSource{takes: time.Minute}
		source := p.source(slow)
		read := func() (*dataplane.Snapshot, error) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return source.Snapshot(ctx)
		}

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := source.Snapshot(ctx); !errors.Is(err, context.Canceled) || p.watcher.Figures().Sequence != 0 {
			t.Errorf("%v, and %+v is told of an agent that stops", err, p.watcher.Figures())
		}

		if _, err := read(); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if f := p.complete(mib.Figures{}); f.Notify.Sequence != 1 || f.Dataplane != mib.Unavailable || f.DataplaneReason == "" {
			t.Errorf("%+v after a reading that took too long", f)
		}

		slow.takes = 0
		snap, err := read()
		if err != nil {
			t.Fatal(err)
		}
		// What is told of a snapshot is told with its time, and in this order.
		if f := p.complete(mib.Figures{}); f.Notify.Sequence != 2 || f.Dataplane != mib.Running || !f.Notify.Time.Equal(snap.Time) {
			t.Errorf("%+v after a reading at %v", f, snap.Time)
		}
	})
}

// A snapshot that waits for SNMP while the next reading fails does not say that
// the table can be read.
func TestALateSnapshotDoesNotMakeTheDataplaneAvailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, slow := newProbe(), &slowSource{}
		source := p.source(slow)
		read := func() (*dataplane.Snapshot, error) {
			time.Sleep(10 * time.Second)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return source.Snapshot(ctx)
		}
		want := func(when, message string, sequence uint32, state mib.DataplaneState) {
			t.Helper()
			f := p.complete(mib.Figures{Dataplane: mib.Running})
			if f.Notify.Sequence != sequence || !strings.Contains(f.Notify.Message, message) || f.Dataplane != state {
				t.Errorf("%s: %+v; want state %v and notification %d, %q", when, f, state, sequence, message)
			}
		}
		late, err := read()
		if err != nil {
			t.Fatal(err)
		}
		slow.takes = time.Minute
		if _, err := read(); err == nil {
			t.Fatal("a reading that takes a minute is done")
		}
		want("a reading fails", "cannot be read", 1, mib.Unavailable)
		if err := p.Record(t.Context(), late); err != nil {
			t.Fatal(err)
		}
		want("the one before is shown", "was started", 2, mib.Stale)
		if _, err := read(); err == nil {
			t.Fatal("a reading that takes a minute is done")
		}
		want("a reading fails again", "was started", 2, mib.Stale)
		slow.takes = 0
		if _, err := read(); err != nil {
			t.Fatal(err)
		}
		want("a reading is done", "can be read again", 3, mib.Running)
	})
}
