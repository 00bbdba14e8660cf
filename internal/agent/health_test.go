package agent

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/dataplane"
	"lvs/internal/ledger"
)

// readings is a source that gives one after the other, then errors.
type readings []*dataplane.Snapshot

func (r *readings) Snapshot(context.Context) (*dataplane.Snapshot, error) {
	if len(*r) == 0 {
		return nil, errors.New("ip_vs is gone")
	}
	snap := *(*r)[0]
	*r = (*r)[1:]
	snap.Time = time.Now()
	return &snap, nil
}

func TestHealthFollowsTheReadings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		partial := &dataplane.Snapshot{Partial: true}
		zeroed := everyKind() // whose counters fell, with those of its real servers
		zeroed.Services[0].Kernel = dataplane.Counters{}
		zeroed.Services[0].Reals[0].Kernel = dataplane.Counters{}
		source := readings{everyKind(), zeroed, partial}
		s, err := collector.New(collector.Config{Interval: 10 * time.Second, Source: &source})
		if err != nil {
			t.Fatal(err)
		}
		a := &agent{flags: &flags{}, sampler: s}
		if h := a.health(); h.Up || h.Interval != 10*time.Second || h.Store != nil || h.AgentX != nil || h.Config != nil || h.Director != nil {
			t.Errorf("before the first reading: %+v", h)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { s.Run(ctx) })
		for i, want := range []struct {
			up, kernel bool
			errors     uint64
			resets     uint64
		}{
			{true, true, 0, 0},
			{true, true, 0, 1},
			{true, false, 0, 1},
			{false, false, 1, 1},
			{false, false, 2, 1},
		} {
			synctest.Wait()
			h := a.health()
			if h.Up != want.up || h.Components["kernel"] != want.kernel || h.SampleErrors["read"] != want.errors {
				t.Errorf("reading %d: up %v, components %v, errors %v; want %+v", i, h.Up, h.Components, h.SampleErrors, want)
			}
			for _, scope := range []prom.ResetScope{prom.ServiceResets, prom.RealResets} {
				if got := h.Resets[scope][dataplane.Zeroed]; got != want.resets {
					t.Errorf("reading %d: scope %d counts %d times zeroed, want %d: %v", i, scope, got, want.resets, h.Resets)
				}
			}
			time.Sleep(10 * time.Second)
		}
		cancel()
		wg.Wait()
	})
}

func TestHealthTellsTheStoresLimit(t *testing.T) {
	a := &agent{settings: &settings{maxSize: 1 << 30}, ledger: &ledger.Ledger{}}
	h := prom.Health{Components: map[string]bool{}}
	a.storeHealth(&h, collector.LedgerStats{Late: 2})
	if h.Store == nil || h.Store.Limit != 1<<30 || h.Store.LateCommits != 2 || !h.Components["store"] {
		t.Errorf("health of the store is %+v, components %v", h.Store, h.Components)
	}
}
