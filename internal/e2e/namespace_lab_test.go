//go:build lab

package e2e

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lvs/dataplane"
	"lvs/internal/lab"
)

// inside runs f on a thread that is in the lab's client namespace: sockets that f
// opens belong there for good. The thread ends with f.
func inside(f func() error) error {
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked, so that nobody else gets the thread
		if unix.Gettid() == os.Getpid() {
			// /proc/net is that of the process's first thread, which therefore stays
			// where it is: while it is held here, another one comes.
			defer runtime.UnlockOSThread()
			failed <- inside(f)
			return
		}
		ns, err := os.Open("/run/netns/" + lab.Client)
		if err == nil {
			err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
			ns.Close()
		}
		if err == nil {
			err = f()
		}
		failed <- err
	}()
	return <-failed
}

// payload is what a datagram of ours carries.
const payload = "a datagram of the client's\n"

// nextPort gives every datagram its own source port, since a port that came
// again might still have its old connection. The second thousand keeps clear of
// what the guest itself hands out.
var nextPort atomic.Uint32

func sourcePort() uint16 { return uint16(10000 + nextPort.Add(1)%20000) }

// datagrams sends n connections of one datagram each to a service and waits for
// the answers; call it inside.
func datagrams(n int, service netip.AddrPort) error {
	for range n {
		from := &net.UDPAddr{IP: net.IPv4(10, 1, 0, 2), Port: int(sourcePort())}
		c, err := net.DialUDP("udp4", from, net.UDPAddrFromAddrPort(service))
		if err != nil {
			return err
		}
		c.SetDeadline(time.Now().Add(time.Minute))
		_, err = c.Write([]byte(payload))
		if err == nil {
			_, err = c.Read(make([]byte, 512))
		}
		c.Close()
		if err != nil {
			return fmt.Errorf("udp %v: %w", service, err)
		}
	}
	return nil
}

// connection opens a TCP connection to an echo server that greets, reads the
// greeting and resets it, which the director forgets soon; call it inside.
func connection(service netip.AddrPort) error {
	d := net.Dialer{Timeout: time.Minute}
	c, err := d.Dial("tcp", service.String())
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	_, err = c.Read(make([]byte, 512))
	c.(*net.TCPConn).SetLinger(0)
	return err
}

// A load is steady traffic from the client: a few rounds a second of one TCP
// connection to each of some services, and a datagram to each of others.
type load struct {
	t         *testing.T
	tcp, udp  []netip.AddrPort
	stopping  chan struct{}
	done      sync.WaitGroup
	exchanges atomic.Int64
}

// begin starts the traffic, end stops it and waits for what is under way. It ends
// with the test as well.
func (l *load) begin() {
	l.stopping = make(chan struct{})
	l.t.Cleanup(l.end)
	l.done.Go(func() {
		if err := inside(l.run); err != nil {
			l.t.Errorf("traffic: %v", err)
		}
	})
}

func (l *load) end() {
	select {
	case <-l.stopping: // ended already
	default:
		close(l.stopping)
	}
	l.done.Wait()
}

func (l *load) run() error {
	beat := time.NewTicker(100 * time.Millisecond)
	defer beat.Stop()
	for {
		for _, service := range l.tcp {
			if err := connection(service); err != nil {
				return err
			}
			l.exchanges.Add(1)
		}
		for _, service := range l.udp {
			if err := datagrams(1, service); err != nil {
				return err
			}
			l.exchanges.Add(1)
		}
		select {
		case <-l.stopping:
			return nil
		case <-beat.C:
		}
	}
}

// shortConnections has the director forget connections soon, and the test wait at
// its end until it has: a later test may unload ip_vs. What an earlier test left
// is none of this one's.
func shortConnections(t *testing.T, e *editor) (noConnections func()) {
	t.Helper()
	was, err := e.client.Timeouts(t.Context())
	if err == nil {
		err = e.client.SetTimeouts(t.Context(), dataplane.Timeouts{UDP: 3 * time.Second})
	}
	if err != nil {
		t.Fatal(err)
	}
	left := connections(t)
	noConnections = func() {
		t.Helper()
		for deadline := time.Now().Add(lab.Patience); ; time.Sleep(100 * time.Millisecond) {
			now := connections(t)
			maps.DeleteFunc(now, func(c string, _ bool) bool { return left[c] })
			if len(now) == 0 {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d connections do not end: %v", len(now), now)
			}
		}
	}
	t.Cleanup(func() {
		lab.Run(t, "ipvsadm", "-C")
		noConnections()
		lab.Run(t, "ipvsadm", "--set", "0", "0", fmt.Sprint(was.UDP.Seconds()))
	})
	return noConnections
}

// connections are those in the director's table: protocol, addresses and ports.
func connections(t *testing.T) map[string]bool {
	t.Helper()
	b, err := os.ReadFile("/proc/net/ip_vs_conn")
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] { // below the heading
		m[strings.Join(strings.Fields(line)[:7], " ")] = true
	}
	return m
}
