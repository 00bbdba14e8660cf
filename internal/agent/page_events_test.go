package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
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

// unknownTable is of no tick.
func unknownTable(time.Time) *web.Table { return nil }

// joined is a new listener whose client does not matter, and who knows nothing.
func joined(t *testing.T, h *eventHub) chan []byte {
	t.Helper()
	l, err := h.join(t.Context(), netip.Prefix{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// told is the next event: what it is called, and what it says.
func told(t *testing.T, l chan []byte) (name string, e web.Event) {
	t.Helper()
	select {
	case text := <-l:
		head, data, _ := strings.Cut(string(text), "\ndata: ")
		name, id, _ := strings.Cut(head, "\nid: ")
		if err := json.Unmarshal([]byte(data), &e); err != nil || !strings.HasSuffix(data, "}\n\n") || id != e.Tick.Format(time.RFC3339Nano) {
			t.Fatalf("event %q of id %q with %q: %v", name, id, data, err)
		}
		return strings.TrimPrefix(name, "event: "), e
	default:
		t.Fatal("nothing is told")
		return "", e
	}
}

// later is everyKind ticks of ten seconds on, with one number changed.
func later(ticks int) *dataplane.Snapshot {
	s := everyKind()
	s.Tick = s.Tick.Add(time.Duration(ticks) * 10 * time.Second)
	s.Services[0].Reals[0].Inactive += uint32(ticks)
	return s
}

func TestEventsTellChangesOnly(t *testing.T) {
	h := newEventHub(everyKind, plainTable, unknownTable)
	if err := h.Record(t.Context(), later(1)); err != nil || h.last != nil {
		t.Errorf("without listeners something is kept: %v, %v", h.last, err)
	}
	l := joined(t, h)
	if name, e := told(t, l); name != "hello" || !e.Tick.Equal(epoch) {
		t.Errorf("the first event is %s of %s", name, e.Tick)
	}
	for _, s := range []*dataplane.Snapshot{everyKind(), later(1)} { // the first is known
		if err := h.Record(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	name, e := told(t, l)
	if name != "change" || !e.Tick.Equal(later(1).Tick) {
		t.Errorf("the second event is %s of %s", name, e.Tick)
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
	h := newEventHub(everyKind, plainTable, unknownTable)
	slow, quick := joined(t, h), joined(t, h)
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
	h := newEventHub(everyKind, plainTable, unknownTable)
	for range maxListeners {
		joined(t, h)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/", nil))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("one page too many: %d %v", w.Code, w.Header())
	}
	h.close()
	if _, err := h.join(t.Context(), netip.Prefix{}, time.Time{}); err == nil || len(h.listeners) != 0 {
		t.Error("a hub that is closed has listeners")
	}
}

// No client takes what others are to have; one whose page closes may open another.
func TestListenersOfAClientAreBounded(t *testing.T) {
	h := newEventHub(everyKind, plainTable, unknownTable)
	greedy, other := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	var all []chan []byte
	for range maxOfClient {
		l, err := h.join(t.Context(), greedy, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
	r.RemoteAddr = "192.0.2.1:5555"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "of this address") {
		t.Errorf("one page of a client too many: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if _, err := h.join(t.Context(), other, time.Time{}); err != nil {
		t.Error(err)
	}
	h.leave(all[0])
	if _, err := h.join(t.Context(), greedy, time.Time{}); err != nil {
		t.Error(err)
	}
}

// A page that was made of the sample before is told what happened since, whether it
// is the first to listen or not; where that is not known it is told to ask.
func TestPagesAreToldWhatTheyMissed(t *testing.T) {
	shown, latest := later(1), later(2)
	h := newEventHub(func() *dataplane.Snapshot { return latest }, plainTable, func(tick time.Time) *web.Table {
		if tick.Equal(shown.Tick) {
			return plainTable(nil, shown)
		}
		return nil
	})
	for _, c := range []struct {
		since time.Time
		hello time.Time
		more  bool
	}{
		{shown.Tick, shown.Tick, true}, // the first
		{shown.Tick, shown.Tick, true},
		{latest.Tick, latest.Tick, false},
		{epoch, latest.Tick, false},
		{time.Time{}, latest.Tick, false},
	} {
		l, err := h.join(t.Context(), netip.Prefix{}, c.since)
		if err != nil {
			t.Fatal(err)
		}
		if name, e := told(t, l); name != "hello" || !e.Tick.Equal(c.hello) {
			t.Errorf("who knows %s is told %s of %s, want that of %s", c.since, name, e.Tick, c.hello)
		}
		if len(l) == 1 != c.more {
			t.Errorf("who knows %s is told %d more", c.since, len(l))
		}
		if !c.more {
			continue
		}
		if name, e := told(t, l); name != "change" || !e.Tick.Equal(latest.Tick) || len(e.Rows) != 2 {
			t.Errorf("who knows %s is told %s of %s with %v", c.since, name, e.Tick, e.Rows)
		}
	}
	latest = later(3)
	if err := h.Record(t.Context(), latest); err != nil {
		t.Fatal(err)
	}
	l, err := h.join(t.Context(), netip.Prefix{}, later(2).Tick)
	if err != nil || len(l) != 2 {
		t.Errorf("a sample later %d are told, %v", len(l), err)
	}
}

// Who came before there was a sample is told all of the first, and who knows none
// later is told to ask.
func TestTheFirstSampleIsNews(t *testing.T) {
	var latest *dataplane.Snapshot
	h := newEventHub(func() *dataplane.Snapshot { return latest }, plainTable, unknownTable)
	early := joined(t, h)
	latest = later(1)
	if err := h.Record(t.Context(), latest); err != nil {
		t.Fatal(err)
	}
	if name, e := told(t, early); name != "change" || !e.Shape {
		t.Errorf("the first is told %s with %+v", name, e)
	}
	late := joined(t, h)
	if name, e := told(t, late); name != "hello" || !e.Tick.Equal(latest.Tick) || len(late) != 0 {
		t.Errorf("who comes later is told %s of %s, and %d more", name, e.Tick, len(late))
	}
}

// A page hears something at least every fifteen seconds, and the handler ends
// with the hub.
func TestHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEventHub(func() *dataplane.Snapshot { return nil }, plainTable, unknownTable)
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
