package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// A socket is one listener. Reading and writing are for one goroutine.
type socket struct {
	conn *net.UDPConn
	addr netip.AddrPort
	// every is whether it listens on all addresses, so that the kernel has to
	// tell which one was asked.
	every   bool
	control [128]byte // where the kernel tells
}

// listen opens a socket on an address of Config.Listen.
func listen(address string) (*socket, error) {
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
	if err != nil {
		return nil, explain(address, err)
	}
	conn := pc.(*net.UDPConn)
	s := &socket{conn: conn, addr: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	if s.addr.Addr().IsUnspecified() {
		s.every = true
		if err := tellAddress(conn); err != nil {
			conn.Close()
			return nil, fmt.Errorf("listen on %s: %w", address, err)
		}
	}
	return s, nil
}

// explain adds to the two usual reasons what to do about them.
func explain(address string, err error) error {
	var advice string
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		advice = "; another SNMP agent may be running there (snmpd?): end it, take another port, or be its subagent"
	case errors.Is(err, fs.ErrPermission):
		advice = "; a port below 1024 needs CAP_NET_BIND_SERVICE (AmbientCapabilities= in the systemd unit), or take one above"
	}
	return fmt.Errorf("listen on %s: %w%s", address, errors.Unwrap(err), advice)
}

// serve answers what comes to s until it is closed.
func (a *Agent) serve(s *socket) {
	h := &handler{agent: a}
	buf := make([]byte, 1<<16)
	for {
		n, oobn, _, from, err := s.conn.ReadMsgUDPAddrPort(buf, s.control[:])
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			a.cfg.Logger.Error("SNMP socket", "address", s.addr, "err", err)
			time.Sleep(100 * time.Millisecond) // it may last
			continue
		}
		reply, ok := s.replyControl(oobn)
		if !ok || from.Port() == 0 {
			a.counters.misdirected.Add(1)
			continue
		}
		out := h.answer(buf[:n], from.Addr().Unmap(), a.now())
		if out == nil {
			continue
		}
		if _, _, err := s.conn.WriteMsgUDPAddrPort(out, reply, from); err != nil {
			a.counters.sendErrors.Add(1)
		}
	}
}

// replyControl makes of the n octets of control messages that came with a request
// those that let its answer leave from the address that was asked. It is false for
// a request to a multicast or broadcast address.
func (s *socket) replyControl(n int) (control []byte, ok bool) {
	if !s.every {
		return nil, true
	}
	return reverse(s.control[:n])
}
