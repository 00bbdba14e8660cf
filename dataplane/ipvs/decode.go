package ipvs

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"lvs/dataplane"
)

// payload checks the generic netlink header of a message's data and gives the
// attributes behind it.
func payload(data []byte, want command, names []string) (attrs, error) {
	if len(data) < genlHeader {
		return attrs{}, fmt.Errorf("%v: %d bytes are no generic netlink header", want, len(data))
	}
	if got := command(data[0]); got != want {
		return attrs{}, fmt.Errorf("the kernel answered %v, want %v", got, want)
	}
	return attrs{b: data[genlHeader:], base: genlHeader, in: want.String(), name: names}, nil
}

// entry is the attribute that holds everything of a dumped row.
func entry(data []byte, want command, typ uint16, what string, names []string) (attrs, error) {
	a, err := payload(data, want, cmdAttrNames[:])
	if err != nil {
		return attrs{}, err
	}
	for a.next() {
		if a.typ == typ {
			return a.nested(names, what), nil
		}
	}
	a.need(0, 1<<typ)
	return attrs{}, a.err
}

// names keeps one copy of each scheduler and persistence engine name, so that
// ten thousand services do not cost ten thousand strings.
type names map[string]string

// maxNames bounds what is kept: the kernel has fewer than twenty of both.
const maxNames = 64

func (n names) intern(b []byte) string {
	if s, ok := n[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(n) < maxNames {
		n[s] = s
	}
	return s
}

// decodeService reads a NEW_SERVICE message, as GET_SERVICE is answered, into
// the zero s. stats64 is false where the kernel told 32-bit statistics only. The
// key may be invalid: the kernel takes protocols and addresses that no packet
// ever matches, see [Client.Snapshot].
func decodeService(data []byte, n names, s *dataplane.ServiceState) (stats64 bool, err error) {
	a, err := entry(data, cmdNewService, attrService, "NEW_SERVICE SERVICE", svcAttrNames[:])
	if err != nil {
		return false, err
	}
	var seen, netmask uint32
	var protocol, port uint16
	var addr []byte
	var narrow, wide attrs // the statistics of either width
	for a.next() {
		switch a.typ {
		case svcAF:
			s.Key.Family = a.family()
		case svcProtocol:
			protocol = a.u16()
		case svcAddr:
			addr = a.addr()
		case svcPort:
			port = a.be16()
		case svcFWMark:
			s.Key.FWMark = a.u32()
		case svcSchedName:
			s.Scheduler = n.intern(a.text())
		case svcFlags:
			if a.sized(8) {
				s.Flags = dataplane.ServiceFlags(binary.NativeEndian.Uint32(a.data))
			}
		case svcTimeout:
			s.Timeout = time.Duration(a.u32()) * time.Second
		case svcNetmask:
			netmask = a.u32()
		case svcPEName:
			s.PersistenceEngine = n.intern(a.text())
		case svcStats:
			narrow = a.nested(statsAttrNames[:], "STATS")
		case svcStats64:
			wide = a.nested(statsAttrNames[:], "STATS64")
		}
		if a.typ < 32 {
			seen |= 1 << a.typ
		}
	}
	const always = 1<<svcAF | 1<<svcSchedName | 1<<svcFlags | 1<<svcTimeout | 1<<svcNetmask
	a.need(seen, always)
	if s.Key.FWMark == 0 {
		a.need(seen, 1<<svcProtocol|1<<svcAddr|1<<svcPort)
	}
	if stats64 = seen&(1<<svcStats64) != 0; stats64 {
		a.stats(wide, true, &s.Kernel, &s.KernelRates)
	} else if a.need(seen, 1<<svcStats); a.err == nil {
		a.stats(narrow, false, &s.Kernel, &s.KernelRates)
	}
	if a.err != nil {
		return false, a.err
	}
	// A mask given in network order is one in host order when read as bytes.
	if s.Key.Family == dataplane.INET6 {
		s.Netmask = dataplane.Mask6(netmask)
	} else {
		var b [4]byte
		binary.NativeEndian.PutUint32(b[:], netmask)
		s.Netmask = dataplane.Mask4(binary.BigEndian.Uint32(b[:]))
	}
	if s.Key.FWMark == 0 && protocol <= 0xff {
		s.Key.Protocol = dataplane.Protocol(protocol)
		s.Key.VIP = netip.AddrPortFrom(address(s.Key.Family, addr), port)
	}
	// Without persistence the kernel keeps whatever timeout it was given.
	if s.Flags&dataplane.FlagPersistent == 0 {
		s.Timeout = 0
	}
	return stats64, nil
}

// decodeReal reads a NEW_DEST message, as GET_DEST is answered, into the zero r.
// family is the service's, for kernels before Linux 3.18, whose real servers
// have no other.
func decodeReal(data []byte, family dataplane.Family, r *dataplane.RealState) (stats64 bool, err error) {
	a, err := entry(data, cmdNewDest, attrDest, "NEW_DEST DEST", destAttrNames[:])
	if err != nil {
		return false, err
	}
	var seen uint32
	var port uint16
	var addr []byte
	var narrow, wide attrs // the statistics of either width
	for a.next() {
		switch a.typ {
		case destAddr:
			addr = a.addr()
		case destPort:
			port = a.be16()
		case destFwdMethod:
			r.Method = dataplane.Method(a.u32() & fwdMask)
		case destWeight:
			r.Weight = a.u32()
		case destUThresh:
			r.UpperThreshold = a.u32()
		case destLThresh:
			r.LowerThreshold = a.u32()
		case destActiveConns:
			r.Active = a.u32()
		case destInactConns:
			r.Inactive = a.u32()
		case destPersistConns:
			r.Persistent = a.u32()
		case destAddrFamily:
			family = a.family()
		case destTunType:
			r.Encap.Type = dataplane.EncapType(a.u8())
		case destTunPort:
			r.Encap.Port = a.be16()
		case destTunFlags:
			r.Encap.Flags = dataplane.EncapFlags(a.u16())
		case destStats:
			narrow = a.nested(statsAttrNames[:], "STATS")
		case destStats64:
			wide = a.nested(statsAttrNames[:], "STATS64")
		}
		if a.typ < 32 {
			seen |= 1 << a.typ
		}
	}
	const always = 1<<destAddr | 1<<destPort | 1<<destFwdMethod | 1<<destWeight | 1<<destUThresh |
		1<<destLThresh | 1<<destActiveConns | 1<<destInactConns | 1<<destPersistConns
	a.need(seen, always)
	if stats64 = seen&(1<<destStats64) != 0; stats64 {
		a.stats(wide, true, &r.Kernel, &r.KernelRates)
	} else if a.need(seen, 1<<destStats); a.err == nil {
		a.stats(narrow, false, &r.Kernel, &r.KernelRates)
	}
	if a.err != nil {
		return false, a.err
	}
	// Only here is the family known: ADDR_FAMILY comes behind ADDR.
	r.RIP = netip.AddrPortFrom(address(family, addr), port)
	if r.Method != dataplane.Tunnel {
		r.Encap = dataplane.Encap{}
	}
	return stats64, nil
}

// stats reads STATS or STATS64, which differ in the width of all but the two
// totals of bytes. All ten must be there.
func (a *attrs) stats(in attrs, wide bool, c *dataplane.Counters, r *dataplane.Rates) {
	var v [numStats + 1]uint64
	seen := uint32(0)
	for in.next() {
		if in.typ == 0 || in.typ > numStats {
			continue // padding, or what a later kernel adds
		}
		if wide || in.typ == statsInBytes || in.typ == statsOutBytes {
			v[in.typ] = in.u64()
		} else {
			v[in.typ] = uint64(in.u32())
		}
		seen |= 1 << in.typ
	}
	in.need(seen, 1<<(numStats+1)-2)
	if in.err != nil && a.err == nil {
		a.err = fmt.Errorf("%s: %w", a.in, in.err)
	}
	*c = dataplane.Counters{Connections: v[statsConns], InPackets: v[statsInPkts], OutPackets: v[statsOutPkts],
		InBytes: v[statsInBytes], OutBytes: v[statsOutBytes]}
	*r = dataplane.Rates{Connections: v[statsCPS], InPackets: v[statsInPPS], OutPackets: v[statsOutPPS],
		InBytes: v[statsInBPS], OutBytes: v[statsOutBPS]}
}

// family reads an AF_ number.
func (a *attrs) family() dataplane.Family {
	switch af := a.u16(); af {
	case afINET:
		return dataplane.INET
	case afINET6:
		return dataplane.INET6
	default:
		a.fault("is address family %d, want %d or %d", af, afINET, afINET6)
		return 0
	}
}

// addr is the raw address, 16 bytes whatever the family, or nil.
func (a *attrs) addr() []byte {
	if !a.sized(addrBytes) {
		return nil
	}
	return a.data
}

// address makes a raw address one of its family.
func address(f dataplane.Family, b []byte) netip.Addr {
	if f == dataplane.INET {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	return netip.AddrFrom16([16]byte(b))
}
