package mib

import (
	"math"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// maxText is the most octets of an SnmpAdminString (RFC 3411 §5).
const maxText = 255

// appendText appends s as an SnmpAdminString: UTF-8, and no longer than one may be.
func appendText(b []byte, s string) []byte {
	return fitText(append(b, s...), len(b))
}

// fitText makes what b holds from start on an SnmpAdminString.
func fitText(b []byte, start int) []byte {
	if !utf8.Valid(b[start:]) {
		b = append(b[:start], strings.ToValidUTF8(string(b[start:]), "\uFFFD")...)
	}
	if len(b)-start <= maxText {
		return b
	}
	end := start + maxText
	for end > start && !utf8.RuneStart(b[end]) {
		end--
	}
	return b[:end]
}

// appendDate appends t as a DateAndTime in UTC (RFC 2579 §2), and no time as
// eight octets of zero.
func appendDate(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return append(b, byte(year>>8), byte(year), byte(month), byte(day), byte(hour), byte(minute), byte(second),
		byte(t.Nanosecond()/int(100*time.Millisecond)), '+', 0, 0)
}

// ticks is the time from then to now in hundredths of a second; it stops at both
// ends of TimeTicks.
func ticks(then, now time.Time) uint64 {
	return clamp(uint64(max(now.Sub(then), 0)/(10*time.Millisecond)), math.MaxUint32)
}

// inetType is the InetAddressType of a: unknown(0), ipv4(1) or ipv6(2) (RFC 4001
// §3).
func inetType(a netip.Addr) uint64 {
	switch {
	case !a.IsValid():
		return 0
	case a.Is4():
		return 1
	}
	return 2
}

// appendInet appends a as an InetAddress: four octets, sixteen, or none.
func appendInet(b []byte, a netip.Addr) []byte {
	switch {
	case !a.IsValid():
		return b
	case a.Is4():
		four := a.As4()
		return append(b, four[:]...)
	}
	sixteen := a.As16()
	return append(b, sixteen[:]...)
}

// appendAddrText appends a as people write it, and nothing for no address.
func appendAddrText(b []byte, a netip.Addr) []byte {
	if !a.IsValid() {
		return b
	}
	return a.AppendTo(b)
}

// truth is a TruthValue (RFC 2579 §2): true(1), false(2).
func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 2
}
