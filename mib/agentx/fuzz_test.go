package agentx

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/mib/smi"
)

func seed(f *testing.F) {
	for _, p := range samples() {
		for _, order := range []Flags{0, NetworkByteOrder} {
			p.Flags |= order
			b, err := p.Append(nil)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
}

// FuzzDecode: bytes that are a PDU survive a round trip, others fail at a
// place inside of them.
func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var p PDU
		if err := p.Decode(b); err != nil {
			var de *DecodeError
			if !errors.As(err, &de) || de.Offset < 0 || de.Offset > len(b) || de.Reason == "" {
				t.Errorf("error %#v for %d bytes", err, len(b))
			}
			return
		}
		again, err := p.Append(nil)
		if err != nil {
			t.Fatalf("%+v was decoded and cannot be encoded: %v", p, err)
		}
		var q PDU
		if err := q.Decode(again); err != nil {
			t.Fatalf("%x became %x: %v", b, again, err)
		}
		if diff := cmp.Diff(p, q, samePDU); diff != "" {
			t.Errorf("(-first +second)\n%s", diff)
		}
	})
}

// FuzzAnswer: whatever request comes, there is one answer that can be decoded,
// for the same packet, with a variable for each range or an error and none.
func FuzzAnswer(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		h := &handler{counters: new(counters), session: 0x01020304, sets: sets{setter: newBoard()}}
		gens := smi.Renew(smi.Renew[smi.Tree](nil, testGrid, 1), smi.Tree(nothing{}), 2)
		gens = append(gens, smi.Renew[smi.Tree](nil, testGrid, 1)...)
		var p PDU
		bad := p.Decode(b)
		if len(b) < headerSize {
			return // never reaches a handler
		}
		if p.Type == GetBulk {
			p.MaxRepetitions %= 50
		}
		answer := h.answer(&p, bad, gens, 1, 42)
		if p.Type == CleanupSet {
			if answer != nil {
				t.Error("CleanupSet was answered")
			}
			return
		}
		var r PDU
		if err := r.Decode(answer); err != nil {
			t.Fatalf("answer to %v: %v", p.Type, err)
		}
		if r.Type != Response || r.SysUpTime != 42 || r.SessionID != p.SessionID || r.PacketID != p.PacketID || r.TransactionID != p.TransactionID {
			t.Errorf("answer %+v to %+v", r, p)
		}
		want := 0
		if r.Error == NoError && (p.Type == Get || p.Type == GetNext) {
			want = len(p.Ranges)
		}
		if p.Type == GetBulk && r.Error == NoError {
			once := min(int(p.NonRepeaters), len(p.Ranges))
			want = len(r.VarBinds)
			if repeated := len(p.Ranges) - once; repeated > 0 && (want-once)%repeated != 0 {
				t.Errorf("%d variables for %d ranges, %d of them once", want, len(p.Ranges), once)
			}
		}
		if len(r.VarBinds) != want || (bad != nil) != (r.Error == ParseError) && p.Type.asks() {
			t.Errorf("%v: %v, %d variables, want %d", p.Type, r.Error, len(r.VarBinds), want)
		}
	})
}

// asks reports whether a subagent is asked this by a master.
func (t Type) asks() bool {
	switch t {
	case Get, GetNext, GetBulk, TestSet, CommitSet, UndoSet, Ping:
		return true
	}
	return false
}

// FuzzReader: how a stream is cut does not change the PDUs in it.
func FuzzReader(f *testing.F) {
	var all []byte
	for _, p := range samples() {
		b, err := p.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, b...)
	}
	f.Add(all, 7)
	f.Add(all[:len(all)-3], 1)
	f.Add([]byte("\x01\x05\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"), 2)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		read := func(size int) (pdus [][]byte, end string) {
			r := reader{link: &chunks{b: stream, size: size}}
			for {
				b, err := r.next(time.Second)
				if err != nil {
					return pdus, err.Error()
				}
				pdus = append(pdus, bytes.Clone(b))
			}
		}
		whole, end1 := read(len(stream) + 1)
		cut, end2 := read(max(1, size&0xffff))
		if !slices.EqualFunc(whole, cut, bytes.Equal) || end1 != end2 {
			t.Errorf("in one piece: %x, then %q; in pieces: %x, then %q", whole, end1, cut, end2)
		}
		if joined := bytes.Join(whole, nil); !bytes.HasPrefix(stream, joined) {
			t.Errorf("%x came out of %x", joined, stream)
		}
	})
}

func FuzzGrid(f *testing.F) {
	f.Add([]byte{1, 2, 1, 1}, true)
	f.Fuzz(func(t *testing.T, rest []byte, include bool) {
		name := gridRoot
		for _, b := range rest[:min(len(rest), 100)] {
			name = name.Append(uint32(b))
		}
		got, _, ok := testGrid.Next(nil, name, include, nil)
		for k := range testGrid.cells() {
			want := testGrid.name(nil, k)
			if c := want.Compare(name); c > 0 || c == 0 && include {
				if !ok || got.Compare(want) != 0 {
					t.Errorf("next of %v is %v, want %v", name, got, want)
				}
				return
			}
		}
		if ok {
			t.Errorf("next of %v is %v, want none", name, got)
		}
	})
}

var _ smi.Tree = (*grid)(nil)
