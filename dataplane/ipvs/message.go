package ipvs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"github.com/mdlayher/netlink"
)

var errDatagram = errors.New("a netlink datagram is larger than the kernel makes them")

const nlHeader = 16 // struct nlmsghdr

// messages walks the messages of a datagram in place. The capacity of a message's
// data reaches to the end of the datagram, by which a dump tells one datagram from
// the next; see fill.
func messages(b []byte) iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		b := b[:len(b):len(b)]
		for at := 0; at < len(b); {
			if len(b)-at < nlHeader {
				yield(netlink.Message{}, fmt.Errorf("%d bytes at byte %d of a datagram are no message", len(b)-at, at))
				return
			}
			h := b[at:]
			n := int(binary.NativeEndian.Uint32(h))
			if n < nlHeader || n > len(h) {
				yield(netlink.Message{}, fmt.Errorf("the message at byte %d of a datagram says it has %d bytes, and %d are there", at, n, len(h)))
				return
			}
			m := netlink.Message{
				Header: netlink.Header{
					Length:   uint32(n),
					Type:     netlink.HeaderType(binary.NativeEndian.Uint16(h[4:])),
					Flags:    netlink.HeaderFlags(binary.NativeEndian.Uint16(h[6:])),
					Sequence: binary.NativeEndian.Uint32(h[8:]),
					PID:      binary.NativeEndian.Uint32(h[12:]),
				},
				Data: h[nlHeader:n],
			}
			if !yield(m, nil) {
				return
			}
			at += (n + 3) &^ 3
		}
	}
}
