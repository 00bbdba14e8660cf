package dataplane

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
	"time"
)

// A Service is the configuration of one virtual service. Source:
// IPVS_SVC_ATTR_* in include/uapi/linux/ip_vs.h.
type Service struct {
	Key ServiceKey
	// Scheduler is the kernel's name of it, "wlc"; empty only where the source
	// does not tell.
	Scheduler string
	Flags     ServiceFlags
	// Timeout is how long a client stays with its real server, whole seconds.
	// It counts only with FlagPersistent; zero otherwise.
	Timeout time.Duration
	// Netmask joins clients into one for persistence. The zero Netmask means
	// every client on its own.
	Netmask Netmask
	// PersistenceEngine names what recognises a client in the payload, "sip";
	// empty is none.
	PersistenceEngine string
}

// ServiceFlags are the IP_VS_SVC_F_* bits.
type ServiceFlags uint32

// Source: include/uapi/linux/ip_vs.h.
const (
	FlagPersistent ServiceFlags = 0x0001
	FlagHashed     ServiceFlags = 0x0002 // set by the kernel on every service in its table
	FlagOnePacket  ServiceFlags = 0x0004
	FlagSched1     ServiceFlags = 0x0008 // "sh-fallback", "mh-fallback"
	FlagSched2     ServiceFlags = 0x0010 // "sh-port", "mh-port"
	FlagSched3     ServiceFlags = 0x0020
)

var serviceFlagNames = []struct {
	flag ServiceFlags
	name string
}{
	{FlagPersistent, "persistent"}, {FlagHashed, "hashed"}, {FlagOnePacket, "one-packet"},
	{FlagSched1, "sched-1"}, {FlagSched2, "sched-2"}, {FlagSched3, "sched-3"},
}

// Configured leaves out the flag that only the kernel sets, so that a wanted
// and an observed service compare equal.
func (f ServiceFlags) Configured() ServiceFlags { return f &^ FlagHashed }

// String lists the flags, "persistent,one-packet"; none is the empty string and
// an unknown bit is written in hexadecimal.
func (f ServiceFlags) String() string {
	var names []string
	for _, n := range serviceFlagNames {
		if f&n.flag != 0 {
			names = append(names, n.name)
			f &^= n.flag
		}
	}
	if f != 0 {
		names = append(names, fmt.Sprintf("0x%x", uint32(f)))
	}
	return strings.Join(names, ",")
}

// A Netmask is the persistence granularity of a service: for IPv4 any 32-bit
// mask (the kernel does not ask that its ones be contiguous), for IPv6 a prefix
// length from 1 to 128. It is comparable; the zero Netmask is "not given", which
// the kernel takes as a full mask.
type Netmask struct {
	family Family
	bits   uint32 // IPv4: the mask, host order; IPv6: the prefix length
}

// Mask4 is an IPv4 mask in host byte order: 0xffffff00 is 255.255.255.0.
func Mask4(mask uint32) Netmask { return Netmask{INET, mask} }

// Mask6 is an IPv6 prefix length.
func Mask6(prefixLen uint32) Netmask { return Netmask{INET6, prefixLen} }

// FullMask is the mask that keeps every client on its own.
func FullMask(f Family) Netmask {
	if f == INET6 {
		return Mask6(128)
	}
	return Mask4(0xffffffff)
}

// IsZero reports whether no mask was given.
func (m Netmask) IsZero() bool { return m == Netmask{} }

// IsFull reports whether m keeps every client on its own, as the zero Netmask does.
func (m Netmask) IsFull() bool { return m.IsZero() || m == FullMask(m.family) }

// Family of the mask; zero for the zero Netmask.
func (m Netmask) Family() Family { return m.family }

// Uint32 is the IPv4 mask in host byte order or the IPv6 prefix length.
func (m Netmask) Uint32() uint32 { return m.bits }

// Addr4 is the IPv4 mask as an address; valid only for an IPv4 mask.
func (m Netmask) Addr4() netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], m.bits)
	return netip.AddrFrom4(b)
}

// PrefixLen is the number of leading ones, and whether m is nothing but those.
func (m Netmask) PrefixLen() (n int, contiguous bool) {
	if m.family == INET6 {
		return int(m.bits), true
	}
	n = bits.LeadingZeros32(^m.bits)
	return n, m.bits == ^uint32(0)<<(32-n)
}

// String is "255.255.255.0" for IPv4, the prefix length for IPv6, as ipvsadm
// prints them, and "" for the zero Netmask.
func (m Netmask) String() string {
	switch m.family {
	case INET:
		return m.Addr4().String()
	case INET6:
		return fmt.Sprint(m.bits)
	}
	return ""
}
