package ber

import (
	"bytes"
	"strings"
	"testing"
)

// TestRefusedV3 names what is refused of an SNMPv3 message's header.
func TestRefusedV3(t *testing.T) {
	make := func(id, maxSize int32, flags byte, model int32) []byte {
		var b Builder
		b.Reset(0)
		b.PrependPDU(GetRequest, 1, 0, 0)
		b.PrependScope(nil, nil)
		b.PrependOctets(OctetString, nil)
		b.PrependV3(id, maxSize, flags, model)
		return bytes.Clone(b.Bytes())
	}
	good := make(1, 484, 4, 3)
	var m V3
	if err := m.Decode(good); err != nil {
		t.Fatal(err)
	}
	flags := bytes.Index(good, []byte{OctetString, 1, 4})
	for _, c := range []struct {
		in     []byte
		reason string
	}{
		{make(-1, 484, 4, 3), "negative"},
		{make(1, 483, 4, 3), "below 484"},
		{make(1, -1, 4, 3), "negative"},
		{make(1, 484, FlagPriv, 3), "privacy without authentication"},
		{make(1, 484, FlagPriv|FlagAuth, 3), "unexpected type"}, // not encrypted
		{make(1, 484, 4, 0), "msgSecurityModel is 0"},
		{bytes.Replace(good, []byte{OctetString, 1, 4}, []byte{OctetString, 0x81, 1}, 1), "flags"},
		{append(bytes.Clone(good[:flags]), append([]byte{Integer, 1}, good[flags+2:]...)...), "unexpected type"},
		{append(bytes.Clone(good), 0), "more than one message"},
		{bytes.Replace(good, []byte{Integer, 1, 3}, []byte{Integer, 1, 2}, 1), "not SNMPv3"},
	} {
		err := m.Decode(c.in)
		if err == nil || c.reason != "flags" && !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%x: %v, want %q", c.in, err, c.reason)
		}
	}
	var one Message
	if err := one.Decode(good); err == nil || !strings.Contains(err.Error(), "not SNMPv1 or v2c") {
		t.Errorf("v3 as v2c: %v", err)
	}
}

// TestRefusedPDU names what is refused of a PDU.
func TestRefusedPDU(t *testing.T) {
	var p PDU
	for in, reason := range map[string]string{
		"": "unknown type of PDU", "\xa4\x00": "unknown type of PDU", "\xa9\x00": "unknown type of PDU", "\x30\x00": "unknown type of PDU",
		"\xa0\x00": "ends in the middle",
		"\xa0\x0b\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x00\x00":                 "more than one PDU",
		"\xa0\x0c\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x00\x00":                 "more than what belongs",
		"\xa0\x0d\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x02\x30\x00":             "ends in the middle",
		"\xa0\x0e\x02\x04\x01\x02\x03\x04\x02\x01\x00\x02\x01\x00\x31\x00":         "unexpected type",
		"\xa0\x10\x02\x05\x01\x02\x03\x04\x05\x02\x01\x00\x02\x01\x00\x30\x00\x00": "one to four",
	} {
		if err := p.Decode([]byte(in)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%x: %v, want %q", in, err, reason)
		}
	}
}

// TestNames: types and versions say what RFC 3416 and everybody calls them.
func TestNames(t *testing.T) {
	var names []string
	for i := 0xa0; i <= 0xa9; i++ {
		names = append(names, PDUType(i).String())
	}
	for v := range Version(4) {
		names = append(names, v.String())
	}
	want := "GetRequest GetNextRequest Response SetRequest PDU 0xa4 GetBulkRequest InformRequest SNMPv2-Trap Report PDU 0xa9 1 2c version 2 3"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestTruncate takes variables back, and nothing else.
func TestTruncate(t *testing.T) {
	var b Builder
	b.Reset(30)
	for i := range variables[:5] {
		before := b.Len()
		for range 2 { // the first is taken back
			b.Truncate(before)
			if err := b.AppendVarBind(variables[i].Name, &variables[i].Value); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.PrependPDU(Response, 1, 0, 0)
	var p PDU
	if err := p.Decode(b.Bytes()); err != nil || len(p.VarBinds) != 5 {
		t.Errorf("%d variables, %v", len(p.VarBinds), err)
	}
}
