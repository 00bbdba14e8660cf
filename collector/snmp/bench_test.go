package snmp

import (
	"testing"
	"time"

	"lvs/mib"
)

// BenchmarkPoll reads a director of 200 real servers again and again; the agent's
// own time is in it.
func BenchmarkPoll(b *testing.B) {
	snap := director(20, 10)
	for _, module := range []Module{LVS, Director} {
		b.Run("module="+module.String(), func(b *testing.B) {
			p := poller(b, Config{Target: serve(b, mib.Build(snap, figures)).Addr(), Module: module, Timeout: 10 * time.Second})
			poll(b, p)
			b.ReportAllocs()
			for b.Loop() {
				poll(b, p)
			}
		})
	}
}
