package mib

import "lvs/mib/smi"

// A Capability is an AGENT-CAPABILITIES statement, as a row of sysORTable shows
// it (RFC 3418).
type Capability struct {
	OID         smi.OID
	Description string
}

// Capabilities are the statements of the LVS-AGENT-CAPS-MIB: what of which MIB is
// implemented here.
func Capabilities() []Capability {
	return []Capability{
		{root.Append(100, 3, 1), "The LVS-MIB: virtual services and real servers of a Linux Virtual Server director."},
		{root.Append(100, 3, 2), "The LVS-DIRECTOR-MIB: a Linux Virtual Server director, its services, real servers and hosts, and their notifications."},
	}
}
