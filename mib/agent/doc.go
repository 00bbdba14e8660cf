// Package agent is an SNMP agent for where there is no other: it answers
// SNMPv1, v2c and v3 over UDP from a [smi.Tree] and a system group of its own, and
// shows nothing else. It knows neither what the tree holds nor any other front
// end of it. Sources: RFC 1157 and RFC 3416 (what requests mean), RFC 3584 §4 (v1
// from the same variables), RFC 3412 and RFC 3413 §3 (v3), RFC 3418 (system).
//
// # Who is answered
//
// Requests of a community or a user that the [Config] has. Where it has neither,
// those that come from this machine (127.0.0.0/8, ::1) with the community
// "public", which may read. All others are dropped and counted without a word,
// except that v3 has reports for its users' mistakes, which are hardly longer
// than the questions.
//
// # No amplifier
//
// Who asks over UDP may be somebody else than the sender's address says, so that
// answers hit a third. One request gets one answer at most, and only a request
// does. An answer is no larger than [Config.MaxMessageSize], which is one frame
// unless told otherwise; one that stays on this machine may be as large as UDP
// can be, since nobody outside sends from its addresses, and large answers
// take less CPU for a variable. Requests and octets of answers are limited for
// each source, see [Rate]. What was sent to a multicast or broadcast address is
// not answered.
//
// # Addresses
//
// An answer leaves from the address that was asked, also where one socket
// listens on all of them: a director has its own address and many VIPs, and
// managers and firewalls drop an answer from another than they asked. This
// works on Linux; elsewhere give each address its own listener.
//
// # Walks
//
// The tree may be swapped at any time. A walk that goes on within ten seconds sees
// the tree in which it began; see [smi.Walks].
package agent
