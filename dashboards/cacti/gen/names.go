package main

import (
	"fmt"

	"lvs/mib"
)

// names are object identifiers by the name of the object type in a MIB.
type names map[string]string

func identifiers(objects []mib.Object) names {
	n := names{}
	for _, o := range objects {
		n[o.Name] = "." + o.OID.String()
	}
	return n
}

// oid is the identifier of a column.
func (n names) oid(name string) (string, error) {
	if oid, ok := n[name]; ok {
		return oid, nil
	}
	return "", fmt.Errorf("no MIB has an object %s", name)
}

// scalar is the identifier of a scalar's only instance.
func (n names) scalar(name string) (string, error) {
	oid, err := n.oid(name)
	return oid + ".0", err
}
