package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"time"
)

// A socket is one listener. receive and send are for one goroutine.
type socket interface {
	// receive waits for a datagram and returns its length. Its error is
	// net.ErrClosed after interrupt. to is false for one that was sent to a multicast
	// or broadcast address.
	receive(buf []byte) (n int, from netip.AddrPort, to bool, err error)
	// send answers the last datagram received, from the address it was sent to.
	send(b []byte) error
	// interrupt ends a receive under way and all later ones. Any goroutine may call
	// it before close.
	interrupt()
	// close frees the port. Nothing may be under way.
	close()
}

// A listener is a socket and where it listens.
type listener struct {
	socket
	addr netip.AddrPort
}

// listen opens a socket on an address of Config.Listen. One that is not this
// machine's is waited for where the system allows it: an address that moves
// between directors may come later, and so do those of IPv6 during the start.
func listen(address string, log *slog.Logger) (*listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	network := "udp"
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "":
	case err != nil:
		return nil, fmt.Errorf("listen on %q: want an IP address, or none for all", address)
	case ip.Is4():
		network = "udp4" // or 0.0.0.0 would be every address of IPv6, too
	default:
		network = "udp6"
	}
	pc, err := net.ListenPacket(network, address)
	if errors.Is(err, syscall.EADDRNOTAVAIL) && waits {
		ahead := net.ListenConfig{Control: freeBind}
		if pc, err = ahead.ListenPacket(context.Background(), network, address); err == nil {
			log.Warn("this machine does not have the address; SNMP is answered there once it does", "address", address)
		}
	}
	if err != nil {
		return nil, explain(address, err)
	}
	conn := pc.(*net.UDPConn)
	addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	s, err := newSocket(conn, addr.Addr())
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return &listener{s, addr}, nil
}

// explain adds to the usual reasons what to do about them.
func explain(address string, err error) error {
	var advice string
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		advice = "; another SNMP agent may be running there (snmpd?): end it, take another port, or be its subagent; an address that is told twice, or beside all addresses, is in use as well"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		advice = "; this machine does not have the address: listen on all of them (:161), or start later"
	case errors.Is(err, fs.ErrPermission):
		advice = "; a port below 1024 needs CAP_NET_BIND_SERVICE (AmbientCapabilities= in the systemd unit), or take one above"
	}
	return fmt.Errorf("listen on %s: %w%s", address, errors.Unwrap(err), advice)
}

// yieldEvery is how often a busy listener lets others run. The socket blocks, and a
// goroutine that only ever blocks in the kernel looks to Go's scheduler, after ten
// milliseconds, like one that has run all along: it would take the processor away
// from it in each wait, by a thread that it wakes for that and that costs as much
// as the answer.
const yieldEvery = 5 * time.Millisecond

// serve answers what comes to l until it is interrupted.
func (a *Agent) serve(l *listener) {
	h := &handler{agent: a}
	buf := make([]byte, 1<<16)
	yielded := a.now()
	failing := "" // the error that was logged; empty while all is well
	for {
		n, from, to, err := l.receive(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			if text := err.Error(); text != failing {
				a.cfg.Logger.Error("SNMP socket", "address", l.addr, "err", err)
				failing = text
			}
			time.Sleep(100 * time.Millisecond) // it may last
			continue
		}
		failing = ""
		if !to || from.Port() == 0 {
			a.counters.misdirected.Add(1)
			continue
		}
		now := a.now()
		if out := h.answer(buf[:n], from.Addr().Unmap(), now); out != nil && l.send(out) != nil {
			a.counters.sendErrors.Add(1)
		}
		if now-yielded > int64(yieldEvery) {
			yielded = now
			runtime.Gosched()
		}
	}
}
