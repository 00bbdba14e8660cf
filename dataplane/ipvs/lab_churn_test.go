//go:build lab && linux

package ipvs

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lvs/dataplane"
)

const (
	churnServices = 60
	churnLong     = 200              // real servers of every tenth service, the others have 5
	churnTime     = 12 * time.Second // at least
)

// weightOf is the weight that a real server has in a service in this test, so that
// a value in the wrong row is seen.
func weightOf(k dataplane.ServiceKey, rip netip.AddrPort) uint32 {
	a, b := k.VIP.Addr().As4(), rip.Addr().As4()
	return uint32(a[2])<<20 | uint32(a[3])<<12 | uint32(b[2])<<8 | uint32(b[3])
}

func churnReals(i int) int {
	if i%10 == 0 {
		return churnLong
	}
	return 5
}

// Services and real servers come and go all the time, and each snapshot shows a
// true table: no row twice, nobody else's values, and what never changes there.
func TestLabNoWrongCellWhileTheTableMoves(t *testing.T) {
	c := labClient(t, Config{})
	for i := range churnServices {
		addChurn(t, c, testKey(i), churnReals(i))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	var changes atomic.Int32
	wg.Go(func() { churn(t, ctx, c, &changes) })
	snapshots, retries, unsure := 0, 0, 0
	enough := func() bool { return snapshots >= 20 && changes.Load() >= 200 && retries > 0 }
	for begin := time.Now(); ctx.Err() == nil && (time.Since(begin) < churnTime || !enough()); {
		s, err := c.Snapshot(context.Background())
		must(t, err)
		checkChurn(t, s)
		snapshots++
		retries += s.Retries
		unsure += s.Inconsistent
	}
	cancel()
	wg.Wait()
	t.Logf("%d snapshots during %d changes: %d readings again, %d unsure", snapshots, changes.Load(), retries, unsure)
	if !enough() {
		t.Error("too little happened for this test to tell anything")
	}
}

func addChurn(t *testing.T, c *Client, k dataplane.ServiceKey, reals int) {
	t.Helper()
	must(t, c.AddService(t.Context(), dataplane.Service{Key: k, Scheduler: "wlc"}))
	for j := range reals {
		r := dataplane.RealServer{RIP: testRIP(j), Weight: weightOf(k, testRIP(j))}
		must(t, c.AddRealServer(t.Context(), k, r))
	}
}

// churn changes the table a hundred times a second, all but services 0 to 59 and
// the real servers they began with.
func churn(t *testing.T, ctx context.Context, c *Client, changes *atomic.Int32) {
	rnd := rand.New(rand.NewPCG(1, 2))
	services := make(map[int]bool)
	reals := make(map[[2]int]bool)
	for tick := time.NewTicker(10 * time.Millisecond); ; changes.Add(1) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var err error
		if rnd.IntN(2) == 0 {
			i := churnServices + rnd.IntN(20)
			if services[i] {
				err = c.DeleteService(t.Context(), testKey(i))
			} else if err = c.AddService(t.Context(), dataplane.Service{Key: testKey(i), Scheduler: "wlc"}); err == nil {
				err = c.AddRealServer(t.Context(), testKey(i), dataplane.RealServer{RIP: testRIP(1), Weight: weightOf(testKey(i), testRIP(1))})
			}
			services[i] = !services[i]
		} else {
			i, j := rnd.IntN(churnServices/10)*10, churnLong+rnd.IntN(40)
			r := dataplane.RealServer{RIP: testRIP(j), Weight: weightOf(testKey(i), testRIP(j))}
			if at := [2]int{i, j}; reals[at] {
				err = c.DeleteRealServer(t.Context(), testKey(i), r)
				delete(reals, at)
			} else {
				err = c.AddRealServer(t.Context(), testKey(i), r)
				reals[at] = true
			}
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}

func checkChurn(t *testing.T, s *dataplane.Snapshot) {
	t.Helper()
	services := make(map[dataplane.ServiceKey]int)
	for i := range s.Services {
		svc := &s.Services[i]
		if _, twice := services[svc.Key]; twice {
			t.Errorf("%v is there twice", svc.Key)
		}
		seen := make(map[netip.AddrPort]bool)
		for _, r := range svc.Reals {
			if seen[r.RIP] {
				t.Errorf("%v of %v is there twice", r.RIP, svc.Key)
			}
			seen[r.RIP] = true
			if r.Weight != weightOf(svc.Key, r.RIP) || r.Kernel != (dataplane.Counters{}) || r.Active != 0 {
				t.Errorf("%v of %v has values that are not its own: %+v", r.RIP, svc.Key, r)
			}
		}
		services[svc.Key] = 0
		for j := 0; seen[testRIP(j)]; j++ {
			services[svc.Key]++
		}
	}
	for i := range churnServices {
		if got := services[testKey(i)]; got < churnReals(i) && s.Inconsistent == 0 {
			t.Errorf("%v: only the first %d of %d real servers are there, in a snapshot that is sure of itself", testKey(i), got, churnReals(i))
		}
	}
}
