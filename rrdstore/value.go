package rrdstore

import (
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"lvs/dataplane"
)

// A Value is a raw value of a source at one time: an integer of 64 bits, kept
// exactly, or a floating-point number. The zero Value is unknown: it says that
// somebody looked and there was nothing to see, RRDtool's U.
type Value struct {
	bits uint64
	kind valueKind
}

type valueKind uint8

const (
	valueUnknown valueKind = iota
	valueUint
	valueFloat
)

// UintValue is the Value of an integer.
func UintValue(u uint64) Value { return Value{u, valueUint} }

// FloatValue is the Value of a number; NaN is unknown.
func FloatValue(f float64) Value {
	if math.IsNaN(f) {
		return Value{}
	}
	return Value{math.Float64bits(f), valueFloat}
}

// ParseValue reads an integer or a number; nothing, "U", "NaN" and "null" are
// unknown.
func ParseValue(s string) (Value, error) {
	switch strings.ToLower(s) {
	case "", "u", "nan", "-nan", "+nan", "null":
		return Value{}, nil
	}
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		return UintValue(u), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return Value{}, fmt.Errorf("%q is no number", s)
	}
	return FloatValue(f), nil
}

// Known reports whether v is a number.
func (v Value) Known() bool { return v.kind != valueUnknown }

// Uint is the integer v is; ok is false for anything else.
func (v Value) Uint() (u uint64, ok bool) { return v.bits, v.kind == valueUint }

// Float is v as a number, rounded above 2^53; NaN if it is unknown.
func (v Value) Float() float64 {
	switch v.kind {
	case valueUint:
		return float64(v.bits)
	case valueFloat:
		return math.Float64frombits(v.bits)
	}
	return math.NaN()
}

// Append writes v as text, the empty text if it is unknown.
func (v Value) Append(b []byte) []byte {
	switch v.kind {
	case valueUint:
		return strconv.AppendUint(b, v.bits, 10)
	case valueFloat:
		return strconv.AppendFloat(b, v.Float(), 'g', -1, 64)
	}
	return b
}

// A Point is a raw value from elsewhere, to be imported.
type Point struct {
	Time   time.Time // whole seconds; the rest is cut off
	Key    dataplane.ServiceKey
	RIP    netip.AddrPort // zero: the service itself; of the director both are zero
	Source Source         // of a standard source the Kind is known and need not be given
	Value  Value
}

// Rows are consolidated values from elsewhere, to be imported: an archive (RRA)
// of RRDtool's for one data source.
type Rows struct {
	Key      dataplane.ServiceKey
	RIP      netip.AddrPort
	Source   Source
	Function Function
	Start    time.Time // where the first interval begins, a multiple of Step since 1970
	Step     time.Duration
	Values   []float64 // per second for a Counter; NaN is unknown
}

// Imported tells what an import did.
type Imported struct {
	Points, Known int // read, and those of them that were not in the store before
	Series        int // that were touched
	Start, End    time.Time
}
