package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"lvs/dashboards/web"
	"lvs/dataplane"
)

// The bounds of /api/v1/events.
const (
	// maxListeners is how many pages are told of changes at once.
	maxListeners = 64
	// listenerRoom is how many events a page may be behind before it is dropped; it
	// then comes again and asks for what it missed.
	listenerRoom = 4
	// heartbeat is how often a page is told that the agent is still there, which
	// also finds pages that are gone.
	heartbeat = 15 * time.Second
	// eventWait is how long writing an event may take.
	eventWait = 10 * time.Second
)

// An eventHub tells open pages what changed, by server-sent events: one per sample
// with only what is different, made once for all of them, and none while nobody
// listens. It is a sink of the sampler.
//
// Source: HTML Living Standard, section 9.2 (server-sent events).
type eventHub struct {
	latest func() *dataplane.Snapshot
	table  func(context.Context, *dataplane.Snapshot) *web.Table // as the page shows it

	mu        sync.Mutex
	closed    bool
	listeners map[chan []byte]bool
	last      *web.Table // what listeners know; nil while there are none
}

func newEventHub(latest func() *dataplane.Snapshot, table func(context.Context, *dataplane.Snapshot) *web.Table) *eventHub {
	return &eventHub{latest: latest, table: table, listeners: map[chan []byte]bool{}}
}

// Record tells everybody what s changed. A listener that is too far behind is
// dropped.
func (h *eventHub) Record(ctx context.Context, s *dataplane.Snapshot) error {
	h.mu.Lock()
	nobody := len(h.listeners) == 0
	h.mu.Unlock()
	if nobody {
		return nil
	}
	t := h.table(ctx, s)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil || !s.Tick.After(h.last.Tick) {
		return nil // the first listener was just told of this sample, or has gone
	}
	e := t.Since(h.last)
	e.Made = time.Now().UTC()
	text, err := event("change", e)
	if err != nil {
		return err
	}
	h.last = t
	for l := range h.listeners {
		select {
		case l <- text:
		default:
			h.drop(l)
		}
	}
	return nil
}

// event is an event as it is sent.
func event(name string, v any) ([]byte, error) {
	data, err := json.Marshal(v) // in one line
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "event: %s\ndata: %s\n\n", name, data), nil
}

// drop ends a listener; h.mu is held.
func (h *eventHub) drop(l chan []byte) {
	if h.listeners[l] {
		delete(h.listeners, l)
		close(l)
	}
	if len(h.listeners) == 0 {
		h.last = nil
	}
}

// join adds a listener, who is first told which sample the next event begins from.
// It returns nil where there are too many, or the agent stops.
func (h *eventHub) join(ctx context.Context) chan []byte {
	var first *web.Table
	h.mu.Lock()
	begins := h.last == nil && !h.closed
	h.mu.Unlock()
	if snap := h.latest(); begins && snap != nil {
		first = h.table(ctx, snap)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.listeners) >= maxListeners {
		return nil
	}
	if h.last == nil {
		// Without a sample everything is news in the first event.
		if h.last = first; first == nil {
			h.last = web.NewTable(&dataplane.Snapshot{}, nil, web.Agent{})
		}
	}
	l := make(chan []byte, listenerRoom)
	h.listeners[l] = true
	if !h.last.Tick.IsZero() {
		if text, err := event("hello", &web.Event{Tick: h.last.Tick, Made: time.Now().UTC(), Summary: h.last.Summary(), Down: h.last.Down()}); err == nil {
			l <- text
		}
	}
	return l
}

func (h *eventHub) leave(l chan []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(l)
}

// close ends all listeners, now and later, so that they do not hold up the stop.
func (h *eventHub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for l := range h.listeners {
		h.drop(l)
	}
}

// ServeHTTP is GET /api/v1/events.
func (h *eventHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l := h.join(r.Context())
	if l == nil {
		w.Header().Set("Retry-After", "10")
		writeJSON(w, http.StatusServiceUnavailable, apiError{"as many pages as may be are listening, or the agent is stopping"})
		return
	}
	defer h.leave(l)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // a proxy before the agent is not to wait for more
	out := http.NewResponseController(w)
	send := func(text []byte) bool {
		// An error means that w has no deadline, and the write tells the rest.
		_ = out.SetWriteDeadline(time.Now().Add(eventWait))
		if _, err := w.Write(text); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	ok := send([]byte("retry: 3000\n\n"))
	for ok {
		select {
		case <-r.Context().Done():
			return
		case text, open := <-l:
			ok = open && send(text)
		case <-beat.C:
			ok = send([]byte(": here\n\n"))
		}
	}
}
