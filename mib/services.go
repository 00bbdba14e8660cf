package mib

import (
	"math"
	"net/netip"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// serviceEntry is the arc of lvsServiceEntry below the root.
var serviceEntry = smi.OID{17, 1}

// serviceColumns are the columns of lvsServiceTable.
var serviceColumns = append([]column[*serviceRow]{
	{
		sub: 1, name: "lvsServiceNumber", typ: smi.Integer,
		num: func(s *serviceRow) uint64 { return uint64(s.Number) },
	},
	{
		sub: 2, name: "lvsServiceSchedType", typ: smi.OctetString,
		octets: func(b []byte, s *serviceRow) []byte { return append(b, s.Scheduler...) },
	},
	{
		sub: 3, name: "lvsServiceProto", typ: smi.Integer,
		num: func(s *serviceRow) uint64 { return unlessMark(s, uint64(s.Key.Protocol)) },
	},
	{
		sub: 4, name: "lvsServiceAddr", typ: smi.IPAddress,
		octets: func(b []byte, s *serviceRow) []byte { return appendAddr(b, s.Key.VIP.Addr()) },
	},
	{
		sub: 5, name: "lvsServicePort", typ: smi.Integer,
		num: func(s *serviceRow) uint64 { return unlessMark(s, uint64(s.Key.VIP.Port())) },
	},
	{
		sub: 6, name: "lvsServiceFWMark", typ: smi.Integer,
		num: func(s *serviceRow) uint64 { return uint64(int64(int32(s.Key.FWMark))) },
	},
	{
		sub: 7, name: "lvsServicePersistTimeout", typ: smi.Integer,
		num: func(s *serviceRow) uint64 { return seconds(s.Timeout) },
	},
	{
		sub: 8, name: "lvsServicePersistNetmask", typ: smi.IPAddress,
		octets: func(b []byte, s *serviceRow) []byte { return appendAddr(b, netmask(s)) },
	},
	{
		sub: 9, name: "lvsServiceNumDests", typ: smi.Integer,
		num: func(s *serviceRow) uint64 { return clamp(uint64(len(s.Reals)), math.MaxUint16) },
	},
}, statistics(10, "lvsService",
	func(s *serviceRow) *dataplane.Counters { return &s.Total },
	func(s *serviceRow) *dataplane.Rates { return rates(s.HasRates, &s.Rates, &s.KernelRates) },
)...)

// unlessMark is n, or the MIB's fwmark(-1) for a firewall mark.
func unlessMark(s *serviceRow, n uint64) uint64 {
	if s.Key.IsMark() {
		return minusOne
	}
	return n
}

// netmask is the persistence netmask of a service of IPv4, full where none was
// given, and no address for one of IPv6.
func netmask(s *serviceRow) netip.Addr {
	if s.Key.Family != dataplane.INET {
		return netip.Addr{}
	}
	if s.Netmask.IsZero() {
		return dataplane.FullMask(dataplane.INET).Addr4()
	}
	return s.Netmask.Addr4()
}

// appendAddr appends the four octets of an IpAddress: 0.0.0.0 for IPv6 and for
// no address. Never sixteen: managers throw away the whole answer for it.
func appendAddr(b []byte, a netip.Addr) []byte {
	var four [4]byte
	if a.Is4() {
		four = a.As4()
	}
	return append(b, four[:]...)
}
