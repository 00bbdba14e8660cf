package mib

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"lvs/mib/smi"
)

// An Object is what the text of a MIB says of one object type that has instances.
type Object struct {
	Module string // LVS-MIB or LVS-DIRECTOR-MIB
	Name   string
	// OID is the object type's; an instance's has an index behind it.
	OID smi.OID
	// Table is the name of the table that it is a column of; empty for a scalar.
	Table  string
	Type   smi.Type
	Syntax string // as in the MIB: "Integer32 (0..65535)"
	Units  string // as in the MIB: "seconds"; empty is none
	// Writable says that managers may write it.
	Writable bool
	// Description is one paragraph without line breaks.
	Description string
}

// Objects lists the object types that a [Tree] has variables of, in the order
// of a walk, as the texts of the LVS-MIB and the LVS-DIRECTOR-MIB define them.
func Objects() (objects []Object) {
	for _, module := range []string{"LVS-MIB", "LVS-DIRECTOR-MIB"} {
		text, err := Texts.ReadFile(module + ".txt")
		if err != nil {
			panic(err)
		}
		of, err := parseObjects(module, string(text))
		if err != nil {
			panic(err) // the text is our own, and a test reads it
		}
		objects = append(objects, of...)
	}
	return objects
}

// definition matches an OBJECT-TYPE as our texts write it, clause by clause, or
// the definition of a node above others.
var definition = regexp.MustCompile(`(?s)\n(\w+)\s+(?:OBJECT-TYPE\s+SYNTAX\s+([^"]*?)\s+` +
	`(?:UNITS\s+"([^"]*)"\s+)?MAX-ACCESS\s+([\w-]+)\s+STATUS\s+current\s+DESCRIPTION\s+"([^"]*)"\s+(?:INDEX[^}]*}\s+)?|` +
	`OBJECT IDENTIFIER )::= { (\w+) (\d+) }`)

// parseObjects reads the object types with instances out of a module. It is no
// parser of SMIv2 at large.
func parseObjects(module, text string) ([]Object, error) {
	oids := map[string]smi.OID{"lvs": root, "lvsDirectorMIB": root.Append(100)}
	tables := map[string]string{} // the table of an entry
	var objects []Object
	for _, m := range definition.FindAllStringSubmatch(text, -1) {
		name, syntax, units, access, description, parent := m[1], oneLine(m[2]), m[3], m[4], m[5], m[6]
		above, ok := oids[parent]
		if !ok {
			return nil, fmt.Errorf("%s: %s is below %s, which is not defined before it", module, name, parent)
		}
		sub, err := strconv.ParseUint(m[7], 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", module, name, err)
		}
		oids[name] = above.Append(uint32(sub))
		switch access {
		case "read-only", "read-write":
		case "not-accessible":
			tables[name] = parent
			continue
		default: // a node, or for notifications alone
			continue
		}
		typ, err := wireType(syntax)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", module, name, err)
		}
		objects = append(objects, Object{
			Module: module, Name: name, OID: oids[name], Table: tables[parent], Type: typ,
			Syntax: syntax, Units: units, Writable: access == "read-write", Description: oneLine(description),
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
	case "INTEGER", "Integer32", "TimeInterval", "TruthValue", "InetAddressType", "InetVersion", "LvsdState", "LvsdMethod":
		return smi.Integer, nil
	case "OCTET", "SnmpAdminString", "DateAndTime", "InetAddress":
		return smi.OctetString, nil
	case "IpAddress":
		return smi.IPAddress, nil
	case "Counter32":
		return smi.Counter32, nil
	case "Counter64", "CounterBasedGauge64":
		return smi.Counter64, nil
	case "Gauge32", "Unsigned32", "InetPortNumber", "InetAddressPrefixLength":
		return smi.Gauge32, nil
	case "TimeTicks":
		return smi.TimeTicks, nil
	}
	return 0, fmt.Errorf("syntax %q is not one of our MIBs", syntax)
}
