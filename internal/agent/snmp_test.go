package agent

import (
	"testing"

	"lvs/collector"
	"lvs/mib"
	"lvs/mib/smi"
)

// walk lists the names below the root of the LVS-MIB.
func walk(t *testing.T, tree smi.Tree) (names []string) {
	t.Helper()
	name, ok := mib.Root(), true
	for len(names) < 1000 {
		if name, _, ok = tree.Next(nil, name, false, nil); !ok {
			return names
		}
		names = append(names, name.String())
	}
	t.Fatal("the walk does not end")
	return nil
}

func TestTablesAreEmptyWithoutNumbers(t *testing.T) {
	var tree smi.Tree
	sink := &mibSink{func(t smi.Tree) { tree = t }}
	bare := everyKind()
	for i := range bare.Services {
		bare.Services[i].Number = 0
	}
	if err := sink.Record(t.Context(), bare); err != nil {
		t.Fatal(err)
	}
	if got := walk(t, tree); len(got) != 8 {
		t.Errorf("%d variables without numbers, want the 8 scalars: %v", len(got), got)
	}
	services := append(mib.Root(), 2, 0)
	if v := tree.Get(services); v.Int != 3 {
		t.Errorf("%d services, want 3 though they have no rows", v.Int)
	}
	snap := collector.NewContinuity(nil, 0).Apply(everyKind(), epoch)
	if err := sink.Record(t.Context(), snap); err != nil {
		t.Fatal(err)
	}
	if got, want := len(walk(t, tree)), 8+3*19+3*16; got != want {
		t.Errorf("%d variables with numbers, want %d", got, want)
	}
}
