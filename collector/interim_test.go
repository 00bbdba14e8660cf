package collector

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"
)

// scripted is a source of one service that has those counts one after the other,
// and then the last; a count of -1 is a table without it.
func scripted(counts ...int64) sourceFunc {
	return func(context.Context) (*dataplane.Snapshot, error) {
		n := counts[0]
		if len(counts) > 1 {
			counts = counts[1:]
		}
		if n < 0 {
			return &dataplane.Snapshot{Time: time.Now()}, nil
		}
		s := table(0, 1, 1)
		s.Time = time.Now()
		s.Services[0].Kernel, s.Services[0].Reals[0].Kernel = scale(uint64(n)), scale(uint64(n))
		return s, nil
	}
}

// TestTotalsServedBeforeTheAccountsAreReadGoOn has the store unreadable for a
// while in which counters are cleared. What was served until then must not fall
// when the accounts are known, and each clearing counts once.
func TestTotalsServedBeforeTheAccountsAreReadGoOn(t *testing.T) {
	for _, tt := range []struct {
		name   string
		counts []int64
		served uint64
		after  uint64
		resets dataplane.ResetCounts
	}{
		{"nothing happens", []int64{150, 160, 170, 180}, 170, 180, dataplane.ResetCounts{}},
		{"zeroed before it was started", []int64{30, 40, 50, 60}, 50, 160, dataplane.ResetCounts{dataplane.Zeroed: 1}},
		{"zeroed meanwhile", []int64{900, 950, 7, 8}, 957, 958, dataplane.ResetCounts{dataplane.Zeroed: 1}},
		{"zeroed at once and again", []int64{30, 40, 7, 8}, 47, 148, dataplane.ResetCounts{dataplane.Zeroed: 2}},
		{"zeroed meanwhile and grown past what it was", []int64{950, 7, 2000, 2001}, 2950, 2951, dataplane.ResetCounts{dataplane.Zeroed: 1}},
		{"made anew meanwhile", []int64{900, -1, 7, 8}, 907, 908, dataplane.ResetCounts{dataplane.Recreated: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBook()
				stop := start(t, mustNew(t, Config{Source: scripted(100), Ledger: b}))
				time.Sleep(5 * time.Second)
				stop()
				time.Sleep(10 * time.Second)
				b.noMemory = errors.New("damaged")
				s := mustNew(t, Config{Source: scripted(tt.counts...), Ledger: b})
				stop = start(t, s)
				time.Sleep(22 * time.Second)
				if got := s.Latest().Services[0].Total; got != scale(tt.served) {
					t.Errorf("total %v before the accounts are read, want %d", got, tt.served)
				}
				b.set(func() { b.noMemory = nil })
				time.Sleep(10 * time.Second)
				stop()
				got := s.Latest().Services[0]
				if got.Total != scale(tt.after) || got.Resets != tt.resets || got.Number != 1 || got.Reals[0].Total != got.Total {
					t.Errorf("%+v after, want %d and %v", got.Account, tt.after, tt.resets)
				}
				if st := s.Stats(); st.ServiceResets != tt.resets {
					t.Errorf("%v resets of services, want %v", st.ServiceResets, tt.resets)
				}
			})
		})
	}
}

// TestAnInterimIsBounded keeps the first sample and those before and after each
// thing that happens, until there are too many.
func TestAnInterimIsBounded(t *testing.T) {
	var i interim
	for n := range int64(20) {
		i.keep(&dataplane.Snapshot{Time: epoch0.Add(time.Duration(n) * time.Second), Partial: n == 4}, n%3 == 0)
	}
	var kept []int64
	for _, s := range i.samples {
		kept = append(kept, int64(s.Time.Sub(epoch0)/time.Second))
	}
	want := []int64{0, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 19}
	if len(kept) != len(want) {
		t.Fatalf("kept %v, want %v", kept, want)
	}
	for n := range want {
		if kept[n] != want[n] {
			t.Errorf("kept %v, want %v", kept, want)
		}
	}
}
