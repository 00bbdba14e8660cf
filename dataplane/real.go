package dataplane

import (
	"fmt"
	"net/netip"
	"strings"
)

// A RealServer is the configuration of one real server of a virtual service.
// Within the service it is identified by its RIP. Source: IPVS_DEST_ATTR_* in
// include/uapi/linux/ip_vs.h.
type RealServer struct {
	// RIP is the address and port; its family may differ from the service's
	// only with the Tunnel method. Port 0 keeps the packet's own port, for
	// firewall marks and services on every port.
	RIP    netip.AddrPort
	Method Method
	// Weight is the share of new connections; zero is quiesced: no new
	// connections, though those it has go on. The kernel takes up to 2^31-1.
	Weight uint32
	// UpperThreshold stops new connections when that many are there, and
	// LowerThreshold lets them in again; zero is no threshold.
	UpperThreshold, LowerThreshold uint32
	// Encap is how the Tunnel method encapsulates; the zero Encap is IPIP, and
	// stands for every other method too.
	Encap Encap
}

// Family is the family of the RIP.
func (r RealServer) Family() Family { return FamilyOf(r.RIP.Addr()) }

// A Method is a forwarding method. Source: IP_VS_CONN_F_* under
// IP_VS_CONN_F_FWD_MASK in include/uapi/linux/ip_vs.h, whose numbers it keeps.
type Method uint8

// The forwarding methods.
const (
	Masquerade Method = 0 // network address translation (NAT)
	Local      Method = 1 // the real server is the director itself
	Tunnel     Method = 2 // encapsulated; see Encap
	Route      Method = 3 // direct routing (DR)
	Bypass     Method = 4 // straight to the original destination
)

var methodNames = [...]string{"masquerade", "local", "tunnel", "route", "bypass"}

// String is "masquerade", "local", "tunnel", "route" or "bypass", and "method N"
// for a number the kernel does not define.
func (m Method) String() string {
	if int(m) < len(methodNames) {
		return methodNames[m]
	}
	return fmt.Sprintf("method %d", uint8(m))
}

// ParseMethod is the inverse of String.
func ParseMethod(s string) (Method, error) {
	for i, n := range methodNames {
		if n == s {
			return Method(i), nil
		}
	}
	return 0, fmt.Errorf("forwarding method %q: want %s", s, strings.Join(methodNames[:], ", "))
}

// RepliesBypass reports whether answers of a real server with this method reach
// the client past the director, so that its outgoing counters stay at zero by
// nature and are "not available" rather than none.
func (m Method) RepliesBypass() bool { return m == Tunnel || m == Route || m == Bypass }

// An Encap is how the Tunnel method wraps packets. Source: IP_VS_CONN_F_TUNNEL_TYPE_*
// and IP_VS_TUNNEL_ENCAP_FLAG_* in include/uapi/linux/ip_vs.h.
type Encap struct {
	Type EncapType
	Port uint16 // UDP port of GUE; zero otherwise
	// Flags are the checksum options of GUE and GRE.
	Flags EncapFlags
}

// An EncapType is a tunnel's protocol.
type EncapType uint8

// The tunnel types, numbered as in the kernel.
const (
	IPIP EncapType = 0
	GUE  EncapType = 1
	GRE  EncapType = 2
)

var encapNames = [...]string{"ipip", "gue", "gre"}

// String is "ipip", "gue" or "gre", and "tunnel type N" otherwise.
func (t EncapType) String() string {
	if int(t) < len(encapNames) {
		return encapNames[t]
	}
	return fmt.Sprintf("tunnel type %d", uint8(t))
}

// ParseEncapType is the inverse of String.
func ParseEncapType(s string) (EncapType, error) {
	for i, n := range encapNames {
		if n == s {
			return EncapType(i), nil
		}
	}
	return 0, fmt.Errorf("tunnel type %q: want %s", s, strings.Join(encapNames[:], ", "))
}

// EncapFlags are IP_VS_TUNNEL_ENCAP_FLAG_*; zero is "no checksum".
type EncapFlags uint16

// The checksum options.
const (
	EncapChecksum       EncapFlags = 1 // GUE and GRE: checksum
	EncapRemoteChecksum EncapFlags = 2 // GUE: remote checksum offload
)

// String is "nocsum", "csum", "remcsum" as ipvsadm names them, or hexadecimal.
func (f EncapFlags) String() string {
	switch f {
	case 0:
		return "nocsum"
	case EncapChecksum:
		return "csum"
	case EncapRemoteChecksum:
		return "remcsum"
	}
	return fmt.Sprintf("0x%x", uint16(f))
}

// ParseEncapFlags reads "nocsum", "csum" or "remcsum".
func ParseEncapFlags(s string) (EncapFlags, error) {
	for _, f := range []EncapFlags{0, EncapChecksum, EncapRemoteChecksum} {
		if f.String() == s {
			return f, nil
		}
	}
	return 0, fmt.Errorf("tunnel checksum %q: want nocsum, csum or remcsum", s)
}
