package agent

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"

	"lvs/internal/httpserver"
)

// handler serves everything the agent has over HTTP.
func (a *agent) handler() (http.Handler, error) {
	landing, err := web.NewLandingPage(web.LandingConfig{
		Name: "lvs-agent", Description: "Linux Virtual Server director, sampled once per interval",
		Version: version.Info(), Profiling: "false",
		Links: []web.LandingLinks{
			{Address: "metrics", Text: "Metrics", Description: "for Prometheus; ?scope=director,services,reals,agent and ?service=GLOB choose parts"},
			{Address: "api/v1/snapshot", Text: "Snapshot", Description: "the latest sample as JSON"},
			{Address: "api/v1/history?key=director&start=-1h", Text: "History", Description: "consolidated history as JSON or CSV; ?key=…&start=-7d&resolution=5m&cf=MAX&format=csv"},
			{Address: "api/v1/graph.svg?key=director", Text: "Graph", Description: "a picture of it, also graph.png; ?key=…&kind=traffic&start=-7d"},
			{Address: "-/healthy", Text: "Healthy", Description: "whether the process answers"},
			{Address: "-/ready", Text: "Ready", Description: "whether there is a sample to serve"},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("landing page: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", landing)
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
	return mux, nil
}

// apiError is the answer of the API when it has none.
type apiError struct {
	Error string `json:"error"`
}

func (a *agent) serveSnapshot(w http.ResponseWriter, _ *http.Request) {
	snap := a.sampler.Latest()
	if snap == nil {
		writeJSON(w, http.StatusServiceUnavailable, apiError{"there is no sample yet; the log says why, if it lasts"})
		return
	}
	stats := a.sampler.Stats()
	doc := snapshotDocument(snap, a.sampler.Interval(), stats.Failing)
	doc.Agent = agentDocument(a.figuresOf(snap))
	doc.Run = a.directorStatus()
	writeJSON(w, http.StatusOK, doc)
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

// serve answers until ctx ends, then gives requests under way a moment.
func (a *agent) serve(ctx context.Context) error {
	h, err := a.handler()
	if err != nil {
		return err
	}
	return httpserver.Serve(ctx, h, a.flags.web, time.Minute, a.log)
}
