//go:build !linux

package agent

import (
	"net"
	"net/netip"
	"syscall"
)

// waits is whether a socket can wait for its address.
const waits = false

// freeBind is for where waits is true.
func freeBind(string, string, syscall.RawConn) error { return nil }

// A udpSocket answers from the address that the kernel chooses.
type udpSocket struct {
	conn *net.UDPConn
	from netip.AddrPort
}

// newSocket takes over conn.
func newSocket(conn *net.UDPConn, _ netip.Addr) (socket, error) { return &udpSocket{conn: conn}, nil }

func (s *udpSocket) receive(buf []byte) (n int, from netip.AddrPort, to bool, err error) {
	n, s.from, err = s.conn.ReadFromUDPAddrPort(buf)
	return n, s.from, true, err
}

func (s *udpSocket) send(b []byte) error {
	_, err := s.conn.WriteToUDPAddrPort(b, s.from)
	return err
}

func (s *udpSocket) interrupt() { s.conn.Close() }

func (s *udpSocket) close() { s.conn.Close() } // again, or of one that never ran
