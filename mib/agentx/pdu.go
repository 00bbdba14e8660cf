package agentx

import (
	"fmt"

	"lvs/mib/smi"
)

// A Type says what a PDU is for (RFC 2741 §6.1, h.type).
type Type uint8

// The eighteen types.
const (
	Open            Type = 1
	Close           Type = 2
	Register        Type = 3
	Unregister      Type = 4
	Get             Type = 5
	GetNext         Type = 6
	GetBulk         Type = 7
	TestSet         Type = 8
	CommitSet       Type = 9
	UndoSet         Type = 10
	CleanupSet      Type = 11
	Notify          Type = 12
	Ping            Type = 13
	IndexAllocate   Type = 14
	IndexDeallocate Type = 15
	AddAgentCaps    Type = 16
	RemoveAgentCaps Type = 17
	Response        Type = 18
)

var typeNames = [...]string{
	Open: "Open", Close: "Close", Register: "Register", Unregister: "Unregister",
	Get: "Get", GetNext: "GetNext", GetBulk: "GetBulk",
	TestSet: "TestSet", CommitSet: "CommitSet", UndoSet: "UndoSet", CleanupSet: "CleanupSet",
	Notify: "Notify", Ping: "Ping", IndexAllocate: "IndexAllocate", IndexDeallocate: "IndexDeallocate",
	AddAgentCaps: "AddAgentCaps", RemoveAgentCaps: "RemoveAgentCaps", Response: "Response",
}

// String gives the RFC's name without "agentx-" and "-PDU".
func (t Type) String() string {
	if t.valid() {
		return typeNames[t]
	}
	return fmt.Sprintf("type %d", uint8(t))
}

func (t Type) valid() bool { return t >= Open && t <= Response }

// hasContext reports whether a PDU of type t carries a context where
// [NonDefaultContext] is set (RFC 2741 §6.1.1). In the others the flag means nothing.
func (t Type) hasContext() bool {
	switch t {
	case Register, Unregister, Get, GetNext, GetBulk, TestSet, Notify, Ping,
		IndexAllocate, IndexDeallocate, AddAgentCaps, RemoveAgentCaps:
		return true
	}
	return false
}

// Flags of a PDU's header (RFC 2741 §6.1, h.flags).
type Flags uint8

// The flags RFC 2741 defines.
const (
	InstanceRegistration Flags = 1 << iota // Register: the subtree is one full instance
	NewIndex                               // IndexAllocate: one never used before
	AnyIndex                               // IndexAllocate: one not in use
	NonDefaultContext                      // a context follows the header
	NetworkByteOrder                       // numbers are big endian, otherwise little endian
)

// An Error is the outcome a Response tells (RFC 2741 §6.2.16, res.error): 0 is
// success, up to 18 it is an error-status of SNMPv2 (RFC 3416), from 256 on one
// of AgentX itself.
type Error uint16

// The errors of AgentX itself, and those of SNMPv2 a subagent gives on its own
// account; the others up to 18 come from an [smi.Setter] and are those of
// [smi.ErrorStatus].
const (
	NoError               Error = Error(smi.NoError)
	TooBig                Error = Error(smi.TooBig)
	GenErr                Error = Error(smi.GenErr)
	ResourceUnavailable   Error = Error(smi.ResourceUnavailable)
	CommitFailed          Error = Error(smi.CommitFailed)
	UndoFailed            Error = Error(smi.UndoFailed)
	NotWritable           Error = Error(smi.NotWritable)
	OpenFailed            Error = 256
	NotOpen               Error = 257
	IndexWrongType        Error = 258
	IndexAlreadyAllocated Error = 259
	IndexNoneAvailable    Error = 260
	IndexNotAllocated     Error = 261
	UnsupportedContext    Error = 262
	DuplicateRegistration Error = 263
	UnknownRegistration   Error = 264
	UnknownAgentCaps      Error = 265
	ParseError            Error = 266
	RequestDenied         Error = 267
	ProcessingError       Error = 268
)

// Error gives the name the RFCs use.
func (e Error) Error() string {
	if int(e) < len(statusNames) {
		return statusNames[e]
	}
	if i := int(e) - int(OpenFailed); i >= 0 && i < len(errorNames) {
		return errorNames[i]
	}
	return fmt.Sprintf("error %d", uint16(e))
}

// statusNames are those of the error-status (RFC 3416 §3), from 0 on.
var statusNames = [...]string{"noError", "tooBig", "noSuchName", "badValue", "readOnly", "genErr", "noAccess", "wrongType",
	"wrongLength", "wrongEncoding", "wrongValue", "noCreation", "inconsistentValue", "resourceUnavailable", "commitFailed",
	"undoFailed", "authorizationError", "notWritable", "inconsistentName"}

// errorNames are those of RFC 2741 §6.2.16, from OpenFailed on.
var errorNames = [...]string{"openFailed", "notOpen", "indexWrongType", "indexAlreadyAllocated", "indexNoneAvailable",
	"indexNotAllocated", "unsupportedContext", "duplicateRegistration", "unknownRegistration", "unknownAgentCaps",
	"parseError", "requestDenied", "processingError"}

// A CloseReason says why a session ends (RFC 2741 §6.2.2, c.reason).
type CloseReason uint8

// The reasons RFC 2741 defines.
const (
	ReasonOther         CloseReason = 1
	ReasonParseError    CloseReason = 2
	ReasonProtocolError CloseReason = 3
	ReasonTimeouts      CloseReason = 4
	ReasonShutdown      CloseReason = 5
	ReasonByManager     CloseReason = 6
)

func (r CloseReason) String() string {
	names := [...]string{"other", "parse error", "protocol error", "timeouts", "shutdown", "by manager"}
	if i := int(r) - 1; i >= 0 && i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// A Range is what one variable of a Get, GetNext or GetBulk asks for (RFC 2741
// §5.2): Get the variable Start, the others the first one after Start (at or
// after it, if Include is true) and before End. A nil End is no bound.
type Range struct {
	Start, End smi.OID
	Include    bool
}

// A PDU is one message, either way. Which of its fields have a meaning depends
// on Type; Append ignores the others and Decode leaves them alone, except that
// Ranges and VarBinds are always those of the message decoded. The zero PDU is
// not a message.
//
// Decode reuses the storage of the fields it fills: names and values of a
// decoded PDU are valid until the next Decode into it, and octet strings only as
// long as the bytes they were decoded from. A PDU is for one goroutine at a time.
type PDU struct {
	Type          Type
	Flags         Flags
	SessionID     uint32 // given by the master's Response to Open
	TransactionID uint32 // which SNMP request a request belongs to
	PacketID      uint32 // ties a Response to its request
	Context       []byte // read and written if Flags has NonDefaultContext and Type carries one

	Timeout     uint8       // Open, Register: seconds; 0 = the master's default
	Reason      CloseReason // Close
	Priority    uint8       // Register, Unregister: the lowest wins, 127 is usual
	RangeSubID  uint8       // Register, Unregister: which sub-identifier of Name is a range's lower bound, from 1; 0 = no range
	UpperBound  uint32      // Register, Unregister: that range's upper bound; on the wire only where RangeSubID is not 0
	Name        smi.OID     // Open, AddAgentCaps, RemoveAgentCaps: identity; Register, Unregister: the subtree
	Description []byte      // Open, AddAgentCaps

	NonRepeaters   uint16  // GetBulk: that many leading Ranges are asked once
	MaxRepetitions uint16  // GetBulk: the others that many times
	Ranges         []Range // Get, GetNext, GetBulk

	SysUpTime uint32        // Response: hundredths of a second
	Error     Error         // Response
	Index     uint16        // Response: which VarBind (from 1) Error is about; 0 = none
	VarBinds  []smi.VarBind // TestSet, Notify, IndexAllocate, IndexDeallocate, Response

	subIDs []uint32 // what the decoded names are made of
}

const (
	version    = 1
	headerSize = 20
	// maxPayload bounds what a header may announce, and so the memory a broken
	// peer can make us set aside. An SNMP message holds at most 64 KiB; its
	// variables take about twice that here.
	maxPayload = 1 << 20
	// maxString is the longest octet string SMIv2 knows (RFC 2578 §7.1.2).
	maxString = 65535
)
