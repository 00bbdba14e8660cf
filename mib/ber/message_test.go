package ber

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"lvs/mib/smi"
)

// variables has each type of value, and what is hard about it.
var variables = []smi.VarBind{
	{Name: smi.OID{1, 3, 6, 1, 2, 1, 1, 3, 0}, Value: smi.Value{Type: smi.TimeTicks, Int: math.MaxUint32}},
	{Name: smi.OID{1, 3, 127, 128, 16383, 16384, 1<<21 - 1, 1 << 21, 1 << 28, math.MaxUint32}, Value: smi.Value{Type: smi.Null}},
	{Name: smi.OID{0, 0}, Value: smi.Value{Type: smi.Integer, Int: 0}},
	{Name: smi.OID{0, 39}, Value: smi.Value{Type: smi.Integer, Int: math.MaxUint64}},
	{Name: smi.OID{1, 39}, Value: smi.Value{Type: smi.Integer, Int: 1<<64 - 1<<31}},
	{Name: smi.OID{2, 0}, Value: smi.Value{Type: smi.Integer, Int: math.MaxInt32}},
	{Name: smi.OID{2, 39}, Value: smi.Value{Type: smi.Integer, Int: 128}},
	{Name: smi.OID{2, 40}, Value: smi.Value{Type: smi.Integer, Int: 1<<64 - 128}},
	{Name: smi.OID{2, 999, 3}, Value: smi.Value{Type: smi.Counter32, Int: 128}},
	{Name: smi.OID{2, math.MaxUint32}, Value: smi.Value{Type: smi.Gauge32, Int: math.MaxUint32}},
	{Name: smi.OID{1, 3, 1}, Value: smi.Value{Type: smi.Counter64, Int: math.MaxUint64}},
	{Name: smi.OID{1, 3, 2}, Value: smi.Value{Type: smi.Counter64, Int: 1 << 55}},
	{Name: smi.OID{1, 3, 3}, Value: smi.Value{Type: smi.OctetString, Bytes: []byte{}}},
	{Name: smi.OID{1, 3, 4}, Value: smi.Value{Type: smi.OctetString, Bytes: bytes.Repeat([]byte("x"), 127)}},
	{Name: smi.OID{1, 3, 5}, Value: smi.Value{Type: smi.OctetString, Bytes: bytes.Repeat([]byte("y"), 128)}},
	{Name: smi.OID{1, 3, 6}, Value: smi.Value{Type: smi.Opaque, Bytes: bytes.Repeat([]byte("z"), 70000)}},
	{Name: smi.OID{1, 3, 7}, Value: smi.Value{Type: smi.IPAddress, Bytes: []byte{192, 0, 2, 1}}},
	{Name: smi.OID{1, 3, 8}, Value: smi.Value{Type: smi.ObjectID, OID: smi.OID{0, 0}}},
	{Name: smi.OID{1, 3, 9}, Value: smi.Value{Type: smi.ObjectID, OID: smi.OID{1, 3, 6, 1, 4, 1, 8225, 4711}}},
	{Name: smi.OID{1, 3, 10}, Value: smi.Value{Type: smi.NoSuchObject}},
	{Name: smi.OID{1, 3, 11}, Value: smi.Value{Type: smi.NoSuchInstance}},
	{Name: smi.OID{1, 3, 12}, Value: smi.Value{Type: smi.EndOfMIBView}},
	{Name: append(smi.OID{1, 3}, make(smi.OID, smi.MaxOIDLen-2)...), Value: smi.Value{Type: smi.Null}},
}

// TestMessageRoundTrip: what was written is read back, and written again from
// that is the same.
func TestMessageRoundTrip(t *testing.T) {
	for _, version := range []Version{V1Version, V2cVersion} {
		p := PDU{Type: GetBulk, RequestID: math.MinInt32, Status: -1, Index: math.MaxInt32, VarBinds: variables}
		var b Builder
		b.Reset(0)
		if err := p.Append(&b); err != nil {
			t.Fatal(err)
		}
		b.PrependCommunity(version, []byte("a community"))
		datagram := bytes.Clone(b.Bytes())

		var m Message
		if err := m.Decode(datagram); err != nil || m.Version != version || string(m.Community) != "a community" {
			t.Fatalf("%+v, %v", m, err)
		}
		var got PDU
		if err := got.Decode(m.Data); err != nil {
			t.Fatal(err)
		}
		if got.Type != p.Type || got.RequestID != p.RequestID || got.Status != p.Status || got.Index != p.Index || !reflect.DeepEqual(got.VarBinds, variables) {
			t.Errorf("read back %+v", got)
		}
		r := NewReader(got.List)
		var v smi.VarBind
		for i := range variables {
			if r.VarBind(&v, nil); !reflect.DeepEqual(v, variables[i]) {
				t.Errorf("List has %v in place %d", v, i)
			}
		}
		if r.Err() != nil || r.More() {
			t.Errorf("List: %v, more %v", r.Err(), r.More())
		}
		if v, err := VersionOf(datagram); v != version || err != nil {
			t.Errorf("VersionOf: %v, %v", v, err)
		}
	}
}

func TestV3RoundTrip(t *testing.T) {
	engine, params := []byte("\x80\x00\x20\x21engine"), []byte("security parameters")
	for _, flags := range []byte{0, FlagAuth, FlagAuth | FlagPriv | FlagReportable} {
		var b Builder
		b.Reset(10)
		p := PDU{Type: SetRequest, RequestID: 7, VarBinds: variables[:4]}
		if err := p.Append(&b); err != nil {
			t.Fatal(err)
		}
		b.PrependScope(engine, []byte("context"))
		scope := bytes.Clone(b.Bytes())
		if flags&FlagPriv != 0 {
			b.Wrap(OctetString)
		}
		b.PrependOctets(OctetString, params)
		b.PrependV3(math.MaxInt32, 484, flags, ModelUSM)
		datagram := bytes.Clone(b.Bytes())

		var m V3
		if err := m.Decode(datagram); err != nil {
			t.Fatal(err)
		}
		if m.ID != math.MaxInt32 || m.MaxSize != 484 || m.Flags != flags || m.Model != ModelUSM || !bytes.Equal(m.Params, params) || !bytes.Equal(m.Data, scope) {
			t.Errorf("flags %d: read back %+v", flags, m)
		}
		if !bytes.Equal(datagram[m.ParamsOffset:][:len(params)], params) || !bytes.Equal(datagram[m.DataOffset:][:len(scope)], scope) {
			t.Errorf("flags %d: offsets %d and %d are wrong", flags, m.ParamsOffset, m.DataOffset)
		}
		var s Scoped
		if err := s.Decode(append(m.Data[:len(m.Data):len(m.Data)], "padding"...)); err != nil || !bytes.Equal(s.EngineID, engine) || string(s.ContextName) != "context" || !reflect.DeepEqual(s.PDU.VarBinds, variables[:4]) {
			t.Errorf("flags %d: scope %+v, %v", flags, s, err)
		}
	}
}

// TestTruncated: a message cut anywhere is refused, as is one with more behind.
func TestTruncated(t *testing.T) {
	var b Builder
	b.Reset(100)
	p := PDU{Type: GetRequest, VarBinds: variables[:15]}
	if err := p.Append(&b); err != nil {
		t.Fatal(err)
	}
	b.PrependCommunity(V2cVersion, []byte("public"))
	whole := b.Bytes()
	decode := func(datagram []byte) error {
		var m Message
		if err := m.Decode(datagram); err != nil {
			return err
		}
		return p.Decode(m.Data)
	}
	if err := decode(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if decode(whole[:n:n]) == nil {
			t.Fatalf("the first %d of %d octets are a message", n, len(whole))
		}
	}
	if decode(append(whole, 0)) == nil {
		t.Error("an octet behind the message is none too many")
	}
}

// TestUnwritable: what has no form in BER is refused, and leaves no trace.
func TestUnwritable(t *testing.T) {
	good := smi.Value{Type: smi.Null}
	for _, c := range []struct {
		name  smi.OID
		value smi.Value
	}{
		{smi.OID{3, 0}, good}, {smi.OID{0, 40}, good}, {smi.OID{1, 40}, good}, {make(smi.OID, smi.MaxOIDLen+1), good},
		{smi.OID{1, 3}, smi.Value{Type: smi.IPAddress, Bytes: make([]byte, 16)}},
		{smi.OID{1, 3}, smi.Value{Type: smi.ObjectID, OID: smi.OID{9, 9}}},
		{smi.OID{1, 3}, smi.Value{Type: 99}},
	} {
		var b Builder
		b.Reset(50)
		b.Append([]byte("before"))
		if err := b.AppendVarBind(c.name, &c.value); err == nil || string(b.Bytes()) != "before" {
			t.Errorf("%v = %v: %v, left %q", c.name, c.value, err, b.Bytes())
		}
	}
}

// TestWrapsAndLatches: values beyond their type's range, RFC 2578 §7.1.
func TestWrapsAndLatches(t *testing.T) {
	for _, c := range []struct {
		typ  smi.Type
		want uint64
	}{{smi.Counter32, 5}, {smi.TimeTicks, 5}, {smi.Gauge32, math.MaxUint32}, {smi.Counter64, 1<<32 + 5}} {
		var b Builder
		b.Reset(0)
		if err := b.AppendVarBind(smi.OID{1, 3}, &smi.Value{Type: c.typ, Int: 1<<32 + 5}); err != nil {
			t.Fatal(err)
		}
		r := NewReader(b.Bytes())
		var v smi.VarBind
		r.VarBind(&v, nil)
		if v.Value.Int != c.want || r.Err() != nil {
			t.Errorf("%v reads back as %d, %v, want %d", c.typ, v.Value.Int, r.Err(), c.want)
		}
	}
}

// TestRefused names what each refusal says, and where.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		in     string
		offset int
		reason string
	}{
		{"", 0, "ends in the middle"},
		{"\x31\x00", 0, "unexpected type"},
		{"\x30\x80\x06\x01\x00\x05\x00\x00\x00", 1, "indefinite"},
		{"\x30\x85\x00\x00\x00\x00\x05\x06", 1, "four octets"},
		{"\x30\x84\xff\xff\xff\xff", 0, "longer than"},
		{"\x30\x82\x01", 1, "middle of a length"},
		{"\x30\x07\x06\x02\x2b\x01\x05\x01\x00", 6, "has none"},
		{"\x30\x05\x06\x01\x2b\x05\x01", 5, "longer than"},
		{"\x30\x04\x06\x00\x05\x00", 2, "no octets"},
		{"\x30\x05\x06\x01\x80\x05\x00", 2, "ends in the middle of a sub-identifier"},
		{"\x30\x06\x06\x02\x80\x01\x05\x00", 2, "zero bits"},
		{"\x30\x0a\x06\x06\x2b\x90\x80\x80\x80\x00\x05\x00", 2, "4294967295"},
		{"\x30\x0b\x06\x07\x2b\x81\x80\x80\x80\x80\x00\x05\x00", 2, "4294967295"},
		{"\x30\x0f\x06\x0b\x2b\x82\x80\x80\x80\x80\x80\x80\x80\x80\x00\x05\x00", 2, "4294967295"}, // 2^64
		{"\x30\x81\x85\x06\x81\x80\x2b" + strings.Repeat("\x01", 127) + "\x05\x00", 3, "128 sub-identifiers"},
		{"\x30\x0a\x06\x01\x2b\x02\x05\x00\x00\x00\x00\x01", 5, "one to four"},
		{"\x30\x05\x06\x01\x2b\x02\x00", 5, "one to four"},
		{"\x30\x06\x06\x01\x2b\x41\x01\x80", 5, "negative"},
		{"\x30\x0a\x06\x01\x2b\x41\x05\x01\x00\x00\x00\x00", 5, "too many"},
		{"\x30\x05\x06\x01\x2b\x46\x00", 5, "no octets"},
		{"\x30\x08\x06\x01\x2b\x40\x03\x01\x02\x03", 5, "four octets"},
		{"\x30\x05\x06\x01\x2b\x43\x00", 5, "no octets"},
		{"\x30\x05\x06\x01\x2b\x09\x00", 5, "unknown type"},
		{"\x30\x07\x06\x01\x2b\x05\x00\x05\x00", 7, "more than what belongs"},
	} {
		r := NewReader([]byte(c.in))
		var v smi.VarBind
		r.VarBind(&v, nil)
		err, _ := r.Err().(*Error)
		if err == nil || err.Offset != c.offset || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%x: %v, want offset %d and %q", c.in, err, c.offset, c.reason)
		}
	}
}
