package mib

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"lvs/mib/smi"
)

// An Object is what the text of the LVS-MIB says of one object type that has
// instances.
type Object struct {
	Name string
	// OID is the object type's; an instance's has an index behind it.
	OID smi.OID
	// Table is the name of the table that it is a column of; empty for a scalar.
	Table  string
	Type   smi.Type
	Syntax string // as in the MIB: "Integer32 (0..65535)"
	// Description is one paragraph without line breaks.
	Description string
}

// Objects lists the object types that a [Tree] has variables of, in the order
// of a walk, as the text of the LVS-MIB defines them.
func Objects() []Object {
	text, err := Texts.ReadFile("LVS-MIB.txt")
	if err != nil {
		panic(err)
	}
	objects, err := parseObjects(string(text))
	if err != nil {
		panic(err) // the text is our own, and a test reads it
	}
	return objects
}

// objectType matches an OBJECT-TYPE as LVS-MIB.txt writes it, clause by clause.
var objectType = regexp.MustCompile(`(?s)\n(\w+) OBJECT-TYPE\s+SYNTAX\s+(.*?)\s+` +
	`MAX-ACCESS\s+([\w-]+)\s+STATUS\s+current\s+DESCRIPTION\s+"([^"]*)"\s+(?:INDEX[^}]*}\s+)?::= { (\w+) (\d+) }`)

// parseObjects reads the accessible object types out of the LVS-MIB. It is no
// parser of SMIv2 at large.
func parseObjects(text string) ([]Object, error) {
	oids := map[string]smi.OID{"lvs": root}
	tables := map[string]string{} // the table of an entry
	var objects []Object
	for _, m := range objectType.FindAllStringSubmatch(text, -1) {
		name, syntax, access, description, parent := m[1], oneLine(m[2]), m[3], m[4], m[5]
		above, ok := oids[parent]
		if !ok {
			return nil, fmt.Errorf("LVS-MIB: %s is below %s, which is not defined before it", name, parent)
		}
		sub, err := strconv.ParseUint(m[6], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("LVS-MIB: %s: %w", name, err)
		}
		oids[name] = above.Append(uint32(sub))
		if access == "not-accessible" {
			tables[name] = parent
			continue
		}
		typ, err := wireType(syntax)
		if err != nil {
			return nil, fmt.Errorf("LVS-MIB: %s: %w", name, err)
		}
		objects = append(objects, Object{
			Name: name, OID: oids[name], Table: tables[parent], Type: typ,
			Syntax: syntax, Description: oneLine(description),
		})
	}
	return objects, nil
}

// oneLine joins the lines of a clause.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// wireType is the type that the values of a SYNTAX are sent as.
func wireType(syntax string) (smi.Type, error) {
	base, _, _ := strings.Cut(syntax, " ")
	switch base {
	case "INTEGER", "Integer32", "TimeInterval":
		return smi.Integer, nil
	case "OCTET":
		return smi.OctetString, nil
	case "IpAddress":
		return smi.IPAddress, nil
	case "Counter32":
		return smi.Counter32, nil
	case "Counter64":
		return smi.Counter64, nil
	case "Gauge32":
		return smi.Gauge32, nil
	}
	return 0, fmt.Errorf("syntax %q is not one of this MIB", syntax)
}
