package agentxbench

import (
	"testing"
	"time"
)

func TestResultText(t *testing.T) {
	r := Result{Variables: 16000, Ours: Cost{CPU: 120 * time.Millisecond, Wall: 300 * time.Millisecond}, Peer: Cost{CPU: 200 * time.Millisecond, Wall: 400 * time.Millisecond}}
	const want = "16000 variables: ours 7.50 µs CPU each, walk 300ms; Net-SNMP's 12.50 µs, 400ms: ratios 0.60, 0.75"
	if got := r.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFirstDifference(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"1\n2\n", "1\n3\n", `line 2: "2", "3"`},
		{"1\n2\n", "1\n2\n3\n", `line 3: "", "3"`},
		{"1", "1\n2", "1 and 2 lines"},
	} {
		if got := firstDifference(c.a, c.b); got != c.want {
			t.Errorf("firstDifference(%q, %q) = %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

func TestBoxResultText(t *testing.T) {
	r := BoxResult{Variables: 80000}
	r.V2c.Ours, r.V2c.Peer = Cost{16 * time.Millisecond, 500 * time.Millisecond}, Cost{160 * time.Millisecond, time.Second}
	r.V3.Ours, r.V3.Peer = Cost{40 * time.Millisecond, time.Second}, Cost{80 * time.Millisecond, 2 * time.Second}
	const want = "v2c, 80000 variables: ours 0.20 µs CPU each, walk 100ms; snmpd's 2.00 µs, 200ms: ratios 0.10, 0.50\n" +
		"v3, 80000 variables: ours 0.50 µs CPU each, walk 200ms; snmpd's 1.00 µs, 400ms: ratios 0.50, 0.50"
	if got := r.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
