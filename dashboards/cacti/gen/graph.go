package main

import (
	"strconv"
	"strings"
)

// frame are the settings of every graph, as Cacti names and orders them; empty
// ones are those that have no other value here.
var frame = []struct{ name, value string }{
	{"image_format_id", "1"},
	{"height", "200"},
	{"width", "700"},
	{"slope_mode", "on"},
	{"auto_scale", "on"},
	{"auto_scale_opts", "2"},
	{"auto_scale_log", ""},
	{"scale_log_units", ""},
	{"auto_scale_rigid", ""},
	{"upper_limit", "100"},
	{"lower_limit", "0"},
	{"unit_value", ""},
	{"unit_exponent_value", ""},
	{"unit_length", ""},
	{"no_gridfit", ""},
	{"alt_y_grid", ""},
	{"right_axis", ""},
	{"right_axis_label", ""},
	{"right_axis_format", "0"},
	{"right_axis_formatter", "0"},
	{"left_axis_formatter", "0"},
	{"auto_padding", "on"},
	{"dynamic_labels", ""},
	{"force_rules_legend", ""},
	{"tab_width", ""},
	{"legend_position", "0"},
	{"legend_direction", "0"},
}

// A row is one element of a graph as Cacti has them: something drawn, or one
// figure of the legend.
type row struct {
	id     string
	source string // full hash of the data source, or "0"
	kind   int    // as shapes are numbered
	colour string
	by     int // consolidation: 1 average, 3 maximum, 4 last
	cdef   cdef
	text   string
	end    bool // of the line in the legend
}

// Rows of the legend, by Cacti's numbers.
const (
	comment       = 1
	figure        = 9
	averageFigure = 14
)

// rows are the rows of a graph over stores.
func (g graph) rows(stores []store) []row {
	var rows []row
	for i, it := range g.items {
		source := sourceID(stores, it.source)
		add := func(role string, r row) {
			r.id, r.source = id(graphItem, g.name, it.source, string(it.drawn), role), source
			rows = append(rows, r)
		}
		if it.shape == hidden {
			// One figure and no more: every further way to consolidate would take
			// the next letter.
			last := i+1 == len(g.items) || g.items[i+1].shape != hidden
			add("average", row{kind: averageFigure, by: 1, cdef: it.told, text: it.label, end: last})
			continue
		}
		add("drawn", row{kind: int(it.shape), by: 1, cdef: it.drawn, text: it.label, colour: it.colour})
		add("last", row{kind: figure, by: 4, cdef: it.told, text: "Now:"})
		add("average", row{kind: figure, by: 1, cdef: it.told, text: "Average:"})
		add("maximum", row{kind: figure, by: 3, cdef: it.told, text: "Maximum:", end: true})
	}
	if g.note != "" {
		rows = append(rows, row{id: id(graphItem, g.name, "note"), source: "0", kind: comment, by: 1, text: g.note, end: true})
	}
	return rows
}

// sourceID is the hash of the data source with a name in one of stores.
func sourceID(stores []store, name string) string {
	for _, s := range stores {
		for _, src := range s.sources {
			if src.name == name {
				return id(dataItem, s.name, name)
			}
		}
	}
	return ""
}

// graph writes a graph template.
func (t *template) graph(g graph, stores ...store) {
	rows := g.rows(stores)
	t.in(id(graphTemplate, g.name), func() {
		t.leaf("name", "LVS - "+g.title)
		t.in("graph", func() {
			t.fixed("title", "|host_description| - "+g.title)
			t.fixed("vertical_label", g.vertical)
			t.fixed("base_value", strconv.Itoa(max(g.base, 1000)))
			for _, f := range frame {
				t.fixed(f.name, f.value)
			}
		})
		t.in("items", func() {
			for i, r := range rows {
				t.row(r, i+1)
			}
		})
		t.in("inputs", func() {
			for _, s := range stores {
				for _, src := range s.sources {
					t.input(g, s, src, rows)
				}
			}
		})
	})
}

func (t *template) row(r row, sequence int) {
	t.in(r.id, func() {
		t.leaf("graph_type_id", strconv.Itoa(r.kind))
		t.leaf("task_item_id", r.source)
		t.leaf("color_id", or(r.colour, "0"))
		t.leaf("alpha", "FF")
		t.leaf("consolidation_function_id", strconv.Itoa(r.by))
		t.leaf("cdef_id", r.cdef.id())
		t.leaf("vdef_id", "0")
		t.leaf("shift", "")
		t.leaf("value", "")
		t.leaf("gprint_id", id(gprintID, "number"))
		t.leaf("textalign", "")
		t.leaf("text_format", r.text)
		t.leaf("hard_return", map[bool]string{true: "on"}[r.end])
		t.leaf("line_width", "1.00")
		t.leaf("dashes", "")
		t.leaf("dash_offset", "0")
		t.leaf("sequence", strconv.Itoa(sequence))
	})
}

// input says which rows belong to a source, so that an operator may put another
// in its place.
func (t *template) input(g graph, s store, src source, rows []row) {
	var items []string
	for _, r := range rows {
		if r.source == id(dataItem, s.name, src.name) {
			// An item's hash is told as if it were a graph template's here.
			items = append(items, string("hash_"+graphTemplate)+strings.TrimPrefix(r.id, string("hash_"+graphItem)))
		}
	}
	if len(items) == 0 {
		return
	}
	t.in(id(graphInput, g.name, src.name), func() {
		t.leaf("name", "Data source ["+src.name+"]")
		t.leaf("description", "")
		t.leaf("column_name", "task_item_id")
		t.leaf("items", strings.Join(items, "|"))
	})
}
