package agentx

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"lvs/mib/smi"
)

// A board is a handful of variables that managers may write: integers from 0 to
// 100 and octet strings, and one that can only be made. Trees of it show
// what was written when they were made.
type board struct {
	mu   sync.Mutex
	vars map[string]smi.VarBind
	log  []string // what Set did
}

var (
	lampOID, dialOID, noteOID = gridRoot.Append(1, 0), gridRoot.Append(2, 0), gridRoot.Append(3, 0)
	serialOID, newOID         = gridRoot.Append(4, 0), gridRoot.Append(5, 7)
)

func number(n int) smi.Value       { return smi.Value{Type: smi.Integer, Int: uint64(n)} }
func octets(text string) smi.Value { return smi.Value{Type: smi.OctetString, Bytes: []byte(text)} }

func newBoard() *board {
	b := &board{vars: map[string]smi.VarBind{}}
	for _, v := range []smi.VarBind{bind(lampOID, number(0)), bind(dialOID, number(50)), bind(noteOID, octets("blank")), bind(serialOID, octets("A1"))} {
		b.vars[v.Name.String()] = v
	}
	return b
}

func (b *board) Test(name smi.OID, v smi.Value) smi.ErrorStatus {
	switch {
	case name.Compare(newOID) == 0:
	case name.Compare(lampOID) != 0 && name.Compare(dialOID) != 0 && name.Compare(noteOID) != 0:
		return smi.NotWritable
	case (name.Compare(noteOID) == 0) != (v.Type == smi.OctetString):
		return smi.WrongType
	case len(v.Bytes) > 20:
		return smi.WrongLength
	case v.Int > 100:
		return smi.WrongValue
	}
	return smi.NoError
}

func (b *board) Set(name smi.OID, v smi.Value) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.vars[name.String()] = bind(name, v)
	text := string(v.Bytes)
	if v.Type == smi.Integer {
		text = string(rune('0' + v.Int%10)) // enough to tell them apart
	}
	b.log = append(b.log, strings.TrimPrefix(name.String(), gridRoot.String()+".")+"="+text)
}

// did returns what was set since the last call.
func (b *board) did() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.log = nil }()
	return strings.Join(b.log, " ")
}

func (b *board) tree() smi.Tree {
	b.mu.Lock()
	defer b.mu.Unlock()
	vars := slices.Collect(maps.Values(b.vars))
	slices.SortFunc(vars, func(x, y smi.VarBind) int { return x.Name.Compare(y.Name) })
	return shown(vars)
}

// shown is a tree of a few variables, in order.
type shown []smi.VarBind

func (s shown) Get(name smi.OID) smi.Value {
	for _, v := range s {
		if v.Name.Compare(name) == 0 {
			return v.Value
		}
	}
	return smi.Value{Type: smi.NoSuchInstance}
}

func (s shown) Next(dst, name smi.OID, include bool, _ smi.OID) (smi.OID, smi.Value, bool) {
	for _, v := range s {
		if c := v.Name.Compare(name); c > 0 || c == 0 && include {
			return append(dst[:0], v.Name...), v.Value, true
		}
	}
	return nil, smi.Value{}, false
}

// A setRig is a rig whose board can be written.
type setRig struct {
	*rig
	*board
	m *fakeMaster
}

func newSetRig(t *testing.T) *setRig {
	b := newBoard()
	r := newRig(t, b.tree(), func(c *Config) { c.Setter = b })
	return &setRig{r, b, r.join()}
}

// do makes a request of a transaction and compares its outcome.
func (r *setRig) do(transaction uint32, t Type, code Error, index uint16, vars ...smi.VarBind) *PDU {
	r.t.Helper()
	p := r.m.request(&PDU{Type: t, VarBinds: vars})
	p.TransactionID = transaction
	r.m.send(p)
	if t == CleanupSet {
		return p
	}
	a := r.m.expect(Response)
	if a.Error != code || a.Index != index || len(a.VarBinds) != 0 || a.TransactionID != transaction {
		r.t.Errorf("%v: %v at %d, want %v at %d: %+v", t, a.Error, a.Index, code, index, a)
	}
	return p
}

// wrote compares what was set since the last time.
func (r *setRig) wrote(want string) {
	r.t.Helper()
	synctest.Wait()
	if got := r.did(); got != want {
		r.t.Errorf("set %q, want %q", got, want)
	}
}

func setTest(t *testing.T, name string, f func(r *setRig)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { f(newSetRig(t)) }) })
}

func TestManagersSet(t *testing.T) {
	lamp, dial, note := bind(lampOID, number(1)), bind(dialOID, number(7)), bind(noteOID, octets("hello"))
	setTest(t, "all or nothing", func(r *setRig) {
		for _, c := range []struct {
			bad  smi.VarBind
			want smi.ErrorStatus
		}{
			{bind(serialOID, octets("B2")), smi.NotWritable}, {bind(lampOID, octets("on")), smi.WrongType},
			{bind(noteOID, octets(strings.Repeat("x", 21))), smi.WrongLength}, {bind(dialOID, number(101)), smi.WrongValue},
		} {
			r.do(1, TestSet, Error(c.want), 2, lamp, c.bad, dial, c.bad)
			r.do(1, CommitSet, CommitFailed, 0) // which no master asks for
			r.do(1, CleanupSet, 0, 0)
			if n := r.Stats().Requests[Request{TestSet, Error(c.want)}]; n != 1 {
				t.Errorf("%v counted %d times", Error(c.want), n)
			}
		}
		r.wrote("")
	})
	setTest(t, "in order", func(r *setRig) {
		r.do(1, TestSet, NoError, 0, lamp, note, dial)
		r.m.ask(&PDU{Type: TestSet, VarBinds: []smi.VarBind{bind(noteOID, octets("other"))}}) // in the same buffers
		r.wrote("")
		r.do(1, CommitSet, NoError, 0)
		r.do(1, CommitSet, NoError, 0) // again
		r.do(1, CleanupSet, 0, 0)
		r.wrote("1.0=1 3.0=hello 2.0=7")
		r.do(1, CommitSet, CommitFailed, 0)
		r.do(1, UndoSet, NoError, 0)
		r.wrote("")
	})
	setTest(t, "undo", func(r *setRig) {
		r.do(1, TestSet, NoError, 0, lamp, note)
		r.do(1, CommitSet, NoError, 0)
		r.do(1, UndoSet, NoError, 0)
		r.do(1, UndoSet, NoError, 0)
		r.do(1, CommitSet, CommitFailed, 0)
		r.wrote("1.0=1 3.0=hello 3.0=blank 1.0=0")
	})
	setTest(t, "undo of what no tree shows yet", func(r *setRig) {
		r.do(1, TestSet, NoError, 0, dial)
		r.do(1, CommitSet, NoError, 0)
		r.do(1, CleanupSet, 0, 0)
		r.do(2, TestSet, NoError, 0, bind(dialOID, number(8)), bind(dialOID, number(9)))
		r.do(2, CommitSet, NoError, 0)
		r.do(2, UndoSet, NoError, 0)
		r.wrote("2.0=7 2.0=8 2.0=9 2.0=8 2.0=7")
		r.Swap(shown{bind(dialOID, number(33))}) // somebody else set it meanwhile
		r.do(3, TestSet, NoError, 0, bind(dialOID, number(4)))
		r.do(3, CommitSet, NoError, 0)
		r.do(3, UndoSet, NoError, 0)
		r.wrote("2.0=4 2.0=3")
	})
	setTest(t, "what was made cannot be undone", func(r *setRig) {
		r.do(1, TestSet, NoError, 0, lamp, bind(newOID, number(1)))
		r.do(1, CommitSet, NoError, 0)
		r.do(1, UndoSet, UndoFailed, 0)
		r.wrote("1.0=1 5.7=1 1.0=0")
	})
	setTest(t, "several packets of one transaction", func(r *setRig) {
		p := r.do(1, TestSet, NoError, 0, lamp)
		r.m.send(p) // again: the first answer was late
		r.m.expect(Response)
		r.do(1, TestSet, NotWritable, 1, bind(serialOID, octets("C3")))
		r.do(1, TestSet, NoError, 0, dial)
		r.do(1, CommitSet, NoError, 0)
		r.do(1, CommitSet, NoError, 0)
		r.do(1, TestSet, ResourceUnavailable, 1, note) // after it was committed
		r.do(1, CleanupSet, 0, 0)
		r.wrote("1.0=1 2.0=7")
	})
	setTest(t, "transactions are apart", func(r *setRig) {
		for i := range uint32(maxSets) + 1 {
			r.do(i, TestSet, NoError, 0, bind(dialOID, number(int(i))))
		}
		r.do(3, CommitSet, NoError, 0)
		r.do(0, CommitSet, CommitFailed, 0) // the oldest had to give way
		r.do(1, CleanupSet, 0, 0)
		r.do(1, CommitSet, CommitFailed, 0)
		r.do(4, CommitSet, NoError, 0)
		r.wrote("2.0=3 2.0=4")
	})
	setTest(t, "too many", func(r *setRig) {
		r.do(1, TestSet, ResourceUnavailable, maxSetVars+1, slices.Repeat([]smi.VarBind{lamp}, maxSetVars+1)...)
		r.do(1, TestSet, NoError, 0, slices.Repeat([]smi.VarBind{lamp}, maxSetVars-1)...)
		r.do(1, TestSet, ResourceUnavailable, 2, dial, lamp)
		r.do(1, CleanupSet, 0, 0)
		r.wrote("")
	})
	setTest(t, "a lost master changes nothing more", func(r *setRig) {
		r.do(1, TestSet, NoError, 0, lamp)
		r.m.conn.Close()
		r.m = r.join()
		r.do(1, CommitSet, CommitFailed, 0)
		r.do(1, UndoSet, NoError, 0)
		r.wrote("")
		r.do(2, TestSet, NoError, 0, dial)
		r.do(2, CommitSet, NoError, 0)
		r.m.conn.Close()
		r.m = r.join()
		r.do(2, UndoSet, NoError, 0)
		r.wrote("2.0=7")
	})
}
