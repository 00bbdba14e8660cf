// Package snmp reads another director over SNMP into a dataplane.Snapshot. A
// [Poller] is a collector.Source for one director and one of two modules:
//
//	lvs       LVS-MIB, which lvs-agent and the old modules of snmpd serve
//	          (net-snmp-lvs and its forks)
//	director  LVS-DIRECTOR-MIB, which tells all that a lvs-agent knows
//
// Tables are read row by row, all columns of a row in one answer, by GETBULK (by
// GETNEXT in SNMPv1). Every answer is checked: its type, request-id, error
// status and length, and that names are those asked for and rising. A table whose
// rows are not whole, because they came or went while it was read, is read
// again. What is not whole then is an error, never a shorter table.
//
// # The lvs module
//
// It fills Kernel: what the director's agent counts, of which connections and
// packets have 32 bits only, so that Snapshot.Counters32 is set. SNMPv1 has no
// Counter64 and therefore no bytes.
//
// Old agents differ from the text of the MIB and from each other. Rows are
// numbered by their place, times are seconds, a firewall mark has protocol 0, a
// service may claim to have no real servers though it has, lvsMcastInt is missing,
// and addresses have 16 octets whatever the family. All of that is understood.
// Rows whose address cannot be told, as those of IPv6 from an agent that keeps to
// the MIB, are left out and counted in [Stats].Omitted. Old agents also number
// rows anew when a service is added: the services are therefore read once more
// behind their real servers, and everything again where they moved.
//
// # The director module
//
// It fills a snapshot as the director's own sampler completed it: totals, which
// Kernel equals here, numbers, names, rates, changes and the tick. Times are told
// in tenths of a second, and of an account's resets only how many there were, which
// is kept as the number of the first reason; those that the agent saw altogether
// are told by reason, in [Stats].Resets. What the agent tells of itself is in
// [Stats].Agent. SNMPv1 tells the low 32 bits of totals, which the Poller continues
// from one snapshot to the next, and neither rates nor anything of the agent.
//
// What people configure is read again after a minute, or when rows came, went or
// got other names; weights and thresholds each time. The director's sample time
// is read before and behind the tables: where there is a new sample, they are read
// again, and where each reading meets one, Snapshot.Inconsistent says that rows
// are of more than one sample. Each row is of one alone.
package snmp
