//go:build lab

package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"lvs/internal/lab"
)

// testSNMPTables prints every table with the text of its MIB, as people do, and
// holds every cell against the document.
func testSNMPTables(t *testing.T, m *managed) {
	top := lab.Path(t, "..", "..")
	modules := strings.Join([]string{filepath.Join(top, "build", "mibs"), filepath.Join(top, "mib", "base"), filepath.Join(top, "mib")}, ":")
	for table, module := range map[string]string{
		"lvsServiceTable": "LVS-MIB", "lvsRealTable": "LVS-MIB",
		"lvsdServiceTable": "LVS-DIRECTOR-MIB", "lvsdRealTable": "LVS-DIRECTOR-MIB", "lvsdServerTable": "LVS-DIRECTOR-MIB",
	} {
		var columns []objectType
		for _, o := range objects() {
			if o.table == table {
				columns = append(columns, o)
			}
		}
		servers := m.servers
		if module == "LVS-MIB" {
			servers = servers[1:]
		}
		for _, server := range servers {
			// Numbers for the words of enumerations and in indexes, times as they
			// are, no units.
			flags := []string{"-M", modules, "-m", module, "-Ci", "-Cf", "|", "-OeUtb"}
			m.want(t, func(want map[string]variable) []string {
				out, err := server.ask(t, "snmptable", v2c, flags, module+"::"+table)
				if err != nil {
					t.Fatalf("%v (the modules every MIB imports have to be in build/mibs, where mib/base.sh puts them)", err)
				}
				return checkTable(t, out, table, columns, want)
			})
		}
	}
}

// checkTable compares what snmptable prints; want has all variables.
func checkTable(t *testing.T, out, table string, columns []objectType, want map[string]variable) (wrong []string) {
	t.Helper()
	var rows [][]string
	for line := range strings.Lines(out) {
		if f := strings.Split(strings.TrimRight(line, "\n"), "|"); len(f) > 1 {
			rows = append(rows, f)
		}
	}
	if len(rows) < 2 || len(rows[0]) != len(columns)+1 {
		t.Fatalf("%s: heads %q and %d lines; want %d columns and the index", table, rows[0], len(rows), len(columns))
	}
	missing := map[string]bool{}
	for name := range want {
		if index, ok := strings.CutPrefix(name, columns[0].oid+"."); ok {
			missing[index] = true
		}
	}
	for _, cells := range rows[1:] {
		index := cells[0]
		delete(missing, index)
		if len(cells) != len(columns)+1 {
			wrong = append(wrong, fmt.Sprintf("%s: row %s has %d cells under %d heads", table, index, len(cells), len(rows[0])))
			continue
		}
		for i, o := range columns {
			if v := printed(o, want, index); strings.Trim(cells[i+1], `"`) != v {
				wrong = append(wrong, fmt.Sprintf("%s: %s of row %s is %q, want %q", table, o.name, index, cells[i+1], v))
			}
		}
	}
	for index := range missing {
		wrong = append(wrong, fmt.Sprintf("%s: row %s is missing", table, index))
	}
	return wrong
}

// printed is how Net-SNMP prints a variable by the text of its MIB: a DateAndTime
// by its DISPLAY-HINT (RFC 2579 §2), an InetAddress, which has none, as octets.
func printed(o objectType, want map[string]variable, index string) string {
	v, there := want[o.oid+"."+index]
	switch {
	case !there:
		return "?"
	case o.syntax == "DateAndTime" && len(v.text) == 11:
		b := v.text
		return fmt.Sprintf("%d-%d-%d,%d:%d:%d.%d,%c%d:%d", int(b[0])<<8|int(b[1]), b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10])
	case o.syntax == "InetAddress" && v.text != "":
		return fmt.Sprintf("% X ", v.text)
	}
	return v.text
}
