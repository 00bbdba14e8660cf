package dataplane

import (
	"cmp"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// A Family is an address family. The zero Family is invalid.
type Family uint8

// The two families, named and numbered after their IP versions.
const (
	INET  Family = 4
	INET6 Family = 6
)

// FamilyOf is the family of a valid address.
func FamilyOf(a netip.Addr) Family {
	if a.Is4() {
		return INET
	}
	return INET6
}

// String is "inet", "inet6" or, for an invalid family, "family N".
func (f Family) String() string {
	switch f {
	case INET:
		return "inet"
	case INET6:
		return "inet6"
	}
	return "family " + strconv.Itoa(int(f))
}

// A Protocol is an IP protocol number. Zero, "no protocol", belongs to
// firewall-mark services. The kernel accepts any number, though only TCP, UDP
// and SCTP are ever scheduled (net/netfilter/ipvs/ip_vs_proto.c).
type Protocol uint8

// The protocols IPVS schedules.
const (
	TCP  Protocol = 6
	UDP  Protocol = 17
	SCTP Protocol = 132
)

// String is "tcp", "udp", "sctp", or "protoN" for any other number.
func (p Protocol) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	case SCTP:
		return "sctp"
	}
	return "proto" + strconv.Itoa(int(p))
}

// ParseProtocol is the inverse of String.
func ParseProtocol(s string) (Protocol, error) {
	switch s {
	case "tcp":
		return TCP, nil
	case "udp":
		return UDP, nil
	case "sctp":
		return SCTP, nil
	}
	if digits, ok := strings.CutPrefix(s, "proto"); ok {
		n, err := strconv.ParseUint(digits, 10, 8)
		if p := Protocol(n); err == nil && n > 0 && p.String() == s {
			return p, nil
		}
	}
	return 0, fmt.Errorf("protocol %q: want tcp, udp, sctp or protoN (N from 1 to 255)", s)
}

// A ServiceKey identifies a virtual service of a director: either a protocol
// and a VIP with its port (port 0 is every port of a persistent service), or a
// firewall mark of one family. Keys are comparable and serve as map keys;
// addresses in them are unmapped (never ::ffff:a.b.c.d) and have no zone. The
// zero ServiceKey is invalid.
type ServiceKey struct {
	Family   Family
	Protocol Protocol       // zero for a firewall mark
	VIP      netip.AddrPort // the zero AddrPort for a firewall mark
	FWMark   uint32         // zero for an address
}

// AddrKey is the key of the service on a protocol and VIP.
func AddrKey(p Protocol, vip netip.AddrPort) ServiceKey {
	a := vip.Addr().Unmap().WithZone("")
	return ServiceKey{Family: FamilyOf(a), Protocol: p, VIP: netip.AddrPortFrom(a, vip.Port())}
}

// MarkKey is the key of the service on a firewall mark. The same mark may exist
// once in each family.
func MarkKey(f Family, mark uint32) ServiceKey { return ServiceKey{Family: f, FWMark: mark} }

// IsMark reports whether k is a firewall mark.
func (k ServiceKey) IsMark() bool { return k.FWMark != 0 }

// IsValid reports whether k identifies a service.
func (k ServiceKey) IsValid() bool {
	if k.Family != INET && k.Family != INET6 {
		return false
	}
	if k.IsMark() {
		return k.Protocol == 0 && k.VIP == netip.AddrPort{}
	}
	a := k.VIP.Addr()
	return k.Protocol != 0 && a.IsValid() && !a.Is4In6() && a.Zone() == "" && FamilyOf(a) == k.Family
}

// AppendTo appends the canonical text of k: "tcp/192.0.2.10:443",
// "tcp/[2001:db8::1]:443", "fwm4/257" or "fwm6/257". An invalid key is
// "invalid service".
func (k ServiceKey) AppendTo(b []byte) []byte {
	switch {
	case !k.IsValid():
		return append(b, "invalid service"...)
	case k.IsMark():
		b = append(b, "fwm"...)
		b = strconv.AppendUint(b, uint64(k.Family), 10)
		b = append(b, '/')
		return strconv.AppendUint(b, uint64(k.FWMark), 10)
	}
	b = append(b, k.Protocol.String()...)
	b = append(b, '/')
	return k.VIP.AppendTo(b)
}

// String is the canonical text, as AppendTo writes it.
func (k ServiceKey) String() string { return string(k.AppendTo(make([]byte, 0, 32))) }

// MarshalText is AppendTo; an invalid key is an error.
func (k ServiceKey) MarshalText() ([]byte, error) {
	if !k.IsValid() {
		return nil, fmt.Errorf("service key %#v is invalid", k)
	}
	return k.AppendTo(nil), nil
}

// UnmarshalText is ParseServiceKey.
func (k *ServiceKey) UnmarshalText(b []byte) (err error) {
	*k, err = ParseServiceKey(string(b))
	return err
}

// ParseServiceKey reads the canonical text of a key.
func ParseServiceKey(s string) (ServiceKey, error) {
	kind, rest, ok := strings.Cut(s, "/")
	if !ok {
		return ServiceKey{}, fmt.Errorf("service %q: want PROTOCOL/VIP:PORT, as in tcp/192.0.2.10:443, or fwm4/MARK or fwm6/MARK", s)
	}
	if kind == "fwm4" || kind == "fwm6" {
		mark, err := strconv.ParseUint(rest, 10, 32)
		if err != nil || mark == 0 || strconv.FormatUint(mark, 10) != rest {
			return ServiceKey{}, fmt.Errorf("service %q: firewall mark %q is no number from 1 to 4294967295", s, rest)
		}
		return MarkKey(Family(kind[3]-'0'), uint32(mark)), nil
	}
	p, err := ParseProtocol(kind)
	if err != nil {
		return ServiceKey{}, fmt.Errorf("service %q: %w", s, err)
	}
	vip, err := ParseRIP(rest)
	if err != nil {
		return ServiceKey{}, fmt.Errorf("service %q: %w", s, err)
	}
	return AddrKey(p, vip), nil
}

// ParseRIP reads an address and port in their canonical text, "192.0.2.1:80" or
// "[2001:db8::1]:80": no zone, no IPv4 inside IPv6. It serves VIPs as well.
func ParseRIP(s string) (netip.AddrPort, error) {
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: want ADDRESS:PORT or [IPV6-ADDRESS]:PORT", s)
	}
	if a := ap.Addr(); a.Zone() != "" || a.Is4In6() {
		return netip.AddrPort{}, fmt.Errorf("address %q: zones and IPv4-mapped addresses are not for IPVS", s)
	}
	return ap, nil
}

// Compare orders keys for people and tables alike: addresses before firewall
// marks, IPv4 before IPv6, then address, port, protocol; marks by number.
func (k ServiceKey) Compare(l ServiceKey) int {
	if k.IsMark() != l.IsMark() {
		if k.IsMark() {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(k.Family, l.Family), k.VIP.Compare(l.VIP),
		cmp.Compare(k.Protocol, l.Protocol), cmp.Compare(k.FWMark, l.FWMark))
}
