package smi

import (
	"fmt"
	"testing"
)

// nothing is a tree without variables.
type nothing struct{}

func (nothing) Get(OID) Value { return Value{Type: NoSuchObject} }

func (nothing) Next(dst OID, _ OID, _ bool, _ OID) (OID, Value, bool) { return dst[:0], Value{}, false }

// generations are those with the numbers n to 1, as Renew would have them.
func generations(n int) (gens []*Generation[nothing]) {
	for ; n > 0; n-- {
		gens = append(gens, &Generation[nothing]{seq: uint64(n)})
	}
	return gens
}

func TestWalksAtTheSameNameNeverStepBack(t *testing.T) {
	var w Walks[nothing]
	gens := generations(6)
	newest, five, four := gens[0], gens[1], gens[2]
	name := OID{18, 1, 2, 3}
	w.Record(name, five, 100)
	w.Record(name, four, 200) // an older walk comes by
	if g := w.Find(name, gens, 300); g != five {
		t.Errorf("tree %d, want 5", g.Seq())
	}
	later := int64(100 + pinFor)
	w.Record(name, four, later) // nobody waits for 5 any more
	if g := w.Find(name, gens, later); g != four {
		t.Errorf("tree %d, want 4", g.Seq())
	}
	if g := w.Find(name, gens[:2], later); g != newest {
		t.Errorf("tree %d, want the newest, as 4 is gone", g.Seq())
	}
	if g := w.Find(name, gens, later+int64(pinFor)); g != newest {
		t.Errorf("tree %d found after its time", g.Seq())
	}
	if g := w.Find(OID{18, 1, 2, 4}, gens, later); g != newest {
		t.Errorf("tree %d for a name that was never handed out", g.Seq())
	}
}

func TestManyWalksAreRemembered(t *testing.T) {
	var w Walks[nothing]
	gens := generations(65)
	name := func(i, step uint32) OID { return OID{18, 1, 1 + i%16, 1 + i, 1 + step} }
	for step := range uint32(50) { // 64 walkers side by side
		for i := range uint32(64) {
			w.Record(name(i, step), gens[i+1], int64(1+64*step+i))
		}
	}
	found := 0
	for i := range uint32(64) {
		if w.Find(name(i, 49), gens, 4000) == gens[i+1] {
			found++
		}
	}
	if found < 60 {
		t.Errorf("%d of 64 walks found again", found)
	}
}

func TestOnlyTreesBeingWalkedAreKept(t *testing.T) {
	trees := func(gens []*Generation[nothing]) (s string) {
		for _, g := range gens {
			s += fmt.Sprint(g.Seq(), " ")
		}
		return s
	}
	gens := Renew(nil, nothing{}, 1)
	for i := range 3 {
		gens = Renew(gens, nothing{}, int64(i+2))
	}
	if s := trees(gens); s != "4 " {
		t.Errorf("kept %q of trees nobody walked", s)
	}
	var w Walks[nothing]
	for i := range 4 {
		w.Record(OID{1, 3}, gens[0], 10)
		gens = Renew(gens, nothing{}, int64(i+11))
	}
	if s := trees(gens); s != "8 7 6 " {
		t.Errorf("kept %q, want the newest and two old ones", s)
	}
	if gens = Renew(gens, nothing{}, 10+int64(pinFor)); trees(gens) != "9 " {
		t.Errorf("kept %q of trees whose walks are over", trees(gens))
	}
}
