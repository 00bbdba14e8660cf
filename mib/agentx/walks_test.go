package agentx

import (
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
		time.Sleep(10 * time.Second)
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
