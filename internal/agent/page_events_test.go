package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dashboards/web"
	"lvs/dataplane"
)

// plainTable is a sample's table and nothing beside it.
func plainTable(_ context.Context, s *dataplane.Snapshot) *web.Table {
	return web.NewTable(s, nil, web.Agent{})
}

// later is everyKind ticks of ten seconds on, with one number changed.
func later(ticks int) *dataplane.Snapshot {
	s := everyKind()
	s.Tick = s.Tick.Add(time.Duration(ticks) * 10 * time.Second)
	s.Services[0].Reals[0].Inactive += uint32(ticks)
	return s
}

func TestEventsTellChangesOnly(t *testing.T) {
	h := newEventHub(everyKind, plainTable)
	if err := h.Record(t.Context(), later(1)); err != nil || h.last != nil {
		t.Errorf("without listeners something is kept: %v, %v", h.last, err)
	}
	l := h.join(t.Context())
	if got := string(<-l); !strings.HasPrefix(got, "event: hello\ndata: {\"tick\":\"2026-11-20T10:30:00Z\"") {
		t.Errorf("the first event is %q", got)
	}
	for _, s := range []*dataplane.Snapshot{everyKind(), later(1)} { // the first is known
		if err := h.Record(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	name, data, _ := strings.Cut(string(<-l), "\ndata: ")
	var e web.Event
	if err := json.Unmarshal([]byte(data), &e); err != nil || name != "event: change" || !strings.HasSuffix(data, "}\n\n") {
		t.Fatalf("event %q with %q: %v", name, data, err)
	}
	if len(e.Rows) != 2 || e.Rows["tcp/192.0.2.10:443,10.0.0.1:443"].Cells[web.Inactive].Text != "7" || len(e.Rows["tcp/192.0.2.10:443"].Cells) != 1 || e.Shape {
		t.Errorf("event %+v, want one cell of a real server and one of its service", e)
	}
	h.leave(l)
	if h.last != nil || len(h.listeners) != 0 {
		t.Error("the last listener left something behind")
	}
}

func TestSlowPagesAreDropped(t *testing.T) {
	h := newEventHub(everyKind, plainTable)
	slow, quick := h.join(t.Context()), h.join(t.Context())
	<-quick
	for i := 1; i <= listenerRoom; i++ {
		if err := h.Record(t.Context(), later(i)); err != nil {
			t.Fatal(err)
		}
		if _, open := <-quick; !open {
			t.Fatal("a page that keeps up was dropped")
		}
	}
	n := 0
	for range slow {
		n++
	}
	if n != listenerRoom || len(h.listeners) != 1 {
		t.Errorf("a page that reads nothing was sent %d events, %d pages listen; want %d and 1", n, len(h.listeners), listenerRoom)
	}
}

func TestListenersAreBounded(t *testing.T) {
	h := newEventHub(everyKind, plainTable)
	for range maxListeners {
		if h.join(t.Context()) == nil {
			t.Fatal("a page is refused too early")
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one page too many: %d %v", w.Code, w.Header())
	}
	h.close()
	if len(h.listeners) != 0 || h.join(t.Context()) != nil {
		t.Error("a hub that is closed has listeners")
	}
}

// A page hears something at least every fifteen seconds, and the handler ends
// with the hub.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEventHub(func() *dataplane.Snapshot { return nil }, plainTable)
		w := httptest.NewRecorder()
		var serving sync.WaitGroup
		serving.Go(func() { h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)) })
		time.Sleep(2*heartbeat + time.Second)
		synctest.Wait()
		h.close()
		serving.Wait()
		if got := w.Body.String(); got != "retry: 3000\n\n: here\n\n: here\n\n" {
			t.Errorf("in 31 s the page is sent %q", got)
		}
		if w.Header().Get("Content-Type") != "text/event-stream" {
			t.Errorf("headers %v", w.Header())
		}
	})
}

// An open page does not hold up the agent's stop.
func TestListenersDoNotHoldUpTheStop(t *testing.T) {
	url, _, end := running(t, "--store.path="+filepath.Join(t.TempDir(), "store"))
	resp, err := http.Get(url + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	if line, err := in.ReadString('\n'); err != nil || line != "retry: 3000\n" {
		t.Fatalf("the stream begins with %q, %v", line, err)
	}
	if err := end(); err != nil {
		t.Errorf("stopped with %v", err)
	}
	if rest, err := io.ReadAll(in); err != nil {
		t.Errorf("behind %q the stream is broken off, as requests are that were waited for too long: %v", rest, err)
	}
}
