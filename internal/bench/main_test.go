package main

import (
	"math"
	"testing"
	"time"

	"lvs/internal/bench/rrdbench"
)

func TestFiguresAreHeldToTheirLimits(t *testing.T) {
	for _, c := range []struct {
		name string
		f    figure
		ok   bool
	}{
		{"at its limit", figure{ours: 200, limit: 200}, true},
		{"over its limit", figure{ours: 201, limit: 200}, false},
		{"none allowed", figure{ours: 0.1, limit: 0}, false},
		{"a share of the peer's", figure{ours: 5, peer: 10, limit: 0.5, peerName: "peer"}, true},
		{"more than the share", figure{ours: 6, peer: 10, limit: 0.5, peerName: "peer"}, false},
		{"an absolute limit beside a slow peer", figure{ours: 6, peer: 100, limit: 5, peerName: "peer", absolute: true}, false},
		{"an absolute limit beside a quick peer", figure{ours: 4, peer: 1, limit: 5, peerName: "peer", absolute: true}, true},
		{"a peer that took nothing", figure{ours: 1, limit: 0.5, peerName: "peer"}, false},
		{"nothing measured", figure{limit: 0.5, peerName: "peer"}, false},
		{"nothing measured, no peer", figure{limit: 1}, false},
		{"nothing, which is good", figure{limit: 1, none: true}, true},
		{"something, where nothing is good", figure{ours: 2, limit: 1, none: true}, false},
		{"no number", figure{ours: math.NaN(), limit: 1}, false},
	} {
		if got := c.f.ok(); got != c.ok {
			t.Errorf("%s: ok is %v", c.name, got)
		}
	}
}

func TestNumbersAreShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.0123456: "0.0123", 1.2345: "1.23", 99.96: "100", 123456: "123456", 2.5e9: "2500000000"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}

// go test prints columns of its own between those we read.
func TestBenchmarkLinesAreRead(t *testing.T) {
	const out = "goos: linux\nBenchmarkBuild/reals=10000-2 \t 100\t  12.5 ns/op\t 0.94 ms/handler\t  2048 B/op\t       3 allocs/op\nBenchmarkOther-2\t7\t 9 ns/op\nok\n"
	got := benchLine.FindAllStringSubmatch(out, -1)
	if len(got) != 2 || got[0][1] != "12.5" || got[0][2] != "2048" || got[0][3] != "3" || got[1][1] != "9" || got[1][3] != "" {
		t.Errorf("read %q", got)
	}
}

// Each of the history's figures has a limit that binds: it holds for one result,
// and for none that is empty or ten times as large.
func TestHistoryFiguresAreHeldToTheirLimits(t *testing.T) {
	good := historyResult{
		store: storeResult{used: used{CPU: time.Second, Written: 100_000, Anon: 50e6}, Ticks: 100, Entities: 11, Raw: 0.7},
		kept:  keptResult{Bytes: 1e6},
		tsdb:  tsdbResult{used: used{CPU: 4 * time.Second}, Ticks: 100, Samples: 100, Block: 170},
		rrd3:  7_500_000, rrd4: 10_000_000, rrdTick: 60 * time.Millisecond,
	}
	good.rrdReads = rrdbench.Reads{Fetch: time.Millisecond, PNG: time.Millisecond, SVG: time.Millisecond}
	reads := &good.store.Reads
	reads.OneDay, reads.AllHour, reads.PNG, reads.SVG = time.Millisecond/2, 100*time.Millisecond, 20*time.Millisecond, 5*time.Millisecond
	bad := good
	bad.store.CPU, bad.store.Written, bad.store.Anon, bad.store.Raw = 10*good.store.CPU, 10*good.store.Written, 10*good.store.Anon, 10*good.store.Raw
	bad.kept.Bytes = 10 * good.kept.Bytes
	for _, d := range []*time.Duration{&bad.store.Reads.OneDay, &bad.store.Reads.AllHour, &bad.store.Reads.PNG, &bad.store.Reads.SVG} {
		*d *= 10
	}
	for i, f := range good.figures() {
		if !f.ok() {
			t.Errorf("%s beside %q: %v, limit %v", f.name, f.peerName, f.measured(), f.limit)
		}
		if worse := bad.figures()[i]; worse.ok() {
			t.Errorf("%s beside %q: %v is within the limit %v", f.name, f.peerName, worse.measured(), worse.limit)
		}
	}
	for _, f := range new(historyResult).figures() {
		if f.ok() {
			t.Errorf("%s beside %q: nothing was measured, and that is good", f.name, f.peerName)
		}
	}
}
