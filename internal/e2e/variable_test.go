package e2e

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// A variable is a value as Net-SNMP's tools print it without a MIB: its type, and
// the number or address. Octets are of type STRING and as they are.
type variable struct{ typ, text string }

func (v variable) String() string {
	if v.typ == "STRING" {
		return fmt.Sprintf("%s: %q", v.typ, v.text)
	}
	return v.typ + ": " + v.text
}

// parseVariables takes apart what snmpget and the walks print with the options
// -On and -Ox: numbers for names, hexadecimal for octets. Each variable is there
// once.
func parseVariables(out string) (map[string]variable, error) {
	var lines []string
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "."):
			lines = append(lines, line)
		case len(lines) == 0:
			return nil, fmt.Errorf("no variable: %q", line)
		default: // many octets go on in the next line
			lines[len(lines)-1] += " " + line
		}
	}
	m := make(map[string]variable, len(lines))
	for _, line := range lines {
		name, v, err := parseVariable(line)
		if err != nil {
			return nil, err
		}
		if _, twice := m[name]; twice {
			return nil, fmt.Errorf("%s is there twice", name)
		}
		m[name] = v
	}
	return m, nil
}

func parseVariable(line string) (name string, v variable, err error) {
	name, typed, ok := strings.Cut(line, " = ")
	if !ok {
		return "", v, fmt.Errorf("no variable: %q", line)
	}
	typ, text, ok := strings.Cut(typed, ": ")
	switch {
	case typed == `""`:
		v = variable{"STRING", ""}
	case !ok:
		v = variable{typed, ""} // No Such Instance and so on
	case typ == "Hex-STRING":
		b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return "", v, fmt.Errorf("%q: %w", line, err)
		}
		v = variable{"STRING", string(b)}
	case typ == "Timeticks": // (123) 0:00:01.23
		n, _, ok := strings.Cut(strings.TrimPrefix(text, "("), ")")
		if !ok {
			return "", v, fmt.Errorf("no time: %q", line)
		}
		v = variable{typ, n}
	default:
		v = variable{typ, text}
	}
	return name, v, nil
}

// without64 leaves out what SNMPv1 cannot carry (RFC 3584 §4.2.2.1).
func without64(m map[string]variable) map[string]variable {
	m = maps.Clone(m)
	maps.DeleteFunc(m, func(_ string, v variable) bool { return v.typ == "Counter64" })
	return m
}

// differences are what differs from want, one line each, by name.
func differences(want, have map[string]variable) (list []string) {
	for name, w := range want {
		if h, there := have[name]; !there {
			list = append(list, fmt.Sprintf("%s is missing, want %v", name, w))
		} else if h != w {
			list = append(list, fmt.Sprintf("%s is %v, want %v", name, h, w))
		}
	}
	for name, h := range have {
		if _, there := want[name]; !there {
			list = append(list, fmt.Sprintf("%s is %v and should not be there", name, h))
		}
	}
	slices.Sort(list)
	return list
}

// named puts the names of object types into lines of differences, for people.
func named(list []string) []string {
	var pairs []string
	for _, o := range slices.Backward(objects()) {
		pairs = append(pairs, o.oid+".", o.name+".")
	}
	r := strings.NewReplacer(pairs...)
	for i, line := range list {
		list[i] = r.Replace(line)
	}
	return list
}

func TestParseVariables(t *testing.T) {
	out := `.1.1 = Hex-STRING: 31 2E 32 
.1.2 = ""
.1.3 = Timeticks: (360123) 1:00:01.23
.1.4 = Hex-STRING: 61 61 61 61 61 61 61 61 61 61 61 61 61 61 61 61 
62 63 
.1.5 = No Such Instance currently exists at this OID
.1.6 = Counter64: 18446744073709551615
`
	got, err := parseVariables(out)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]variable{
		".1.1": {"STRING", "1.2"}, ".1.2": {"STRING", ""}, ".1.3": {"Timeticks", "360123"},
		".1.4": {"STRING", strings.Repeat("a", 16) + "bc"}, ".1.5": {"No Such Instance currently exists at this OID", ""},
		".1.6": {"Counter64", "18446744073709551615"},
	}
	if list := differences(want, got); len(list) > 0 {
		t.Error(strings.Join(list, "\n"))
	}
	if len(without64(got)) != len(got)-1 {
		t.Error("Counter64 is not left out")
	}
	for _, wrong := range []string{"first\n", ".1.1 = Hex-STRING: 3\n", ".1.1 is it\n", ".1.1 = \"\"\n.1.1 = \"\"\n"} {
		if m, err := parseVariables(wrong); err == nil {
			t.Errorf("%q is taken for %v", wrong, m)
		}
	}
	delete(want, ".1.1")
	want[".1.7"], want[".1.2"] = variable{"INTEGER", "1"}, variable{"STRING", "x"}
	if list := differences(want, got); len(list) != 3 {
		t.Errorf("%d differences, want a missing one, another one and one too many: %v", len(list), list)
	}
}
