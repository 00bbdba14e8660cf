// Package procfs reads what the kernel's IPVS says in /proc: the table of virtual
// services and real servers (net/ip_vs), the director's totals (net/ip_vs_stats
// and net/ip_vs_stats_percpu), the fill of its hash tables (net/ip_vs_status,
// Linux 7.1 and later, root only) and its sysctls (sys/net/ipv4/vs).
//
// It has two uses. [FS.Director] completes a snapshot taken by netlink with what
// netlink does not tell. [FS.Snapshot] is a source of its own for a process
// without CAP_NET_ADMIN, as the files are for everyone to read; it is partial:
// the kernel does not print there
//
//   - the counters and rates of services and real servers,
//   - thresholds, persistent connections, tunnel types and their options,
//   - scheduler flags, persistence engines, and one-packet scheduling of an IPv6
//     service,
//   - the family of a firewall mark, which is inferred (see [FS.Snapshot]),
//   - timeouts of connections, and the sync daemons.
//
// Parsing is strict: a line that is not understood is an error that names file
// and line, never skipped, since the real servers below it would be credited to
// the service above it.
//
// The formats are those of net/netfilter/ipvs/ip_vs_ctl.c (ip_vs_info_seq_show,
// ip_vs_stats_show, ip_vs_stats_percpu_show, ip_vs_status_show).
package procfs
