package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// The bounds of what is asked over HTTP: nothing there may hold up the sampler, nor
// take the memory that it needs.
const (
	// maxTables is how many answers of the whole table are made at once, and
	// maxTableBytes what they may come to while they wait for slow readers.
	maxTables     = 2
	maxTableBytes = 48 << 20
	// queryWait is how long a question waits for its turn.
	queryWait = 2 * time.Second
	// patience is how long a reader may take nothing of an answer, and how long it is
	// given for all of it beside a second for every paceBytes.
	patience  = 10 * time.Second
	paceBytes = 256 << 10
)

var errBusy = errors.New("as many questions as may be are being answered; ask again in a moment")

// A quota bounds what answers of a kind take: how many are made at once, and how
// many bytes those have that were made and wait for their readers. Who is slow
// holds bytes, but no turn. It is safe for concurrent use.
type quota struct {
	turns chan struct{} // one for each answer that is being made
	bytes int           // how many may wait

	mu      sync.Mutex
	waiting int // bytes
}

func newQuota(turns, bytes int) *quota {
	return &quota{turns: make(chan struct{}, turns), bytes: bytes}
}

// begin waits for a turn, which end gives back. It returns errBusy where none comes.
func (q *quota) begin(ctx context.Context) error { return takeTurn(ctx, q.turns) }

func (q *quota) end() { <-q.turns }

// takeTurn puts its mark into turns, or returns errBusy after a while.
func takeTurn(ctx context.Context, turns chan<- struct{}) error {
	late := time.NewTimer(queryWait)
	defer late.Stop()
	select {
	case turns <- struct{}{}:
		return nil
	case <-late.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// send writes an answer that was made, with the headers that w has by now, and
// gives its reader time by its size. It returns errBusy, with nothing written, where
// too many bytes wait already; a single answer is sent whatever its size.
func (q *quota) send(w http.ResponseWriter, made *bytes.Buffer) error {
	n := made.Cap() // what it takes
	if !q.hold(n) {
		return errBusy
	}
	defer q.release(n)
	deliver(w, made.Bytes())
	return nil
}

// deliver writes an answer to a reader that takes it, and within the time that its
// size needs.
func deliver(w http.ResponseWriter, body []byte) {
	out := newPaced(w, len(body))
	for part := range slices.Chunk(body, paceBytes) {
		if _, err := out.Write(part); err != nil {
			return // the reader has gone
		}
	}
}

// A paced writer is for an answer whose reader is to take it within the time that its
// size needs. Writes are to be of at most paceBytes.
type paced struct {
	w     http.ResponseWriter
	until time.Time
}

func newPaced(w http.ResponseWriter, size int) paced {
	return paced{w, time.Now().Add(patience + time.Duration(size)*time.Second/paceBytes)}
}

func (p paced) Write(part []byte) (int, error) {
	// An error means that w has no deadline, and one of the write that the reader
	// has gone.
	_ = http.NewResponseController(p.w).SetWriteDeadline(earlier(time.Now().Add(patience), p.until))
	return p.w.Write(part)
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (q *quota) hold(n int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiting > 0 && q.waiting+n > q.bytes {
		return false
	}
	q.waiting += n
	return true
}

func (q *quota) release(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting -= n
}

// make has write make an answer in its turn, and holds what it takes, its capacity,
// until that is released. It returns errBusy as begin and send do.
func (q *quota) make(ctx context.Context, write func(io.Writer) error) (*bytes.Buffer, error) {
	if err := q.begin(ctx); err != nil {
		return nil, err
	}
	defer q.end()
	made := new(bytes.Buffer)
	if err := write(made); err != nil {
		return nil, err
	}
	if !q.hold(made.Cap()) {
		return nil, errBusy
	}
	return made, nil
}

// answer has write make an answer in its turn, and sends it. Where there is none it
// says why: 503 where it is only that too many are asked for.
func (q *quota) answer(w http.ResponseWriter, r *http.Request, contentType string, write func(io.Writer) error) {
	made, err := q.make(r.Context(), write)
	switch {
	case err == nil:
		defer q.release(made.Cap())
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-store")
		deliver(w, made.Bytes())
	case r.Context().Err() != nil:
	case errors.Is(err, errBusy):
		refuseLater(w, err)
	default:
		writeJSON(w, http.StatusInternalServerError, apiError{err.Error()})
	}
}

// refuseLater says that another time there is an answer.
func refuseLater(w http.ResponseWriter, err error) {
	w.Header().Set("Retry-After", "2")
	writeJSON(w, http.StatusServiceUnavailable, apiError{err.Error()})
}
