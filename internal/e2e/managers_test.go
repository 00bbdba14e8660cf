//go:build lab

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lvs/internal/lab"
)

// testManagers asks the live agent with Net-SNMP's managers, in every way they
// have, while nothing moves.
func testManagers(t *testing.T, s *site) {
	lab.Wait(t, "rates are down to zero", func() bool {
		return !slices.ContainsFunc(walk(t, s.master, "snmpbulkwalk", "2c"), func(l string) bool {
			return strings.Contains(l, "Gauge32: ") && !strings.HasSuffix(l, "Gauge32: 0")
		})
	})
	whole := walk(t, s.master, "snmpwalk", "2c")
	w, err := parseWalk(whole)
	if err != nil {
		t.Fatal(err)
	}
	if doc := s.document(); len(w.rows) != len(doc.numbers()) || w.scalars["2"] != fmt.Sprint(len(doc.Services)) || len(w.scalars) != 8 {
		t.Errorf("%d rows and scalars %v, want %d rows and %d services", len(w.rows), w.scalars, len(doc.numbers()), len(doc.Services))
	}
	t.Logf("%d variables", len(whole))
	t.Run("walks", func(t *testing.T) { testWalks(t, s.master, whole) })
	t.Run("six at once", func(t *testing.T) { testSixAtOnce(t, s.master, whole) })
	t.Run("60 variables", func(t *testing.T) { testSixtyVariables(t, s.master, whole) })
	t.Run("tables", func(t *testing.T) { testSNMPTables(t, s.master, w) })
	m := s.metrics("?scope=agent")
	if n := m.sample("lvs_agent_agentx_malformed_total"); n != 0 {
		t.Errorf("%v malformed PDUs", n)
	}
	if n := m.sample("lvs_agent_agentx_reconnects_total"); n != 0 {
		t.Errorf("snmpd lost its subagent %v times", n)
	}
}

// without64 leaves out what SNMPv1 cannot carry (RFC 3584 §4.2.2.1).
func without64(lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.Contains(l, " Counter64: ") })
}

func testWalks(t *testing.T, master *lab.MasterAgent, whole []string) {
	for _, tt := range []struct {
		tool, version string
		want          []string
	}{
		{"snmpwalk", "1", without64(whole)},
		{"snmpwalk", "3", whole},
		{"snmpbulkwalk", "2c", whole},
		{"snmpbulkwalk", "3", whole},
	} {
		if diff := cmp.Diff(tt.want, walk(t, master, tt.tool, tt.version)); diff != "" {
			t.Errorf("%s -v%s (-snmpwalk -v2c, +printed):\n%s", tt.tool, tt.version, diff)
		}
	}
}

func testSixAtOnce(t *testing.T, master *lab.MasterAgent, whole []string) {
	var wg sync.WaitGroup
	for i := range 6 {
		tool, flags, version, want := "snmpbulkwalk", []string{"-Cr50"}, []string{"1", "2c", "3", "2c", "3", "2c"}[i], whole
		if version == "1" {
			tool, flags, want = "snmpwalk", nil, without64(whole)
		}
		wg.Go(func() {
			if diff := cmp.Diff(want, walk(t, master, tool, version, flags...)); diff != "" {
				t.Errorf("walker %d, %s -v%s (-alone +printed):\n%s", i, tool, version, diff)
			}
		})
	}
	wg.Wait()
}

// testSixtyVariables asks for 60 variables in one request, two of which do not
// exist.
func testSixtyVariables(t *testing.T, master *lab.MasterAgent, whole []string) {
	var names, want []string
	for _, i := range rand.New(rand.NewPCG(1, 60)).Perm(len(whole))[:58] {
		name, _, _ := strings.Cut(whole[i], " = ")
		names, want = append(names, name), append(want, whole[i])
	}
	names = append(names, lvsMIB+".17.1.1.65000", lvsMIB+".99.0")
	want = append(want, lvsMIB+".17.1.1.65000 = No Such Instance currently exists at this OID",
		lvsMIB+".99.0 = No Such Object available on this agent at this OID")
	for _, version := range []string{"2c", "3"} {
		out, err := master.Ask("snmpget", version, []string{"-On"}, names...)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(out), "\n")); diff != "" {
			t.Errorf("60 variables by -v%s (-walked +printed):\n%s", version, diff)
		}
	}
}

// testSNMPTables prints both tables with the MIB's text, as people do, and holds
// every cell against the walk.
func testSNMPTables(t *testing.T, master *lab.MasterAgent, w *snmpWalk) {
	top := lab.Path(t, "..", "..")
	modules := filepath.Join(top, "build", "mibs") + ":" + filepath.Join(top, "mib")
	for name, arc := range map[string]string{"lvsServiceTable": "17", "lvsRealTable": "18"} {
		out, err := master.Ask("snmptable", "2c", []string{"-M", modules, "-m", "LVS-MIB", "-Ci", "-Cf", "|", "-Oe"}, "LVS-MIB::"+name)
		if err != nil {
			t.Fatalf("%v (the modules every MIB imports have to be in build/mibs, where mib/base.sh puts them)", err)
		}
		columns := snmpTables[arc]
		printed := 0
		var heads []string
		for line := range strings.Lines(out) {
			f := strings.Split(strings.TrimRight(line, "\n"), "|")
			switch {
			case len(f) == 1: // the table's name, an empty line
			case heads == nil:
				heads = f
			default:
				printed++
				var index number
				if n, err := fmt.Sscanf(f[0], "%d.%d", &index.service, &index.real); n == 0 {
					t.Fatalf("%s: index of %q: %v", name, line, err)
				}
				if len(f) != len(columns)+1 || len(heads) != len(f) {
					t.Fatalf("%s: %d cells under %d heads, want %d columns", name, len(f), len(heads), len(columns))
				}
				for i, v := range f[1:] {
					if want := strings.Trim(w.rows[index][fmt.Sprint(i+1)], `"`); strings.Trim(v, `"`) != want {
						t.Errorf("%s: %s of row %v is %s, want %s", name, heads[i+1], index, v, want)
					}
				}
			}
		}
		rows := 0
		for index := range w.rows {
			if (index.real != 0) == (arc == "18") {
				rows++
			}
		}
		if printed != rows || rows < 20 {
			t.Errorf("snmptable prints %d rows of %s, want %d", printed, name, rows)
		}
	}
}

// testMetricsLint asks Prometheus's own judge.
func testMetricsLint(t *testing.T, s *site) {
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(string(s.get("/metrics")))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
	protobuf, text := s.protobuf(), s.metrics("")
	for name := range text {
		if protobuf[name] == nil {
			t.Errorf("%s is in the text only", name)
		}
	}
	if len(protobuf) != len(text) || len(text) < 50 {
		t.Errorf("%d families as protobuf, %d as text", len(protobuf), len(text))
	}
}
