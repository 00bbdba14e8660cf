package mib

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/mib/smi"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestWatcher runs the cases of testdata/watcher: tables one after the other, and
// what is told of each. The name of a file in a case begins with the seconds since
// noon and says what it is; parseTable has the grammar.
func TestWatcher(t *testing.T) {
	files, err := filepath.Glob("testdata/watcher/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d cases: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := watching{Watcher: NewWatcher("lvs1", "2.0"), seen: map[string]time.Time{}}
			var told string
			var out []txtar.File
			for _, f := range archive.Files {
				what := strings.Fields(f.Name)
				if what[1] == "events" {
					if !*update && string(f.Data) != told {
						t.Errorf("%s (-want +got):\n%s", f.Name, cmp.Diff(string(f.Data), told))
					}
					continue
				}
				told = w.step(t, what, string(f.Data))
				out = append(out, f, txtar.File{Name: what[0] + " events", Data: []byte(told)})
			}
			if *update {
				archive.Files = out
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// watching is a watcher with what a case tells it in parts.
type watching struct {
	*Watcher
	seen map[string]time.Time
}

// step hands a table or the state of the dataplane to the watcher, and returns
// what that told, one a line.
func (w *watching) step(t *testing.T, what []string, data string) string {
	t.Helper()
	seconds, err := strconv.Atoi(what[0])
	if err != nil {
		t.Fatal(err)
	}
	at := noon.Add(time.Duration(seconds) * time.Second)
	var list []smi.Notification
	var tree *Tree
	switch what[1] {
	case "unavailable":
		list = w.Dataplane(false, strings.TrimSpace(data), at)
	case "available":
		list = w.Dataplane(true, "", at)
	case "table":
		snap := w.parseTable(t, at, what[2:], data)
		list = w.Observe(snap)
		if snap.Inconsistent == 0 && !snap.Partial { // else more is told than it has
			tree = Build(snap, Figures{HostName: "lvs1", AgentVersion: "2.0"})
		}
	default:
		t.Fatalf("%v is no step", what)
	}
	var b strings.Builder
	for i := range list {
		b.WriteString(check(t, &list[i], at, tree) + "\n")
	}
	return b.String()
}

// parseTable reads a snapshot, a line an entry:
//
//	service NUMBER KEY [name=NAME] [old] [changed]
//	real NUMBER RIP [weight=N] [active=N] [upper=N] [name=NAME] [old] [changed]
//	daemon ROLE INTERFACE ID
//
// where old is one that was there before the agent was, and changed one whose
// state became another with this snapshot.
func (w *watching) parseTable(t *testing.T, at time.Time, flags []string, data string) *dataplane.Snapshot {
	t.Helper()
	snap := &dataplane.Snapshot{Time: at}
	for _, f := range flags {
		switch f {
		case "inconsistent":
			snap.Inconsistent = 1
		case "partial":
			snap.Partial = true
		default:
			snap.Director.Epoch = f
		}
	}
	for line := range strings.Lines(data) {
		f := strings.Fields(line)
		options := map[string]string{}
		for _, o := range f[3:] {
			name, value, _ := strings.Cut(o, "=")
			options[name] = value
		}
		switch f[0] {
		case "service":
			var s dataplane.ServiceState
			if err := s.Key.UnmarshalText([]byte(f[2])); err != nil {
				t.Fatal(err)
			}
			s.Name = options["name"]
			w.account(&s.Account, at, f[1], f[2], options)
			snap.Services = append(snap.Services, s)
		case "real":
			s := &snap.Services[len(snap.Services)-1]
			r := dataplane.RealState{Name: options["name"], Active: number32of(options["active"])}
			r.RIP, r.Weight, r.UpperThreshold = netip.MustParseAddrPort(f[2]), number32of(options["weight"]), number32of(options["upper"])
			w.account(&r.Account, at, f[1], s.Key.String()+f[2], options)
			s.Reals = append(s.Reals, r)
		case "daemon":
			role := map[string]dataplane.SyncRole{"master": dataplane.Master, "backup": dataplane.Backup}[f[1]]
			snap.Director.Daemons = append(snap.Director.Daemons, dataplane.SyncDaemon{Role: role, Interface: f[2], SyncID: number32of(f[3])})
		default:
			t.Fatalf("a line is %q", line)
		}
	}
	snap.Sort()
	return snap
}

func (w *watching) account(a *dataplane.Account, at time.Time, number, name string, options map[string]string) {
	a.Number = number32of(number)
	if _, ok := w.seen[name]; !ok {
		w.seen[name] = at
	}
	a.FirstSeen = w.seen[name]
	if _, ok := options["old"]; ok {
		a.FirstSeen = noon.Add(-time.Hour)
	}
	a.LastChange = a.FirstSeen
	if _, ok := options["changed"]; ok {
		a.Changes, a.LastChange = 1, at
	}
}

func number32of(s string) uint32 {
	n, _ := strconv.ParseUint(s, 10, 32)
	return uint32(n)
}

// TestEveryNotificationIsInACase: no notification of the MIB goes untested.
func TestEveryNotificationIsInACase(t *testing.T) {
	files, err := filepath.Glob("testdata/watcher/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	types := slices.Collect(maps.Values(notificationTypes()))
	if len(types) != int(dataplaneRestarted) {
		t.Errorf("the text has %d notifications", len(types))
	}
	for _, n := range types {
		if !strings.Contains(all.String(), " "+n.name+": ") {
			t.Errorf("no case has %s", n.name)
		}
	}
}

// TestWatcherIsBounded: 10,000 real servers that go at once are told of with a
// thousand notifications, the services among them, and numbers go on behind those
// left out.
func TestWatcherIsBounded(t *testing.T) {
	w := NewWatcher("lvs1", "2.0")
	snap := large(10000)
	for i := range snap.Services {
		for j := range snap.Services[i].Reals {
			snap.Services[i].Reals[j].Weight = 1
		}
	}
	w.Observe(snap)
	down := large(10000)
	for i := range down.Services {
		down.Services[i].Reals = down.Services[i].Reals[:i%2] // one is left in every other
		for j := range down.Services[i].Reals {
			down.Services[i].Reals[j].Weight = 1
		}
	}
	list := w.Observe(down)
	types := map[string]int{}
	for _, n := range list {
		types[notificationTypes()[n.OID.String()].name]++
	}
	if diff := cmp.Diff(map[string]int{"lvsdRealDown": 500, "lvsdServiceDown": 500}, types); diff != "" {
		t.Errorf("notifications (-want +got):\n%s", diff)
	}
	f := w.Figures()
	if want := 9500 - 500; f.Dropped != uint64(want) || f.Sequence != 1+1000+uint32(want) {
		t.Errorf("%d dropped, the last has number %d, want %d dropped", f.Dropped, f.Sequence, want)
	}
	if list := w.Observe(down); list != nil {
		t.Errorf("the same table once more: %d notifications", len(list))
	}
}

// TestWithoutARowNothingIsTold: a variable would have no instance.
func TestWithoutARowNothingIsTold(t *testing.T) {
	w := NewWatcher("lvs1", "2.0")
	snap := large(20)
	snap.Services[0].Number = 0
	snap.Services[1].Reals = nil
	w.Observe(snap)
	gone := large(20)
	gone.Services = nil
	if list := w.Observe(gone); list != nil || w.Figures().Dropped != 1 {
		t.Errorf("%d notifications, %d dropped", len(list), w.Figures().Dropped)
	}
}

func TestDaemonsChangeOneByOne(t *testing.T) {
	master, backup := dataplane.SyncDaemon{Role: dataplane.Master, Interface: "eth0"}, dataplane.SyncDaemon{Role: dataplane.Backup, Interface: "eth1"}
	moved := master
	moved.Interface = "eth2"
	for _, tt := range []struct {
		before, now []dataplane.SyncDaemon
		want        []eventKind
	}{
		{nil, nil, nil},
		{nil, []dataplane.SyncDaemon{master, backup}, []eventKind{syncStarted, syncStarted}},
		{[]dataplane.SyncDaemon{master, backup}, []dataplane.SyncDaemon{backup, master}, nil},
		{[]dataplane.SyncDaemon{master, backup}, []dataplane.SyncDaemon{moved, backup}, []eventKind{syncStopped, syncStarted}},
		{[]dataplane.SyncDaemon{master}, nil, []eventKind{syncStopped}},
	} {
		var c changes
		c.compareDaemons(tt.before, tt.now)
		var got []eventKind
		for _, e := range c.head {
			got = append(got, e.kind)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v to %v: %v, want %v", tt.before, tt.now, got, tt.want)
		}
	}
}

// BenchmarkObserve compares two tables of 10,000 real servers, in which nothing
// changed.
func BenchmarkObserve(b *testing.B) {
	w, snap := NewWatcher("lvs1", "2.0"), large(10000)
	w.Observe(snap)
	b.ReportAllocs()
	for b.Loop() {
		w.Observe(snap)
	}
}
