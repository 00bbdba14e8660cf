package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"lvs/internal/httpserver"
)

// handler serves everything the agent has over HTTP.
func (a *agent) handler() http.Handler {
	mux := http.NewServeMux()
	a.page.routes(mux)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) { a.exposition.Load().ServeHTTP(w, r) })
	mux.HandleFunc("GET /api/v1/snapshot", a.serveSnapshot)
	history := newHistorian(a.openHistory, a.sampler.Interval, a.log)
	mux.HandleFunc("GET /api/v1/history", history.serveHistory)
	mux.HandleFunc("GET /api/v1/graph.svg", history.serveGraph("svg", "image/svg+xml"))
	mux.HandleFunc("GET /api/v1/graph.png", history.serveGraph("png", "image/png"))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "lvs-agent is healthy.") })
	mux.HandleFunc("GET /-/ready", a.serveReady)
	mux.HandleFunc("POST /-/reload", a.serveReload)
	mux.HandleFunc("PUT /-/reload", a.serveReload)
	return mux
}

// jsonType is the content type of JSON.
const jsonType = "application/json; charset=utf-8"

// apiError is the answer of the API when it has none.
type apiError struct {
	Error string `json:"error"`
}

func (a *agent) serveSnapshot(w http.ResponseWriter, r *http.Request) {
	snap := a.sampler.Latest()
	if snap == nil {
		writeJSON(w, http.StatusServiceUnavailable, apiError{"there is no sample yet; the log says why, if it lasts"})
		return
	}
	a.answers.answer(w, r, jsonType, func(out io.Writer) error {
		stats := a.sampler.Stats()
		doc := snapshotDocument(snap, a.sampler.Interval(), stats.Failing)
		doc.Agent = agentDocument(a.figuresOf(snap))
		doc.Run = a.directorStatus()
		return json.NewEncoder(out).Encode(doc)
	})
}

func (a *agent) serveReady(w http.ResponseWriter, _ *http.Request) {
	if a.sampler.Latest() == nil {
		http.Error(w, "lvs-agent has no sample yet.", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "lvs-agent is ready.")
}

func (a *agent) serveReload(w http.ResponseWriter, r *http.Request) {
	// It takes as long as the kernel does; an error means that w has no deadline.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	// What was begun goes on when the client does not: a table must not be left
	// half changed for that.
	outcome := make(chan error, 1)
	select {
	case a.reloads <- outcome:
	case <-r.Context().Done():
		return
	}
	if err := <-outcome; err != nil {
		http.Error(w, "nothing was changed: "+err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, "lvs-agent has reloaded its configuration.")
}

// serve answers until ctx ends, then gives requests under way a moment. It calls
// listening when all addresses are taken.
func (a *agent) serve(ctx context.Context, listening func()) error {
	// Pages that listen would go on for ever.
	defer context.AfterFunc(ctx, a.page.events.close)()
	defer a.page.close()
	return httpserver.Serve(ctx, a.handler(), a.flags.web, time.Minute, a.log, listening)
}
