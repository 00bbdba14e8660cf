// Package ipvs reads and changes the table of the Linux kernel's IPVS by generic
// netlink, as ipvsadm does. [Dial] gives a [Client], whose methods are the
// kernel's commands, and [Client.Snapshot], which reads everything.
//
// # A table that changes while it is read
//
// The kernel lists services, and the real servers of one service; it has no
// command for both. A list comes in datagrams, each filled in one go under the
// lock on the table (__ip_vs_mutex in net/netfilter/ipvs/ip_vs_ctl.c), and between
// two of them the kernel remembers nothing but how many rows it gave. So what is
// deleted in between makes it leave out a row that was there all along, and what is
// added makes it repeat one; it never tells so (NLM_F_DUMP_INTR is not set by
// IPVS). The list of services counts those of other network namespaces as well. To
// a question about the real servers of a service that does not exist the answer is
// an empty list. Hence this is done:
//
//   - A list that fits into one datagram is one instant of the table and needs no
//     more. Datagrams are of up to 32 KiB: some eighty real servers.
//   - Longer lists of real servers are read until two readings agree, one of which
//     may be the last snapshot's.
//   - Services are listed again after their real servers. Those that came, or were
//     deleted and added again, are then read, and services listed once more; those
//     that went are left out.
//   - Empty lists of real servers are asked for twice.
//
// All of this is done a few times at most. Snapshot.Retries tells how often
// something was read again, and Snapshot.Inconsistent what was still changing in
// the end. The counters of a service and its real servers are of slightly
// different times in any case; the kernel itself brings them up to date every two
// seconds.
//
// # Names
//
// Attributes are in the byte order of the machine, ports and IPv4 netmasks in that
// of the network. Statistics of 64 bits (since Linux 4.1) are taken if there are
// any. Unknown attributes are skipped; any other deviation is an error that says
// where it is, and never a panic.
package ipvs
