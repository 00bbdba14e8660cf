package agent

import (
	"bytes"
	"testing"

	"lvs/mib/ber"
	"lvs/mib/smi"
	"lvs/mib/usm"
)

// plain is an SNMPv3 message by "anybody", without authentication.
func plain(engine []byte, typ ber.PDUType, model int32, scoped []byte) []byte {
	var b ber.Builder
	b.Reset(200)
	if scoped != nil {
		b.Append(scoped)
	} else {
		v := smi.Value{Type: smi.Null}
		if b.AppendVarBind(root, &v) != nil {
			panic("no name")
		}
		b.PrependPDU(typ, 42, 0, 5)
		b.PrependScope(engine, nil)
	}
	body := b.Len()
	b.PrependOctets(ber.OctetString, nil)
	b.PrependOctets(ber.OctetString, nil)
	b.PrependOctets(ber.OctetString, []byte("anybody"))
	b.PrependInt(0)
	b.PrependInt(0)
	b.PrependOctets(ber.OctetString, engine)
	b.WrapFront(ber.Sequence, body)
	b.WrapFront(ber.OctetString, body)
	b.PrependV3(1, maxDatagram, ber.FlagReportable, model)
	return bytes.Clone(b.Bytes())
}

// TestV3Drops: what is no request that can be answered is counted by its reason.
func TestV3Drops(t *testing.T) {
	r := newRig(t, table(1, 10, 1), Config{Users: []User{{User: usm.User{Name: "anybody"}}}})
	id := r.EngineID()
	before := r.Stats()
	check := func(what string, datagram []byte, count func(Stats) uint64) {
		t.Helper()
		out := r.h.answer(datagram, here, r.now())
		if after := r.Stats(); out != nil || count(after) != count(before)+1 || after.Answers != before.Answers {
			t.Errorf("%s: %x, %+v", what, out, after)
		}
		before = r.Stats()
	}
	notRequests := func(s Stats) uint64 { return s.NotRequests }
	malformed := func(s Stats) uint64 { return s.Malformed }
	badSecurity := func(s Stats) uint64 { return s.BadSecurity }
	for _, typ := range []ber.PDUType{ber.Response, ber.Report, ber.Trap, ber.Inform} {
		check(typ.String(), plain(id, typ, ber.ModelUSM, nil), notRequests)
	}
	check("no scopedPDU", plain(id, 0, ber.ModelUSM, []byte{ber.Sequence, 2, ber.Null, 0}), malformed)
	check("no data", plain(id, 0, ber.ModelUSM, []byte{ber.Null, 0}), malformed)
	check("another security model", plain(id, ber.GetNext, 2, nil), badSecurity)
	for _, typ := range []ber.PDUType{ber.GetRequest, ber.GetNext, ber.GetBulk} {
		if out := r.h.answer(plain(id, typ, ber.ModelUSM, nil), here, r.now()); out == nil {
			t.Errorf("%v: no answer, %+v", typ, r.Stats())
		}
	}
	r = newRig(t, table(1, 10, 1), Config{})
	before = r.Stats()
	check("no users", plain(id, ber.GetNext, ber.ModelUSM, nil), badSecurity)
}
