package main

import (
	"fmt"
	"path"

	"lvs/mib"
)

// queries is where Cacti looks for data queries, below its own directory.
const queries = "resource/snmp_queries"

// render makes the files of packs, by name: templates, and below resource the
// data queries where Cacti expects them.
func render(packs []pack, n names) (map[string]string, error) {
	files := map[string]string{}
	for _, p := range packs {
		text, err := templateXML(p, n)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.file, err)
		}
		files[p.file] = text
		for _, q := range p.queries {
			text, err := dataQueryXML(q, n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", q.name, err)
			}
			files[path.Join(queries, q.name+".xml")] = text
		}
	}
	return files, nil
}

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
