package agent

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

func TestGet(t *testing.T) {
	r := newRig(t, table(8, 30, 1), Config{})
	q := question{version: ber.V2cVersion, typ: ber.GetRequest, names: []smi.OID{
		cell(1, 1, 1), cell(2, 3, 10), cell(1, 4, 1), cell(9, 1, 1), {1, 3, 6, 1, 2, 1, 1, 1, 0}, {1, 3, 6, 1, 2, 1, 1, 1, 1}, {1, 3, 6, 1, 2, 1, 2, 1, 0}, {2, 5}}}
	p := r.ask(q)
	want := []smi.Type{smi.Integer, smi.Counter64, smi.NoSuchInstance, smi.NoSuchObject, smi.OctetString, smi.NoSuchInstance, smi.NoSuchObject, smi.NoSuchObject}
	if p.Status != 0 || len(p.VarBinds) != len(want) {
		t.Fatalf("%+v", p)
	}
	for i, v := range p.VarBinds {
		if v.Value.Type != want[i] || !slices.Equal(v.Name, q.names[i]) {
			t.Errorf("%v is %v, want %v %v", v.Name, v.Value.Type, q.names[i], want[i])
		}
	}
	if s := string(p.VarBinds[4].Value.Bytes); s != "a director" {
		t.Errorf("sysDescr is %q", s)
	}
	q.version = ber.V1Version
	for i := range q.names { // what SNMPv1 has no word for: the first that is bad is named
		q := q
		q.names = append([]smi.OID{cell(1, 1, 1)}, q.names[i])
		if i == 0 || i == 4 {
			r.wantError("v1", q, smi.NoError, 0)
			continue
		}
		if p := r.wantError("v1", q, smi.NoSuchName, 2); len(p.VarBinds) != 2 || p.VarBinds[0].Value.Type != smi.Null {
			t.Errorf("not the request's variables: %v", p.VarBinds)
		}
	}
}

// TestWalks: v1, v2c and every way to ask in bulk see the same, v1 without
// Counter64, and each in one request for each step.
func TestWalks(t *testing.T) {
	for _, columns := range []int{17, 8} { // the last of them Counter64, or not
		testWalks(t, table(columns, 25, 1))
	}
	r := newRig(t, table(17, 25, 1), Config{})
	r.wantError("v1 at the end", question{version: ber.V1Version, typ: ber.GetNext, names: []smi.OID{{1, 3}, cell(17, 3, 5)}}, smi.NoSuchName, 2)
}

func testWalks(t *testing.T, tree list) {
	t.Helper()
	r := newRig(t, tree, Config{})
	var want []smi.VarBind
	want = append(want, r.system.vars...)
	want = append(want, tree...)
	narrow := slices.DeleteFunc(slices.Clone(want), func(v smi.VarBind) bool { return v.Value.Type == smi.Counter64 })
	for _, c := range []struct {
		name string
		q    question
		want []smi.VarBind
	}{
		{"v1", question{version: ber.V1Version, typ: ber.GetNext}, narrow},
		{"v2c", question{version: ber.V2cVersion, typ: ber.GetNext}, want},
		{"bulk 1", question{version: ber.V2cVersion, typ: ber.GetBulk, index: 1}, want},
		{"bulk 7", question{version: ber.V2cVersion, typ: ber.GetBulk, index: 7}, want},
		{"bulk, as much as fits", question{version: ber.V2cVersion, typ: ber.GetBulk, index: math.MaxInt32}, want},
		{"bulk into one frame", question{version: ber.V2cVersion, typ: ber.GetBulk, index: 500, from: elsewhere}, want},
	} {
		c.q.names = []smi.OID{{1, 3}}
		got := r.walk(c.q)
		if !slices.EqualFunc(got, c.want, func(a, b smi.VarBind) bool { return a.Name.Compare(b.Name) == 0 && a.Value.Type == b.Value.Type }) {
			t.Errorf("%s: %d variables, want %d", c.name, len(got), len(c.want))
		}
	}
}

func TestGetBulk(t *testing.T) {
	r := newRig(t, table(8, 30, 1), Config{})
	last := cell(8, 3, 10)
	for _, c := range []struct {
		name         string
		once, repeat int32
		names        []smi.OID
		want         []smi.OID // nil is endOfMibView
	}{
		{"nothing", 0, 0, []smi.OID{root}, nil},
		{"negative is zero", -5, -1, []smi.OID{root}, nil},
		{"no variables", 3, 10, nil, nil},
		{"once only", 1, 0, []smi.OID{root}, []smi.OID{cell(1, 1, 1)}},
		{"more once than there are", 9, 5, []smi.OID{root, last}, []smi.OID{cell(1, 1, 1), nil}},
		{"once and repeated", 1, 2, []smi.OID{root, cell(1, 3, 9), cell(8, 3, 9)},
			[]smi.OID{cell(1, 1, 1), cell(1, 3, 10), last, cell(2, 1, 1), nil}},
		{"ends when all have", 0, 50, []smi.OID{cell(8, 3, 9), last}, []smi.OID{last, nil, nil, nil}},
	} {
		p := r.ask(question{version: ber.V2cVersion, typ: ber.GetBulk, status: c.once, index: c.repeat, names: c.names})
		var got []smi.OID
		for _, v := range p.VarBinds {
			if v.Value.Type == smi.EndOfMIBView {
				v.Name = nil
			}
			got = append(got, v.Name)
		}
		if p.Status != 0 || !slices.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("%s: error %d, %v, want %v", c.name, p.Status, got, c.want)
		}
	}
}

// TestSizes: no answer is larger than allowed, and none shorter than need be.
func TestSizes(t *testing.T) {
	tree := append(list{{Name: root.Append(1, 0), Value: smi.Value{Type: smi.OctetString, Bytes: bytes.Repeat([]byte("x"), 1400)}},
		{Name: root.Append(2, 0), Value: smi.Value{Type: smi.OctetString, Bytes: bytes.Repeat([]byte("y"), 70000)}}}, table(8, 3000, 1)...)
	r := newRig(t, tree, Config{})
	big, bigger := root.Append(1, 0), root.Append(2, 0)
	for _, v := range []ber.Version{ber.V1Version, ber.V2cVersion} {
		// 1400 octets fit in one frame with the names and headers, two of them do not.
		r.wantError("one fits", question{version: v, typ: ber.GetRequest, from: elsewhere, names: []smi.OID{big}[:1]}, smi.NoError, 0)
		p := r.wantError("two do not", question{version: v, typ: ber.GetRequest, from: elsewhere, names: []smi.OID{big, cell(1, 1, 1), cell(1, 1, 2)}}, smi.TooBig, 0)
		if want := map[ber.Version]int{ber.V1Version: 3}[v]; len(p.VarBinds) != want {
			t.Errorf("tooBig of v%v has %d variables, want %d", v, len(p.VarBinds), want)
		}
		r.wantError("here they do", question{version: v, typ: ber.GetRequest, names: []smi.OID{big, cell(1, 1, 1), cell(1, 1, 2)}}, smi.NoError, 0)
		r.wantError("next", question{version: v, typ: ber.GetNext, from: elsewhere, names: []smi.OID{root, cell(1, 1, 1), cell(1, 1, 2)}}, smi.TooBig, 0)
		r.wantError("never", question{version: v, typ: ber.GetRequest, names: []smi.OID{bigger}}, smi.TooBig, 0)
	}
	bulk := question{version: ber.V2cVersion, typ: ber.GetBulk, index: 100_000, names: []smi.OID{bigger}}
	for _, c := range []struct {
		q    question
		most int
	}{{bulk, maxDatagram}, {func() question { q := bulk; q.from = elsewhere; return q }(), oneFrame}} {
		n := len(r.raw(c.q))
		if p := r.ask(c.q); n > c.most || n < c.most-60 || p.Status != 0 {
			t.Errorf("bulk: %d octets of %d, error %d", n, c.most, p.Status)
		}
	}
	bulk.names = []smi.OID{big}
	if p := r.wantError("bulk that cannot begin", bulk, smi.TooBig, 0); len(p.VarBinds) != 0 {
		t.Errorf("%d variables", len(p.VarBinds))
	}
	bulk.names, bulk.status = []smi.OID{root, big}, 1
	if p := r.ask(bulk); p.Status != 0 || len(p.VarBinds) != 1 {
		t.Errorf("bulk of one that fits and one that does not: error %d, %d variables", p.Status, len(p.VarBinds))
	}

	// A request larger than the answer may be: v1 would have to say it all again.
	huge := question{version: ber.V1Version, typ: ber.GetRequest, from: elsewhere, names: slices.Repeat([]smi.OID{cell(1, 1, 1)}, 500)}
	if out := r.raw(huge); out != nil {
		t.Errorf("an answer of %d octets", len(out))
	}
	huge.version = ber.V2cVersion
	r.wantError("huge", huge, smi.TooBig, 0)
	huge.community, huge.typ = "private", ber.SetRequest
	r.wantError("huge", huge, smi.TooBig, 0)
	if st := r.Stats(); st.SilentDrops != 1 || st.TooBigs != 10 {
		t.Errorf("%d silent drops, %d too big", st.SilentDrops, st.TooBigs)
	}
}

// unwritable is a tree with a value that has no form in BER.
var unwritable = list{{Name: root.Append(1, 0), Value: smi.Value{Type: smi.IPAddress, Bytes: make([]byte, 16)}}}

func TestGenErr(t *testing.T) {
	r := newRig(t, unwritable, Config{})
	bad, good := root.Append(1, 0), smi.OID{1, 3, 6, 1, 2, 1, 1, 3, 0}
	for _, v := range []ber.Version{ber.V1Version, ber.V2cVersion} {
		r.wantError("get", question{version: v, typ: ber.GetRequest, names: []smi.OID{good, bad}}, smi.GenErr, 2)
		r.wantError("next", question{version: v, typ: ber.GetNext, names: []smi.OID{good, root}}, smi.GenErr, 2)
	}
	r.wantError("bulk, once", question{version: ber.V2cVersion, typ: ber.GetBulk, status: 2, index: 3, names: []smi.OID{good, root}}, smi.GenErr, 2)
	r.wantError("bulk, the second time", question{version: ber.V2cVersion, typ: ber.GetBulk, status: 1, index: 30, names: []smi.OID{good, {1, 3, 6, 1, 2, 1, 1, 6, 0}, {1, 3, 6, 1, 2, 1, 1, 7, 0}}}, smi.GenErr, 3)
	r.wantError("bulk, repeated", question{version: ber.V2cVersion, typ: ber.GetBulk, status: 1, index: 30, names: []smi.OID{good, good, {1, 3, 6, 1, 2, 1, 1, 8, 0}}}, smi.GenErr, 3)
}

// TestWalkSeesOneTree though it is swapped on the way.
func TestWalkSeesOneTree(t *testing.T) {
	for _, q := range []question{
		{version: ber.V2cVersion, typ: ber.GetNext}, {version: ber.V2cVersion, typ: ber.GetBulk, index: 3}, {version: ber.V1Version, typ: ber.GetNext},
	} {
		r := newRig(t, table(1, 40, 1), Config{})
		q.names = []smi.OID{root}
		n := 0
		for p := r.ask(q); len(p.VarBinds) > 0 && p.VarBinds[0].Value.Type == smi.Integer && p.Status == 0; p = r.ask(q) {
			for _, v := range p.VarBinds {
				if v.Value.Type != smi.EndOfMIBView {
					n++
					if q.names[0] = v.Name; v.Value.Int != 1 {
						t.Fatalf("%v of tree %d", v.Name, v.Value.Int)
					}
				}
			}
			if n == 15 || n == 30 {
				r.Swap(table(1, 10+n, uint64(n)))
			}
		}
		if n != 40 {
			t.Errorf("%v v%v: %d variables, want the 40 of the first tree", q.typ, q.version, n)
		}
		q.names[0] = root
		if p := r.ask(q); p.VarBinds[0].Value.Int != 30 {
			t.Errorf("a new walk begins in tree %d", p.VarBinds[0].Value.Int)
		}
		if r.Stats().Pinned == 0 {
			t.Error("none counted as pinned")
		}
	}
}
