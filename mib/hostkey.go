package mib

import (
	"cmp"
	"encoding/binary"
	"net/netip"

	"lvs/mib/smi"
)

// A hostKey is an address as the index of a row: InetAddressType and InetAddress,
// of which the latter is its length and its octets (RFC 2578 §7.7). Keys compare
// as the names do.
type hostKey struct {
	head   uint64 // type and length, the type uppermost
	hi, lo uint64 // the octets from the top, filled up with zeros
}

// newHostKey is the key of a valid address.
func newHostKey(a netip.Addr) hostKey {
	octets := appendInet(make([]byte, 0, 16), a)
	k := hostKey{head: inetType(a)<<32 | uint64(len(octets))}
	octets = octets[:16]
	k.hi, k.lo = binary.BigEndian.Uint64(octets), binary.BigEndian.Uint64(octets[8:])
	return k
}

// hostKeyOf is the key that any name compares like, for what of it is there. With
// after, a row of the same key comes before the name: it goes on where the row
// ends, or has something greater than an octet in it.
func hostKeyOf(name smi.OID) (k hostKey, after bool) {
	if len(name) > 0 {
		k.head = uint64(name[0]) << 32
	}
	if len(name) < 2 {
		return k, false
	}
	k.head |= uint64(name[1])
	octets := name[2:]
	after = len(octets) > k.octets()
	var b [16]byte
	for i, sub := range octets[:min(len(octets), len(b))] {
		if sub > 255 {
			for ; i < len(b); i++ {
				b[i] = 255
			}
			after = true
			break
		}
		b[i] = byte(sub)
	}
	k.hi, k.lo = binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
	return k, after
}

// octets are how many the length says there are.
func (k hostKey) octets() int { return int(uint32(k.head)) }

func (k hostKey) compare(l hostKey) int {
	if k.head != l.head {
		return cmp.Compare(k.head, l.head)
	}
	if k.hi != l.hi {
		return cmp.Compare(k.hi, l.hi)
	}
	return cmp.Compare(k.lo, l.lo)
}

// append appends the key as sub-identifiers.
func (k hostKey) append(dst smi.OID) smi.OID {
	dst = append(dst, uint32(k.head>>32), uint32(k.head))
	for i := range k.octets() {
		half := k.hi
		if i >= 8 {
			half = k.lo
		}
		dst = append(dst, uint32(byte(half>>(56-8*(i%8)))))
	}
	return dst
}
