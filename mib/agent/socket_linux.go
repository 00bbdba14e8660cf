package agent

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// waits is whether a socket can wait for its address.
const waits = true

// freeBind lets a socket be bound to an address that is not there: IP_FREEBIND of
// ip(7), and IPV6_FREEBIND, which Linux has since 4.15.
func freeBind(network, _ string, c syscall.RawConn) (err error) {
	level, option := unix.IPPROTO_IPV6, unix.IPV6_FREEBIND
	if network == "udp4" {
		level, option = unix.IPPROTO_IP, unix.IP_FREEBIND
	}
	cerr := c.Control(func(fd uintptr) {
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), level, option, 1))
	})
	return errors.Join(cerr, err)
}

// A udpSocket is a socket over a blocking descriptor. A manager asks, waits for
// the answer and asks again: the poller's part in a net.UDPConn (a read that finds
// nothing, an epoll wake-up, a goroutine switch) would cost more than the answer.
// The kernel's form of the sender's address, and its word on which address was
// asked, go back to it as they came.
type udpSocket struct {
	fd int
	// every is whether it listens on all addresses, so that the kernel has to
	// tell which one was asked.
	every   bool
	stopped atomic.Bool

	message unix.Msghdr
	vector  unix.Iovec
	name    unix.RawSockaddrInet6 // or that of IPv4, which is shorter
	control [128]byte
}

// newSocket takes over conn, which listens on ip.
func newSocket(conn *net.UDPConn, ip netip.Addr) (socket, error) {
	s := &udpSocket{every: ip.IsUnspecified()}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	cerr := raw.Control(func(fd uintptr) { s.fd, err = s.setUp(int(fd), ip) })
	if err = errors.Join(cerr, err); err != nil {
		return nil, err
	}
	conn.Close() // s.fd is another descriptor of the same socket
	s.message.Name = (*byte)(unsafe.Pointer(&s.name))
	s.message.Iov = &s.vector
	s.message.SetIovlen(1)
	return s, nil
}

// setUp makes a blocking descriptor of the socket behind fd, and where it listens
// on all addresses has the kernel tell with each datagram which one it was sent
// to: IP_PKTINFO of ip(7), IPV6_RECVPKTINFO of ipv6(7). A socket of both families
// tells IPv4's in both ways, of which the former knows a network's broadcast
// address.
func (s *udpSocket) setUp(fd int, ip netip.Addr) (int, error) {
	if s.every {
		err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		if err == nil && ip.Is6() {
			err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
		if err != nil {
			return -1, os.NewSyscallError("setsockopt", err)
		}
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("fcntl", err)
	}
	if err := unix.SetNonblock(own, false); err != nil {
		unix.Close(own)
		return -1, os.NewSyscallError("fcntl", err)
	}
	return own, nil
}

func (s *udpSocket) receive(buf []byte) (n int, from netip.AddrPort, to bool, err error) {
	for {
		s.vector.Base = &buf[0]
		s.vector.SetLen(len(buf))
		s.message.Namelen = unix.SizeofSockaddrInet6
		s.message.Control, s.message.Controllen = nil, 0
		if s.every {
			s.message.Control = &s.control[0]
			s.message.SetControllen(len(s.control))
		}
		r, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.message)), 0)
		switch {
		case s.stopped.Load():
			return 0, from, false, net.ErrClosed
		case errno == unix.EINTR:
		case errno != 0:
			return 0, from, false, os.NewSyscallError("recvmsg", errno)
		default:
			return int(r), s.sender(), s.reply(), nil
		}
	}
}

// sender is where the last datagram came from.
func (s *udpSocket) sender() netip.AddrPort {
	if s.name.Family == unix.AF_INET {
		name := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.name))
		return netip.AddrPortFrom(netip.AddrFrom4(name.Addr), port(name.Port))
	}
	return netip.AddrPortFrom(netip.AddrFrom16(s.name.Addr), port(s.name.Port))
}

// port is one in network order.
func port(n uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], n)
	return binary.BigEndian.Uint16(b[:])
}

// reply makes of what the kernel told about the last datagram what it is told
// about the answer. It is false where the datagram was not sent to this machine
// alone.
func (s *udpSocket) reply() bool {
	if !s.every {
		return true
	}
	control, ok := reverse(s.control[:s.message.Controllen])
	if ok {
		s.message.Control = &control[0]
		s.message.SetControllen(len(control))
	}
	return ok
}

// reverse turns around, in place, what the kernel told about a datagram, one
// message or two: the answer leaves from the same address, on whichever interface
// leads there. It returns the last.
func reverse(control []byte) (last []byte, ok bool) {
	for len(control) >= unix.CmsgLen(0) {
		header, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil || !reverseOne(header, data) {
			return nil, false
		}
		last, control = control[:len(control)-len(rest)], rest
	}
	return last, last != nil
}

// reverseOne turns one message around.
func reverseOne(header unix.Cmsghdr, data []byte) bool {
	switch {
	case header.Level == unix.IPPROTO_IP && header.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
		// struct in_pktinfo: int ipi_ifindex; in_addr ipi_spec_dst (the address to
		// answer from); in_addr ipi_addr (where it was sent to).
		if string(data[4:8]) != string(data[8:12]) {
			return false
		}
		binary.NativeEndian.PutUint32(data, 0)
	case header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
		// struct in6_pktinfo: in6_addr ipi6_addr; unsigned ipi6_ifindex.
		to := netip.AddrFrom16([16]byte(data[:16])).Unmap()
		if to.IsMulticast() || to == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
			return false
		}
		if !to.IsLinkLocalUnicast() || to.Is4() {
			binary.NativeEndian.PutUint32(data[16:], 0)
		}
	default:
		return false
	}
	return true
}

func (s *udpSocket) send(b []byte) error {
	s.vector.Base = &b[0]
	s.vector.SetLen(len(b))
	for {
		_, _, errno := unix.Syscall(unix.SYS_SENDMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.message)), unix.MSG_DONTWAIT)
		if errno == 0 {
			return nil
		}
		if errno != unix.EINTR {
			return os.NewSyscallError("sendmsg", errno)
		}
	}
}

// interrupt shuts the socket down, which wakes a reader: the kernel says that the
// socket is not connected, and does so all the same.
func (s *udpSocket) interrupt() {
	s.stopped.Store(true)
	unix.Shutdown(s.fd, unix.SHUT_RD)
}

func (s *udpSocket) close() { unix.Close(s.fd) }
