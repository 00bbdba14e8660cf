package agent

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// tellAddress has the kernel tell with each datagram which address it was sent to:
// IP_PKTINFO of ip(7), IPV6_RECVPKTINFO of ipv6(7). A socket of both families
// tells IPv4's as IPv6 does.
func tellAddress(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	level, option := unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO
	if conn.LocalAddr().(*net.UDPAddr).IP.To4() != nil {
		level, option = unix.IPPROTO_IP, unix.IP_PKTINFO
	}
	var serr error
	if err := raw.Control(func(fd uintptr) { serr = unix.SetsockoptInt(int(fd), level, option, 1) }); err != nil {
		return err
	}
	return os.NewSyscallError("setsockopt", serr)
}

// reverse makes, in place, of what the kernel told about a datagram what it is
// told about the answer: the same address, on whichever interface leads there.
// It is false where the address is none of one machine's.
func reverse(control []byte) ([]byte, bool) {
	header, data, rest, err := unix.ParseOneSocketControlMessage(control)
	if err != nil {
		return nil, false
	}
	switch {
	case header.Level == unix.IPPROTO_IP && header.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
		// struct in_pktinfo: int ipi_ifindex; in_addr ipi_spec_dst (the address to
		// answer from); in_addr ipi_addr (where it was sent to).
		if !bytes.Equal(data[4:8], data[8:12]) {
			return nil, false
		}
		binary.NativeEndian.PutUint32(data, 0)
	case header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
		// struct in6_pktinfo: in6_addr ipi6_addr; unsigned ipi6_ifindex.
		to := netip.AddrFrom16([16]byte(data[:16])).Unmap()
		if to.IsMulticast() || to == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
			return nil, false
		}
		if !to.IsLinkLocalUnicast() || to.Is4() {
			binary.NativeEndian.PutUint32(data[16:], 0)
		}
	default:
		return nil, false
	}
	return control[:len(control)-len(rest)], true
}
