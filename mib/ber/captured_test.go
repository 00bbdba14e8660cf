package ber

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// captured reads the datagrams of Net-SNMP's in testdata.
func captured(t testing.TB) (captures []capture) {
	b, err := os.ReadFile("testdata/net-snmp.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		name, text, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if strings.HasPrefix(line, "#") || !ok {
			continue
		}
		datagram, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		captures = append(captures, capture{name, datagram})
	}
	return captures
}

// TestCaptured: Net-SNMP's datagrams are read and, written again, are the same
// to the octet but for the lengths, for which Net-SNMP may take more octets
// than it needs.
func TestCaptured(t *testing.T) {
	captures := captured(t)
	if len(captures) != 10 {
		t.Fatalf("%d datagrams, want 10", len(captures))
	}
	for _, c := range captures {
		var b Builder
		b.Reset(0)
		var m Message
		var v3 V3
		if v, err := VersionOf(c.datagram); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if v != V3Version {
			var p PDU
			if err := m.Decode(c.datagram); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if err := p.Decode(m.Data); err != nil || len(p.VarBinds) == 0 {
				t.Errorf("%s: %d variables, %v", c.name, len(p.VarBinds), err)
			}
			write(t, &b, &p)
			b.PrependCommunity(m.Version, m.Community)
		} else {
			if err := v3.Decode(c.datagram); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			if v3.Flags&FlagPriv == 0 {
				var s Scoped
				if err := s.Decode(v3.Data); err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
				write(t, &b, &s.PDU)
				b.PrependScope(s.EngineID, s.ContextName)
			} else {
				b.Append(v3.Data)
				b.Wrap(OctetString)
			}
			b.PrependOctets(OctetString, v3.Params)
			b.PrependV3(v3.ID, v3.MaxSize, v3.Flags, v3.Model)
		}
		if want := shortest(c.datagram); !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s:\nwrote %x\nwant  %x", c.name, b.Bytes(), want)
		}
	}
}

// shortest gives every length its shortest form, down to where sequences end.
func shortest(b []byte) (out []byte) {
	r := NewReader(b)
	for r.More() {
		tag := r.Peek()
		contents := r.Octets(tag)
		if tag&0x20 != 0 {
			contents = shortest(contents)
		}
		out = append(appendHeader(out, tag, len(contents)), contents...)
	}
	return out
}
