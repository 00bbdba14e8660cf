//go:build lab

package e2e

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lvs/internal/lab"
)

// setClock sets the guest's wall clock forward or back.
func setClock(t *testing.T, by time.Duration) {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME, &now); err != nil {
		t.Fatal(err)
	}
	now = unix.NsecToTimespec(now.Nano() + int64(by))
	if err := unix.ClockSettime(unix.CLOCK_REALTIME, &now); err != nil {
		t.Fatal(err)
	}
}

// A sighting is what a reader saw of one sample, and when by the steady clock.
type sighting struct {
	at      time.Time
	tick    time.Time
	packets uint64
	rate    *uint64
}

// watch looks for new samples until ctx ends, and counts them.
func (a *agent) watch(ctx context.Context, key string, samples *atomic.Int32) (seen []sighting) {
	for ; ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		doc := a.document()
		s := doc.service(key)
		if s == nil || len(seen) > 0 && seen[len(seen)-1].tick.Equal(doc.Tick) {
			continue
		}
		one := sighting{at: time.Now(), tick: doc.Tick, packets: s.Total["in_packets"]}
		if r, known := s.Rates["in_packets"]; known {
			one.rate = &r
		}
		seen = append(seen, one)
		samples.Add(1)
	}
	return seen
}

// TestLabFaultClockStepped sets the clock an hour forward and back, under steady
// traffic, and restarts the agent while its ticks are ahead of the clock.
func TestLabFaultClockStepped(t *testing.T) {
	smallTable(t)
	talk := udpService(t)
	a := unstarted(t, "--snmp.agentx=off")
	log := journal{a: a}
	a.begin()
	a.ready()
	log.want(started...)

	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	const pace = 50 // packets a second
	wg.Go(func() {
		for every := time.NewTicker(time.Second / 10); ctx.Err() == nil; <-every.C {
			talk(pace / 10)
		}
	})
	lab.Wait(t, "a rate of the traffic", func() bool {
		s := a.document().service(udpKey)
		return s != nil && s.Rates["in_packets"] > 0
	})
	var seen []sighting
	watching, enough := context.WithCancel(ctx)
	done := make(chan struct{})
	var samples atomic.Int32
	go func() { defer close(done); seen = a.watch(watching, udpKey, &samples) }()
	more := func(n int32) {
		t.Helper()
		n += samples.Load()
		lab.Wait(t, "more samples", func() bool { return samples.Load() >= n })
	}

	more(2)
	setClock(t, time.Hour)
	more(4)
	log.want("WARN the wall clock was set")
	setClock(t, -time.Hour)
	more(5)
	log.want("WARN the wall clock was set")
	enough()
	<-done
	if v := a.metrics("?scope=agent").sample("lvs_agent_clock_steps_total"); v != 2 {
		t.Errorf("%v steps of the clock counted, want 2", v)
	}
	checkSightings(t, seen, pace)
	a.terminate()
	log.want("INFO stopping")

	a.begin()
	a.ready()
	log.want(started...)
	watching, enough = context.WithCancel(ctx)
	done = make(chan struct{})
	var again []sighting
	go func() { defer close(done); again = a.watch(watching, udpKey, &samples) }()
	more(4)
	enough()
	<-done
	checkSightings(t, again, pace)
	if before, after := seen[len(seen)-1], again[0]; !after.tick.After(before.tick) || after.packets < before.packets {
		t.Errorf("after a restart: tick %v of %d packets after %v of %d", after.tick, after.packets, before.tick, before.packets)
	}
	a.terminate()
	stored := a.ticks(udpKey)
	for i, tick := range stored {
		if i > 0 && !tick.After(stored[i-1]) {
			t.Errorf("the history has tick %v after %v", tick, stored[i-1])
		}
	}
	for _, s := range append(seen, again...) {
		if !slices.Contains(stored, s.tick) {
			t.Errorf("the history lacks tick %v, which was served", s.tick)
		}
	}
	t.Logf("%d samples seen, %d stored", len(seen)+len(again), len(stored))
}

// checkSightings holds the order of ticks and totals, the time between samples
// and the rates.
func checkSightings(t *testing.T, seen []sighting, pace uint64) {
	t.Helper()
	if len(seen) < 3 {
		t.Fatalf("%d samples were seen", len(seen))
	}
	for i, s := range seen {
		// The kernel counts every two seconds, so that a rate over one is 0 or twice
		// what it should be, and more where a busy machine counted late.
		if s.rate != nil && *s.rate > 10*pace {
			t.Errorf("tick %v: %d packets a second, want about %d", s.tick, *s.rate, pace)
		}
		if i == 0 {
			continue
		}
		before := seen[i-1]
		if !s.tick.After(before.tick) || s.packets < before.packets {
			t.Errorf("tick %v of %d packets came after %v of %d", s.tick, s.packets, before.tick, before.packets)
		}
		if gap := s.at.Sub(before.at); gap > 30*time.Second {
			t.Errorf("tick %v came %v after %v", s.tick, gap, before.tick)
		}
	}
}
