package smi

import "time"

// A VarBind is a name and its value.
type VarBind struct {
	Name  OID
	Value Value
}

// A Notification is one event as managers are told it: an SNMPv2 trap or inform
// before a protocol gives it a form. It is immutable.
type Notification struct {
	// OID names the event, as snmpTrapOID.0 carries it (RFC 3416 §4.2.6).
	OID OID
	// Time is when it happened; sysUpTime.0 of what is sent follows from it.
	Time time.Time
	// Vars follow sysUpTime.0 and snmpTrapOID.0. Every name has its instance.
	Vars []VarBind
	// Subject is what the event is about, for instance one real server: while
	// many wait to be sent, the latest of a subject may stand for those before it.
	// Empty is a subject of its own.
	Subject string
}
