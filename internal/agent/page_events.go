package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"lvs/dashboards/web"
	"lvs/dataplane"
)

// The bounds of /api/v1/events.
const (
	// maxListeners is how many pages are told of changes at once, and maxOfClient how
	// many of one client: nobody is to take all.
	maxListeners = 64
	maxOfClient  = 16
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
	recent func(tick time.Time) *web.Table                       // that a page may have been made of; nil is none

	mu        sync.Mutex
	closed    bool
	listeners map[chan []byte]netip.Prefix // whose each is, see clientOf
	last      *web.Table                   // what listeners know; nil while there are none
	change    []byte                       // the event that leads from the tick from to last; nil if none does
	from      time.Time
}

func newEventHub(latest func() *dataplane.Snapshot, table func(context.Context, *dataplane.Snapshot) *web.Table, recent func(time.Time) *web.Table) *eventHub {
	return &eventHub{latest: latest, table: table, recent: recent, listeners: map[chan []byte]netip.Prefix{}}
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
	text, err := h.advance(t)
	if err != nil {
		return err
	}
	for l := range h.listeners {
		select {
		case l <- text:
		default:
			h.drop(l)
		}
	}
	return nil
}

// advance makes t what listeners know, and returns the event that tells them;
// h.mu is held.
func (h *eventHub) advance(t *web.Table) ([]byte, error) {
	e := t.Since(h.last)
	e.Made = time.Now().UTC()
	text, err := event("change", e)
	if err == nil {
		h.from, h.last, h.change = h.last.Tick, t, text
	}
	return text, err
}

// event is an event as it is sent, by whose id who comes again says what it knows.
func event(name string, e *web.Event) ([]byte, error) {
	data, err := json.Marshal(e) // in one line
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "event: %s\nid: %s\ndata: %s\n\n", name, e.Tick.Format(time.RFC3339Nano), data), nil
}

// drop ends a listener; h.mu is held.
func (h *eventHub) drop(l chan []byte) {
	if _, there := h.listeners[l]; there {
		delete(h.listeners, l)
		close(l)
	}
	if len(h.listeners) == 0 {
		h.last, h.change = nil, nil
	}
}

var (
	errListeners = errors.New("as many pages as may be are listening, or the agent is stopping")
	errOfClient  = fmt.Errorf("%d pages of this address are listening, as many as may be", maxOfClient)
)

// room says why there is none for another listener of a client; h.mu is held.
func (h *eventHub) room(client netip.Prefix) error {
	if h.closed || len(h.listeners) >= maxListeners {
		return errListeners
	}
	n := 0
	for _, c := range h.listeners {
		if c == client {
			n++
		}
	}
	if client.IsValid() && n >= maxOfClient {
		return errOfClient
	}
	return nil
}

// join adds a listener of a client, who is first told which sample the next event
// begins from: the one of the tick since, where what happened from then on is still
// known.
func (h *eventHub) join(ctx context.Context, client netip.Prefix, since time.Time) (chan []byte, error) {
	var first, known *web.Table
	h.mu.Lock()
	err, begins := h.room(client), h.last == nil
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if snap := h.latest(); begins && snap != nil {
		first, known = h.table(ctx, snap), h.recent(since)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.room(client); err != nil {
		return nil, err
	}
	if h.last == nil {
		h.begin(first, known)
	}
	l := make(chan []byte, listenerRoom)
	h.listeners[l] = client
	if h.last.Tick.IsZero() {
		return l, nil
	}
	hello := &web.Event{Tick: h.last.Tick, Made: time.Now().UTC(), Summary: h.last.Summary(), Down: h.last.Down()}
	missed := h.change != nil && !h.from.IsZero() && since.Equal(h.from)
	if missed {
		hello.Tick = h.from
	}
	if text, err := event("hello", hello); err == nil {
		l <- text
	}
	if missed {
		l <- h.change
	}
	return l, nil
}

// begin is for the first listener: first is of the latest sample, nil without one,
// and known what its page shows, nil if that is not known. h.mu is held.
func (h *eventHub) begin(first, known *web.Table) {
	switch {
	case first == nil: // then everything is news in the first event
		h.last = web.NewTable(&dataplane.Snapshot{}, nil, web.Agent{})
	case known != nil && known.Tick.Before(first.Tick):
		h.last = known
		if _, err := h.advance(first); err == nil {
			return
		}
		fallthrough
	default:
		h.last = first
	}
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

// ServeHTTP is GET /api/v1/events, with since, the tick that the page shows.
func (h *eventHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l, err := h.join(r.Context(), clientOf(r), knows(r))
	if err != nil {
		w.Header().Set("Retry-After", "10")
		status := http.StatusServiceUnavailable
		if errors.Is(err, errOfClient) {
			status = http.StatusTooManyRequests
		}
		writeJSON(w, status, apiError{err.Error()})
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
