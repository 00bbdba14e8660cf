package agent

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dashboards/web"
)

// Pages that show every real server ask for those of the services in sight.
func TestRowsAreServed(t *testing.T) {
	_, mux := testPage(t, everyKind())
	w := askMux(t, mux, "/api/v1/rows?key=tcp/192.0.2.10:443&key=tcp%2F192.0.2.99%3A80")
	var e web.Event
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != 200 || !e.Tick.Equal(epoch) {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if got := e.Rows["tcp/192.0.2.10:443,10.0.0.1:443"]; got.State != "overloaded" || len(got.Cells) != 14 {
		t.Errorf("rows %+v", e.Rows)
	}
	for path, want := range map[string]string{
		"/api/v1/rows?key=web":  `{"error":`,
		"/api/v1/rows?keys=web": "there is key",
		"/api/v1/rows?%zz":      "invalid URL escape",
		"/api/v1/rows?" + strings.Repeat("key=fwm4/1&", maxRowKeys+1): fmt.Sprintf("there may be %d", maxRowKeys),
	} {
		if w := askMux(t, mux, path); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%.40s: %d %s", path, w.Code, w.Body)
		}
	}
	_, mux = testPage(t, nil)
	if w := askMux(t, mux, "/api/v1/rows"); w.Code != 503 {
		t.Errorf("without a sample: %d", w.Code)
	}
}

// The tables of the latest two samples are known by their ticks.
func TestTablesOfLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made pages
		if made.ofTick(epoch) != nil {
			t.Error("there is a table before the first")
		}
		var all []*web.Table
		for i := range 3 {
			snap := later(i)
			all = append(all, made.of(snap, func() *web.Table { return plainTable(t.Context(), snap) }))
			time.Sleep(tablesKept - time.Second)
		}
		for i, want := range []*web.Table{nil, all[1], all[2]} {
			if got := made.ofTick(later(i).Tick); got != want {
				t.Errorf("table %d: %p, want %p", i, got, want)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if made.ofTick(later(2).Tick) != nil || made.snap != nil {
			t.Error("tables are kept though nobody looks")
		}
	})
}
