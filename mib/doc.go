// Package mib is the LVS-MIB and the LVS-DIRECTOR-MIB: their texts, the tree of
// variables made from a snapshot that an SNMP front end answers from, and the
// notifications that follow from one snapshot after another. It reads nothing
// itself and speaks no protocol; a front end is handed a [Tree] and, with every
// new snapshot, the next one, and what a [Watcher] makes of it.
//
// The LVS-MIB is the one that Linux directors have had since 2002, and keeps every
// identifier, name and type of it: eight scalars, lvsServiceTable at arc 17
// and lvsRealTable at arc 18 of .1.3.6.1.4.1.8225.4711. What the old agents did
// with it and this one does not: rows were positions in the kernel's list, so
// that one service more renumbered all behind it; counters fell when somebody
// cleared them; IPv6 rows carried addresses that broke the whole answer.
//
// The LVS-DIRECTOR-MIB, below { lvs 100 }, is for what that has no room for. Its
// rows have the same numbers, beside a text that names them for good; its
// addresses are of either family, its totals Counter64 with a Counter32 for those
// who know no better, and its times are dates. An arc is for ever: a new column
// gets the next one, here and in the text, and a test holds both together.
//
// This is one of the two edges where 64 bits do not fit what is asked for: a
// Counter32 is the low 32 bits of the total, which is what a manager expects of
// one, and a Gauge32 stops at its highest value.
package mib

import "embed"

// Texts holds the MIB modules as managers load them: OC-MIB.txt (the root),
// LVS-MIB.txt, LVS-DIRECTOR-MIB.txt and LVS-AGENT-CAPS-MIB.txt. Beyond each other
// they import SNMPv2-SMI, SNMPv2-TC and SNMPv2-CONF, the last two also
// SNMP-FRAMEWORK-MIB, INET-ADDRESS-MIB and HCNUM-TC. Debian's SNMP tools come
// without those; base.sh fetches them.
//
//go:embed OC-MIB.txt LVS-MIB.txt LVS-DIRECTOR-MIB.txt LVS-AGENT-CAPS-MIB.txt
var Texts embed.FS
