package ipvs

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mdlayher/netlink"

	"lvs/dataplane"
)

// seeds gives a fuzz target some recorded answers of a kind.
func seeds(f *testing.F, command string) {
	f.Helper()
	n := 0
	for _, path := range recordings(f) {
		for _, m := range readRecorded(f, path) {
			if m.Direction == "reply" && m.Command == command && n < 30 {
				f.Add(m.wire(f)[nlHeader:])
				n++
			}
		}
	}
	if n == 0 {
		f.Fatalf("no %s was recorded", command)
	}
}

func FuzzDecodeService(f *testing.F) {
	seeds(f, "NEW_SERVICE")
	f.Fuzz(func(t *testing.T, data []byte) {
		var s dataplane.ServiceState
		if _, err := decodeService(bytes.Clone(data), make(names), &s); err != nil || !s.Key.IsValid() {
			return
		}
		// What is valid can be asked for, and is the same when it comes back.
		e := request(nil, cmdGetService)
		e.key(s.Key)
		if k, err := dataplane.ParseServiceKey(s.Key.String()); err != nil || k != s.Key {
			t.Errorf("%v is read as %v, %v", s.Key, k, err)
		}
	})
}

func FuzzDecodeReal(f *testing.F) {
	seeds(f, "NEW_DEST")
	f.Fuzz(func(t *testing.T, data []byte) {
		var r dataplane.RealState
		if _, err := decodeReal(data, dataplane.INET, &r); err != nil {
			return
		}
		if !r.RIP.IsValid() {
			t.Errorf("no error, and the RIP is %v", r.RIP)
		}
		if r.Method > fwdMask {
			t.Errorf("method %d", r.Method)
		}
	})
}

func FuzzDecodeDaemonInfoTimeouts(f *testing.F) {
	f.Add(newKernel().newFamily(netlink.Message{})[nlHeader:])
	for _, name := range []string{"NEW_DAEMON", "SET_INFO", "SET_CONFIG"} {
		seeds(f, name)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := decodeDaemon(data); err == nil && d.Role != dataplane.Master && d.Role != dataplane.Backup {
			t.Errorf("no error, and the role is %v", d.Role)
		}
		if info, err := decodeInfo(data); err == nil && strings.Count(info.Version, ".") != 2 {
			t.Errorf("version %q", info.Version)
		}
		if to, err := decodeTimeouts(data); err == nil && (to.TCP < 0 || to.TCPFin < 0 || to.UDP < 0) {
			t.Errorf("timeouts %v", to)
		}
		if id, err := familyID(data); err == nil && id != 0 && !bytes.Contains(data, []byte(familyName)) {
			t.Errorf("family %d of another name", id)
		}
	})
}

// Datagrams are cut into messages that lie within them, one behind the other.
func FuzzMessages(f *testing.F) {
	for _, path := range []string{servicesFile, tunnelsFile} {
		var b []byte
		for _, m := range readRecorded(f, filepath.Join(fixtures, "rich/netlink", path))[1:4] {
			b = append(b, m.wire(f)...)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		at := 0
		for m, err := range messages(b) {
			if err != nil {
				return
			}
			n := int(m.Header.Length)
			if n < nlHeader || at+n > len(b) || !bytes.Equal(m.Data, b[at+nlHeader:at+n]) || cap(m.Data) != len(b)-at-nlHeader {
				t.Fatalf("message %+v at byte %d of %d", m.Header, at, len(b))
			}
			at += (n + 3) &^ 3
		}
		if at < len(b) {
			t.Errorf("%d bytes are left over", len(b)-at)
		}
	})
}
