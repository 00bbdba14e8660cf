package httpserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"lvs/internal/lab"
)

func flags(addresses ...string) *web.FlagConfig {
	no, none := false, ""
	return &web.FlagConfig{WebListenAddresses: &addresses, WebSystemdSocket: &no, WebConfigFile: &none}
}

// A request under way when the server is stopped gets its answer.
func TestServeEndsInOrder(t *testing.T) {
	address := lab.FreePort(t, "tcp")
	asked, answer := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-answer
		fmt.Fprint(w, "done")
	})
	ctx, stop := context.WithCancel(t.Context())
	ended, listening := make(chan error, 1), make(chan struct{})
	go func() {
		ended <- Serve(ctx, h, flags(address), time.Minute, slog.New(slog.DiscardHandler), func() { close(listening) })
	}()
	got := make(chan string, 1)
	go func() {
		<-listening
		r, err := http.Get("http://" + address)
		if err != nil {
			got <- err.Error()
			return
		}
		b, _ := io.ReadAll(r.Body)
		r.Body.Close()
		got <- string(b)
	}()
	select {
	case <-asked:
	case err := <-ended:
		t.Fatal(err)
	}
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
	const free = "127.0.0.1:0"
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	missing := flags(free)
	missing.WebConfigFile = new(filepath.Join(t.TempDir(), "web.yml"))
	for _, tt := range []struct {
		name  string
		flags *web.FlagConfig
		want  error
	}{
		{"a port in use", flags(taken.Addr().String()), syscall.EADDRINUSE},
		{"the last of two ports in use", flags(free, taken.Addr().String()), syscall.EADDRINUSE},
		{"a configuration that is not there", missing, fs.ErrNotExist},
	} {
		err := Serve(t.Context(), http.NotFoundHandler(), tt.flags, time.Minute, slog.New(slog.DiscardHandler), func() {
			t.Errorf("%s: it says that it listens", tt.name)
		})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}
