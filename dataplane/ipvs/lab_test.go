//go:build lab

package ipvs

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"lvs/dataplane"
)

func TestLabSmoke(t *testing.T) {
	c, err := Dial(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := context.Background()
	for i := range 1000 {
		k := dataplane.AddrKey(dataplane.TCP, netip.MustParseAddrPort(fmt.Sprintf("10.3.%d.%d:80", i/250, i%250)))
		if err := c.AddService(ctx, dataplane.Service{Key: k, Scheduler: "wlc"}); err != nil {
			t.Fatal(err)
		}
		for j := range 10 {
			r := dataplane.RealServer{RIP: netip.MustParseAddrPort(fmt.Sprintf("10.2.0.%d:80", j+1)), Weight: 1}
			if err := c.AddRealServer(ctx, k, r); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 5 {
		var m1, m2 runtime.MemStats
		runtime.ReadMemStats(&m1)
		begin := time.Now()
		s, err := c.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&m2)
		t.Log(time.Since(begin), s.Director, len(s.Services), s.RealServers(), s.Retries, s.Inconsistent, m2.Mallocs-m1.Mallocs, m2.TotalAlloc-m1.TotalAlloc)
	}
	fmt.Println(c.AddService(ctx, dataplane.Service{Key: dataplane.MarkKey(4, 1), Scheduler: "nosuch"}))
	fmt.Println(c.DeleteService(ctx, dataplane.MarkKey(4, 1)))
}
