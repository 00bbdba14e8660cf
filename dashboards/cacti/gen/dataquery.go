package main

import (
	"errors"
	"regexp"
	"strings"
)

// dataQueryXML is the file that tells Cacti's poller how to walk a table. Its
// elements: https://docs.cacti.net/Data-Queries.md.
func dataQueryXML(q query, n names) (string, error) {
	var errs []error
	must := func(oid string, err error) string {
		errs = append(errs, err)
		return oid
	}
	var d document
	d.in("interface", func() {
		d.leaf("name", q.title)
		d.leaf("description", q.description)
		index := must(n.oid(q.index))
		d.leaf("oid_index", index)
		if q.deep {
			// The same pattern has to find the index behind every column.
			entry := index[:max(0, strings.LastIndexByte(index, '.'))]
			d.leaf("oid_index_parse", "OID/REGEXP:.*"+regexp.QuoteMeta(entry)+`\.[0-9]+\.([0-9.]+)$`)
		}
		if q.count != "" {
			d.leaf("oid_num_indexes", must(n.scalar(q.count)))
		}
		d.leaf("oid_uptime", must(n.scalar(q.moved)))
		d.leaf("index_order", strings.Join(q.order, ":"))
		// Without it Cacti never notices that a row has moved.
		d.leaf("index_order_type", map[bool]string{true: "numeric", false: "alphabetic"}[q.numeric])
		d.leaf("index_title_format", "|chosen_order_field|")
		d.in("fields", func() {
			for _, in := range q.inputs {
				d.in(in.field, func() {
					d.leaf("name", in.title)
					d.leaf("method", "walk")
					if in.source == "index" {
						d.leaf("source", "index")
					} else {
						d.leaf("source", or(in.source, "value"))
					}
					d.leaf("direction", "input")
					if in.source != "index" {
						d.leaf("oid", must(n.oid(in.field)))
					}
				})
			}
			for _, s := range q.stores {
				for _, src := range s.sources {
					d.in(src.column, func() {
						d.leaf("name", src.column)
						d.leaf("method", "walk")
						d.leaf("source", "value")
						d.leaf("direction", "output")
						d.leaf("oid", must(n.oid(src.column)))
					})
				}
			}
		})
	})
	text, err := d.text()
	return text, errors.Join(append(errs, err)...)
}

// or is s, or else what stands for an empty one.
func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
