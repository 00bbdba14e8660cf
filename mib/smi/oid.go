// Package smi holds the names and values of SNMP that every front end of the
// MIB shares: object identifiers, the values they name, and the tree a front
// end answers from. It knows neither LVS nor a protocol. Source: RFC 2578
// (SMIv2), RFC 3416 §2.5 (the exceptions noSuchObject, noSuchInstance and
// endOfMibView).
package smi

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxOIDLen is the largest number of sub-identifiers in an OID (RFC 2578 §3.5).
const MaxOIDLen = 128

// An OID is an object identifier, most significant sub-identifier first. The
// nil OID is the null identifier of RFC 2741 §5.1, "no name". OIDs are shared
// freely and never changed after they were handed out.
type OID []uint32

// ParseOID reads the dotted form, with or without the leading dot.
func ParseOID(s string) (OID, error) {
	parts := strings.Split(strings.TrimPrefix(s, "."), ".")
	if len(parts) > MaxOIDLen {
		return nil, fmt.Errorf("oid %.40q…: %d sub-identifiers, at most %d are allowed", s, len(parts), MaxOIDLen)
	}
	o := make(OID, len(parts))
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("oid %q: sub-identifier %d is %q, want a number up to 4294967295", s, i+1, p)
		}
		o[i] = uint32(n)
	}
	return o, nil
}

// MustParseOID is ParseOID for names written in the source; it panics on a bad one.
func MustParseOID(s string) OID {
	o, err := ParseOID(s)
	if err != nil {
		panic(err)
	}
	return o
}

// String gives the dotted form without a leading dot; the nil OID is "".
func (o OID) String() string {
	b := make([]byte, 0, 4*len(o))
	for i, n := range o {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(n), 10)
	}
	return string(b)
}

// Compare orders OIDs lexicographically, as GetNext walks them: -1, 0 or 1. Much
// of an answer's time goes into it, and slices.Compare takes longer.
func (o OID) Compare(p OID) int {
	for i, n := range o[:min(len(o), len(p))] {
		switch {
		case n < p[i]:
			return -1
		case n > p[i]:
			return 1
		}
	}
	return cmp.Compare(len(o), len(p))
}

// HasPrefix reports whether o names p itself or something below it.
func (o OID) HasPrefix(p OID) bool { return len(o) >= len(p) && slices.Equal(o[:len(p)], p) }

// Append returns a new OID: o followed by more sub-identifiers.
func (o OID) Append(more ...uint32) OID { return slices.Concat(o, more) }
