package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An object is one of JSON.
type object = map[string]any

// A statement says that a part of a dashboard is of a type of Grafana's, in a line
// of TypeScript.
type statement struct {
	about string // dashboard, panel, and the part of it
	part  any
	as    string // the type, without Stored
	wrong bool   // it is not of that type, and the compiler has to say so
}

func (s statement) String() string {
	text, err := json.Marshal(s.part)
	if err != nil {
		panic(err) // it came from JSON
	}
	return fmt.Sprintf("(%s) satisfies Stored<%s>;\n", text, s.as)
}

// without is an object less some of its fields, and those fields.
func without(o object, names ...string) (rest, taken object) {
	rest, taken = maps.Clone(o), object{}
	for _, name := range names {
		if v, ok := o[name]; ok {
			taken[name] = v
			delete(rest, name)
		}
	}
	return rest, taken
}

// list is a field's, empty where it is missing.
func list(o object, name string) (out []object) {
	items, _ := o[name].([]any)
	for _, item := range items {
		out = append(out, item.(object))
	}
	return out
}

// statements are those of a whole dashboard as a version of Grafana has it when it
// has loaded it. What an import asks for is no part of the dashboard that Grafana
// keeps, and has no type.
func statements(dashboard object, by []migration) (out []statement) {
	title := dashboard["title"].(string)
	board, rest := without(dashboard, "__inputs", "__elements", "__requires", "panels", "templating", "annotations")
	out = append(out, statement{about: title, part: board, as: `Grafana["board"]`})
	for _, v := range list(rest["templating"].(object), "list") {
		out = append(out, statement{about: fmt.Sprintf("%s, variable %v", title, v["name"]), part: v, as: `Grafana["variable"]`})
	}
	for _, a := range list(rest["annotations"].(object), "list") {
		out = append(out, statement{about: fmt.Sprintf("%s, annotation %v", title, a["name"]), part: a, as: `Grafana["annotation"]`})
	}
	for _, p := range list(rest, "panels") {
		about := fmt.Sprintf("%s, %v", title, p["title"])
		if p["type"] != "row" {
			migrate(p, by)
			out = append(out, panelStatements(about, p)...)
			continue
		}
		row, _ := without(p, "panels")
		out = append(out, statement{about: about, part: row, as: `Grafana["row"]`})
		for _, inside := range list(p, "panels") {
			migrate(inside, by)
			out = append(out, panelStatements(fmt.Sprintf("%s, %v", about, inside["title"]), inside)...)
		}
	}
	return out
}

// panelStatements are those of a panel other than a row.
func panelStatements(about string, p object) (out []statement) {
	add := func(what string, part any, as string) {
		out = append(out, statement{about: about + ": " + what, part: part, as: as})
	}
	kind := fmt.Sprintf("[%q]", p["type"])
	panel, rest := without(p, "options", "fieldConfig", "targets")
	add("panel", panel, `Grafana["panel"]`)
	add("options", rest["options"], `Grafana["options"]`+kind)
	for _, q := range list(rest, "targets") {
		add(fmt.Sprintf("query %v", q["refId"]), q, query)
	}
	config := rest["fieldConfig"].(object)
	standard, custom := without(config["defaults"].(object), "custom")
	add("field", standard, `Grafana["field"]`)
	if custom != nil && custom["custom"] != nil {
		add("custom", custom["custom"], `Grafana["custom"]`+kind)
	}
	for _, o := range list(config, "overrides") {
		for _, property := range list(o, "properties") {
			id := property["id"].(string)
			as := fmt.Sprintf(`Grafana["field"][%q]`, id)
			if names, ok := strings.CutPrefix(id, "custom."); ok {
				as = `Grafana["custom"]` + kind
				for name := range strings.SplitSeq(names, ".") {
					as = fmt.Sprintf("NonNullable<%s[%q]>", as, name)
				}
			}
			add("override of "+id, property["value"], as)
		}
	}
	return out
}

// query is the type of a target, which not every version has.
const query = "PrometheusQuery"

// mistakes are what the compiler has to find, so that what it does not find is
// right: a name and a word of each kind of part that no version of Grafana knows.
func mistakes() (out []statement) {
	for as, parts := range map[string][]object{
		`Grafana["board"]`:                     {{"graphTooltips": 1.}, {"graphTooltip": "shared"}, {"links": []any{object{"title": "no type"}}}},
		`Grafana["row"]`:                       {{"colapsed": true}},
		`Grafana["panel"]`:                     {{"fieldconfig": object{}}, {"gridPos": object{"height": 8.}}},
		`Grafana["field"]`:                     {{"units": "s"}, {"color": object{"mode": "palette"}}, {"thresholds": object{"mode": "absolute", "steps": []any{object{"value": 1.}}}}},
		`Grafana["variable"]`:                  {{"type": "prometheus"}},
		`Grafana["annotation"]`:                {{"expression": "up"}},
		`Grafana["options"]["timeseries"]`:     {{"legend": object{"displayMode": "tables"}}, {"tooltip": object{"modes": "multi"}}},
		`Grafana["options"]["stat"]`:           {{"colorMode": "text"}, {"reduceOptions": object{"calc": []any{}}}},
		`Grafana["options"]["bargauge"]`:       {{"displayMode": "plain"}, {"graphMode": "none"}},
		`Grafana["options"]["table"]`:          {{"header": true}},
		`Grafana["options"]["state-timeline"]`: {{"showValue": "sometimes"}, {"rowHeight": "0.9"}},
		`Grafana["custom"]["timeseries"]`:      {{"drawstyle": "line"}, {"stacking": object{"mode": "all"}}, {"transform": "negative"}},
		`Grafana["custom"]["table"]`:           {{"cellOptions": object{"type": "colored"}}, {"displayMode": "coloured"}, {"align": "middle"}},
		`Grafana["custom"]["state-timeline"]`:  {{"fillOpacity": "80"}, {"drawStyle": "line"}},
		query:                                  {{"legend": "a"}, {"format": "tables"}, {"editorMode": "text"}},
	} {
		for _, part := range parts {
			out = append(out, statement{about: "a mistake", part: part, as: as, wrong: true})
		}
	}
	slices.SortFunc(out, func(a, b statement) int { return strings.Compare(a.String(), b.String()) })
	return out
}
