package agentx

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"lvs/mib/smi"
)

// salted is testGrid's shape with salt in column 1.
func salted(salt uint64, groups int) *grid {
	return &grid{columns: 2, groups: groups, per: 2, salt: salt}
}

// next asks for the variable after name.
func (m *fakeMaster) next(name smi.OID) smi.VarBind {
	m.t.Helper()
	p := m.ask(&PDU{Type: GetNext, Ranges: []Range{{Start: name, End: gridRoot.Append(2)}}})
	if p.Error != NoError || len(p.VarBinds) != 1 {
		m.t.Fatalf("next of %v: %+v", name, p)
	}
	return p.VarBinds[0]
}

func TestWalkSeesOneTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, salted(1, 10))
		m := r.join()
		v := m.next(gridRoot)
		for n := 1; ; n++ {
			if n == 5 {
				r.Swap(salted(2, 3)) // most rows go
			}
			if n == 8 {
				time.Sleep(9 * time.Second)
				r.Swap(salted(3, 30))
			}
			if n < 20 && v.Value.Int != 1 {
				t.Fatalf("cell %d: %v of tree %d", n, v.Name, v.Value.Int)
			}
			if v = m.next(v.Name); v.Value.Type == smi.EndOfMIBView {
				if n != 40 {
					t.Errorf("%d cells, want the 40 of the first tree", n)
				}
				break
			}
		}
		if v := m.next(gridRoot); v.Value.Int != 3 {
			t.Errorf("a new walk begins in tree %d, want 3", v.Value.Int)
		}
		if v := m.ask(&PDU{Type: Get, Ranges: []Range{{Start: cell(1, 1, 1)}}}).VarBinds[0]; v.Value.Int != 3 {
			t.Errorf("get from tree %d, want 3", v.Value.Int)
		}
		if st := r.Stats(); st.Pinned != 36 {
			t.Errorf("%d pinned, want 36", st.Pinned)
		}
	})
}

func TestPausedWalkGoesOnInTheNewTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, salted(1, 10))
		m := r.join()
		v := m.next(m.next(gridRoot).Name) // 1.1.2
		r.Swap(salted(2, 1))
		time.Sleep(pinFor)
		if v = m.next(v.Name); v.Name.Compare(cell(2, 1, 1)) != 0 {
			t.Errorf("%v, want the next column of the new tree", v.Name)
		}
	})
}

func TestRowsDeletedUnderAWalkDoNotStopIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, salted(1, 10))
		m := r.join()
		v, n := m.next(gridRoot), 0
		for ; v.Value.Type != smi.EndOfMIBView; n++ {
			r.Swap(salted(uint64(n+2), 10-n%5)) // three swaps on, the tree is gone
			r.Swap(salted(uint64(n+2), 10-n%5))
			r.Swap(salted(uint64(n+2), 10-n%5))
			v = m.next(v.Name)
		}
		if n < 24 || n > 40 {
			t.Errorf("%d cells", n)
		}
	})
}

func TestWalksAtTheSameNameNeverStepBack(t *testing.T) {
	var w walks
	name := cell(1, 2, 3)
	w.record(name, 5, 100)
	w.record(name, 4, 200) // an older walk comes by
	if seq, ok := w.find(name, 300); !ok || seq != 5 {
		t.Errorf("tree %d, %v, want 5", seq, ok)
	}
	later := int64(100 + pinFor)
	w.record(name, 4, later) // nobody waits for 5 any more
	if seq, ok := w.find(name, later); !ok || seq != 4 {
		t.Errorf("tree %d, %v, want 4", seq, ok)
	}
	if _, ok := w.find(name, later+int64(pinFor)); ok {
		t.Error("found after its time")
	}
	if _, ok := w.find(cell(1, 2, 4), later); ok {
		t.Error("found a name that was never handed out")
	}
}

func TestManyWalksAreRemembered(t *testing.T) {
	var w walks
	found := 0
	for step := range uint32(50) { // 64 walkers side by side
		for i := range uint32(64) {
			w.record(cell(1+i%16, 1+i, 1+step), uint64(i), int64(1+64*step+i))
		}
	}
	for i := range uint32(64) {
		if seq, ok := w.find(cell(1+i%16, 1+i, 50), 4000); ok && seq == uint64(i) {
			found++
		}
	}
	if found < 60 {
		t.Errorf("%d of 64 walks found again", found)
	}
}

func TestOnlyTreesBeingWalkedAreKept(t *testing.T) {
	trees := func(gens []*generation) (s string) {
		for _, g := range gens {
			s += fmt.Sprint(g.seq, " ")
		}
		return s
	}
	gens := replace(nil, nothing{}, 1)
	for i := range 3 {
		gens = replace(gens, nothing{}, int64(i+2))
	}
	if s := trees(gens); s != "4 " {
		t.Errorf("kept %q of trees nobody walked", s)
	}
	for i := range 4 {
		gens[0].used.Store(10)
		gens = replace(gens, nothing{}, int64(i+11))
	}
	if s := trees(gens); s != "8 7 6 " {
		t.Errorf("kept %q, want the newest and two old ones", s)
	}
	if gens = replace(gens, nothing{}, 10+int64(pinFor)); trees(gens) != "9 " {
		t.Errorf("kept %q of trees whose walks are over", trees(gens))
	}
}
