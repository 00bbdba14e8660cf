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

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"

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

// A scrape must not need memory for all series at once, nor more of it the next
// time.
func TestScrapeMemoryIsThatOfOneFamily(t *testing.T) {
	const n = 2560 // ten chunks
	snap := large(n)
	e := exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return snap }, Reals: RealsAlways, NodeIPVS: true})
	var mem scrapeMemory
	for i := range 3 {
		e.load(&mem, new(filter))
		director := mem.members[0]
		if err := e.writeIn(&mem, io.Discard, expfmt.NewFormat(expfmt.TypeTextPlain), new(filter)); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{
			"gauges": len(mem.cells.gauges.chunks), "counters": len(mem.cells.counters.chunks), "pairs of a family": len(mem.cells.pairs.chunks),
			"pairs": len(director.pairs.chunks), "stamps": len(director.stamps.chunks), "node_exporter's pairs": len(director.nodes.cells.pairs.chunks),
		}
		want := map[string]int{
			"gauges": n / 256, "counters": n / 256, "pairs of a family": 2 * n / 256,
			"pairs": (n + n/10) / 256, "stamps": (n+n/10)/256 + 1, "node_exporter's pairs": 6 * n / 256,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("chunks after scrape %d (-want +got):\n%s", i+1, diff)
		}
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
