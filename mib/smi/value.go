package smi

import "fmt"

// A Type is the type of a Value. The numbers are the tags of BER (RFC 3416,
// RFC 2578), which AgentX uses too (RFC 2741 §5.4).
type Type uint8

// The types a variable may have, and the three exceptions that stand in for one.
const (
	Integer        Type = 2  // Integer32, -2^31..2^31-1
	OctetString    Type = 4  // also every textual convention over it
	Null           Type = 5  // the zero Value stands for it
	ObjectID       Type = 6  //
	IPAddress      Type = 64 // exactly four octets
	Counter32      Type = 65
	Gauge32        Type = 66 // also Unsigned32
	TimeTicks      Type = 67 // hundredths of a second
	Opaque         Type = 68
	Counter64      Type = 70
	NoSuchObject   Type = 128
	NoSuchInstance Type = 129
	EndOfMIBView   Type = 130
)

func (t Type) String() string {
	switch t {
	case Integer:
		return "INTEGER"
	case OctetString:
		return "OCTET STRING"
	case Null:
		return "NULL"
	case ObjectID:
		return "OBJECT IDENTIFIER"
	case IPAddress:
		return "IpAddress"
	case Counter32:
		return "Counter32"
	case Gauge32:
		return "Gauge32"
	case TimeTicks:
		return "TimeTicks"
	case Opaque:
		return "Opaque"
	case Counter64:
		return "Counter64"
	case NoSuchObject:
		return "noSuchObject"
	case NoSuchInstance:
		return "noSuchInstance"
	case EndOfMIBView:
		return "endOfMibView"
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// A Value is what a variable holds. The zero Value is Null. Values are
// immutable: Bytes and OID may be shared with the tree they came from.
type Value struct {
	Type Type
	// Int holds Integer (as the two's complement of an int32 widened to 64
	// bits), Counter32, Gauge32, TimeTicks and Counter64.
	Int uint64
	// Bytes holds OctetString, Opaque and IPAddress.
	Bytes []byte
	// OID holds ObjectID.
	OID OID
}

// A Tree is a set of variables that does not change. All methods are safe for
// concurrent use and allocate nothing.
type Tree interface {
	// Get returns the variable called name. Where there is none, the value is
	// NoSuchInstance if the tree has the object type and NoSuchObject otherwise.
	Get(name OID) Value
	// Next returns the first variable after name (at or after it, if include is
	// true) and before end (a nil end is no bound). Its name is appended to
	// dst[:0]. Where there is none, ok is false.
	Next(dst OID, name OID, include bool, end OID) (next OID, v Value, ok bool)
}
