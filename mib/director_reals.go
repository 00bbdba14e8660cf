package mib

import (
	"time"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// realsScalars are those of lvsdReals.
var realsScalars = tableScalars("Real", "Reals",
	func(v *view) int { return v.reals }, func(v *view) time.Time { return v.RealsChanged })

// directorRealEntry is the arc of lvsdRealEntry below the root.
var directorRealEntry = entryArc(5)

// directorRealColumns are the columns of lvsdRealTable.
var directorRealColumns = join(
	[]column[realRow]{
		numCol(2, "lvsdRealAddressType", smi.Integer, func(r realRow) uint64 { return inetType(r.RIP.Addr()) }),
		octetsCol(3, "lvsdRealAddress", func(b []byte, r realRow) []byte { return appendInet(b, r.RIP.Addr()) }),
		gaugeCol(4, "lvsdRealPort", func(r realRow) uint64 { return uint64(r.RIP.Port()) }),
		octetsCol(5, "lvsdRealAddressText", func(b []byte, r realRow) []byte { return appendAddrText(b, r.RIP.Addr()) }),
		octetsCol(6, "lvsdRealKey", appendRealKey),
		textCol(7, "lvsdRealName", func(r realRow) string { return r.Name }),
		octetsCol(8, "lvsdRealLabel", appendRealLabel),
		numCol(9, "lvsdRealMethod", smi.Integer, func(r realRow) uint64 { return clamp(uint64(r.Method)+1, methodOther) }),
		numCol(10, "lvsdRealTunnelType", smi.Integer, tunnelType).when(whole),
		gaugeCol(11, "lvsdRealTunnelPort", func(r realRow) uint64 { return uint64(r.Encap.Port) }).when(whole),
		textCol(12, "lvsdRealTunnelFlags", tunnelFlags).when(whole),
		gaugeCol(13, "lvsdRealWeight", func(r realRow) uint64 { return integer(r.Weight) }),
		gaugeCol(14, "lvsdRealWeightShare", weightShare),
		gaugeCol(15, "lvsdRealUpperThreshold", func(r realRow) uint64 { return uint64(r.UpperThreshold) }).when(whole),
		gaugeCol(16, "lvsdRealLowerThreshold", func(r realRow) uint64 { return uint64(r.LowerThreshold) }).when(whole),
		gaugeCol(17, "lvsdRealActiveConns", func(r realRow) uint64 { return uint64(r.Active) }),
		gaugeCol(18, "lvsdRealInactiveConns", func(r realRow) uint64 { return uint64(r.Inactive) }),
		gaugeCol(19, "lvsdRealPersistentConns", func(r realRow) uint64 { return uint64(r.Persistent) }).when(whole),
		gaugeCol(20, "lvsdRealPeakConns", func(r realRow) uint64 { return r.Peak }),
	},
	counterColumns(21, "lvsdReal", whole,
		func(r realRow) *dataplane.Counters { return &r.Total },
		func(r realRow) *dataplane.Rates { return rates(r.HasRates, &r.Rates, &r.KernelRates) }),
	stateColumns(36, "lvsdReal", stateful[realRow]{
		status:  func(r realRow) dataplane.Status { return r.Status() },
		reason:  func(r realRow) string { return r.Reason() },
		account: func(r realRow) *dataplane.Account { return &r.Account },
		now:     func(r realRow) time.Time { return r.svc.view.Time },
	}),
)

// appendRealKey appends what identifies a real server among those of all
// services.
func appendRealKey(b []byte, r realRow) []byte {
	return r.RIP.AppendTo(append(append(b, r.svc.key...), ' '))
}

// appendRealLabel appends how a real server is called beside those of all
// services.
func appendRealLabel(b []byte, r realRow) []byte {
	start := len(b)
	b = append(append(b, r.svc.label...), ' ')
	if r.Name != "" {
		b = append(b, r.Name...)
	} else {
		b = r.RIP.AppendTo(b)
	}
	return fitText(b, start)
}

// methodOther is LvsdMethod's other(6), for a method that the kernel's header did
// not have when this was written.
const methodOther = 6

// tunnelType is lvsdRealTunnelType: none(1), ipip(2), gue(3), gre(4), other(5).
func tunnelType(r realRow) uint64 {
	if r.Method != dataplane.Tunnel {
		return 1
	}
	return clamp(uint64(r.Encap.Type)+2, 5)
}

// tunnelFlags are empty where the encapsulation knows none.
func tunnelFlags(r realRow) string {
	if r.Method != dataplane.Tunnel || r.Encap.Type == dataplane.IPIP {
		return ""
	}
	return r.Encap.Flags.String()
}

// weightShare is the weight in thousandths of the service's.
func weightShare(r realRow) uint64 {
	if r.svc.weight == 0 {
		return 0
	}
	return uint64(r.Weight) * 1000 / r.svc.weight
}
