//go:build lab

package e2e

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"lvs/internal/lab"
)

// lvsMIB is the root of the LVS-MIB.
const lvsMIB = ".1.3.6.1.4.1.8225.4711"

// walk is what snmpbulkwalk prints of both MIBs, or of what is below some arcs
// of the LVS-MIB, a line for each variable.
func walk(t *testing.T, master *lab.MasterAgent, below string) []string {
	t.Helper()
	out, err := master.Ask("snmpbulkwalk", "2c", []string{"-On", "-Cr40"}, lvsMIB+below)
	if err != nil {
		t.Errorf("snmpbulkwalk: %v", err)
	}
	return strings.Split(strings.TrimSpace(out), "\n")
}

// A snmpColumn is a column of a table of the LVS-MIB: its type, and the column of
// a table it belongs to, if any.
type snmpColumn struct{ typ, column string }

// snmpTables are both tables of the MIB by arc, written down from its text.
var snmpTables = map[string]map[string]snmpColumn{
	"17": {
		"1": {"INTEGER", ""}, "2": {"STRING", ""}, "3": {"INTEGER", ""}, "4": {"IpAddress", ""}, "5": {"INTEGER", ""},
		"6": {"INTEGER", ""}, "7": {"INTEGER", ""}, "8": {"IpAddress", ""}, "9": {"INTEGER", ""},
		"10": {"Counter32", "connections"}, "11": {"Counter32", "in_packets"}, "12": {"Counter32", "out_packets"},
		"13": {"Counter64", "in_bytes"}, "14": {"Counter64", "out_bytes"},
		"15": {"Gauge32", ""}, "16": {"Gauge32", ""}, "17": {"Gauge32", ""}, "18": {"Gauge32", ""}, "19": {"Gauge32", ""},
	},
	"18": {
		"1": {"INTEGER", ""}, "2": {"INTEGER", ""}, "3": {"IpAddress", ""}, "4": {"INTEGER", ""}, "5": {"INTEGER", ""},
		"6": {"INTEGER", "weight"}, "7": {"Counter32", "connections"}, "8": {"Counter32", "in_packets"}, "9": {"Counter32", "out_packets"},
		"10": {"Counter64", "in_bytes"}, "11": {"Counter64", "out_bytes"},
		"12": {"Gauge32", ""}, "13": {"Gauge32", ""}, "14": {"Gauge32", ""}, "15": {"Gauge32", ""}, "16": {"Gauge32", ""},
	},
}

// A snmpWalk is a walk of the LVS-MIB taken apart: the values of both tables by
// row number and column, and those of the scalars. What a walk has of the
// LVS-DIRECTOR-MIB is left out.
type snmpWalk struct {
	scalars map[string]string
	rows    map[number]map[string]string
}

// parseWalk checks every variable's name and type.
func parseWalk(lines []string) (*snmpWalk, error) {
	w := &snmpWalk{map[string]string{}, map[number]map[string]string{}}
	for _, line := range lines {
		name, typed, ok := strings.Cut(line, " = ")
		typ, v, _ := strings.Cut(typed, ": ")
		arcs := strings.Split(strings.TrimPrefix(name, lvsMIB+"."), ".")
		if !ok || !strings.HasPrefix(name, lvsMIB+".") || len(arcs) < 2 {
			return nil, fmt.Errorf("no variable of the MIB: %q", line)
		}
		if arcs[0] == "100" {
			continue
		}
		columns, isTable := snmpTables[arcs[0]]
		if !isTable {
			w.scalars[arcs[0]] = v
			continue
		}
		if len(arcs) < 4 || columns[arcs[2]].typ != typ {
			return nil, fmt.Errorf("a column of that type should not be there: %q", line)
		}
		var index number
		for i, part := range []*uint32{&index.service, &index.real} {
			if i+3 < len(arcs) {
				n, err := strconv.ParseUint(arcs[i+3], 10, 32)
				if err != nil || n == 0 {
					return nil, fmt.Errorf("an index that is no row number: %q", line)
				}
				*part = uint32(n)
			}
		}
		if (arcs[0] == "18") != (index.real != 0) {
			return nil, fmt.Errorf("a wrong index: %q", line)
		}
		if w.rows[index] == nil {
			w.rows[index] = map[string]string{}
		}
		w.rows[index][arcs[2]] = v
	}
	return w, nil
}

// table is the walk as a table; numbers say what the rows are, and where the row
// has an address, that must agree.
func (w *snmpWalk) table(numbers map[number]row) (table, error) {
	tb := table{}
	for index, values := range w.rows {
		r, known := numbers[index]
		if !known {
			return nil, fmt.Errorf("row %v belongs to nothing", index)
		}
		columns, address := snmpTables["17"], values["4"]+":"+values["5"]
		text := r.service[strings.IndexByte(r.service, '/')+1:]
		if index.real != 0 {
			columns, address, text = snmpTables["18"], values["3"]+":"+values["4"], r.real
		}
		if len(values) != len(columns) {
			return nil, fmt.Errorf("row %v (%v) has %d columns, want %d", index, r, len(values), len(columns))
		}
		if ap, err := netip.ParseAddrPort(text); err == nil && ap.Addr().Is4() && address != text {
			return nil, fmt.Errorf("row %v is %s, want %v", index, address, r)
		}
		for arc, c := range columns {
			if c.column == "" {
				continue
			}
			v, err := strconv.ParseUint(values[arc], 10, 64)
			if err == nil {
				err = tb.set(r, c.column, v)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return tb, nil
}
