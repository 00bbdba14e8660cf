package mib

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/internal/lab"
	"lvs/mib/agentx"
	"lvs/mib/smi"

	"github.com/google/go-cmp/cmp"
)

// serve has a real snmpd answer from the tree of a snapshot.
func serve(t *testing.T, snap *dataplane.Snapshot) *lab.MasterAgent {
	t.Helper()
	master := lab.SNMPD(t)
	subagent, err := agentx.New(agentx.Config{Address: master.Unix, Timeout: time.Minute, Registrations: []smi.OID{Root()}}, Build(snap, Figures{}))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { subagent.Run(t.Context()) })
	t.Cleanup(wg.Wait) // the test's context is done by then
	lab.Wait(t, "the subagent's answer through snmpd", func() bool {
		out, err := master.Ask("snmpget", "2c", []string{"-On"}, root.String()+".2.0")
		return err == nil && strings.Contains(out, "INTEGER")
	})
	return master
}

// ask runs a Net-SNMP tool and returns the lines that it prints.
func ask(t *testing.T, master *lab.MasterAgent, tool, version string, flags []string, args ...string) []string {
	t.Helper()
	out, err := master.Ask(tool, version, flags, args...)
	if err != nil {
		t.Errorf("%v", err)
	}
	return splitLines(out)
}

// splitLines are the lines of what a tool printed; a long string has several,
// which stay together.
func splitLines(out string) []string {
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if !strings.HasPrefix(out, ".") {
		return lines
	}
	var whole []string
	for _, l := range lines {
		if strings.HasPrefix(l, ".") {
			whole = append(whole, l)
		} else {
			whole[len(whole)-1] += "\n" + l
		}
	}
	return whole
}

// without64 leaves out what SNMPv1 cannot carry (RFC 3584 §4.2.2.1).
func without64(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.Contains(l, "Counter64") })
}

func TestSNMPDWalksPrintTheSnapshot(t *testing.T) {
	snap := edges()
	master := serve(t, snap)
	all := lines(walk(Build(snap, Figures{})))
	for _, tt := range []struct {
		tool, version string
		flags, want   []string
	}{
		{"snmpwalk", "1", nil, without64(all)},
		{"snmpwalk", "2c", nil, all},
		{"snmpwalk", "3", nil, all},
		{"snmpbulkwalk", "2c", []string{"-Cr7"}, all},
		{"snmpbulkwalk", "2c", []string{"-Cr100"}, all},
		{"snmpbulkwalk", "3", nil, all},
	} {
		got := ask(t, master, tt.tool, tt.version, append(tt.flags, "-On"), root.String())
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s -v%s %v (-snapshot +printed):\n%s", tt.tool, tt.version, tt.flags, diff)
		}
	}
}

func TestSNMPDAnswersSixWalkersAtOnce(t *testing.T) {
	snap := large(150)
	snap.Director = edges().Director
	master := serve(t, snap)
	all := lines(walk(Build(snap, Figures{})))
	var wg sync.WaitGroup
	for i := range 6 {
		tool, version, want := "snmpbulkwalk", []string{"2c", "3", "1"}[i%3], all
		if version == "1" {
			tool, want = "snmpwalk", without64(all)
		}
		wg.Go(func() {
			out, err := master.Ask(tool, version, []string{"-On"}, root.String())
			if diff := cmp.Diff(want, splitLines(out)); diff != "" || err != nil {
				t.Errorf("walker %d, %s -v%s: %v (-snapshot +printed):\n%s", i, tool, version, err, diff)
			}
		})
	}
	wg.Wait()
}

// TestSNMPDAnswersSixtyVariables asks for as many as fit a datagram of a usual
// size, among them some that do not exist.
func TestSNMPDAnswersSixtyVariables(t *testing.T) {
	snap := edges()
	master := serve(t, snap)
	rnd := rand.New(rand.NewPCG(3, 4))
	var names, want []string
	all := lines(walk(Build(snap, Figures{})))
	for _, i := range rnd.Perm(len(all))[:58] {
		line := all[i]
		name, _, _ := strings.Cut(line, " = ")
		names, want = append(names, name), append(want, line)
	}
	for suffix, exception := range map[string]string{
		".17.1.1.9": "No Such Instance currently exists at this OID",
		".99.0":     "No Such Object available on this agent at this OID",
	} {
		names, want = append(names, "."+root.String()+suffix), append(want, fmt.Sprintf(".%v%s = %s", root, suffix, exception))
	}
	for _, version := range []string{"2c", "3"} {
		if diff := cmp.Diff(want, ask(t, master, "snmpget", version, []string{"-On"}, names...)); diff != "" {
			t.Errorf("-v%s (-snapshot +printed):\n%s", version, diff)
		}
	}
}

// TestSNMPTablePrintsTheSnapshot reads both tables the way people do, with the
// MIB loaded: Net-SNMP then names the columns, and what it prints depends on
// the types and enumerations of the text.
func TestSNMPTablePrintsTheSnapshot(t *testing.T) {
	snap := edges()
	master := serve(t, snap)
	flags := []string{"-M", baseModules(t) + ":.", "-m", "LVS-MIB", "-Ci", "-Cf", "|", "-Oe"}
	for _, version := range []string{"2c", "3"} {
		for table, entry := range map[string]smi.OID{"lvsServiceTable": serviceEntry, "lvsRealTable": realEntry} {
			got := tableLines(t, ask(t, master, "snmptable", version, flags, "LVS-MIB::"+table), entry)
			want := slices.DeleteFunc(snapshotLines(snap), func(l string) bool { return !strings.HasPrefix(l, fmt.Sprintf(".%v.%v.", root, entry)) })
			for i, line := range want {
				want[i] = regexp.MustCompile(` = \w+: `).ReplaceAllString(line, " = ")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("snmptable -v%s %s (-snapshot +printed):\n%s", version, table, diff)
			}
		}
	}
}

// tableLines turns what snmptable prints into lines of a walk.
func tableLines(t *testing.T, printed []string, entry smi.OID) []string {
	t.Helper()
	printed = slices.DeleteFunc(printed, func(l string) bool { return !strings.Contains(l, "|") })
	if len(printed) == 0 {
		t.Fatal("snmptable printed no table")
	}
	oids := map[string]smi.OID{}
	for _, o := range Objects() {
		oids[o.Name] = o.OID
	}
	cells := map[string]string{}
	names := strings.Split(printed[0], "|")
	for _, line := range printed[1:] {
		values := strings.Split(line, "|")
		for i, name := range names[1:] {
			oid, ok := oids[name]
			if !ok || !oid.HasPrefix(root.Append(entry...)) {
				t.Fatalf("snmptable prints a column %q", name)
			}
			cells[oid.String()+"."+values[0]] = values[i+1]
		}
	}
	return sortedLines(cells)
}

// TestSNMPTableReadsTheDirectorMIB reads its tables with the MIB loaded: indexes of
// every form, numbers, enumerations and names, each in its row and column.
func TestSNMPTableReadsTheDirectorMIB(t *testing.T) {
	snap := edges()
	master, tree := serve(t, snap), Build(snap, Figures{})
	objects := map[string]Object{}
	for _, o := range Objects() {
		objects[o.Name] = o
	}
	flags := []string{"-M", baseModules(t) + ":.", "-m", "LVS-DIRECTOR-MIB", "-Ci", "-Cb", "-Cf", "|", "-OeUb"}
	for table, want := range map[string]int{"lvsdServiceTable": len(snap.Services), "lvsdRealTable": snap.RealServers(), "lvsdServerTable": len(snap.Servers)} {
		printed := ask(t, master, "snmptable", "2c", flags, "LVS-DIRECTOR-MIB::"+table)
		printed = slices.DeleteFunc(printed, func(l string) bool { return !strings.Contains(l, "|") })
		if len(printed) != 1+want {
			t.Fatalf("snmptable prints %d rows of %s, want %d", len(printed)-1, table, want)
		}
		prefix := "lvsd" + strings.TrimSuffix(strings.TrimPrefix(table, "lvsd"), "Table")
		columns := strings.Split(printed[0], "|")
		for _, line := range printed[1:] {
			cells := strings.Split(line, "|")
			for i, name := range columns[1:] {
				o, ok := objects[prefix+name]
				if !ok {
					t.Fatalf("snmptable prints a column %s%s", prefix, name)
				}
				v, got := tree.Get(o.OID.Append(smi.MustParseOID(cells[0])...)), cells[i+1]
				switch {
				case v.Type == smi.NoSuchInstance:
					if got != "?" {
						t.Errorf("%s.%s is %s, want none", o.Name, cells[0], got)
					}
				case v.Type == smi.TimeTicks, o.Syntax == "DateAndTime", o.Syntax == "InetAddress":
					// printed by hints that are not ours
				case v.Type == smi.OctetString:
					if got != string(v.Bytes) {
						t.Errorf("%s.%s is %q, want %q", o.Name, cells[0], got, v.Bytes)
					}
				case got != fmt.Sprint(v.Int):
					t.Errorf("%s.%s is %s, want %d", o.Name, cells[0], got, v.Int)
				}
			}
		}
	}
}
