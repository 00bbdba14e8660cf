package mib

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"lvs/dataplane"
	"lvs/mib/smi"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestWalkOfTheEdges compares with a walk that was read line by line.
func TestWalkOfTheEdges(t *testing.T) {
	var b strings.Builder
	objects := Objects()
	for _, v := range walk(Build(edges(), figures())) {
		o := objectOf(objects, v.Name)
		fmt.Fprintf(&b, "%s.%v = %s\n", o.Name, v.Name[len(o.OID):], text(v.Value))
	}
	const file = "testdata/edges.walk"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("walk (-want +got):\n%s", diff)
	}
}

// objectOf is the object type that a variable is an instance of.
func objectOf(objects []Object, name smi.OID) Object {
	return objects[slices.IndexFunc(objects, func(o Object) bool { return name.HasPrefix(o.OID) })]
}

// snapshotLines is what a walk has to print, told row by row from the snapshot.
func snapshotLines(snap *dataplane.Snapshot) []string {
	cells := map[string]string{}
	put := func(entry string, index string, values ...string) {
		for i, v := range values {
			cells[fmt.Sprintf("%v.%s%d.%s", root, entry, i+1, index)] = v
		}
	}
	d := &snap.Director
	put("", "0", "STRING: "+fmt.Sprintf("%q", d.Version), number32(len(snap.Services)), number32(d.ConnTableSize),
		number32(d.Timeouts.TCP.Seconds()), number32(d.Timeouts.TCPFin.Seconds()), number32(d.Timeouts.UDP.Seconds()))
	for _, s := range snap.Services {
		values := []string{number32(s.Number), fmt.Sprintf("STRING: %q", s.Scheduler)}
		if s.Key.IsMark() {
			values = append(values, number32(-1), address(netip.Addr{}), number32(-1), number32(int32(s.Key.FWMark)))
		} else {
			values = append(values, number32(s.Key.Protocol), address(s.Key.VIP.Addr()), number32(s.Key.VIP.Port()), number32(0))
		}
		mask := address(netip.Addr{})
		if m := s.Netmask; s.Key.Family == dataplane.INET && m.IsZero() {
			mask = "IpAddress: 255.255.255.255"
		} else if s.Key.Family == dataplane.INET {
			mask = "IpAddress: " + m.String()
		}
		values = append(values, number32(s.Timeout.Seconds()), mask, number32(len(s.Reals)))
		put("17.1.", fmt.Sprint(s.Number), append(values, counted(s.Total, s.HasRates, s.Rates, s.KernelRates)...)...)
		for _, r := range s.Reals {
			values := []string{number32(s.Number), number32(r.Number), address(r.RIP.Addr()), number32(r.RIP.Port()),
				number32(r.Method), number32(min(r.Weight, 65535))}
			put("18.1.", fmt.Sprintf("%d.%d", s.Number, r.Number), append(values, counted(r.Total, r.HasRates, r.Rates, r.KernelRates)...)...)
		}
	}
	for i, daemon := range []string{"7.0", "8.0"} {
		cells[root.String()+"."+daemon] = []string{"INTEGER: 0", `""`}[i]
		for _, sd := range d.Daemons {
			if sd.Role == dataplane.Master || len(d.Daemons) == 1 {
				cells[root.String()+"."+daemon] = []string{number32(sd.Role), fmt.Sprintf("STRING: %q", sd.Interface)}[i]
			}
		}
	}
	return sortedLines(cells)
}

// number32 prints any number as an INTEGER; %d of a named type is its number.
func number32(n any) string {
	if f, ok := n.(float64); ok {
		n = int(f)
	}
	return fmt.Sprintf("INTEGER: %d", n)
}

func address(a netip.Addr) string {
	if !a.Is4() {
		return "IpAddress: 0.0.0.0"
	}
	return "IpAddress: " + a.String()
}

func counted(c dataplane.Counters, own bool, r, kernel dataplane.Rates) (values []string) {
	if !own {
		r = kernel
	}
	for _, n := range []uint64{c.Connections, c.InPackets, c.OutPackets} {
		values = append(values, fmt.Sprint("Counter32: ", uint32(n)))
	}
	values = append(values, fmt.Sprint("Counter64: ", c.InBytes), fmt.Sprint("Counter64: ", c.OutBytes))
	for _, n := range []uint64{r.Connections, r.InPackets, r.OutPackets, r.InBytes, r.OutBytes} {
		values = append(values, fmt.Sprint("Gauge32: ", min(n, 1<<32-1)))
	}
	return values
}

func sortedLines(cells map[string]string) (out []string) {
	var vs []smi.OID
	for name := range cells {
		vs = append(vs, smi.MustParseOID(name))
	}
	slices.SortFunc(vs, smi.OID.Compare)
	for _, name := range vs {
		out = append(out, fmt.Sprintf(".%v = %s", name, cells[name.String()]))
	}
	return out
}

func TestEveryCellIsTheSnapshots(t *testing.T) {
	full := large(500)
	full.Director = edges().Director
	backup := edges()
	backup.Director.Daemons = backup.Director.Daemons[:1]
	master := edges()
	slices.Reverse(master.Director.Daemons)
	idle := edges()
	idle.Director.Daemons, idle.Services = nil, nil
	for name, snap := range map[string]*dataplane.Snapshot{"edges": edges(), "large": full, "backup": backup, "master first": master, "empty": idle} {
		if diff := cmp.Diff(snapshotLines(snap), lines(ofLVSMIB(walk(Build(snap, Figures{}))))); diff != "" {
			t.Errorf("%s (-snapshot +tree):\n%s", name, diff)
		}
	}
}

func TestWhatIsNotKnownHasNoInstance(t *testing.T) {
	snap := edges()
	snap.Partial = true
	snap.Director = dataplane.Director{}
	var names []string
	objects := Objects()
	for _, v := range ofLVSMIB(walk(Build(snap, Figures{}))) {
		o := objectOf(objects, v.Name)
		if !slices.Contains(names, o.Name) {
			names = append(names, o.Name)
		}
	}
	want := "lvsNumServices lvsDaemonState lvsMcastInt " +
		"lvsServiceNumber lvsServiceSchedType lvsServiceProto lvsServiceAddr lvsServicePort lvsServiceFWMark " +
		"lvsServicePersistTimeout lvsServicePersistNetmask lvsServiceNumDests " +
		"lvsRealServiceNumber lvsRealServerNumber lvsRealServerAddr lvsRealServerPort lvsRealServerFlags lvsRealServerWeight"
	if diff := cmp.Diff(strings.Fields(want), names); diff != "" {
		t.Errorf("objects with instances (-want +got):\n%s", diff)
	}
}

func TestNumbersStopAtTheirTypesLimit(t *testing.T) {
	snap := large(10)
	snap.Director.ConnTableSize = 1 << 31
	snap.Services[0].Reals = make([]dataplane.RealState, 70000)
	tree := Build(snap, Figures{})
	for name, want := range map[string]uint64{"3.0": 1<<31 - 1, "17.1.9.1": 65535} {
		if v := tree.Get(smi.MustParseOID(root.String() + "." + name)); v.Int != want {
			t.Errorf("lvs.%s is %d, want %d", name, v.Int, want)
		}
	}
	if got := tree.Omitted(); got != 70000 {
		t.Errorf("%d omitted, want the 70000 without a number", got)
	}
}
