package mib

import (
	"math"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// statistics are the ten columns that both tables end with, from column first
// on: what was counted of a row, and what that grows by in a second.
func statistics[R any](first uint32, prefix string, total func(R) *dataplane.Counters, rate func(R) *dataplane.Rates) []column[R] {
	var columns []column[R]
	add := func(name string, typ smi.Type, num func(R) uint64) {
		columns = append(columns, column[R]{
			sub: first + uint32(len(columns)), name: prefix + name, typ: typ,
			known: func(s *view) bool { return !s.Partial },
			num:   num,
		})
	}
	add("StatsConns", smi.Counter32, func(r R) uint64 { return low32(total(r).Connections) })
	add("StatsInPkts", smi.Counter32, func(r R) uint64 { return low32(total(r).InPackets) })
	add("StatsOutPkts", smi.Counter32, func(r R) uint64 { return low32(total(r).OutPackets) })
	add("StatsInBytes", smi.Counter64, func(r R) uint64 { return total(r).InBytes })
	add("StatsOutBytes", smi.Counter64, func(r R) uint64 { return total(r).OutBytes })
	add("RateCps", smi.Gauge32, func(r R) uint64 { return gauge(rate(r).Connections) })
	add("RateInPPS", smi.Gauge32, func(r R) uint64 { return gauge(rate(r).InPackets) })
	add("RateOutPPS", smi.Gauge32, func(r R) uint64 { return gauge(rate(r).OutPackets) })
	add("RateInBPS", smi.Gauge32, func(r R) uint64 { return gauge(rate(r).InBytes) })
	add("RateOutBPS", smi.Gauge32, func(r R) uint64 { return gauge(rate(r).OutBytes) })
	return columns
}

// rates are our own once they are known, and the kernel's estimate until then.
func rates(known bool, own, kernel *dataplane.Rates) *dataplane.Rates {
	if known {
		return own
	}
	return kernel
}

// low32 is a total as a Counter32, which starts again at zero after 2^32-1
// (RFC 2578 §7.1.6).
func low32(n uint64) uint64 { return n & math.MaxUint32 }

// gauge is n as a Gauge32, which stops at its highest value (RFC 2578 §7.1.7).
func gauge(n uint64) uint64 { return clamp(n, math.MaxUint32) }
