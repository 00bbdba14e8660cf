package ber

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/gosnmp/gosnmp"

	"lvs/mib/smi"
)

// FuzzMessage decodes anything: it never panics nor reads beyond, and what was
// read is written and read back the same.
func FuzzMessage(f *testing.F) {
	for _, c := range captured(f) {
		f.Add(c.datagram)
	}
	var again Builder
	f.Fuzz(func(t *testing.T, datagram []byte) {
		datagram = datagram[:len(datagram):len(datagram)]
		var m Message
		var v3 V3
		var s Scoped
		switch {
		case m.Decode(datagram) == nil:
			if v, err := VersionOf(datagram); v != m.Version || err != nil {
				t.Errorf("version %v, %v, want %v", v, err, m.Version)
			}
			if s.PDU.Decode(m.Data) != nil {
				return
			}
			again.Reset(16)
			write(t, &again, &s.PDU)
			again.PrependCommunity(m.Version, m.Community)
			var m2 Message
			var p2 PDU
			if err := m2.Decode(again.Bytes()); err != nil || m2.Version != m.Version || !bytes.Equal(m2.Community, m.Community) {
				t.Fatalf("%+v became %+v, %v", m, m2, err)
			}
			if err := p2.Decode(m2.Data); err != nil {
				t.Fatal(err)
			}
			same(t, &s.PDU, &p2)
		case v3.Decode(datagram) == nil:
			if !bytes.Equal(datagram[v3.ParamsOffset:][:len(v3.Params)], v3.Params) || !bytes.Equal(datagram[v3.DataOffset:][:len(v3.Data)], v3.Data) {
				t.Fatal("an offset is wrong")
			}
			if v3.Flags&FlagPriv != 0 || s.Decode(v3.Data) != nil {
				return
			}
			again.Reset(16)
			write(t, &again, &s.PDU)
			again.PrependScope(s.EngineID, s.ContextName)
			again.PrependOctets(OctetString, v3.Params)
			again.PrependV3(v3.ID, v3.MaxSize, v3.Flags, v3.Model)
			var back V3
			var s2 Scoped
			if err := back.Decode(again.Bytes()); err != nil || back.ID != v3.ID || back.MaxSize != v3.MaxSize || back.Flags != v3.Flags || back.Model != v3.Model {
				t.Fatalf("%+v became %+v, %v", v3, back, err)
			}
			if err := s2.Decode(back.Data); err != nil || !bytes.Equal(s.EngineID, s2.EngineID) || !bytes.Equal(s.ContextName, s2.ContextName) {
				t.Fatalf("%+v became %+v, %v", s, s2, err)
			}
			same(t, &s.PDU, &s2.PDU)
		}
	})
}

// write appends a PDU that was read.
func write(t *testing.T, b *Builder, p *PDU) {
	t.Helper()
	if err := p.Append(b); err != nil {
		t.Fatalf("%+v was read and cannot be written: %v", p, err)
	}
}

func same(t *testing.T, p, q *PDU) {
	t.Helper()
	if p.Type != q.Type || p.RequestID != q.RequestID || p.Status != q.Status || p.Index != q.Index || len(p.VarBinds) != len(q.VarBinds) {
		t.Fatalf("%+v became %+v", p, q)
	}
	for i := range p.VarBinds {
		a, b := p.VarBinds[i], q.VarBinds[i]
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v became %+v", a, b)
		}
	}
}

// A capture is a datagram that another implementation sent.
type capture struct {
	name     string
	datagram []byte
}

// TestDecodedByGosnmp: what we write, gosnmp reads, and the other way round.
func TestDecodedByGosnmp(t *testing.T) {
	mine := []smi.VarBind{
		{Name: smi.OID{1, 3, 6, 1, 2, 1, 1, 3, 0}, Value: smi.Value{Type: smi.TimeTicks, Int: 123456}},
		{Name: smi.OID{1, 3, 6, 1, 4, 1, 8225, 4711, 2, 0}, Value: smi.Value{Type: smi.Integer, Int: 1<<64 - 5}},
		{Name: smi.OID{1, 3, 6, 1, 4, 1, 4294967295, 1}, Value: smi.Value{Type: smi.Counter32, Int: 4294967295}},
		{Name: smi.OID{1, 3, 6, 2}, Value: smi.Value{Type: smi.Gauge32, Int: 1 << 31}},
		{Name: smi.OID{1, 3, 6, 3}, Value: smi.Value{Type: smi.Counter64, Int: 1<<64 - 1}},
		{Name: smi.OID{1, 3, 6, 4}, Value: smi.Value{Type: smi.OctetString, Bytes: bytes.Repeat([]byte("o"), 300)}},
		{Name: smi.OID{1, 3, 6, 5}, Value: smi.Value{Type: smi.IPAddress, Bytes: []byte{192, 0, 2, 1}}},
		{Name: smi.OID{1, 3, 6, 6}, Value: smi.Value{Type: smi.ObjectID, OID: smi.OID{1, 3, 6, 1, 4, 1, 8225}}},
		{Name: smi.OID{1, 3, 6, 7}, Value: smi.Value{Type: smi.NoSuchObject}},
		{Name: smi.OID{1, 3, 6, 8}, Value: smi.Value{Type: smi.NoSuchInstance}},
		{Name: smi.OID{1, 3, 6, 9}, Value: smi.Value{Type: smi.EndOfMIBView}},
	}
	theirs := []any{uint32(123456), -5, uint(4294967295), uint(1 << 31), uint64(1<<64 - 1), bytes.Repeat([]byte("o"), 300),
		"192.0.2.1", ".1.3.6.1.4.1.8225", nil, nil, nil}
	p := PDU{Type: Response, RequestID: 77, Status: 5, Index: 3, VarBinds: mine}
	var b Builder
	b.Reset(0)
	if err := p.Append(&b); err != nil {
		t.Fatal(err)
	}
	b.PrependCommunity(V2cVersion, []byte("public"))
	got, err := (&gosnmp.GoSNMP{}).SnmpDecodePacket(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got.RequestID != 77 || got.Error != 5 || got.ErrorIndex != 3 || got.Community != "public" || got.Version != gosnmp.Version2c || got.PDUType != gosnmp.GetResponse {
		t.Errorf("gosnmp reads %+v", got)
	}
	for i, v := range got.Variables {
		if v.Name != "."+mine[i].Name.String() || byte(v.Type) != byte(mine[i].Value.Type) || !reflect.DeepEqual(v.Value, theirs[i]) {
			t.Errorf("%v = %v: gosnmp reads %s = %#v", mine[i].Name, mine[i].Value, v.Name, v.Value)
		}
	}

	packet := *got
	packet.Variables = packet.Variables[:8] // it does not write exceptions
	encoded, err := packet.MarshalMsg()
	if err != nil {
		t.Fatal(err)
	}
	var m Message
	var back PDU
	if err := m.Decode(encoded); err != nil {
		t.Fatal(err)
	}
	if err := back.Decode(m.Data); err != nil {
		t.Fatal(err)
	}
	p.VarBinds = mine[:8]
	same(t, &p, &back)
}

// TestAllocations: none, once buffers have grown.
func TestAllocations(t *testing.T) {
	p := PDU{Type: Response, VarBinds: variables[:12]}
	var b Builder
	var m Message
	var q PDU
	round := func() {
		b.Reset(100)
		for i := range p.VarBinds {
			if b.AppendVarBind(p.VarBinds[i].Name, &p.VarBinds[i].Value) != nil {
				t.Fatal("not written")
			}
		}
		b.PrependPDU(p.Type, 1, 0, 0)
		b.PrependCommunity(V2cVersion, p.VarBinds[0].Value.Bytes)
		if m.Decode(b.Bytes()) != nil || q.Decode(m.Data) != nil {
			t.Fatal("not read")
		}
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
