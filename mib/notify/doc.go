// Package notify brings notifications to those who want to know: a [Queue] keeps
// them for each target, in order, until the target has taken them, and a
// [Manager] is a target that is sent them straight, as traps or informs of
// SNMPv2c or SNMPv3. The package knows neither LVS nor AgentX: what a target is,
// its caller says.
//
// # What is promised
//
// A target gets what was enqueued in that order, and nothing twice that it may
// have got: a notification is sent again only where it certainly did not arrive
// ([ErrLater]), or where the target itself can see that it is the same one (an
// inform, by its request-id). Where it is not known whether it arrived
// ([ErrUnknown]) it is given up: at most once. Everything else that does not
// arrive is counted, by its reason, in [Stats].
//
// Source: RFC 3413 §3.3 (notification originators), RFC 3416 §4.2.6 and §4.2.7
// (SNMPv2-Trap-PDU, InformRequest-PDU), RFC 3414 §4 (discovery).
package notify
