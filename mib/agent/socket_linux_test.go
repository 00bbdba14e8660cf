package agent

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"lvs/mib/smi"
)

// controlMessage is one as the kernel makes it.
func controlMessage(level, typ int32, data []byte) []byte {
	b := make([]byte, unix.CmsgSpace(len(data)))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	h.Level, h.Type = level, typ
	h.SetLen(unix.CmsgLen(len(data)))
	copy(b[unix.CmsgLen(0):], data)
	return b
}

// TestReverse: an answer leaves from the address asked, on any interface but where
// the address is that of one.
func TestReverse(t *testing.T) {
	const index = 7
	four := func(local, sentTo string) []byte {
		b := binary.NativeEndian.AppendUint32(nil, index)
		b = append(b, netip.MustParseAddr(local).AsSlice()...)
		return controlMessage(unix.IPPROTO_IP, unix.IP_PKTINFO, append(b, netip.MustParseAddr(sentTo).AsSlice()...))
	}
	six := func(sentTo string) []byte {
		a := netip.MustParseAddr(sentTo).As16()
		return controlMessage(unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, binary.NativeEndian.AppendUint32(a[:], index))
	}
	for _, c := range []struct {
		name    string
		control []byte
		ok      bool
		index   uint32 // of the answer
	}{
		{"IPv4", four("192.0.2.1", "192.0.2.1"), true, 0},
		{"IPv4 broadcast", four("192.0.2.1", "192.0.2.255"), false, 0},
		{"IPv4 multicast", four("192.0.2.1", "224.0.0.1"), false, 0},
		{"IPv6", six("2001:db8::1"), true, 0},
		{"IPv6 of one link", six("fe80::1"), true, index},
		{"IPv6 multicast", six("ff02::1"), false, 0},
		{"IPv4 in IPv6", six("::ffff:192.0.2.1"), true, 0},
		{"IPv4 multicast in IPv6", six("::ffff:224.0.0.1"), false, 0},
		{"IPv4 broadcast in IPv6", six("::ffff:255.255.255.255"), false, 0},
		{"IPv4 told twice", append(six("::ffff:192.0.2.1"), four("192.0.2.1", "192.0.2.1")...), true, 0},
		{"IPv4 told twice, in the other order", append(four("192.0.2.1", "192.0.2.1"), six("::ffff:192.0.2.1")...), true, 0},
		{"IPv4 broadcast told twice", append(six("::ffff:192.0.2.255"), four("192.0.2.1", "192.0.2.255")...), false, 0},
		{"nothing", nil, false, 0},
		{"something else", controlMessage(unix.SOL_SOCKET, unix.SO_TIMESTAMP, make([]byte, 16)), false, 0},
		{"too short", controlMessage(unix.IPPROTO_IP, unix.IP_PKTINFO, make([]byte, 8)), false, 0},
	} {
		want := bytes.Clone(c.control)
		got, ok := reverse(c.control)
		if ok != c.ok {
			t.Errorf("%s: %v, want %v", c.name, ok, c.ok)
		}
		if !ok {
			continue
		}
		want = want[len(want)-len(got):] // the last of them
		at := unix.CmsgLen(0)
		if len(want) == unix.CmsgSpace(unix.SizeofInet6Pktinfo) {
			at += 16 // behind the address
		}
		binary.NativeEndian.PutUint32(want[at:], c.index)
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\n%x, want\n%x", c.name, got, want)
		}
	}
}

// TestAddressThatIsNotThere: an agent starts before its address comes to the
// machine, and says so.
func TestAddressThatIsNotThere(t *testing.T) {
	for _, address := range []string{"192.0.2.77:0", "[2001:db8::77]:0"} {
		var log bytes.Buffer
		cfg := Config{Listen: []string{address}, Roots: []smi.OID{root}, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		a, err := New(cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		run(t, a)()
		if !strings.Contains(log.String(), "does not have the address") || !strings.Contains(log.String(), address) {
			t.Errorf("log %q", log.String())
		}
	}
}
