package mib

import (
	"math"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// realEntry is the arc of lvsRealEntry below the root.
var realEntry = smi.OID{18, 1}

// realColumns are the columns of lvsRealTable. The numbers of a
// dataplane.Method are the kernel's, which are the MIB's too.
var realColumns = append([]column[realRow]{
	{
		sub: 1, name: "lvsRealServiceNumber", typ: smi.Integer,
		num: func(r realRow) uint64 { return uint64(r.svc.Number) },
	},
	{
		sub: 2, name: "lvsRealServerNumber", typ: smi.Integer,
		num: func(r realRow) uint64 { return uint64(r.Number) },
	},
	{
		sub: 3, name: "lvsRealServerAddr", typ: smi.IPAddress,
		octets: func(b []byte, r realRow) []byte { return appendAddr(b, r.RIP.Addr()) },
	},
	{
		sub: 4, name: "lvsRealServerPort", typ: smi.Integer,
		num: func(r realRow) uint64 { return uint64(r.RIP.Port()) },
	},
	{
		sub: 5, name: "lvsRealServerFlags", typ: smi.Integer,
		num: func(r realRow) uint64 { return uint64(r.Method) },
	},
	{
		sub: 6, name: "lvsRealServerWeight", typ: smi.Integer,
		num: func(r realRow) uint64 { return clamp(uint64(r.Weight), math.MaxUint16) },
	},
}, statistics(7, "lvsReal",
	func(r realRow) *dataplane.Counters { return &r.Total },
	func(r realRow) *dataplane.Rates { return rates(r.HasRates, &r.Rates, &r.KernelRates) },
)...)
