package agent

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"

	"lvs/mib/ber"
	"lvs/mib/smi"
	"lvs/mib/usm"
)

// secret is in every value of what hostile requests are after.
var secret = []byte("for no other eyes")

func secrets() list {
	var l list
	for i := range uint32(500) {
		l = append(l, smi.VarBind{Name: root.Append(18, 1, 1, i+1), Value: smi.Value{Type: smi.OctetString, Bytes: secret}})
	}
	return l
}

// guarded is an agent that only those who know its names may ask.
func guarded(t testing.TB) *rig {
	return newRig(t, secrets(), Config{
		Communities: []Community{{Name: "a community that nobody guesses", Write: true}},
		Users:       []User{{User: usm.User{Name: "keeper", Auth: usm.SHA256, Priv: usm.AES128, AuthSecret: "authentication", PrivSecret: "privacy-privacy"}, Write: true}},
		Setter:      &switches{},
		Rate:        Rate{Requests: -1, Bytes: -1},
	})
}

// asV3 is a request of v3 as gosnmp makes it, for an engine at a time.
func asV3(t testing.TB, engine []byte, boots, now uint32, secret string, flags gosnmp.SnmpV3MsgFlags) []byte {
	t.Helper()
	params := &gosnmp.UsmSecurityParameters{UserName: "keeper", AuthoritativeEngineID: string(engine), AuthoritativeEngineBoots: boots, AuthoritativeEngineTime: now,
		AuthenticationProtocol: gosnmp.SHA256, AuthenticationPassphrase: secret, PrivacyProtocol: gosnmp.AES, PrivacyPassphrase: "privacy-privacy",
		PrivacyParameters: []byte("12345678")}
	if flags&gosnmp.AuthNoPriv != 0 {
		if err := params.InitSecurityKeys(); err != nil {
			t.Fatal(err)
		}
	}
	p := gosnmp.SnmpPacket{Version: gosnmp.Version3, MsgFlags: flags | gosnmp.Reportable, SecurityModel: gosnmp.UserSecurityModel, SecurityParameters: params,
		ContextEngineID: string(engine), PDUType: gosnmp.GetBulkRequest, MsgID: 5, RequestID: 6, MsgMaxSize: 65507, MaxRepetitions: 100,
		Variables: []gosnmp.SnmpPDU{{Name: "." + root.String(), Type: gosnmp.Null}}}
	b, err := p.MarshalMsg()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bases are requests with one thing wrong each, to be made worse.
func bases(t testing.TB, r *rig) (b [][]byte) {
	for _, v := range []ber.Version{ber.V1Version, ber.V2cVersion} {
		for _, typ := range []ber.PDUType{ber.GetRequest, ber.GetNext, ber.GetBulk, ber.SetRequest} {
			q := question{version: v, typ: typ, index: 50, community: "some word", names: []smi.OID{root, cell(1, 1, 1)}}
			b = append(b, q.datagram(t))
		}
	}
	id := r.EngineID()
	return append(b,
		asV3(t, id, 1, 0, "authenticatiom", gosnmp.AuthPriv),
		asV3(t, id, 1, 0, "authenticatiom", gosnmp.AuthNoPriv),
		asV3(t, id, 1, 0, "authentication", gosnmp.NoAuthNoPriv),
		asV3(t, id, 1, 0, "authentication", gosnmp.AuthNoPriv), // below the user's level
		asV3(t, id, 2, 0, "authentication", gosnmp.AuthPriv),
		asV3(t, id, 1, 1000, "authentication", gosnmp.AuthPriv),
		asV3(t, id[:8], 1, 0, "authentication", gosnmp.AuthPriv),
		asV3(t, nil, 0, 0, "authentication", gosnmp.NoAuthNoPriv),
	)
}

// check fails if an answer says what nobody may know, or is longer than what a
// report is.
func (r *rig) check(asked, out []byte) {
	r.t.Helper()
	if bytes.Contains(out, secret[:6]) || len(out) > 200 {
		r.t.Fatalf("%x was answered %x", asked, out)
	}
}

// TestNothingLeaks: requests that are wrong somewhere, cut at every octet, and with
// every octet changed, get no value.
func TestNothingLeaks(t *testing.T) {
	r := guarded(t)
	all := bases(t, r)
	for _, good := range all {
		r.check(good, r.h.answer(bytes.Clone(good), elsewhere, r.now()))
		for n := range good {
			r.check(good[:n], r.h.answer(bytes.Clone(good[:n]), elsewhere, r.now()))
			for _, x := range []byte{1, 0x80, 0xff} {
				bad := bytes.Clone(good)
				bad[n] ^= x
				r.check(bad, r.h.answer(bytes.Clone(bad), elsewhere, r.now()))
			}
		}
	}
	if st := r.Stats(); st.Variables != 0 || st.V1+st.V2c+st.V3 != 0 || st.Reports == 0 {
		t.Errorf("%+v", st)
	}
}

// TestGoodMessagesChanged: of an authenticated request, no bit can be changed and
// none left out.
func TestGoodMessagesChanged(t *testing.T) {
	r := guarded(t)
	good := asV3(t, r.EngineID(), 1, 0, "authentication", gosnmp.AuthPriv)
	if out := r.h.answer(bytes.Clone(good), elsewhere, r.now()); len(out) < 1000 || bytes.Contains(out, secret) {
		t.Fatalf("answered %x: %+v", out, r.Stats())
	}
	let := r.Stats().V3
	for n := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[n] ^= 1 << bit
			r.h.answer(bad, elsewhere, r.now())
		}
		r.h.answer(bytes.Clone(good[:n]), elsewhere, r.now())
	}
	if st := r.Stats(); st.V3 != let {
		t.Errorf("%d changed messages were let in", st.V3-let)
	}
}

// TestRandomDatagrams: always the same or, where that is set, LVS_DATAGRAMS others,
// random from end to end or in places. Memory stays flat.
func TestRandomDatagrams(t *testing.T) {
	count, seed := 1_000_000, uint64(1)
	if s := os.Getenv("LVS_DATAGRAMS"); s != "" {
		var err error
		if count, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
		seed = uint64(time.Now().UnixNano()) // others than those that passed already
	}
	r := guarded(t)
	all := bases(t, r)
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	buf := make([]byte, 0, maxDatagram)
	one := func() {
		buf = buf[:0]
		switch rnd.IntN(4) {
		case 0: // noise
			for range rnd.IntN(200) / 8 {
				buf = binary.LittleEndian.AppendUint64(buf, rnd.Uint64())
			}
		case 1: // noise that begins well
			base := all[rnd.IntN(len(all))]
			buf = append(buf, base[:rnd.IntN(len(base))]...)
			for range rnd.IntN(40) {
				buf = append(buf, byte(rnd.Uint32()))
			}
		default: // some octets changed, moved or doubled
			buf = append(buf, all[rnd.IntN(len(all))]...)
			for range 1 + rnd.IntN(6) {
				i, j := rnd.IntN(len(buf)), rnd.IntN(len(buf))
				switch rnd.IntN(4) {
				case 0:
					buf[i] = buf[j]
				case 1:
					buf = append(buf, buf[min(i, j):min(max(i, j), min(i, j)+50)]...)
				default:
					buf[i] = byte(rnd.Uint32())
				}
			}
		}
		r.check(nil, r.h.answer(buf, elsewhere, r.now()))
	}
	for range count / 10 {
		one()
	}
	before := heap()
	for range count - count/10 {
		one()
	}
	if after := heap(); after > before+256<<10 {
		t.Errorf("the heap grew from %d to %d octets", before, after)
	}
	st := r.Stats()
	t.Logf("%+v", st)
	if st.Datagrams != uint64(count) || st.Variables != 0 {
		t.Errorf("%d datagrams, %d variables", st.Datagrams, st.Variables)
	}
}

// heap is what is in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// FuzzAnswer gives anything to an agent that anybody may ask: it always comes
// back, with one whole message that fits or with none.
func FuzzAnswer(f *testing.F) {
	tree := table(8, 100, 1)
	cfg := Config{Setter: fixed{}, Users: []User{{User: usm.User{Name: "keeper"}, Write: true}}, Rate: Rate{Requests: -1, Bytes: -1},
		Communities: []Community{{Name: "public"}, {Name: "private", Write: true}}}
	r := newRig(f, tree, cfg)
	for _, v := range []ber.Version{ber.V1Version, ber.V2cVersion} {
		for _, typ := range []ber.PDUType{ber.GetRequest, ber.GetNext, ber.GetBulk, ber.SetRequest} {
			f.Add(question{version: v, typ: typ, index: 5, community: "private", names: []smi.OID{root, cell(2, 1, 1)}}.datagram(f))
		}
	}
	stand := []byte("17 octets' length") // in the place of the engine ID, which each process has another of
	f.Add(asV3(f, nil, 0, 0, "", gosnmp.NoAuthNoPriv))
	f.Add(asV3(f, stand, 1, 0, "", gosnmp.NoAuthNoPriv))
	if out := r.h.answer(asV3(f, r.EngineID(), 1, 0, "", gosnmp.NoAuthNoPriv), elsewhere, r.now()); len(out) < 1000 {
		f.Fatalf("v3 is answered %x", out)
	}
	f.Fuzz(func(t *testing.T, datagram []byte) {
		out := r.h.answer(bytes.ReplaceAll(datagram, stand, r.EngineID()), elsewhere, r.now())
		if out == nil {
			return
		}
		if len(out) > oneFrame {
			t.Fatalf("%d octets", len(out))
		}
		var m ber.Message
		var m3 ber.V3
		var s ber.Scoped
		v, err := ber.VersionOf(out)
		switch {
		case err != nil:
		case v == ber.V3Version:
			if err = m3.Decode(out); err == nil {
				err = s.Decode(m3.Data)
			}
		default:
			if err = m.Decode(out); err == nil {
				err = s.PDU.Decode(m.Data)
			}
		}
		if err != nil || s.PDU.Type != ber.Response && s.PDU.Type != ber.Report {
			t.Fatalf("answer %x: %v", out, err)
		}
	})
}

// A fixed Setter takes everything.
type fixed struct{}

func (fixed) Test(smi.OID, smi.Value) smi.ErrorStatus { return smi.NoError }
func (fixed) Set(smi.OID, smi.Value)                  {}
