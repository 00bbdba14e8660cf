package main

import (
	"errors"
	"fmt"
	"slices"
)

// A board describes a dashboard.
type board struct {
	uid, title, about string
	variables         []choice
	links             []string // uids of the dashboards to go to
	marks             []mark
	rows              []section
}

// A choice is a variable whose values are those of a label. Those before it in the
// list narrow it down.
type choice struct {
	label, title, about string
	metric              string // whose label it is
	many                bool   // several may be chosen
	all                 bool   // and all of them
	// absent says that series may lack the label, so that all of them means also
	// those.
	absent bool
}

// A mark is an annotation: where the query is above 0, something happened.
type mark struct {
	title, query, text, color string
}

// A section is a row of the dashboard and what is below it.
type section struct {
	title  string
	closed bool // until somebody opens it: what is hidden asks nothing
	views  []view
}

// A view describes a panel.
type view struct {
	kind            string // Grafana's name of the type of panel
	title, about    string
	width, height   int // in Grafana's grid, which is 24 wide
	unit            string
	queries         []query
	custom, options map[string]any
	color           map[string]any
	steps           []step
	mappings        []map[string]any
	least, most     *float64
	decimals        *int
	none            string // what is shown where there is no value
	overrides       []override
	transformations []transformation
}

// A query is one of a panel. Its metrics need no selectors for the variables.
type query struct {
	expr, legend string
	below        bool // the axis
	instant      bool // the latest value only
	table        bool // labels become columns
}

// gridWidth is that of Grafana's grid.
const gridWidth = 24

// build makes the dashboard. Its error names every query that cannot be.
func (b *board) build(known catalogue) (*dashboard, error) {
	d := &dashboard{
		Inputs: []input{{"DS_PROMETHEUS", "Prometheus", "The Prometheus that scrapes lvs-agent or lvs-exporter.",
			"datasource", "prometheus", "Prometheus"}},
		Requires:    requirements(b),
		Description: b.about, Editable: true, GraphTooltip: 1, Refresh: "30s", SchemaVersion: schemaVersion,
		Tags: []string{"lvs"}, Time: timeRange{"now-3h", "now"}, Timezone: "browser", Title: b.title, UID: b.uid, Version: 1,
		Links: []boardLink{},
	}
	for _, uid := range b.links {
		d.Links = append(d.Links, boardLink{Icon: "dashboard", IncludeVars: true, KeepTime: true, Tags: []string{},
			Title: titles[uid], Tooltip: "With the same time and choice", Type: "link", URL: "/d/" + uid})
	}
	errs := []error{b.addVariables(d, known), b.addMarks(d, known), b.addPanels(d, known)}
	return d, errors.Join(errs...)
}

// requirements are what the dashboard needs of Grafana.
func requirements(b *board) []require {
	out := []require{{"grafana", "grafana", "Grafana", "9.3.0"}, {"datasource", "prometheus", "Prometheus", "1.0.0"}}
	kinds := map[string]string{"timeseries": "Time series", "stat": "Stat", "table": "Table", "bargauge": "Bar gauge", "state-timeline": "State timeline"}
	for _, s := range b.rows {
		for _, v := range s.views {
			r := require{"panel", v.kind, kinds[v.kind], ""}
			if !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
	}
	return out
}

// matcher selects the series of the variable's value. Grafana escapes it for a
// regular expression only where there may be several values.
func (c choice) matcher() string {
	if c.many || c.all {
		return fmt.Sprintf(`%s=~"$%s"`, c.label, c.label)
	}
	return fmt.Sprintf(`%s="$%s"`, c.label, c.label)
}

func (b *board) addVariables(d *dashboard, known catalogue) error {
	// What an import asks for is what is chosen at first; where nobody asked,
	// Grafana finds no such data source and takes the default one.
	d.Templating.List = append(d.Templating.List, variable{
		Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus", Refresh: 1, Options: []struct{}{},
		Current: chosen{Text: "${DS_PROMETHEUS}", Value: "${DS_PROMETHEUS}"},
	})
	var errs []error
	for i, c := range b.variables {
		expr, labels, err := known.expand(c.metric, b.variables[:i])
		if err == nil && !slices.Contains(labels, c.label) {
			err = fmt.Errorf("%s has no label %q", c.metric, c.label)
		}
		errs = append(errs, err)
		text := fmt.Sprintf("label_values(%s, %s)", expr, c.label)
		v := variable{
			Name: c.label, Label: c.title, Description: c.about, Type: "query", Datasource: &prometheus,
			Definition: text, Query: variableQuery{text, "StandardVariableQuery"},
			Current: struct{}{}, Refresh: 2, Sort: 5, Multi: c.many, IncludeAll: c.all, Options: []struct{}{}, // 2: as time moves; 5: a, B, c
		}
		switch {
		case c.absent:
			v.AllValue = ".*"
		case c.all:
			v.AllValue = ".+"
		}
		if c.all && c.many {
			v.Current = chosen{Text: []string{"All"}, Value: []string{"$__all"}}
		} else if c.all {
			v.Current = chosen{Text: "All", Value: "$__all"}
		}
		d.Templating.List = append(d.Templating.List, v)
	}
	return errors.Join(errs...)
}

func (b *board) addMarks(d *dashboard, known catalogue) error {
	d.Annotations.List = append(d.Annotations.List, annotation{
		Name: "Annotations & Alerts", Datasource: source{"grafana", "-- Grafana --"}, Enable: true, Hide: true,
		IconColor: "rgba(0, 211, 255, 1)", BuiltIn: 1, Type: "dashboard",
	})
	var errs []error
	for _, m := range b.marks {
		expr, labels, err := known.expand(m.query, b.variables)
		errs = append(errs, err, checkFormat(m.text, withMade(labels, m.query)))
		d.Annotations.List = append(d.Annotations.List, annotation{
			Name: m.title, Datasource: prometheus, Enable: true, IconColor: m.color,
			Expr: expr, Step: "60s", TitleFormat: m.title, TextFormat: m.text,
		})
	}
	return errors.Join(errs...)
}

// addPanels sets the panels from left to right, in lines as high as the highest.
func (b *board) addPanels(d *dashboard, known catalogue) error {
	var errs []error
	id, y := 0, 0
	for _, s := range b.rows {
		id++
		closed := s.closed
		row := panel{ID: id, Type: "row", Title: s.title, GridPos: gridPos{1, gridWidth, 0, y}, Collapsed: &closed, Panels: &[]panel{}}
		y++
		x, high := 0, 0
		var inside []panel
		for _, v := range s.views {
			if x+v.width > gridWidth {
				x, y, high = 0, y+high, 0
			}
			id++
			p, err := v.build(known, b.variables)
			if err != nil {
				errs = append(errs, fmt.Errorf("panel %q: %w", v.title, err))
			}
			p.ID, p.GridPos = id, gridPos{v.height, v.width, x, y}
			x, high = x+v.width, max(high, v.height)
			inside = append(inside, p)
		}
		if s.closed {
			row.Panels = &inside
			d.Panels = append(d.Panels, row)
			continue // what is hidden takes no room: Grafana makes some when it opens the row
		}
		y += high
		d.Panels = append(append(d.Panels, row), inside...)
	}
	return errors.Join(errs...)
}

// build makes the panel but for its place.
func (v *view) build(known catalogue, variables []choice) (panel, error) {
	p := panel{Type: v.kind, PluginVersion: "9.3.0", Title: v.title, Description: v.about, Datasource: &prometheus, Options: v.options, Transformations: v.transformations}
	overrides := append([]override{}, v.overrides...) // never null
	var errs []error
	for i, q := range v.queries {
		expr, labels, err := known.expand(q.expr, variables)
		errs = append(errs, err, checkFormat(q.legend, labels))
		t := target{Datasource: prometheus, EditorMode: "code", Expr: expr, Format: "time_series",
			Instant: q.instant, Range: !q.instant, LegendFormat: q.legend, RefID: string(rune('A' + i))}
		if q.table {
			t.Format = "table"
		}
		p.Targets = append(p.Targets, t)
		if q.below {
			overrides = append(overrides, override{matcher{"byFrameRefID", t.RefID}, []property{{"custom.transform", "negative-Y"}}})
		}
	}
	steps := v.steps
	if steps == nil {
		steps = []step{{Color: "green"}}
	}
	color := v.color
	if color == nil {
		color = map[string]any{"mode": "palette-classic"}
	}
	p.FieldConfig = &fieldConfig{Overrides: overrides, Defaults: defaults{
		Color: color, Custom: v.custom, Decimals: v.decimals, Mappings: append([]map[string]any{}, v.mappings...),
		Max: v.most, Min: v.least, NoValue: v.none, Thresholds: thresholds{"absolute", steps}, Unit: v.unit,
	}}
	return p, errors.Join(errs...)
}
