package main

import (
	"fmt"
	"path"
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
