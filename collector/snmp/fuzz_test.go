package snmp

import (
	"strconv"
	"testing"

	"lvs/collector/snmp/snmptest"
	"lvs/dataplane"
	"lvs/mib/ber"
	"lvs/mib/smi"

	"github.com/gosnmp/gosnmp"
)

// decoded is a datagram as gosnmp reads it; nil where it cannot, or panics, which
// its sender recovers from.
func decoded(b []byte) (p *gosnmp.SnmpPacket) {
	defer func() {
		if recover() != nil {
			p = nil
		}
	}()
	p, err := (&gosnmp.GoSNMP{Version: gosnmp.Version2c, Community: "public"}).SnmpDecodePacket(b)
	if err != nil {
		return nil
	}
	return p
}

// Whatever an answer has in it, columns rise and have a cell for each index, rows
// that are made of them are whole, and what cannot be is an error.
func FuzzAnswer(f *testing.F) {
	for _, tree := range []smi.Tree{tree(director(2, 3)), oldAgent([]oldRow{oldRow{3: integer(6), 4: ip(union("10.1.0.1")...)}.statistics(10, 3)}, [][]oldRow{nil})} {
		var p ber.PDU
		p.Type, p.RequestID = ber.Response, 7
		for name, v, ok := tree.Next(nil, smi.MustParseOID("1.3.6.1.4.1.8225.4711.17.1.2"), false, nil); ok && len(p.VarBinds) < 40; name, v, ok = tree.Next(nil, name, false, nil) {
			p.VarBinds = append(p.VarBinds, smi.VarBind{Name: name, Value: v})
		}
		f.Add(snmptest.Encode(1, "public", &p), uint8(1))
		f.Add(snmptest.Encode(1, "public", &p), uint8(18))
	}
	f.Fuzz(func(t *testing.T, b []byte, live uint8) {
		p := decoded(b)
		if p == nil || live == 0 || int(live) > len(lvsServices.cols) {
			return
		}
		r := &reading{client: &client{g: &gosnmp.GoSNMP{}}, spec: &lvsServices, most: 1000}
		for _, sub := range lvsServices.cols[:live] {
			r.columns = append(r.columns, &column{prefix: lvsServices.entry + "." + strconv.Itoa(sub) + "."})
		}
		for range 2 { // the same answer again must not be taken
			before := len(r.columns[0].index)
			if err := r.take(r.columns, p.Variables); err == nil && before > 0 && len(r.columns[0].index) > before {
				t.Fatal("an answer was taken twice")
			}
		}
		for _, c := range r.columns {
			if len(c.index) != len(c.cells) {
				t.Fatalf("%d indexes and %d cells", len(c.index), len(c.cells))
			}
			for i := 1; i < len(c.index); i++ {
				if compare(c.index[i-1], c.index[i]) >= 0 {
					t.Fatalf("%q before %q", c.index[i-1], c.index[i])
				}
			}
		}
		services, err := r.join()
		if err != nil {
			return
		}
		for len(services.columns) < len(lvsServices.cols) {
			services.columns = append(services.columns, nil)
		}
		d := &lvsDecoder{snap: &dataplane.Snapshot{}, services: services, reals: &table{spec: &lvsReals}}
		if d.decode() == nil {
			for i := range d.snap.Services {
				if !d.snap.Services[i].Key.IsValid() {
					t.Fatalf("%+v has no key", d.snap.Services[i])
				}
			}
		}
	})
}

// What is read out of octets and texts is sound whatever they are.
func FuzzTexts(f *testing.F) {
	f.Add([]byte("\x07\xea\x0b\x14\x0c\x1e\x0f\x03+\x00\x00"))
	f.Add([]byte("persistent,hashed,0x80"))
	f.Add([]byte("255.255.255.0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dateAndTime(value{text: b})
		if g := flags(string(b)); flags(g.String()) != g {
			t.Errorf("%q gives %v", b, g)
		}
		netmask(dataplane.INET, string(b))
		netmask(dataplane.INET6, string(b))
		if host, port, err := splitTarget(string(b)); err == nil && (host == "" || port == 0) {
			t.Errorf("%q gives %q, %d", b, host, port)
		}
		rowID(string(b))
		indexAddr(string(b))
	})
}
