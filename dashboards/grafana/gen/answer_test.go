package main

import (
	"net/http/httptest"
	"testing"
	"time"

	"lvs/collector/prom"
	"lvs/dataplane"
)

// A director that does not answer any more is still seen on a fleet's dashboard.
func TestDirectorWithoutAnswer(t *testing.T) {
	e, err := prom.New(prom.Options{Snapshot: newLive(dataplane.Masquerade).latest})
	if err != nil {
		t.Fatal(err)
	}
	gone := httptest.NewServer(e)
	t.Cleanup(gone.Close)
	p := startPrometheus(t, time.Second, map[string]string{"lvs": expose(t, newLive(dataplane.Masquerade)), "gone": gone.Listener.Addr().String()})
	known := catalogued(t)
	until := func(what, query string) {
		t.Helper()
		expr, _, err := known.expand(query, nil)
		if err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(4 * time.Minute); ; time.Sleep(200 * time.Millisecond) { // it goes by the clock
			n, err := p.series(expr, time.Now())
			if err != nil {
				t.Fatalf("%s: %v", expr, err)
			}
			if n == 1 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("waited in vain for %s: %s", what, expr)
			}
		}
	}
	down := fleetNumbers()[1].queries[0].expr
	until("two directors", "count("+directorUp+" == 1) == 2")
	until("none down", down+" == 0")
	gone.CloseClientConnections()
	gone.Close()
	until("one without an answer", directorUp+" == -1")
	until("one down", down+" == 1")
}
