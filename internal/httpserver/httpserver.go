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

// grace is how long requests under way are given when the server is stopped.
const grace = 3 * time.Second

// Serve answers with h where flags say until ctx ends, then gives requests under
// way a moment and returns nil. An answer takes at most write. It returns an error
// where it cannot listen; where it can, it calls listening, once, before the first
// answer: from then on every address is taken.
func Serve(ctx context.Context, h http.Handler, flags *web.FlagConfig, write time.Duration, log *slog.Logger, listening func()) error {
	var first sync.Once
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: write, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 1 << 16,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		// It is asked when listeners begin to be served, all of which are there then.
		BaseContext: func(net.Listener) context.Context {
			first.Do(listening)
			return context.Background()
		},
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
