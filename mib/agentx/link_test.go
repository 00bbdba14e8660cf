package agentx

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// links connects a link to a listener of each network, the way it is done to a
// master, and a plain net.Conn besides.
func links(t *testing.T, timeout time.Duration, test func(t *testing.T, l link, peer net.Conn)) {
	for _, c := range []struct {
		name, network, address string
		dial                   func(network, address string) (link, error)
	}{
		{name: "unix", network: "unix", address: filepath.Join(t.TempDir(), "s")},
		{name: "tcp", network: "tcp", address: "127.0.0.1:0"},
		{name: "conn", network: "tcp", address: "127.0.0.1:0", dial: func(network, address string) (link, error) {
			conn, err := net.Dial(network, address)
			return &connLink{conn: conn, timeout: timeout}, err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, err := net.Listen(c.network, c.address)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			if c.dial == nil {
				c.dial = func(network, address string) (link, error) { // not in so short a time, which a busy machine may need
					conn, err := net.Dial(network, address)
					if err != nil {
						return nil, err
					}
					return newLink(conn, timeout)
				}
			}
			l, err := c.dial(c.network, server.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer l.close()
			peer, err := server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			test(t, l, peer)
		})
	}
}

func TestLinkCarriesBytes(t *testing.T) {
	links(t, time.Minute, func(t *testing.T, l link, peer net.Conn) {
		b := make([]byte, 100)
		if _, err := l.read(b, time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("silent peer: %v", err)
		}
		peer.Write([]byte("there"))
		if n, err := l.read(b, time.Minute); err != nil || string(b[:n]) != "there" {
			t.Errorf("read %q, %v", b[:n], err)
		}
		if err := l.write([]byte("back")); err != nil {
			t.Error(err)
		}
		if n, err := peer.Read(b); err != nil || string(b[:n]) != "back" {
			t.Errorf("peer read %q, %v", b[:n], err)
		}
		peer.Close()
		if _, err := l.read(b, time.Minute); !errors.Is(err, io.EOF) {
			t.Errorf("gone peer: %v", err)
		}
	})
}

func TestLinkIsInterrupted(t *testing.T) {
	links(t, time.Minute, func(t *testing.T, l link, peer net.Conn) {
		got := make(chan error)
		go func() {
			_, err := l.read(make([]byte, 1), time.Hour)
			got <- err
		}()
		time.Sleep(5 * time.Millisecond) // in the read, most likely; right either way
		l.interrupt()
		if err := <-got; !errors.Is(err, errInterrupted) {
			t.Errorf("reader got %v", err)
		}
		if _, err := l.read(make([]byte, 1), time.Hour); !errors.Is(err, errInterrupted) {
			t.Errorf("later reader got %v", err)
		}
		if err := l.write([]byte("bye")); err != nil {
			t.Errorf("write after it: %v", err)
		}
		l.close()
		if b, err := io.ReadAll(peer); err != nil || string(b) != "bye" {
			t.Errorf("peer read %q, %v", b, err)
		}
		again, err := net.Dial(peer.LocalAddr().Network(), peer.LocalAddr().String()) // gets the descriptor just closed
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		l.interrupt()
		again.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := again.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("somebody else's connection was shut down: %v", err)
		}
	})
}

func TestLinkDoesNotWaitForeverToWrite(t *testing.T) {
	links(t, 20*time.Millisecond, func(t *testing.T, l link, _ net.Conn) {
		b := make([]byte, 1<<20)
		for range 100 {
			if err := l.write(b); err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				return
			}
		}
		t.Error("100 MiB were taken by a peer that reads nothing")
	})
}

// TestLinkKnowsWhatWasNotRead: bytes for a peer that is gone are told of, where
// the kernel is asked.
func TestLinkKnowsWhatWasNotRead(t *testing.T) {
	links(t, time.Minute, func(t *testing.T, l link, peer net.Conn) {
		if l.wasReset() {
			t.Error("a good connection was reset")
		}
		peer.Close()
		for end := error(nil); !errors.Is(end, io.EOF); _, end = l.read(make([]byte, 1), time.Minute) {
		}
		if l.wasReset() {
			t.Error("a connection closed in order was reset")
		}
		err := l.write([]byte("too late"))
		if _, asks := l.(*connLink); asks {
			return
		}
		eventually(t, "be told", func() bool { return err != nil || l.wasReset() })
	})
}
