package ipvs

import (
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"lvs/dataplane"
)

// recordedRow is a recorded message without its netlink header.
func recordedRow(t testing.TB, file string, n int) []byte {
	t.Helper()
	return readRecorded(t, filepath.Join(fixtures, "rich/netlink", file))[n].wire(t)[nlHeader:]
}

const (
	tunnelsFile  = "dests/20-tcp-10.1.0.102-81.jsonl"
	servicesFile = "get_service_dump.jsonl"
)

// findAttr finds an attribute by the path of its types, and gives where it begins.
func findAttr(t *testing.T, data []byte, path ...uint16) int {
	t.Helper()
	a := attrs{b: data[genlHeader:], base: genlHeader}
	for i, typ := range path {
		for a.next() && a.typ != typ {
		}
		if a.err != nil || a.data == nil || a.typ != typ {
			t.Fatalf("no attribute %v: %v", path, a.err)
		}
		if i < len(path)-1 {
			a = a.nested(nil, "")
		}
	}
	return a.at
}

func TestFaultsNameMessageAttributeAndOffset(t *testing.T) {
	service := func(data []byte) error {
		_, err := decodeService(data, make(names), new(dataplane.ServiceState))
		return err
	}
	real := func(data []byte) error {
		_, err := decodeReal(data, dataplane.INET, new(dataplane.RealState))
		return err
	}
	rename := func(to uint16) func([]byte, int) {
		return func(b []byte, at int) { binary.NativeEndian.PutUint16(b[at+2:], to) }
	}
	resize := func(to uint16) func([]byte, int) {
		return func(b []byte, at int) { binary.NativeEndian.PutUint16(b[at:], to) }
	}
	tests := []struct {
		name   string
		decode func([]byte) error
		file   string
		path   []uint16
		spoil  func(b []byte, at int)
		want   string
	}{
		{"short address", service, servicesFile, []uint16{1, svcAddr}, resize(8), "NEW_SERVICE SERVICE: attribute ADDR (3) at byte 24 is of 4 bytes, want 16"},
		{"missing address", service, servicesFile, []uint16{1, svcAddr}, rename(99), "NEW_SERVICE SERVICE: attribute ADDR (3) is missing"},
		{"missing family", service, servicesFile, []uint16{1, svcAF}, rename(99), "attribute AF (1) is missing"},
		{"other family", service, servicesFile, []uint16{1, svcAF}, func(b []byte, at int) { b[at+4] = 1 }, "attribute AF (1) at byte 8 is address family 1, want 2 or 10"},
		{"missing service", service, servicesFile, []uint16{1}, rename(9), "NEW_SERVICE: attribute SERVICE (1) is missing"},
		{"scheduler without end", service, servicesFile, []uint16{1, svcSchedName}, resize(6), "SCHED_NAME (6) at byte 52 is no string"},
		{"attribute beyond the end", service, servicesFile, []uint16{1, svcNetmask}, resize(0xfff0), "attribute NETMASK (9) at byte 80 says it has 65520 bytes"},
		{"attribute shorter than its header", real, tunnelsFile, []uint16{2, destWeight}, resize(3), "NEW_DEST DEST: attribute WEIGHT (4) at byte 44 says it has 3 bytes"},
		{"missing weight", real, tunnelsFile, []uint16{2, destWeight}, rename(destUThresh), "attribute WEIGHT (4) is missing"},
		{"short weight", real, tunnelsFile, []uint16{2, destWeight}, resize(6), "attribute WEIGHT (4) at byte 44 is of 2 bytes, want 4"},
		{"missing bytes in statistics", real, tunnelsFile, []uint16{2, destStats64, statsInBytes}, rename(0), "STATS64: attribute INBYTES (4) is missing"},
		{"narrow bytes in statistics", real, tunnelsFile, []uint16{2, destStats, statsOutBytes}, resize(8), "STATS: attribute OUTBYTES (5) at byte"},
		{"no statistics", real, tunnelsFile, []uint16{2, destStats}, rename(99), "attribute STATS (10) is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data := recordedRow(t, tt.file, 1)
			if tt.name == "no statistics" || tt.name == "narrow bytes in statistics" {
				rename(99)(data, findAttr(t, data, 2, destStats64))
			}
			tt.spoil(data, findAttr(t, data, tt.path...))
			if err := tt.decode(data); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

// A service has an address unless it has a mark, and 0 is none.
func TestAMarkOfZeroIsNone(t *testing.T) {
	data := recordedRow(t, servicesFile, 1)
	binary.NativeEndian.PutUint16(data[findAttr(t, data, 1, svcAddr)+2:], 99)
	e := request(nil, cmdNewService)
	e.nest(attrService, func() {
		e.u32(svcFWMark, 0)
		e.b = append(e.b, data[genlHeader+nlaHeader:]...)
	})
	_, err := decodeService(e.b, make(names), new(dataplane.ServiceState))
	if want := "attribute ADDR (3) is missing"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestUnknownAttributesAreSkipped(t *testing.T) {
	data := recordedRow(t, tunnelsFile, 1)
	var want, got dataplane.RealState
	if _, err := decodeReal(data, dataplane.INET, &want); err != nil {
		t.Fatal(err)
	}
	e := request(nil, cmdNewDest)
	e.u32(77, 1)
	e.nest(attrDest, func() {
		e.bytes(200, []byte("a later kernel's"))
		e.b = append(e.b, data[genlHeader+nlaHeader:]...)
		e.u8(31, 1)
		e.u8(32, 1)
	})
	if _, err := decodeReal(e.b, dataplane.INET, &got); err != nil || got != want {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestARealServerWithoutFamilyHasTheServices(t *testing.T) {
	data := recordedRow(t, tunnelsFile, 1)
	binary.NativeEndian.PutUint16(data[findAttr(t, data, 2, destAddrFamily)+2:], 99)
	for _, f := range []dataplane.Family{dataplane.INET, dataplane.INET6} {
		var r dataplane.RealState
		if _, err := decodeReal(data, f, &r); err != nil || r.Family() != f {
			t.Errorf("family %v, %v; want %v", r.Family(), err, f)
		}
	}
}

func TestEmptyAndForeignMessagesAreErrors(t *testing.T) {
	for _, data := range [][]byte{nil, {6}, {6, 1, 0}, {5, 1, 0, 0}, {6, 1, 0, 0}, {6, 1, 0, 0, 1}} {
		if _, err := decodeReal(data, dataplane.INET, new(dataplane.RealState)); err == nil {
			t.Errorf("% x: no error", data)
		}
	}
}
