package agentx

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/mib/smi"
)

// cell names a cell of gridRoot's table.
func cell(column, group, row uint32) smi.OID { return gridRoot.Append(1, column, group, row) }

// bare drops what a comparison of answers does not care for.
func bare(vs []smi.VarBind) []smi.VarBind { return append([]smi.VarBind{}, vs...) }

func TestRequestsAreAnswered(t *testing.T) {
	endOf := func(name smi.OID) smi.VarBind { return bind(name, smi.Value{Type: smi.EndOfMIBView}) }
	at := func(column, group, row uint32) smi.VarBind {
		k := int((column-1)*6 + (group-1)*2 + row - 1)
		return bind(cell(column, group, row), testGrid.value(k))
	}
	last, below := cell(6, 3, 2), gridRoot.Append(1, 3)
	for _, c := range []struct {
		name  string
		ask   PDU
		want  []smi.VarBind
		err   Error
		index uint16
	}{
		{name: "get of nothing", ask: PDU{Type: Get}, want: []smi.VarBind{}},
		{name: "get", ask: PDU{Type: Get, Ranges: []Range{
			{Start: cell(2, 1, 1)}, {Start: cell(2, 9, 9)}, {Start: gridRoot}, {Start: cell(1, 1, 1), End: gridRoot}, {},
		}}, want: []smi.VarBind{
			at(2, 1, 1), bind(cell(2, 9, 9), smi.Value{Type: smi.NoSuchInstance}), bind(gridRoot, smi.Value{Type: smi.NoSuchObject}),
			at(1, 1, 1), bind(nil, smi.Value{Type: smi.NoSuchObject}),
		}},
		{name: "next", ask: PDU{Type: GetNext, Ranges: []Range{
			{Start: gridRoot}, {Start: cell(2, 1, 1)}, {Start: cell(2, 1, 1), Include: true}, {Start: cell(2, 3, 2)}, {Start: last}, {},
		}}, want: []smi.VarBind{at(1, 1, 1), at(2, 1, 2), at(2, 1, 1), at(3, 1, 1), endOf(last), at(1, 1, 1)}},
		{name: "next before an end", ask: PDU{Type: GetNext, Ranges: []Range{
			{Start: cell(2, 3, 1), End: below}, {Start: cell(2, 3, 2), End: below}, {Start: cell(2, 3, 2), Include: true, End: cell(2, 3, 2)},
		}}, want: []smi.VarBind{at(2, 3, 2), endOf(cell(2, 3, 2)), endOf(cell(2, 3, 2))}},
		{name: "bulk", ask: PDU{Type: GetBulk, NonRepeaters: 1, MaxRepetitions: 3, Ranges: []Range{
			{Start: gridRoot}, {Start: cell(2, 1, 1)}, {Start: cell(6, 3, 1)},
		}}, want: []smi.VarBind{
			at(1, 1, 1),
			at(2, 1, 2), at(6, 3, 2),
			at(2, 2, 1), endOf(last),
			at(2, 2, 2), endOf(last),
		}},
		{name: "bulk to the end", ask: PDU{Type: GetBulk, MaxRepetitions: 65535, Ranges: []Range{{Start: cell(6, 3, 1), Include: true}}},
			want: []smi.VarBind{at(6, 3, 1), at(6, 3, 2), endOf(last)}},
		{name: "bulk without repetitions", ask: PDU{Type: GetBulk, NonRepeaters: 9, MaxRepetitions: 0, Ranges: []Range{{Start: gridRoot}}},
			want: []smi.VarBind{at(1, 1, 1)}},
		{name: "context", ask: PDU{Type: GetNext, Flags: NonDefaultContext, Context: []byte("vrf1"), Ranges: []Range{{Start: gridRoot}}}, err: UnsupportedContext},
		{name: "set with a context", ask: PDU{Type: TestSet, Flags: NonDefaultContext, VarBinds: []smi.VarBind{at(1, 1, 1)}}, err: UnsupportedContext},
		{name: "set", ask: PDU{Type: TestSet, VarBinds: []smi.VarBind{at(1, 1, 1), at(2, 1, 1)}}, err: NotWritable, index: 1},
		{name: "set of nothing", ask: PDU{Type: TestSet}},
		{name: "commit", ask: PDU{Type: CommitSet}, err: CommitFailed},
		{name: "undo", ask: PDU{Type: UndoSet}},
		{name: "ping", ask: PDU{Type: Ping}},
		{name: "what only masters take", ask: PDU{Type: Register, Name: gridRoot}, err: ParseError},
		{name: "notification", ask: PDU{Type: Notify}, err: ParseError},
	} {
		for _, order := range []Flags{0, NetworkByteOrder} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, testGrid)
				m := r.join()
				m.order = order
				ask := c.ask
				got := m.ask(&ask)
				if got.Flags != order {
					t.Errorf("%s: answered with flags %b, asked with %b", c.name, got.Flags, order)
				}
				if got.Error != c.err || got.Index != c.index {
					t.Errorf("%s: %v at %d, want %v at %d", c.name, got.Error, got.Index, c.err, c.index)
				}
				if diff := cmp.Diff(bare(c.want), bare(got.VarBinds)); diff != "" {
					t.Errorf("%s: (-want +got)\n%s", c.name, diff)
				}
				st := r.Stats()
				if n := st.Requests[Request{c.ask.Type, c.err}]; n != 1 || len(st.Requests) != 1 || st.Variables != uint64(len(c.want)) {
					t.Errorf("%s: counted %v, %d variables", c.name, st.Requests, st.Variables)
				}
			})
		}
	}
}

func TestCleanupSetIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		m.send(m.request(&PDU{Type: CleanupSet}))
		m.ask(&PDU{Type: Ping}) // is the next to be answered
		if n := r.Stats().Requests[Request{CleanupSet, NoError}]; n != 1 {
			t.Errorf("counted %d", n)
		}
	})
}

func TestOtherSessionsAreNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newRig(t, testGrid).join()
		m.session = 8
		if r := m.ask(&PDU{Type: Get, Ranges: []Range{{Start: gridRoot}}}); r.Error != NotOpen {
			t.Errorf("error %v", r.Error)
		}
	})
}

func TestMalformedRequestGetsParseErrorAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		b := m.encode(m.request(&PDU{Type: Get, Ranges: []Range{{Start: gridRoot}}}))
		b[headerSize] = 129 // sub-identifiers
		m.conn.Write(b)
		if p := m.expect(Response); p.Error != ParseError || p.PacketID != m.packet {
			t.Errorf("%+v", p)
		}
		b = m.encode(m.request(&PDU{Type: Ping}))
		b[1] = 99 // type
		m.conn.Write(b)
		if p := m.expect(Response); p.Error != ParseError {
			t.Errorf("%+v", p)
		}
		if p := m.ask(&PDU{Type: Get, Ranges: []Range{{Start: cell(2, 1, 1)}}}); p.Error != NoError {
			t.Errorf("after it: %+v", p)
		}
		if st := r.Stats(); st.Malformed != 2 || st.Reconnects != 0 || st.Requests[Request{0, ParseError}] != 1 {
			t.Errorf("%+v", st)
		}
	})
}

func TestSysUpTimeGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newRig(t, testGrid).join()
		time.Sleep(10 * time.Second)
		if p := m.ask(&PDU{Type: Ping}); p.SysUpTime != 2234 {
			t.Errorf("sysUpTime %d, want 1234 and 10 s", p.SysUpTime)
		}
	})
}

func TestRepeatedRequestIsAnsweredAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, testGrid)
		m := r.join()
		p := m.request(&PDU{Type: GetNext, Ranges: []Range{{Start: gridRoot}}})
		for range 3 {
			m.send(p)
			if got := m.expect(Response); got.PacketID != p.PacketID || len(got.VarBinds) != 1 {
				t.Errorf("%+v", got)
			}
		}
		if n := r.Stats().DuplicateRequests; n != 2 {
			t.Errorf("counted %d, want 2", n)
		}
	})
}

// An oddTree holds one value at every name.
type oddTree struct{ v smi.Value }

func (o oddTree) Get(smi.OID) smi.Value { return o.v }

func (o oddTree) Next(dst, name smi.OID, _ bool, _ smi.OID) (smi.OID, smi.Value, bool) {
	return append(append(dst[:0], name...), 1), o.v, true
}

func TestValueThatCannotBeSentIsGenErr(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		m := r.join()
		name := make(smi.OID, smi.MaxOIDLen)
		for _, v := range []smi.Value{
			{Type: smi.IPAddress, Bytes: make([]byte, 16)}, {Type: 99}, {Type: smi.OctetString, Bytes: make([]byte, 65536)},
			{Type: smi.ObjectID, OID: make(smi.OID, 129)},
		} {
			r.Swap(oddTree{v})
			for _, t2 := range []Type{Get, GetNext, GetBulk} {
				p := m.ask(&PDU{Type: t2, MaxRepetitions: 2, Ranges: []Range{{Start: gridRoot}, {Start: gridRoot}}})
				if p.Error != GenErr || p.Index != 1 || len(p.VarBinds) != 0 {
					t.Errorf("%v of %v: %+v", t2, v.Type, p)
				}
			}
		}
		r.Swap(oddTree{smi.Value{Type: smi.Integer}})
		if p := m.ask(&PDU{Type: GetNext, Ranges: []Range{{Start: gridRoot}, {Start: name}}}); p.Error != GenErr || p.Index != 2 {
			t.Errorf("next of the longest name: %+v", p)
		}
	})
}

func TestAnswersStayBelowTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, oddTree{smi.Value{Type: smi.OctetString, Bytes: make([]byte, 60000)}})
		m := r.join()
		p := m.ask(&PDU{Type: Get, Ranges: make([]Range, 20)})
		if p.Error != TooBig || p.Index != 0 || len(p.VarBinds) != 0 {
			t.Errorf("%v at %d, %d variables", p.Error, p.Index, len(p.VarBinds))
		}
		if p = m.ask(&PDU{Type: GetBulk, MaxRepetitions: 50, Ranges: make([]Range, 3)}); p.Error != NoError || len(p.VarBinds) != 3 {
			t.Errorf("bulk: %v, %d variables, want one repetition", p.Error, len(p.VarBinds))
		}
	})
}

func TestEmptyTreeBeforeTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		m := r.join()
		ask := func(want smi.Type) {
			t.Helper()
			p := m.ask(&PDU{Type: GetNext, Ranges: []Range{{Start: gridRoot}}})
			if len(p.VarBinds) != 1 || p.VarBinds[0].Value.Type != want {
				t.Errorf("%+v, want %v", p.VarBinds, want)
			}
		}
		ask(smi.EndOfMIBView)
		r.Swap(testGrid)
		ask(smi.Counter64)
		r.Swap(nil)
		ask(smi.EndOfMIBView)
		if p := m.ask(&PDU{Type: Get, Ranges: []Range{{Start: gridRoot}}}); p.VarBinds[0].Value.Type != smi.NoSuchObject {
			t.Errorf("%+v", p.VarBinds)
		}
	})
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	ours, theirs := net.Pipe()
	s := newTestSubagent(t, "tcp:localhost:705", &syncBuffer{})
	s.dial = func(context.Context) (link, error) { return &connLink{conn: ours, timeout: time.Minute}, nil }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	m := newFakeMaster(t, theirs)
	m.answer(m.expect(Open), NoError)
	m.answer(m.expect(Register), NoError)
	go func() {
		for ctx.Err() == nil {
			s.Swap(&grid{columns: 2, groups: 2, per: 2})
			s.Stats()
		}
	}()
	for range 2000 {
		m.ask(&PDU{Type: GetNext, Ranges: []Range{{Start: gridRoot}}})
	}
	cancel()
	io.Copy(io.Discard, theirs)
	<-done
}

func TestAnsweringAllocatesNothing(t *testing.T) {
	h := &handler{counters: new(counters), session: 7}
	gens := smi.Renew[smi.Tree](nil, testGrid, 1)
	var p PDU
	for _, ask := range []PDU{
		{Type: Get, SessionID: 7, Ranges: []Range{{Start: cell(2, 1, 1)}, {Start: gridRoot}}},
		{Type: GetNext, SessionID: 7, Ranges: []Range{{Start: cell(2, 1, 1), End: gridRoot.Append(2)}, {Start: cell(6, 3, 2)}}},
		{Type: GetBulk, SessionID: 7, MaxRepetitions: 10, Ranges: []Range{{Start: cell(2, 1, 1)}, {Start: cell(6, 1, 1)}}},
	} {
		b, err := ask.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() {
			if err := p.Decode(b); err != nil {
				t.Fatal(err)
			}
			h.answer(&p, nil, gens, 1, 0)
		}); n != 0 {
			t.Errorf("%v: %v allocations", ask.Type, n)
		}
		answer := bytes.Clone(h.answer(&p, nil, gens, 1, 0))
		var r PDU
		if n := testing.AllocsPerRun(100, func() { r.Decode(answer) }); n != 0 {
			t.Errorf("decoding the answer to %v: %v allocations", ask.Type, n)
		}
		buf := make([]byte, 0, 2*len(answer))
		if n := testing.AllocsPerRun(100, func() { r.Append(buf) }); n != 0 {
			t.Errorf("encoding the answer to %v: %v allocations", ask.Type, n)
		}
	}
}
