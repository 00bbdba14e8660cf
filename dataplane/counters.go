package dataplane

// Counters are totals: in the kernel since the entry was added or last zeroed,
// in a [Account] since it was first seen. They only grow until then. Source:
// struct ip_vs_kstats in include/net/ip_vs.h.
type Counters struct {
	Connections, InPackets, OutPackets uint64
	InBytes, OutBytes                  uint64 // bytes, not bits
}

// Add is the sum of c and d, field by field.
func (c Counters) Add(d Counters) Counters {
	return Counters{c.Connections + d.Connections, c.InPackets + d.InPackets, c.OutPackets + d.OutPackets,
		c.InBytes + d.InBytes, c.OutBytes + d.OutBytes}
}

// Sub is what c counts beyond prev. It is not ok where any field of c is below
// prev's: then the counters were started anew in between, c itself is all that
// is known, and c is returned.
func (c Counters) Sub(prev Counters) (d Counters, ok bool) {
	if c.Connections < prev.Connections || c.InPackets < prev.InPackets || c.OutPackets < prev.OutPackets ||
		c.InBytes < prev.InBytes || c.OutBytes < prev.OutBytes {
		return c, false
	}
	return Counters{c.Connections - prev.Connections, c.InPackets - prev.InPackets, c.OutPackets - prev.OutPackets,
		c.InBytes - prev.InBytes, c.OutBytes - prev.OutBytes}, true
}

// IsZero reports whether nothing was counted.
func (c Counters) IsZero() bool { return c == Counters{} }

// Rates are what counters grow by in a second: connections, packets, bytes.
type Rates struct {
	Connections, InPackets, OutPackets, InBytes, OutBytes uint64
}

// A ResetReason says why the kernel's counters started anew.
type ResetReason uint8

// The reasons, in the order of [ResetCounts].
const (
	// Recreated: the service or real server was deleted and added again.
	Recreated ResetReason = iota
	// Zeroed: somebody cleared the counters, as ipvsadm -Z does.
	Zeroed
	// KernelRestart: the machine was booted or the ip_vs module loaded again.
	KernelRestart
	// Wrap32: a counter passed 2^32 in a kernel that tells 32 bits only.
	Wrap32
	// NumResetReasons is how many reasons there are.
	NumResetReasons
)

var resetNames = [NumResetReasons]string{"recreated", "zeroed", "kernel_restart", "wrap32"}

// String is "recreated", "zeroed", "kernel_restart" or "wrap32".
func (r ResetReason) String() string {
	if r < NumResetReasons {
		return resetNames[r]
	}
	return "unknown reset"
}

// ResetCounts counts resets, indexed by reason.
type ResetCounts [NumResetReasons]uint32

// Sum is the number of resets of all reasons.
func (c ResetCounts) Sum() (n uint64) {
	for _, v := range c {
		n += uint64(v)
	}
	return n
}
