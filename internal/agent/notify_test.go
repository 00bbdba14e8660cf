package agent

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lvs/collector"
	"lvs/dataplane"
)

// fallible is a source that fails, and from some time on does not return, as a
// system call may that the kernel holds up.
type fallible struct{ hangs chan struct{} }

func (f fallible) Snapshot(context.Context) (*dataplane.Snapshot, error) {
	select {
	case <-time.After(time.Millisecond):
		return nil, errors.New("not today")
	case <-f.hangs:
		<-time.After(time.Hour)
		return nil, errors.New("late")
	}
}

func TestTheWatchdogIsFedWhileTheSamplerGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := fallible{make(chan struct{})}
		s, err := collector.New(collector.Config{Interval: 10 * time.Second, Source: source})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { s.Run(ctx) })
		alive := keepsTime(s)
		for range 30 {
			time.Sleep(10 * time.Second)
			if !alive() {
				t.Fatal("not alive, though every tick is tried")
			}
		}
		close(source.hangs)
		time.Sleep(time.Minute)
		if !alive() {
			t.Error("not alive after a minute, which a reading may take")
		}
		time.Sleep(2 * time.Minute)
		if alive() {
			t.Error("alive, though the sampler hangs")
		}
		cancel()
		wg.Wait()
	})
}
