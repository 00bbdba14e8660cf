package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A template is the template file of a pack on its way.
type template struct {
	document
	names names
	errs  []error
}

// templateXML is what cli/import_template.php reads. The order of objects does
// not matter to it; that references lead to objects of the same file does, for
// those before 1.2.24 do not look in the database.
func templateXML(p pack, n names) (string, error) {
	t := &template{names: n}
	t.in("cacti", func() {
		t.host(p)
		for _, q := range p.queries {
			t.query(q)
			for _, g := range q.graphs {
				t.graph(g, find(q.stores, g.store))
			}
			for _, s := range q.stores {
				t.indexedStore(s)
			}
		}
		written := map[string]bool{}
		for _, g := range p.loose {
			t.graph(g.graph, g.scalars...)
			for _, s := range g.scalars {
				if !written[s.name] { // several graphs may share it
					t.scalarStore(s)
				}
				written[s.name] = true
			}
		}
		t.cdefs()
		t.in(id(gprintID, "number"), func() {
			t.leaf("name", "LVS - Number")
			t.leaf("gprint_text", "%8.2lf%s")
		})
		t.inputMethod(getSNMP)
		t.inputMethod(getSNMPIndexed)
	})
	text, err := t.text()
	return text, errors.Join(append(t.errs, err)...)
}

func find(stores []store, name string) store {
	for _, s := range stores {
		if s.name == name {
			return s
		}
	}
	return store{name: name}
}

func (t *template) host(p pack) {
	t.in(id(hostTemplateID, p.host), func() {
		t.leaf("name", p.title)
		t.leaf("class", "loadbalancer")
		var graphs, queries []string
		for _, g := range p.loose {
			graphs = append(graphs, id(graphTemplate, g.name))
		}
		for _, q := range p.queries {
			queries = append(queries, id(dataQuery, q.name))
		}
		t.leaf("graph_templates", strings.Join(graphs, "|"))
		t.leaf("data_queries", strings.Join(queries, "|"))
	})
}

func (t *template) query(q query) {
	t.in(id(dataQuery, q.name), func() {
		t.leaf("name", q.title)
		t.leaf("description", q.description)
		t.leaf("xml_path", "<path_cacti>/"+queries+"/"+q.name+".xml")
		t.leaf("data_input_id", getSNMPIndexed.id())
		t.in("graphs", func() {
			for _, g := range q.graphs {
				t.queryGraph(q, g)
			}
		})
	})
}

// queryGraph says of what columns a row's graph is made, and what graph and data
// source are called.
func (t *template) queryGraph(q query, g graph) {
	s := find(q.stores, g.store)
	t.in(id(queryGraph, q.name, g.name), func() {
		t.leaf("graph_template_id", id(graphTemplate, g.name))
		t.leaf("name", g.title)
		t.in("rrd", func() {
			t.numbered(len(s.sources), func(i int) {
				t.leaf("snmp_field_name", s.sources[i].column)
				t.leaf("data_template_id", id(dataTemplate, s.name))
				t.leaf("data_template_rrd_id", id(dataItem, s.name, s.sources[i].name))
			})
		})
		t.in("sv_graph", func() {
			t.in(id(graphTitle, q.name, g.name), func() {
				t.leaf("field_name", "title")
				t.leaf("sequence", "1")
				t.leaf("text", "|host_description| - "+q.subject+" - "+g.title)
			})
		})
		t.in("sv_data_source", func() {
			t.in(id(sourceTitle, q.name, g.name), func() {
				t.leaf("field_name", "name")
				t.leaf("data_template_id", id(dataTemplate, s.name))
				t.leaf("sequence", "1")
				t.leaf("text", "|host_description| - "+q.subject+" - "+s.title)
			})
		})
	})
}

// indexedStore is the data template of a table's rows.
func (t *template) indexedStore(s store) {
	t.store(s, getSNMPIndexed, map[string]string{})
}

// scalarStore is that of a scalar.
func (t *template) scalarStore(s store) {
	if len(s.sources) != 1 {
		t.errs = append(t.errs, fmt.Errorf("store %s: a scalar is a store of its own", s.name))
		return
	}
	oid, err := t.names.scalar(s.sources[0].column)
	t.errs = append(t.errs, err)
	t.store(s, getSNMP, map[string]string{"oid": oid})
}

// store writes a data template; values are those of the input method's fields.
// Step and heartbeat here only stand in for those of the profile that the pack
// is imported with.
func (t *template) store(s store, m method, values map[string]string) {
	t.in(id(dataTemplate, s.name), func() {
		t.leaf("name", "LVS - "+s.title)
		t.in("ds", func() {
			t.fixed("name", "|host_description| - "+s.title)
			t.leaf("data_source_path", "")
			t.leaf("data_input_id", m.id())
			t.fixed("data_source_profile_id", "0")
			t.fixed("rrd_step", "300")
			t.fixed("active", "on")
		})
		t.in("items", func() {
			for _, src := range s.sources {
				t.in(id(dataItem, s.name, src.name), func() {
					t.fixed("data_source_name", src.name)
					t.fixed("rrd_minimum", "0")
					t.fixed("rrd_maximum", "U")
					t.fixed("data_source_type_id", strconv.Itoa(int(src.kind)))
					t.fixed("rrd_heartbeat", "600")
					t.fixed("data_input_field_id", "0")
				})
			}
		})
		t.in("data", func() {
			t.numbered(len(m.fields), func(i int) {
				f := m.fields[i]
				t.leaf("data_input_field_id", f.id())
				t.leaf("t_value", map[bool]string{true: "on"}[f.perRow])
				t.leaf("value", values[f.data])
			})
		})
	})
}
