package web

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
)

// Shares are what the scheduler takes weights for, and as exact as there are
// connections.
func TestShares(t *testing.T) {
	const partial = true
	for _, c := range []struct {
		scheduler string
		weights   [2]uint32
		recent    [2]uint64
		partial   bool
		want      [4]string // expected and actual of both
		draw      string    // of the first
	}{
		{"wlc", [2]uint32{9, 1}, [2]uint64{505, 495}, false, [4]string{"90.0 %", "50.5 %", "10.0 %", "49.5 %"}, "M0 0h51v10h-51z;M90 0v10"},
		{"rr", [2]uint32{9, 1}, [2]uint64{505, 495}, false, [4]string{"50.0 %", "50.5 %", "50.0 %", "49.5 %"}, "M0 0h51v10h-51z;M50 0v10"},
		{"lc", [2]uint32{0, 7}, [2]uint64{0, 20}, false, [4]string{"0.0 %", "0 %", "100.0 %", "100 %"}, ";M1 0v10"},
		{"wlc", [2]uint32{1, 1}, [2]uint64{6, 4}, false, [4]string{"50.0 %", "60 %", "50.0 %", "40 %"}, "M0 0h60v10h-60z;M50 0v10"},
		{"wlc", [2]uint32{1, 1}, [2]uint64{1, 0}, false, [4]string{"50.0 %", "–", "50.0 %", "–"}, ";M50 0v10"},
		{"wlc", [2]uint32{1, 1}, [2]uint64{600, 400}, partial, [4]string{"50.0 %", "–", "50.0 %", "–"}, ";M50 0v10"},
		{"wlc", [2]uint32{0, 0}, [2]uint64{0, 0}, false, [4]string{"–", "–", "–", "–"}, ";"},
	} {
		s := director()
		s.Partial = c.partial
		v := &s.Services[0]
		v.Scheduler, v.Reals = c.scheduler, v.Reals[:2]
		for i := range v.Reals {
			v.Reals[i].Weight, v.Reals[i].Recent = c.weights[i], c.recent[i]
		}
		reals := NewTable(s, nil, Agent{}).Groups[0].Reals
		first, second := reals[0].Cells(), reals[1].Cells()
		got := [4]string{first[Expected].Text, first[Actual].Text, second[Expected].Text, second[Actual].Text}
		if diff := cmp.Diff(c.want, got); diff != "" || first[Actual].Draw != c.draw {
			t.Errorf("%s %v %v: drawn %q, shares (-want +got)\n%s", c.scheduler, c.weights, c.recent, first[Actual].Draw, diff)
		}
	}
}

// The upper threshold counts inactive connections as well.
func TestThresholdIsOfAllConnections(t *testing.T) {
	c := limited(&dataplane.RealState{RealServer: dataplane.RealServer{UpperThreshold: 100}, Active: 3, Inactive: 97})
	if want := (Cell{Text: "3", Soft: "/ 100", Title: "3 active and 97 inactive, no new ones from 100 together"}); c != want {
		t.Errorf("%+v, want %+v", c, want)
	}
}

func BenchmarkTableOfManyRemoved(b *testing.B) {
	s := fleet(1, 250)
	for i := range 10_000 {
		e := dataplane.Removed{Key: s.Services[0].Key}
		e.RIP = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 99, byte(i >> 8), byte(i)}), 443)
		s.Removed = append(s.Removed, e)
	}
	for b.Loop() {
		NewTable(s, nil, Agent{})
	}
}
