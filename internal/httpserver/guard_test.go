package httpserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A pipe is a listener of one connection, within the process.
type pipe struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error {
	close(p.closed)
	return nil
}

func (p *pipe) Addr() net.Addr { return &net.TCPAddr{} }

// connect serves h over a pipe until the test ends and returns the client's end.
func connect(t *testing.T, h http.Handler) net.Conn {
	t.Helper()
	client, server := net.Pipe()
	p := &pipe{make(chan net.Conn, 1), make(chan struct{})}
	p.accepted <- server
	s := newServer(h, time.Minute, slog.New(slog.DiscardHandler))
	done := make(chan error, 1)
	go func() { done <- s.Serve(p) }()
	t.Cleanup(func() {
		client.Close()
		s.Close()
		<-done
	})
	return client
}

// A body that does not come keeps neither the answer nor the connection.
func TestABodyThatNeverComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /", func(http.ResponseWriter, *http.Request) {})
		conn := connect(t, mux)
		begin := time.Now()
		fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n1")
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 405 ") || time.Since(begin) > arrival+time.Second {
			t.Errorf("after %s: %v, %s", time.Since(begin), err, answer)
		}
	})
}

// An answer may take longer than a request, and the next request has its own time.
func TestAnswersOutlastTheTimeOfRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
			select {
			case <-r.Context().Done():
				t.Error(context.Cause(r.Context()))
			case <-time.After(10 * arrival):
				fmt.Fprint(w, "done")
			}
		}))
		in := bufio.NewReader(conn)
		for range 2 {
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			r, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(r.Body); err != nil || string(body) != "done" {
				t.Errorf("%q, %v", body, err)
			}
			time.Sleep(time.Minute) // idle
		}
	})
}

// A page of another site may change nothing; programs may.
func TestPagesOfOtherSitesChangeNothing(t *testing.T) {
	h := newServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "done") }), time.Minute, slog.New(slog.DiscardHandler)).Handler
	for _, tt := range []struct {
		method string
		header []string
		want   int
	}{
		{"POST", []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{"PUT", []string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		{"POST", []string{"Origin", "http://evil.example"}, http.StatusForbidden}, // an older browser
		{"POST", []string{"Origin", "null"}, http.StatusForbidden},
		{"POST", []string{"Origin", "http://example.com"}, http.StatusOK},
		{"POST", []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://proxy.example"}, http.StatusOK}, // behind a proxy
		{"POST", nil, http.StatusOK}, // curl
		{"GET", []string{"Sec-Fetch-Site", "cross-site"}, http.StatusOK},
	} {
		r := httptest.NewRequest(tt.method, "http://example.com/-/reload", nil)
		for i := 0; i < len(tt.header); i += 2 {
			r.Header.Set(tt.header[i], tt.header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.want || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %v: %d %v, want %d", tt.method, tt.header, w.Code, w.Header(), tt.want)
		}
	}
}
