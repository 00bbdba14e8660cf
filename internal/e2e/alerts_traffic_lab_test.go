//go:build lab

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A crowd is clients of a service over UDP that go on talking, so that the director
// does not forget their connections.
type crowd struct {
	conns []net.Conn
	stop  chan struct{}
	done  sync.WaitGroup
}

// newCrowd has n clients ask a service, of which those stay whom this real server of
// the site answers, as "rs1"; "" is any, whose answers nobody waits for.
func newCrowd(t *testing.T, n int, service, stays string) *crowd {
	t.Helper()
	c := &crowd{stop: make(chan struct{})}
	if err := inside(func() error { return c.come(n, netip.MustParseAddrPort(service), stays) }); err != nil {
		t.Fatal(err)
	}
	if len(c.conns) == 0 {
		t.Fatalf("of %d clients of %s none stays", n, service)
	}
	t.Cleanup(c.leave)
	c.done.Go(c.talk)
	return c
}

func (c *crowd) come(n int, service netip.AddrPort, stays string) error {
	for range n {
		from := &net.UDPAddr{IP: net.IPv4(10, 1, 0, 2), Port: int(sourcePort())}
		conn, err := net.DialUDP("udp4", from, net.UDPAddrFromAddrPort(service))
		if err != nil {
			return err
		}
		answer := make([]byte, 512)
		conn.SetDeadline(time.Now().Add(time.Minute))
		if _, err = conn.Write([]byte(payload)); err == nil && stays != "" {
			_, err = conn.Read(answer)
		}
		if err != nil {
			return fmt.Errorf("udp %v: %w", service, err)
		}
		conn.SetDeadline(time.Time{})
		if strings.HasPrefix(string(answer), stays) {
			c.conns = append(c.conns, conn)
		} else {
			conn.Close()
		}
	}
	return nil
}

// crowdTimeout is how long the director is to remember those of a crowd who are silent.
const crowdTimeout = 12 * time.Second

// talk has everybody say something three times in that time, a few at a time: together
// they would be too many for a queue.
func (c *crowd) talk() {
	const atOnce = 25
	beat := time.NewTicker(crowdTimeout / 3 / time.Duration(1+len(c.conns)/atOnce))
	defer beat.Stop()
	for {
		for few := range slices.Chunk(c.conns, atOnce) {
			for _, conn := range few {
				_, _ = conn.Write([]byte(payload)) // to a service that may be gone
			}
			select {
			case <-c.stop:
				return
			case <-beat.C:
			}
		}
	}
}

// leave ends it; the director forgets it when its timeout has passed.
func (c *crowd) leave() {
	select {
	case <-c.stop: // ended already
		return
	default:
	}
	close(c.stop)
	c.done.Wait()
	for _, conn := range c.conns {
		conn.Close()
	}
}

// newcomers has a new client say something to a service over UDP four times a second,
// until end or the end of the test.
func newcomers(t *testing.T, service string) (end func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(service))
	var coming sync.WaitGroup
	coming.Go(func() {
		err := inside(func() error {
			for beat := time.Tick(250 * time.Millisecond); ; {
				select {
				case <-ctx.Done():
					return nil
				case <-beat:
				}
				conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(10, 1, 0, 2), Port: int(sourcePort())}, to)
				if err != nil {
					return err
				}
				_, _ = conn.Write([]byte(payload)) // what is lost is lost
				conn.Close()
			}
		})
		if err != nil {
			t.Errorf("newcomers: %v", err)
		}
	})
	end = func() { stop(); coming.Wait() }
	t.Cleanup(end)
	return end
}

// callers are n connections to a TCP service, which it has greeted and which stay.
func callers(t *testing.T, n int, service string) (conns []net.Conn) {
	t.Helper()
	err := inside(func() error {
		for range n {
			conn, err := net.DialTimeout("tcp4", service, time.Minute)
			if err != nil {
				return err
			}
			conns = append(conns, conn)
			if _, err := io.ReadAtLeast(conn, make([]byte, 512), 1); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hangUp(conns) })
	return conns
}

// hangUp resets connections, which the director forgets soon.
func hangUp(conns []net.Conn) {
	for _, c := range conns {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
}
