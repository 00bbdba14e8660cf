package collector

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"
)

// A recycling source spoils every snapshot that it is given back, and counts them.
type recycling struct {
	src  *dataplane.Snapshot
	lent *dataplane.Snapshot
	back int
}

func (r *recycling) Snapshot(context.Context) (*dataplane.Snapshot, error) {
	s := *r.src
	s.Time = time.Now()
	s.Services = make([]dataplane.ServiceState, len(r.src.Services))
	for i := range s.Services {
		s.Services[i] = r.src.Services[i]
		s.Services[i].Reals = append([]dataplane.RealState(nil), r.src.Services[i].Reals...)
	}
	r.lent = &s
	return &s, nil
}

func (r *recycling) Recycle(s *dataplane.Snapshot) {
	if s != r.lent {
		return
	}
	r.back++
	for i := range s.Services {
		clear(s.Services[i].Reals)
	}
	clear(s.Services)
}

// TestASnapshotIsGivenBackWhenNobodyNeedsIt looks at samples whose source has
// overwritten what they were made from.
func TestASnapshotIsGivenBackWhenNobodyNeedsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &recycling{src: table(0, 3, 1, 2)}
		s := mustNew(t, Config{Source: src})
		stop := start(t, s)
		time.Sleep(35 * time.Second)
		stop()
		if n := s.Stats().Samples; uint64(src.back) != n || n < 4 {
			t.Errorf("%d of %d snapshots were given back", src.back, n)
		}
		got := s.Latest()
		if len(got.Services) != 2 {
			t.Fatalf("%d services, want 2", len(got.Services))
		}
		for i := range got.Services {
			want := &src.src.Services[i]
			if got.Services[i].Key != want.Key || len(got.Services[i].Reals) != 3 {
				t.Fatalf("service %v with %d real servers, want %v", got.Services[i].Key, len(got.Services[i].Reals), want.Key)
			}
			for j, r := range got.Services[i].Reals {
				if r.Kernel != want.Reals[j].Kernel || r.RealServer != want.Reals[j].RealServer {
					t.Errorf("real server %v is %+v, want %+v", r.RIP, r, want.Reals[j])
				}
			}
		}
	})
}

// TestSnapshotsOfAnotherSamplerAreNotGivenBack: their rows are handed on.
func TestSnapshotsOfAnotherSamplerAreNotGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &recycling{src: table(0, 3, 1, 2)}
		stop := start(t, mustNew(t, Config{Source: src, Completed: true}))
		time.Sleep(35 * time.Second)
		stop()
		if src.back != 0 {
			t.Errorf("%d snapshots were given back", src.back)
		}
	})
}
