package dataplane

import "net/netip"

// RemovedReason is why an entry that is no longer in the table is out of service,
// in the words of [RealState.Reason].
const RemovedReason = "removed from the table"

// A Removed is a virtual service, or a real server of one, that was in the table
// and no longer is. Many a health checker takes out a real server that fails
// rather than setting its weight to 0, and who looks for it wants to find it.
type Removed struct {
	Key ServiceKey
	// RIP of the real server; the zero AddrPort stands for the service itself.
	RIP netip.AddrPort
	// Name is the configured name; empty if there is none.
	Name string
	// Account is as it was left: LastSeen is when the entry was last in the table.
	Account
}
