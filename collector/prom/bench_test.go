package prom

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"testing"
	"time"
	"weak"

	"lvs/dataplane"
)

// large has n real servers, ten to a service, and no zero time.
func large(n int) *dataplane.Snapshot {
	now := time.Now()
	s := &dataplane.Snapshot{Time: now, Director: dataplane.Director{HasStats: true, Account: account(now, 1)}}
	for i := range n {
		if i%10 == 0 {
			vip := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i / 10 >> 8), byte(i / 10)}), 80)
			s.Services = append(s.Services, dataplane.ServiceState{Service: dataplane.Service{Key: dataplane.AddrKey(dataplane.TCP, vip)},
				Account: account(now, uint64(i))})
		}
		svc := &s.Services[len(s.Services)-1]
		r := real("198.51.100.1:80", dataplane.Masquerade, 1, uint32(i), 1)
		r.RIP = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)}), 8080)
		r.Account, r.LastChange = account(now, uint64(i)), now
		svc.Reals = append(svc.Reals, r)
	}
	return s
}

// discard is a response nobody reads.
type discard struct {
	io.Writer
	header http.Header
}

func (d discard) Header() http.Header { return d.header }
func (d discard) WriteHeader(int)     {}

func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		for _, encoding := range []string{"", "gzip"} {
			b.Run(fmt.Sprintf("reals=%d/encoding=%s", n, encoding), func(b *testing.B) {
				snap := large(n)
				e := exposition(b, Options{Snapshot: func() *dataplane.Snapshot { return snap }, Reals: RealsAlways})
				r := httptest.NewRequest("GET", "/metrics", nil)
				r.Header.Set("Accept-Encoding", encoding)
				b.ReportAllocs()
				for b.Loop() {
					e.ServeHTTP(discard{io.Discard, http.Header{}}, r)
				}
			})
		}
	}
}

// A scrape of many real servers must not need memory for all series at once.
func TestScrapeOfManyRealServersIsSmall(t *testing.T) {
	snap := large(10_000)
	e := exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return snap }, Reals: RealsAlways})
	r := httptest.NewRequest("GET", "/metrics", nil)
	scrape := func() uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		e.ServeHTTP(discard{io.Discard, http.Header{}}, r)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	if first := scrape(); first > 24<<20 {
		t.Errorf("the first scrape allocates %d bytes", first)
	}
	// Those after it work in the same memory, unless the collector took it.
	next := scrape()
	for range 5 {
		next = min(next, scrape())
	}
	if next > 2<<20 {
		t.Errorf("a later scrape allocates %d bytes", next)
	}
}

// Memory kept from scrape to scrape must not keep an old snapshot alive.
func TestScrapeDoesNotHoldItsSnapshot(t *testing.T) {
	snap := large(100)
	e := exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return snap }, NodeIPVS: true})
	get(t, e, "")
	old, service := weak.Make(snap), weak.Make(&snap.Services[0])
	snap = &dataplane.Snapshot{}
	runtime.GC()
	if old.Value() != nil || service.Value() != nil {
		t.Error("the old snapshot is still held after its scrape")
	}
}
