package main

import (
	"math"
	"testing"
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
		{"a peer that took nothing", figure{ours: 1, limit: 0.5, peerName: "peer"}, false},
		{"nothing measured", figure{limit: 0.5, peerName: "peer"}, false},
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
