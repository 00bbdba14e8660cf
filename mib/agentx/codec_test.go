package agentx

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"

	"lvs/mib/smi"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// samePDU compares what goes over the wire.
var samePDU = cmp.Options{cmpopts.IgnoreUnexported(PDU{}), cmpopts.EquateEmpty()}

// samples is one PDU of each type at least, and each type of value.
func samples() []PDU {
	name := smi.MustParseOID
	reals := name("1.3.6.1.4.1.8225.4711.18")
	sample := []PDU{
		{Type: Open, Timeout: 5, Name: reals, Description: []byte("lvs")},
		{Type: Open},
		{Type: Close, Reason: ReasonShutdown},
		{Type: Register, Timeout: 3, Priority: 127, Name: reals},
		{Type: Register, Flags: InstanceRegistration, Priority: 127, RangeSubID: 11, Name: reals.Append(1, 1), UpperBound: 16},
		{Type: Unregister, Priority: 127, Name: reals},
		{Type: Unregister, Priority: 1, RangeSubID: 7, Name: reals, UpperBound: 9},
		{Type: Get, Ranges: []Range{{Start: reals.Append(1, 3, 1, 2)}}},
		{Type: Get, Flags: NonDefaultContext, Context: []byte("netns"), Ranges: []Range{{Start: name("1.3.6.1.2.1.1.3.0")}}},
		{Type: GetNext, Ranges: []Range{{Start: reals, Include: true, End: name("1.3.6.1.4.1.8225.4711.19")}, {Start: name("2.999"), End: nil}}},
		{Type: GetBulk, NonRepeaters: 1, MaxRepetitions: 100, Ranges: []Range{{Start: name("1.3.6.1.256")}, {Start: name("1.3.6.1.0.5")}}},
		{Type: TestSet, VarBinds: []smi.VarBind{bind(reals.Append(1, 6, 1, 1), smi.Value{Type: smi.Integer, Int: 100})}},
		{Type: CommitSet}, {Type: UndoSet}, {Type: CleanupSet},
		{Type: Notify, VarBinds: []smi.VarBind{bind(name("1.3.6.1.6.3.1.1.4.1.0"), smi.Value{Type: smi.ObjectID, OID: name("1.3.6.1.4.1.8225.4711.0.1")})}},
		{Type: Ping}, {Type: Ping, Flags: NonDefaultContext, Context: []byte("vrf1")},
		{Type: IndexAllocate, Flags: NewIndex, VarBinds: []smi.VarBind{bind(reals.Append(1, 1), smi.Value{Type: smi.Integer, Int: 0})}},
		{Type: IndexDeallocate, VarBinds: []smi.VarBind{bind(reals.Append(1, 1), smi.Value{Type: smi.Integer, Int: 7})}},
		{Type: AddAgentCaps, Name: reals, Description: []byte("LVS-MIB")},
		{Type: RemoveAgentCaps, Name: reals},
		{Type: Response, SysUpTime: 360000, Error: NotWritable, Index: 1},
	}
	minus := int32(-2)
	all := PDU{Type: Response, SysUpTime: 1}
	for i, v := range []smi.Value{
		{Type: smi.Integer, Int: uint64(minus)}, {Type: smi.OctetString, Bytes: []byte("abcde")}, {Type: smi.OctetString}, {Type: smi.Null},
		{Type: smi.ObjectID, OID: name("1.3.6.1.4")}, {Type: smi.ObjectID}, {Type: smi.IPAddress, Bytes: []byte{192, 0, 2, 1}},
		{Type: smi.Counter32, Int: 1<<32 - 1}, {Type: smi.Gauge32, Int: 4}, {Type: smi.TimeTicks, Int: 5}, {Type: smi.Opaque, Bytes: []byte{1, 2, 3, 4}},
		{Type: smi.Counter64, Int: 1<<64 - 2}, {Type: smi.NoSuchObject}, {Type: smi.NoSuchInstance}, {Type: smi.EndOfMIBView},
	} {
		all.VarBinds = append(all.VarBinds, bind(name("1.3.6.1.2").Append(uint32(i)), v))
	}
	sample = append(sample, all)
	for i := range sample {
		sample[i].SessionID, sample[i].TransactionID, sample[i].PacketID = 0x01020304, 0x11121314, uint32(i)
	}
	return sample
}

func bind(name smi.OID, v smi.Value) smi.VarBind { return smi.VarBind{Name: name, Value: v} }

// dump writes a PDU four bytes to a line, as RFC 2741 draws them.
func dump(b []byte) string {
	var s strings.Builder
	for ; len(b) > 0; b = b[4:] {
		fmt.Fprintf(&s, "%x\n", b[:4])
	}
	return s.String()
}

func TestWireFormat(t *testing.T) {
	const file = "testdata/wire.txtar"
	var got txtar.Archive
	got.Comment = []byte("Each PDU of samples() as it goes over the wire, four bytes to a line.\n")
	for i, p := range samples() {
		for _, order := range []Flags{0, NetworkByteOrder} {
			q := p
			q.Flags |= order
			b, err := q.Append([]byte("before"))
			if err != nil {
				t.Fatalf("%v: %v", p.Type, err)
			}
			b = bytes.TrimPrefix(b, []byte("before"))
			f := txtar.File{Name: fmt.Sprintf("%02d-%v-%s", i, p.Type, map[Flags]string{0: "little", NetworkByteOrder: "big"}[order]), Data: []byte(dump(b))}
			got.Files = append(got.Files, f)
			var back PDU
			if err := back.Decode(b); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			} else if diff := cmp.Diff(q, back, samePDU); diff != "" {
				t.Errorf("%s: decoded (-want +got)\n%s", f.Name, diff)
			}
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(&got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(txtar.Format(&got))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestHandEncodedResponse holds the codec against bytes written down from RFC
// 2741 by hand, field by field.
func TestHandEncodedResponse(t *testing.T) {
	fields := []string{
		"01 12 10 00",                      // h.version, h.type 18, h.flags NETWORK_BYTE_ORDER, reserved
		"00000007", "00000064", "00000009", // h.sessionID, h.transactionID, h.packetID
		"00000034",         // h.payload_length: 52
		"000004d2",         // res.sysUpTime
		"0000 0000",        // res.error, res.index
		"0046 0000",        // v.type Counter64, reserved
		"02 04 00 00",      // v.name: 2 sub-identifiers behind 1.3.6.1.4, include, reserved
		"00000001",         // .1
		"00002021",         // .8225
		"0000000200000001", // v.data: 2^33+1
		"0004 0000",        // v.type OCTET STRING
		"00 00 00 00",      // v.name: the null identifier
		"00000005",         // v.data: five octets
		"68656c6c 6f",      // "hello"
		"000000",           // padding
	}
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(fields, ""), " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	want := PDU{Type: Response, Flags: NetworkByteOrder, SessionID: 7, TransactionID: 100, PacketID: 9, SysUpTime: 1234, VarBinds: []smi.VarBind{
		bind(smi.MustParseOID("1.3.6.1.4.1.8225"), smi.Value{Type: smi.Counter64, Int: 1<<33 + 1}),
		bind(nil, smi.Value{Type: smi.OctetString, Bytes: []byte("hello")}),
	}}
	var got PDU
	if err := got.Decode(b); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, samePDU); diff != "" {
		t.Errorf("decoded (-want +got)\n%s", diff)
	}
	if back, err := want.Append(nil); err != nil || !bytes.Equal(back, b) {
		t.Errorf("encoded %x, %v, want %x", back, err, b)
	}
}

func TestMalformedBytesAreLocated(t *testing.T) {
	get := func(payload ...byte) []byte {
		return append([]byte{1, byte(Get), 0, 0, 19: 0, 16: byte(len(payload))}, payload...)
	}
	response := func(variable ...byte) []byte {
		return append([]byte{1, byte(Response), 0, 0, 27: 0, 16: byte(8 + len(variable))}, variable...)
	}
	for _, c := range []struct {
		name   string
		b      []byte
		typ    Type
		offset int
	}{
		{"nothing", nil, 0, 0},
		{"half a header", []byte{1, 5, 0, 0, 0, 0, 0}, 0, 7},
		{"version", []byte{2, 5, 0, 0, 19: 0}, 0, 0},
		{"odd length", []byte{1, 5, 0, 0, 19: 0, 16: 3}, Get, 16},
		{"huge length", []byte{1, 5, 0, 0, 19: 1}, Get, 16},
		{"type 0", []byte{1, 0, 0, 0, 19: 0}, 0, 1},
		{"type 19", []byte{1, 19, 0, 0, 19: 0}, 19, 1},
		{"short payload", get(0, 0, 0, 0)[:22], Get, 22},
		{"long payload", append(get(0, 0, 0, 0), 0), Get, 24},
		{"sub-identifiers that are not there", get(2, 0, 0, 0, 1, 0, 0, 0), Get, 24},
		{"129 sub-identifiers", get(129, 0, 0, 0), Get, 20},
		{"129 with the prefix", get(124, 4, 0, 0), Get, 20},
		{"a range without an end", get(0, 0, 0, 0), Get, 24},
		{"bytes left over", []byte{1, byte(Ping), 0, 0, 23: 0, 16: 4}, Ping, 20},
		{"context that is not there", []byte{1, byte(Ping), 8, 0, 23: 0, 16: 4, 20: 9}, Ping, 24},
		{"octets over the limit", response(4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0), Response, 36},
		{"octets that are not there", response(4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 'h', 'e', 'l', 'l'), Response, 40},
		{"unknown type of value", response(3, 0, 0, 0, 0, 0, 0, 0), Response, 28},
		{"type of value beyond a byte", response(2, 1, 0, 0, 0, 0, 0, 0), Response, 28},
		{"IPv6 as IpAddress", response(64, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), Response, 36},
		{"half a Counter64", response(70, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0), Response, 36},
	} {
		var p PDU
		err := p.Decode(c.b)
		var de *DecodeError
		if !errors.As(err, &de) {
			t.Errorf("%s: error %v", c.name, err)
			continue
		}
		if de.Type != c.typ || de.Offset != c.offset {
			t.Errorf("%s: %v PDU at %d, want %v at %d (%v)", c.name, de.Type, de.Offset, c.typ, c.offset, err)
		}
		if s := err.Error(); !strings.Contains(s, fmt.Sprintf("offset %d: ", c.offset)) || c.typ.valid() && !strings.Contains(s, c.typ.String()) {
			t.Errorf("%s: says %q", c.name, s)
		}
	}
}

func TestWhatCannotBeEncodedIsNot(t *testing.T) {
	long, wide := make(smi.OID, 129), make([]byte, 65536)
	value := func(v smi.Value) PDU { return PDU{Type: Response, VarBinds: []smi.VarBind{bind(gridRoot, v)}} }
	for _, p := range []PDU{
		{}, {Type: 19},
		{Type: Open, Name: long}, {Type: Open, Description: wide}, {Type: Register, Name: long}, {Type: RemoveAgentCaps, Name: long},
		{Type: Get, Ranges: []Range{{Start: long}}}, {Type: Get, Ranges: []Range{{End: long}}},
		{Type: Ping, Flags: NonDefaultContext, Context: wide},
		{Type: Notify, VarBinds: []smi.VarBind{{Name: long}}}, {Type: Response, VarBinds: make([]smi.VarBind, maxPayload/8)},
		value(smi.Value{Type: 3}), value(smi.Value{Type: smi.IPAddress}), value(smi.Value{Type: smi.IPAddress, Bytes: make([]byte, 16)}),
		value(smi.Value{Type: smi.OctetString, Bytes: wide}), value(smi.Value{Type: smi.ObjectID, OID: long}),
	} {
		if b, err := p.Append([]byte("kept")); err == nil || string(b) != "kept" || !strings.Contains(err.Error(), p.Type.String()) {
			t.Errorf("%v: %q, error %v", p.Type, b, err)
		}
	}
}

func TestValuesBeyond32Bits(t *testing.T) {
	for _, c := range []struct{ in, want smi.Value }{
		{smi.Value{Type: smi.Counter32, Int: 1<<32 + 5}, smi.Value{Type: smi.Counter32, Int: 5}},
		{smi.Value{Type: smi.TimeTicks, Int: 1<<32 + 5}, smi.Value{Type: smi.TimeTicks, Int: 5}},
		{smi.Value{Type: smi.Gauge32, Int: 1<<32 + 5}, smi.Value{Type: smi.Gauge32, Int: 1<<32 - 1}},
		{smi.Value{}, smi.Value{Type: smi.Null}},
	} {
		p := PDU{Type: Response, VarBinds: []smi.VarBind{bind(gridRoot, c.in)}}
		b, err := p.Append(nil)
		if err == nil {
			err = p.Decode(b)
		}
		if err != nil || !cmp.Equal(p.VarBinds[0].Value, c.want) {
			t.Errorf("%v comes back as %v, %v", c.in, p.VarBinds, err)
		}
	}
}
