package httpserver

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
)

func flags(address string) *web.FlagConfig {
	no, none := false, ""
	return &web.FlagConfig{WebListenAddresses: &[]string{address}, WebSystemdSocket: &no, WebConfigFile: &none}
}

// A request under way when the server is stopped gets its answer.
func TestServeEndsInOrder(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	asked, answer := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-answer
		fmt.Fprint(w, "done")
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, h, flags(address), time.Minute, slog.New(slog.DiscardHandler)) }()
	got := make(chan string, 1)
	go func() {
		for range 100 {
			r, err := http.Get("http://" + address)
			if err != nil {
				time.Sleep(50 * time.Millisecond)
				continue
			}
			b, _ := io.ReadAll(r.Body)
			r.Body.Close()
			got <- string(b)
			return
		}
		got <- "no answer"
	}()
	<-asked
	stop()
	close(answer)
	if s := <-got; s != "done" {
		t.Errorf("the request under way was answered %q", s)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestServeSaysWhyItCannot(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := Serve(t.Context(), http.NotFoundHandler(), flags(l.Addr().String()), time.Minute, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a port that is in use is served")
	}
}
