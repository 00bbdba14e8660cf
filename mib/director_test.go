package mib

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/mib/smi"

	"github.com/google/go-cmp/cmp"
)

func TestEveryCellOfTheDirectorMIBIsTheSnapshots(t *testing.T) {
	full := large(300)
	full.Director = edges().Director
	idle := edges()
	idle.Director.Daemons, idle.Director.HasStats, idle.Director.HasConnections, idle.Services, idle.Servers = nil, false, false, nil, nil
	idle.ServicesChanged, idle.RealsChanged = time.Time{}, time.Time{}
	for name, snap := range map[string]*dataplane.Snapshot{"edges": edges(), "large": full, "empty": idle} {
		for _, f := range []Figures{{}, figures()} {
			var got []string
			for _, l := range lines(walk(Build(snap, f))) {
				if strings.HasPrefix(l, fmt.Sprintf(".%v.100.", root)) {
					got = append(got, l)
				}
			}
			if diff := cmp.Diff(directorLines(snap, f), got); diff != "" {
				t.Errorf("%s (-snapshot +tree):\n%s", name, diff)
			}
		}
	}
}

// TestEveryObjectHasAnInstanceSomewhere keeps the comparison above from being one
// of nothing with nothing.
func TestEveryObjectHasAnInstanceSomewhere(t *testing.T) {
	missing := map[string]bool{}
	for _, o := range Objects() {
		missing[o.Name] = true
	}
	objects := Objects()
	for _, v := range walk(Build(edges(), figures())) {
		delete(missing, objectOf(objects, v.Name).Name)
	}
	for name := range missing {
		t.Errorf("%s has no instance", name)
	}
}

func TestBeforeTheFirstSampleThereAreFigures(t *testing.T) {
	var names []string
	objects := Objects()
	for _, v := range walk(Build(nil, figures())) {
		names = append(names, objectOf(objects, v.Name).Name)
	}
	want := "lvsdHostName lvsdDataplaneState lvsdDataplaneReason lvsdDataplaneLastChange lvsdSampleInterval " +
		"lvsdAgentVersion lvsdAgentStartTime lvsdAgentSamples lvsdAgentSampleErrors lvsdAgentLateTicks lvsdAgentSkippedTicks lvsdAgentInconsistent " +
		strings.Repeat("lvsdAgentResetDirector ", 4) + strings.Repeat("lvsdAgentResetServices ", 4) + strings.Repeat("lvsdAgentResetReals ", 4) +
		"lvsdStoreState lvsdStoreBytes lvsdStoreLimit lvsdStoreSeries lvsdStoreOldest lvsdStoreNewest lvsdStoreCommits lvsdStoreCommitErrors lvsdStoreLateCommits " +
		"lvsdNotifyEnable lvsdNotifySent lvsdNotifyDropped lvsdNotifyCoalesced lvsdNotifySequence lvsdNotifyTime lvsdNotifyMessage"
	if diff := cmp.Diff(strings.Fields(want), names); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}

// TestWithIsATreeOfOtherFigures changes nothing else, and not the tree it is of.
func TestWithIsATreeOfOtherFigures(t *testing.T) {
	before := Build(edges(), Figures{})
	want := walk(Build(edges(), figures()))
	if diff := cmp.Diff(want, walk(before.With(figures()))); diff != "" {
		t.Errorf("with figures (-built +with):\n%s", diff)
	}
	if diff := cmp.Diff(walk(Build(edges(), Figures{})), walk(before)); diff != "" {
		t.Errorf("the tree itself (-before +after):\n%s", diff)
	}
	var none Tree
	if diff := cmp.Diff(walk(Build(nil, figures())), walk(none.With(figures()))); diff != "" {
		t.Errorf("the zero tree (-built +with):\n%s", diff)
	}
}

// TestPartialSnapshotsTellNoCounters: what an unprivileged agent does not see is
// absent, and not zero.
func TestPartialSnapshotsTellNoCounters(t *testing.T) {
	snap := edges()
	snap.Partial = true
	objects := Objects()
	for _, v := range walk(Build(snap, Figures{})) {
		o := objectOf(objects, v.Name)
		for _, word := range []string{"Pkts", "Bytes", "Rate", "Threshold", "PersistentConns", "Tunnel", "Engine", "lvsdSync"} {
			if o.Module == "LVS-DIRECTOR-MIB" && !strings.HasPrefix(o.Name, "lvsdDirector") && strings.Contains(o.Name, word) {
				t.Errorf("%s has an instance %v", o.Name, v.Name)
			}
		}
	}
}

// TestTextsFit: a text has at most 255 octets and ends with a whole character.
func TestTextsFit(t *testing.T) {
	for _, s := range []string{"", "a", strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("\u20ac", 100), "x" + strings.Repeat("\u00fc", 200), "\xff\xfe", strings.Repeat("\xff", 300)} {
		got := appendText([]byte("before"), s)
		if want := "before" + admin(s); string(got) != want {
			t.Errorf("%.20q… is %q, want %q", s, got, want)
		}
	}
}

// TestHostsAreFoundByAnyName: names of different lengths, in parts and beyond what
// an octet holds.
func TestHostsAreFoundByAnyName(t *testing.T) {
	x := serverRows(&view{Snapshot: edges()}).index
	var names []smi.OID
	for i := range x.rows() {
		names = append(names, x.append(nil, i))
	}
	if len(names) < 5 || !slices.IsSortedFunc(names, smi.OID.Compare) {
		t.Fatalf("%d names: %v", len(names), names)
	}
	asked := slices.Clone(names)
	for _, name := range names {
		for i := range name {
			for _, sub := range []uint32{0, name[i] - 1, name[i] + 1, 255, 256, math.MaxUint32} {
				changed := slices.Clone(name)
				changed[i] = sub
				asked = append(asked, changed, name[:i], name.Append(sub), changed[:i+1])
			}
		}
		asked = append(asked, name.Append(0, 0), name.Append(make([]uint32, 20)...))
	}
	for _, name := range asked {
		for _, include := range []bool{false, true} {
			want, found := slices.BinarySearchFunc(names, name, smi.OID.Compare)
			if found && !include {
				want++
			}
			if got := x.from(name, include); got != want {
				t.Errorf("from(%v, %v) is %d, want %d", name, include, got, want)
			}
			if got, ok := x.row(name); ok != found || found && !slices.Equal(names[got], name) {
				t.Errorf("row(%v) is %d, %v", name, got, ok)
			}
		}
	}
}
