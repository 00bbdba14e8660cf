package ipvs

import (
	"reflect"
	"slices"
	"testing"

	"lvs/dataplane"
)

// rowsOf is a copy of a snapshot's rows.
func rowsOf(s *dataplane.Snapshot) []dataplane.ServiceState {
	rows := append([]dataplane.ServiceState(nil), s.Services...)
	for i := range rows {
		rows[i].Reals = slices.Clone(rows[i].Reals)
	}
	return rows
}

// TestARecycledSnapshotIsTheMemoryOfTheNext reads tables of changing size, giving
// each snapshot back, and holds them against those of a client that keeps all.
func TestARecycledSnapshotIsTheMemoryOfTheNext(t *testing.T) {
	k := newKernel()
	recycling, keeping := k.client(t), k.client(t)
	for i, size := range [][2]int{{3, 40}, {3, 40}, {5, 10}, {0, 0}, {2, 60}, {2, 60}} {
		k.fillTable(size[0], size[1])
		if i%2 == 1 && size[0] > 0 {
			k.table[0].reals = k.table[0].reals[1:]
		}
		got, want := snapshot(t, recycling), snapshot(t, keeping)
		if !reflect.DeepEqual(rowsOf(got), rowsOf(want)) {
			t.Errorf("table %d of %d services by %d: got %v, want %v", i, size[0], size[1], got.Services, want.Services)
		}
		recycling.Recycle(got)
	}
	k.fillTable(4, 30)
	a := snapshot(t, recycling)
	recycling.Recycle(a)
	if b := snapshot(t, recycling); &a.Services[0].Reals[0] != &b.Services[0].Reals[0] {
		t.Error("the memory of a recycled snapshot is not used again")
	}
}

// TestWhatWasNotRecycledStays recycles a snapshot that is not the latest, and none.
func TestWhatWasNotRecycledStays(t *testing.T) {
	k := newKernel()
	k.fillTable(4, 30)
	c := k.client(t)
	a := snapshot(t, c)
	b := snapshot(t, c)
	wantA, wantB := rowsOf(a), rowsOf(b)
	c.Recycle(a)
	c.Recycle(nil)
	k.fillTable(4, 31)
	snapshot(t, c)
	if !reflect.DeepEqual(a.Services, wantA) || !reflect.DeepEqual(b.Services, wantB) {
		t.Error("a snapshot that was not given back, or not the latest, was overwritten")
	}
}

// TestATableThatShrankGivesItsMemoryBack recycles far more than is needed now.
func TestATableThatShrankGivesItsMemoryBack(t *testing.T) {
	k := newKernel()
	k.fillTable(100, 50)
	c := k.client(t)
	c.Recycle(snapshot(t, c))
	k.fillTable(1, 1)
	c.Recycle(snapshot(t, c))
	c.Recycle(snapshot(t, c))
	if n := cap(c.table.spare.reals); n > 2000 {
		t.Errorf("memory for %d real servers is kept for one", n)
	}
}
