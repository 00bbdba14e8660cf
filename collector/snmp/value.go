package snmp

import (
	"net/netip"

	"github.com/gosnmp/gosnmp"
)

// A kind is what a value may be read as. The zero kind is of a variable that is
// not there.
type kind uint8

const (
	absent kind = iota
	number
	octets
	address // an IpAddress, of 4 octets or, from old agents, of 16
	name    // an object identifier
)

// A value is what an agent told of one variable. Old agents do not keep to the
// types of the MIB, so that numbers are alike here.
type value struct {
	kind kind
	num  uint64 // a negative number is its two's complement
	text []byte // of an address, its octets
}

// maxText is the longest text that is taken.
const maxText = 4096

// valueOf reads a variable; exceptions are the zero value.
func valueOf(v *gosnmp.SnmpPDU) (value, error) {
	switch v.Type {
	case gosnmp.NoSuchObject, gosnmp.NoSuchInstance, gosnmp.EndOfMibView, gosnmp.Null:
		return value{}, nil
	}
	switch x := v.Value.(type) {
	case int:
		return value{kind: number, num: uint64(int64(x))}, nil
	case uint:
		return value{kind: number, num: uint64(x)}, nil
	case uint32:
		return value{kind: number, num: uint64(x)}, nil
	case uint64:
		return value{kind: number, num: x}, nil
	case []byte:
		if len(x) > maxText {
			return value{}, badAnswer("%s has %d octets", v.Name, len(x))
		}
		return value{kind: octets, text: x}, nil
	case string:
		return textValue(v, x)
	case nil: // an IpAddress of no octets
		return value{kind: address}, nil
	}
	return value{}, badAnswer("%s has a value of type %v", v.Name, v.Type)
}

// textValue reads what gosnmp gives as a string.
func textValue(v *gosnmp.SnmpPDU, s string) (value, error) {
	switch v.Type {
	case gosnmp.IPAddress:
		a, err := netip.ParseAddr(s)
		if err != nil {
			return value{}, badAnswer("%s is the address %q", v.Name, s)
		}
		return value{kind: address, text: plainAddr(a).AsSlice()}, nil
	case gosnmp.ObjectIdentifier:
		if len(s) > maxText {
			return value{}, badAnswer("%s is a name of %d bytes", v.Name, len(s))
		}
		return value{kind: name, text: []byte(s)}, nil
	}
	return value{}, badAnswer("%s has a value of type %v", v.Name, v.Type)
}

// plainAddr undoes what old agents make of an IPv4 address: they send the kernel's
// union of both families, 16 octets of which all but the first four are zero. An
// IPv6 address that ends in twelve zeros is no host's.
func plainAddr(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if !a.Is6() {
		return a
	}
	b := a.As16()
	for _, octet := range b[4:] {
		if octet != 0 {
			return a
		}
	}
	return netip.AddrFrom4([4]byte(b[:4]))
}
