package prom

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"
)

// A pipeListener accepts the connections it is given.
type pipeListener chan net.Conn

func (l pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (l pipeListener) Close() error { return nil }

func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// A client that asks and does not read must give its slot back.
func TestClientThatDoesNotReadIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		snap := large(1000)
		e := exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return snap }})
		l := make(pipeListener)
		srv := &http.Server{Handler: e}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(l) }()

		client, server := net.Pipe()
		l <- server
		if _, err := io.WriteString(client, "GET /metrics HTTP/1.1\r\nHost: director\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(patience - time.Second)
		synctest.Wait()
		if n := len(e.slots); n != 1 {
			t.Errorf("%d scrapes under way before patience ends, want 1", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n, cut := len(e.slots), e.written.Load(); n != 0 || cut != 1 {
			t.Errorf("%d scrapes under way and %d cut short after patience, want 0 and 1", n, cut)
		}
		client.Close()
		close(l)
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
}
