package agent

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"lvs/collector"
	"lvs/dataplane"
	"lvs/rrdstore"
)

func TestTroublesInWords(t *testing.T) {
	if got := troubles(&collector.Stats{Sinks: map[string]collector.SinkStats{"page": {Records: 3, Errors: 1}}}, false); got != nil {
		t.Errorf("an agent that is well has %q", got)
	}
	s := collector.Stats{
		Failing: true, Unnumbered: 2, Ledger: collector.LedgerStats{Behind: true},
		Sinks: map[string]collector.SinkStats{"snmp": {Failing: true}, "director": {Failing: true}, "page": {}},
	}
	want := []string{
		"the director cannot be read", "without privilege only /proc is read: no counters of services", "the history is behind",
		"director fails", "snmp fails", "there are more services or real servers than row numbers",
	}
	if got := troubles(&s, true); !slices.Equal(got, want) {
		t.Errorf("troubles %q, want %q", got, want)
	}
	s.Ledger.Failing = true
	if got := troubles(&s, false); got[1] != "the history cannot be written" || len(got) != 5 {
		t.Errorf("with a store that fails: %q", got)
	}
}

// What only the history knows is on its page as removed, with the real server that
// was asked for and no other.
func TestTheHistoryIsRemembered(t *testing.T) {
	h, store, _ := testHistorian(t)
	key := dataplane.MarkKey(dataplane.INET, 257)
	p, _ := testPage(t, everyKind())
	p.open = h.open
	snap := everyKind()
	snap.Removed = nil
	got := p.remember(t.Context(), snap, key, "")
	if len(snap.Removed) != 0 || len(got.Removed) != 1 || got.Removed[0].Key != key || got.Removed[0].LastSeen.IsZero() {
		t.Fatalf("remembered %+v", got.Removed)
	}
	at := time.Now().Truncate(time.Minute)
	_, err := store.ImportPoints(t.Context(), func(yield func(rrdstore.Point, error) bool) {
		for _, rip := range []string{"10.0.0.1:80", "10.0.0.2:80"} {
			point := rrdstore.Point{Time: at, Source: rrdstore.Source{Name: "in_bytes"}, Value: rrdstore.UintValue(1)}
			point.Key, point.RIP = key, netip.MustParseAddrPort(rip)
			if !yield(point, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	got = p.remember(t.Context(), snap, key, "10.0.0.2:80")
	if len(got.Removed) != 2 || got.Removed[1].RIP != netip.MustParseAddrPort("10.0.0.2:80") {
		t.Errorf("remembered %+v", got.Removed)
	}
}
