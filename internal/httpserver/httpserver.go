// Package httpserver is how both programs serve HTTP: with the flags of every
// Prometheus exporter, bounded in time and size, and ended in order.
package httpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
)

const (
	// grace is how long requests under way are given when the server is stopped.
	grace = 3 * time.Second
	// arrival is how long a request may take to come in, with its body; that nobody
	// here reads one does not keep the server from waiting for it.
	arrival = 10 * time.Second
)

// Serve answers with h where flags say until ctx ends, then gives requests under
// way a moment and returns nil. An answer takes at most write. It returns an error
// where it cannot listen; where it can, it calls listening, once, before the first
// answer: from then on every address is taken.
func Serve(ctx context.Context, h http.Handler, flags *web.FlagConfig, write time.Duration, log *slog.Logger, listening func()) error {
	var first sync.Once
	server := newServer(h, write, log)
	// It is asked when listeners begin to be served, all of which are there then.
	server.BaseContext = func(net.Listener) context.Context {
		first.Do(listening)
		return context.Background()
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		end, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if server.Shutdown(end) != nil {
			server.Close()
		}
	})
	err := web.ListenAndServe(server, flags, log)
	if stop() { // it ended by itself
		return err
	}
	<-stopped
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// newServer is a server of h with bounds on what a client may take of time and size.
func newServer(h http.Handler, write time.Duration, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: guard(h), ReadTimeout: arrival, WriteTimeout: write, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 1 << 16,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// guard is h with what holds for every answer. What changes anything is not for
// pages of other sites that a browser here happens to show; programs, which do not
// say where they come from, may.
func guard(h http.Handler) http.Handler {
	h = http.NewCrossOriginProtection().Handler(compressed(h))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			// It is here; what is still read is whether the client has gone, as long as
			// the answer takes. An error means that w has no deadline.
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		h.ServeHTTP(w, r)
	})
}
