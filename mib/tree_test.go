package mib

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"

	"lvs/mib/smi"
)

// TestNextAndGetAgreeWithASortedList asks for names on, beside, above and below
// every variable, and compares with a search through the whole list.
func TestNextAndGetAgreeWithASortedList(t *testing.T) {
	snap := large(60)
	snap.Services[1].Number, snap.Services[4].Number = 65535, 9 // gaps, and not in order
	snap.Services[2].Reals = nil
	tree := Build(snap, Figures{})
	var names []smi.OID
	for _, v := range walk(tree) {
		names = append(names, v.Name)
	}
	if got, want := len(ofLVSMIB(walk(tree))), 5+19*6+16*50; got != want {
		t.Fatalf("%d variables of the LVS-MIB, want %d", got, want)
	}
	if !slices.IsSortedFunc(names, smi.OID.Compare) {
		t.Fatal("a walk is not in order")
	}
	asked := append(probes(names), nil, smi.OID{}, smi.OID{1}, smi.OID{1, 3, 6, 1, 4, 1, 8225}, smi.OID{2})
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, name := range asked {
		var end smi.OID
		if rnd.IntN(2) == 0 {
			end = asked[rnd.IntN(len(asked))]
		}
		checkNext(t, tree, names, name, end)
	}
}

// probes are names in all positions next to the given ones.
func probes(names []smi.OID) (asked []smi.OID) {
	for _, n := range names {
		for i := len(root) - 1; i <= len(n); i++ {
			asked = append(asked, n[:i])
		}
		asked = append(asked, n.Append(0), n.Append(1, 2, 3))
		for i := len(root) - 1; i < len(n); i++ {
			for _, sub := range []uint32{0, n[i] - 1, n[i] + 1, 1<<32 - 1} {
				changed := slices.Clone(n)
				changed[i] = sub
				asked = append(asked, changed)
			}
		}
	}
	return asked
}

// checkNext compares Next and Get of one name with the sorted list of all.
func checkNext(t *testing.T, tree smi.Tree, names []smi.OID, name, end smi.OID) {
	t.Helper()
	for _, include := range []bool{false, true} {
		i, found := slices.BinarySearchFunc(names, name, smi.OID.Compare)
		if found && !include {
			i++
		}
		next, v, ok := tree.Next(nil, name, include, end)
		if i >= len(names) || end != nil && names[i].Compare(end) >= 0 {
			if ok || v.Type != smi.EndOfMIBView {
				t.Fatalf("Next(%v, %v, end %v) = %v %v, want none", name, include, end, next, v)
			}
			continue
		}
		if !ok || next.Compare(names[i]) != 0 {
			t.Fatalf("Next(%v, %v, end %v) = %v %v, want %v", name, include, end, next, ok, names[i])
		}
		if got := tree.Get(next); got.Type != v.Type || got.Int != v.Int || !bytes.Equal(got.Bytes, v.Bytes) {
			t.Fatalf("Get(%v) = %v, but Next said %v", next, got, v)
		}
		if got := tree.Get(name); found != (got.Type < smi.NoSuchObject) {
			t.Fatalf("Get(%v) = %v, and it is in the list: %v", name, got, found)
		}
	}
}

func TestGetTellsNoSuchObjectFromNoSuchInstance(t *testing.T) {
	tree := Build(large(20), Figures{})
	for _, tt := range []struct {
		name string
		want smi.Type
	}{
		{"1.0", smi.OctetString},
		{"1", smi.NoSuchInstance},
		{"1.1", smi.NoSuchInstance},
		{"1.0.0", smi.NoSuchInstance},
		{"4.0", smi.NoSuchInstance}, // the timeouts are not known
		{"9.0", smi.NoSuchObject},
		{"17.1.1.1", smi.Integer},
		{"17.1.1.3", smi.NoSuchInstance},
		{"17.1.1.1.1", smi.NoSuchInstance},
		{"17.1.1", smi.NoSuchInstance},
		{"17.1", smi.NoSuchObject},
		{"17", smi.NoSuchObject},
		{"17.1.20.1", smi.NoSuchObject}, // lvsServiceIndex
		{"18.1.16.2.10", smi.Gauge32},
		{"18.1.16.2", smi.NoSuchInstance},
		{"18.1.17.2.10", smi.NoSuchObject}, // lvsRealIndex
		{"18.2.1.1.1", smi.NoSuchObject},
	} {
		if got := tree.Get(smi.MustParseOID(root.String() + "." + tt.name)); got.Type != tt.want {
			t.Errorf("Get(lvs.%s) is %v, want %v", tt.name, got.Type, tt.want)
		}
	}
	for _, name := range []smi.OID{nil, {1, 3}, root, root[:7]} {
		if got := tree.Get(name); got.Type != smi.NoSuchObject {
			t.Errorf("Get(%v) is %v, want noSuchObject", name, got.Type)
		}
	}
}

// TestWalkGoesOnWhereRowsWereDeleted changes the tree under a walk.
func TestWalkGoesOnWhereRowsWereDeleted(t *testing.T) {
	snap := large(100)
	before := Build(snap, Figures{})
	snap.Services = slices.Delete(snap.Services, 3, 6)
	after := Build(snap, Figures{})
	name, _, ok := before.Next(nil, smi.MustParseOID("1.3.6.1.4.1.8225.4711.18.1.7.5.7"), true, nil)
	if !ok || name.String() != "1.3.6.1.4.1.8225.4711.18.1.7.5.7" {
		t.Fatalf("the walk stands on %v", name)
	}
	next, _, _ := after.Next(nil, name, false, nil)
	if want := "1.3.6.1.4.1.8225.4711.18.1.7.7.1"; next.String() != want {
		t.Errorf("the walk goes on at %v, want %s", next, want)
	}
}

func TestZeroTreeHasNoVariables(t *testing.T) {
	var tree Tree
	if got := tree.Get(smi.MustParseOID("1.3.6.1.4.1.8225.4711.1.0")); got.Type != smi.NoSuchObject {
		t.Errorf("Get is %v, want noSuchObject", got.Type)
	}
	if _, _, ok := tree.Next(nil, nil, true, nil); ok {
		t.Error("Next found a variable")
	}
}

func TestRowsWithoutANumberOfTheirOwnAreOmitted(t *testing.T) {
	snap := large(50)
	snap.Services[0].Number = 0            // with ten real servers
	snap.Services[1].Number = 65536        // with ten real servers
	snap.Services[2].Number = 4            // which services[3] has, too: the first is kept
	snap.Services[4].Reals[0].Number = 0   //
	snap.Services[4].Reals[2].Number = 2   // which Reals[1] has
	snap.Services[4].Reals[3].Number = 1e6 //
	tree := Build(snap, Figures{})
	if got, want := tree.Omitted(), 11+11+11+3; got != want {
		t.Errorf("%d rows omitted, want %d", got, want)
	}
	services := snap.Services
	if v := tree.Get(root.Append(17, 1, 4, 4)); !slices.Equal(v.Bytes, services[2].Key.VIP.Addr().AsSlice()) {
		t.Errorf("row 4 has address %v, want that of the first that has the number", v.Bytes)
	}
	if got, want := len(ofLVSMIB(walk(tree))), 5+2*19+(10+7)*16; got != want {
		t.Errorf("a walk finds %d variables, want %d", got, want)
	}
}

// TestTreeIsSafeForConcurrentUse lets walkers share a tree; the race detector judges.
func TestTreeIsSafeForConcurrentUse(t *testing.T) {
	tree := Build(large(200), Figures{})
	want := walk(tree)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			same := func(a, b variable) bool {
				return slices.Equal(a.Name, b.Name) && a.Value.Int == b.Value.Int && bytes.Equal(a.Value.Bytes, b.Value.Bytes)
			}
			if got := walk(tree); !slices.EqualFunc(got, want, same) {
				t.Error("a walk beside others differs")
			}
		})
	}
	wg.Wait()
}

func TestGetAndNextDoNotAllocate(t *testing.T) {
	tree := Build(large(1000), Figures{})
	fillStrings(tree)
	name := make(smi.OID, 0, 16)
	name, _, _ = tree.Next(name, root, false, nil)
	if n := testing.AllocsPerRun(100, func() {
		name, _, _ = tree.Next(name, name, false, nil)
		tree.Get(name)
	}); n != 0 {
		t.Errorf("%v allocations in a Next and a Get", n)
	}
}

// fillStrings asks for a string of every column that has some.
func fillStrings(tree *Tree) {
	for i := range tree.leaves {
		if l := &tree.leaves[i]; l.octets != nil && l.index.rows() > 0 {
			l.value(0)
		}
	}
}

// TestStringsAreMadeWhenAskedFor holds a tree to the columns that somebody reads.
func TestStringsAreMadeWhenAskedFor(t *testing.T) {
	tree := Build(large(50), Figures{})
	made := func() (n int) {
		for i := range tree.leaves {
			if o := tree.leaves[i].octets; o != nil && o.ends != nil {
				n++
			}
		}
		return n
	}
	if n := made(); n != 0 {
		t.Errorf("%d columns of strings were made before anybody asked", n)
	}
	tree.Get(root.Append(18, 1, 3, 1, 1)) // lvsRealServerAddr
	if n := made(); n != 1 {
		t.Errorf("%d columns of strings were made for one that was asked for", n)
	}
	if tree = tree.With(Figures{}); made() != 1 {
		t.Error("with other figures the strings of a table are made again")
	}
}

// TestTreeIsSmall holds a tree of 10,000 real servers to 8 MB, all that making
// it and every string in it takes included.
func TestTreeIsSmall(t *testing.T) {
	snap := large(10000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	tree := Build(snap, Figures{})
	fillStrings(tree)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 8e6 {
		t.Errorf("building it takes %d bytes", got)
	}
	runtime.KeepAlive(tree)
}

func FuzzNext(f *testing.F) {
	tree := Build(large(50), Figures{})
	var names []smi.OID
	for _, v := range walk(tree) {
		names = append(names, v.Name)
	}
	f.Add("1.3.6.1.4.1.8225.4711.18.1.7.5.7", "1.3.6.1.4.1.8225.4712")
	f.Add("1.3.6.1.4.1.8225.4711.17", "")
	f.Add("1.3.6.1.4.1.8225.4711.18.1.16.4294967295.4294967295", "1.3")
	f.Fuzz(func(t *testing.T, from, until string) {
		name, err := smi.ParseOID(from)
		if err != nil {
			return
		}
		end, _ := smi.ParseOID(until)
		checkNext(t, tree, names, name, end)
	})
}

// BenchmarkBuild makes a tree that nobody reads, and one of which every string is.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{100, 10000} {
		snap := large(n)
		for name, read := range map[string]func(*Tree){"": func(*Tree) {}, ",strings": fillStrings} {
			b.Run(fmt.Sprintf("reals=%d%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					read(Build(snap, Figures{}))
				}
			})
		}
	}
}

// BenchmarkNext walks the whole tree, round and round.
func BenchmarkNext(b *testing.B) {
	for _, n := range []int{100, 10000} {
		b.Run(fmt.Sprintf("reals=%d", n), func(b *testing.B) {
			tree := Build(large(n), Figures{})
			name := make(smi.OID, 0, 16)
			b.ReportAllocs()
			for b.Loop() {
				next, _, ok := tree.Next(name, name, false, nil)
				if name = next; !ok {
					name = append(name[:0], root...)
				}
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	tree := Build(large(10000), Figures{})
	name := smi.MustParseOID("1.3.6.1.4.1.8225.4711.18.1.10.617.8")
	b.ReportAllocs()
	for b.Loop() {
		tree.Get(name)
	}
}

// BenchmarkNextHost walks the hosts, whose names are long and differ in length.
func BenchmarkNextHost(b *testing.B) {
	snap := large(10000)
	for i := range snap.Servers[:5000] {
		as4 := snap.Servers[i].Addr.As4()
		snap.Servers[i].Addr = netip.AddrFrom16([16]byte{0xfd, 0x10, 8: as4[0], 10: as4[1], 12: as4[2], 14: as4[3]})
	}
	tree := Build(snap, Figures{})
	first := root.Append(serverEntry...)
	name := make(smi.OID, 0, 64)
	name = append(name, first...)
	b.ReportAllocs()
	for b.Loop() {
		next, _, ok := tree.Next(name, name, false, nil)
		if name = next; !ok {
			name = append(name[:0], first...)
		}
	}
}
