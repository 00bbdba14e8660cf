package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A shape says what a JSON object may have: its fields, those that must be there
// marked by a "!" after the name. The value is a shape for an object, a []any of
// one for a list, a func(any) error, or the kind: "string", "number", "bool", "any".
type shape map[string]any

// oneOf takes the values listed.
func oneOf(values ...string) func(any) error {
	return func(v any) error {
		if s, ok := v.(string); !ok || !slices.Contains(values, s) {
			return fmt.Errorf("is %v, want one of %v", v, values)
		}
		return nil
	}
}

// fits holds v against what it should be, and returns what is wrong with it.
func fits(path string, v, want any) (errs []string) {
	wrong := func(format string, args ...any) { errs = append(errs, path+" "+fmt.Sprintf(format, args...)) }
	switch w := want.(type) {
	case string:
		kind := "null"
		switch v.(type) {
		case string:
			kind = "string"
		case float64:
			kind = "number"
		case bool:
			kind = "bool"
		}
		if w != "any" && kind != w {
			wrong("is a %s, want a %s", kind, w)
		}
	case func(any) error:
		if err := w(v); err != nil {
			wrong("%v", err)
		}
	case []any:
		list, ok := v.([]any)
		if !ok {
			wrong("is no list")
		}
		for i, e := range list {
			errs = append(errs, fits(fmt.Sprintf("%s[%d]", path, i), e, w[0])...)
		}
	case shape:
		object, ok := v.(map[string]any)
		if !ok {
			wrong("is no object")
			return errs
		}
		for name, field := range object {
			f, ok := w[name]
			if !ok {
				f, ok = w[name+"!"]
			}
			if !ok {
				wrong("has a field %q, which Grafana 9.3 does not know there", name)
				continue
			}
			errs = append(errs, fits(path+"."+name, field, f)...)
		}
		for name := range w {
			if base, must := strings.CutSuffix(name, "!"); must {
				if _, ok := object[base]; !ok {
					wrong("lacks %q", base)
				}
			}
		}
	}
	return errs
}

// Pieces of the schema. Source: Grafana 9.3's kinds/dashboard and public/app/plugins/panel.
var (
	anySource   = shape{"type!": oneOf("prometheus"), "uid!": oneOf("${datasource}")}
	unit        = oneOf("none", "short", "percentunit", "Bps", "pps", "cps", "reqps", "bytes", "s", "dateTimeFromNow")
	aNumber     = "number"
	reducers    = []any{oneOf("lastNotNull", "max")}
	reduce      = shape{"calcs!": reducers, "fields!": "string", "values!": "bool"}
	tooltip     = shape{"mode!": oneOf("single", "multi", "none"), "sort!": oneOf("none", "asc", "desc")}
	legend      = shape{"calcs": reducers, "displayMode!": oneOf("list", "table"), "placement!": oneOf("bottom", "right"), "showLegend!": "bool"}
	mappingOf   = shape{"type!": oneOf("value"), "options!": isMapping}
	stepOf      = shape{"color!": "string", "value!": "any"}
	stacking    = shape{"group!": "string", "mode!": oneOf("none", "normal", "percent")}
	targetShape = shape{"datasource!": anySource, "editorMode!": oneOf("code"), "expr!": "string", "format!": oneOf("time_series", "table"),
		"instant!": "bool", "range!": "bool", "legendFormat!": "string", "refId!": "string"}
	gridShape = shape{"h!": aNumber, "w!": aNumber, "x!": aNumber, "y!": aNumber}
	changes   = []any{shape{"id!": oneOf("merge", "organize"), "options!": isTransformation}}

	customOf = map[string]shape{
		"timeseries": {"axisPlacement!": oneOf("auto"), "drawStyle!": oneOf("line", "bars", "points"), "fillOpacity!": aNumber,
			"lineInterpolation!": oneOf("linear", "smooth", "stepBefore", "stepAfter"), "lineWidth!": aNumber,
			"showPoints!": oneOf("auto", "never", "always"), "spanNulls!": "bool", "stacking!": stacking},
		"state-timeline": {"fillOpacity!": aNumber, "lineWidth!": aNumber, "spanNulls!": "bool"},
		"table":          {"align!": oneOf("auto", "left", "center", "right"), "displayMode!": oneOf("auto"), "filterable!": "bool"},
	}
	optionsOf = map[string]shape{
		"timeseries": {"legend!": legend, "tooltip!": tooltip},
		"stat": {"colorMode!": oneOf("none", "value", "background"), "graphMode!": oneOf("none", "area"), "justifyMode!": oneOf("auto", "center"),
			"orientation!": oneOf("auto", "horizontal", "vertical"), "textMode!": oneOf("auto", "name", "value", "value_and_name", "none"), "reduceOptions!": reduce},
		"bargauge": {"displayMode!": oneOf("basic", "gradient", "lcd"), "minVizHeight!": aNumber, "minVizWidth!": aNumber,
			"orientation!": oneOf("auto", "horizontal", "vertical"), "showUnfilled!": "bool", "reduceOptions!": reduce},
		"table": {"showHeader!": "bool", "footer!": shape{"show!": "bool", "reducer!": []any{oneOf("sum")}, "fields!": "string"}},
		"state-timeline": {"alignValue!": oneOf("left", "center", "right"), "mergeValues!": "bool", "rowHeight!": aNumber,
			"showValue!": oneOf("auto", "always", "never"), "legend!": legend, "tooltip!": tooltip},
	}
)

// panelShape is what a panel of a type must look like.
func panelShape(kind string) (shape, bool) {
	if kind == "row" {
		return shape{"id!": aNumber, "type!": oneOf("row"), "title!": "string", "gridPos!": gridShape, "collapsed!": "bool", "panels!": []any{"any"}}, true
	}
	options, known := optionsOf[kind]
	fields := shape{"color!": shape{"mode!": oneOf("palette-classic", "thresholds")}, "decimals": aNumber, "mappings!": []any{mappingOf}, "max": aNumber, "min": aNumber,
		"noValue!": "string", "thresholds!": shape{"mode!": oneOf("absolute"), "steps!": []any{stepOf}}, "unit!": unit}
	if custom, ok := customOf[kind]; ok {
		fields["custom!"] = custom
	}
	return shape{
		"id!": aNumber, "type!": oneOf(kind), "pluginVersion!": oneOf("9.3.0"), "title!": "string", "description!": "string", "datasource!": anySource, "gridPos!": gridShape,
		"targets!": []any{targetShape}, "options!": options, "transformations": changes,
		"fieldConfig!": shape{"defaults!": fields, "overrides!": []any{shape{
			"matcher!":    shape{"id!": oneOf("byFrameRefID", "byName"), "options!": "string"},
			"properties!": []any{shape{"id!": "string", "value!": "any"}}}}},
	}, known
}

// propertyOf are the values of overrides.
var propertyOf = shape{
	"custom.transform": oneOf("constant", "negative-Y"), "custom.stacking": stacking, "custom.hidden": "bool",
	"custom.displayMode": oneOf("color-text"), "unit": unit, "noValue": "string", "mappings": []any{mappingOf},
	"links": []any{shape{"title!": "string", "url!": "string"}},
}

func isMapping(v any) error {
	options, ok := v.(map[string]any)
	if !ok || len(options) == 0 {
		return fmt.Errorf("maps nothing")
	}
	for value, to := range options {
		if errs := fits(value, to, shape{"color!": "string", "index!": aNumber, "text!": "string"}); errs != nil {
			return fmt.Errorf("%v", errs)
		}
	}
	return nil
}

func isTransformation(v any) error {
	for name := range v.(map[string]any) {
		if !slices.Contains([]string{"excludeByName", "indexByName", "renameByName"}, name) {
			return fmt.Errorf("has an option %q", name)
		}
	}
	return nil
}

var dashboardShape = shape{
	"__inputs!": []any{shape{"name!": oneOf("DS_PROMETHEUS"), "label!": "string", "description!": "string", "type!": oneOf("datasource"),
		"pluginId!": oneOf("prometheus"), "pluginName!": "string"}},
	"__elements!": shape{}, "__requires!": []any{shape{"type!": oneOf("grafana", "datasource", "panel"), "id!": "string", "name!": "string", "version!": "string"}},
	"annotations!": shape{"list!": []any{shape{"name!": "string", "datasource!": shape{"type!": "string", "uid!": "string"}, "enable!": "bool", "hide!": "bool", "iconColor!": "string",
		"expr": "string", "step": "string", "titleFormat": "string", "textFormat": "string", "tagKeys": "string", "builtIn": aNumber, "type": "string"}}},
	"description!": "string", "editable!": "bool", "graphTooltip!": aNumber, "id!": func(v any) error {
		if v != nil {
			return fmt.Errorf("is %v: Grafana gives the number", v)
		}
		return nil
	},
	"links!": []any{shape{"asDropdown!": "bool", "icon!": "string", "includeVars!": "bool", "keepTime!": "bool", "tags!": []any{"string"},
		"targetBlank!": "bool", "title!": "string", "tooltip!": "string", "type!": oneOf("link"), "url!": "string"}},
	"panels!": []any{"any"}, "refresh!": "string", "schemaVersion!": aNumber, "tags!": []any{"string"},
	"templating!": shape{"list!": []any{"any"}}, "time!": shape{"from!": "string", "to!": "string"}, "timepicker!": shape{},
	"timezone!": oneOf("browser"), "title!": "string", "uid!": "string", "version!": aNumber,
}

var variableShape = shape{"name!": "string", "label!": "string", "description": "string", "type!": oneOf("query", "datasource"), "datasource": anySource,
	"definition": "string", "query!": "any", "refresh!": aNumber, "regex!": "string", "sort!": aNumber, "multi!": "bool", "includeAll!": "bool", "allValue": "string",
	"current!": shape{"selected": "bool", "text": "any", "value": "any"}, "hide!": aNumber, "options!": []any{"any"}, "skipUrlSync!": "bool"}

// The files are what Grafana 9.3 reads: no field that it does not know, every one
// that its panels need.
func TestFilesFitGrafana(t *testing.T) {
	uids := map[string]bool{}
	texts := map[string]string{}
	for _, b := range boards() {
		text, err := os.ReadFile(filepath.Join("..", b.uid+".json"))
		if err != nil {
			t.Fatal(err)
		}
		uids[b.uid], texts[b.uid] = true, string(text)
	}
	for uid, text := range texts {
		t.Run(uid, func(t *testing.T) {
			checkDashboard(t, text)
			for _, m := range regexp.MustCompile(`"/d/([\w-]+)`).FindAllStringSubmatch(text, -1) {
				if !uids[m[1]] {
					t.Errorf("links to %s, which does not exist", m[1])
				}
			}
		})
	}
}

func checkDashboard(t *testing.T, text string) {
	var d map[string]any
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	report(t, fits("", d, dashboardShape))
	if d["schemaVersion"] != float64(schemaVersion) || len(d["uid"].(string)) > 40 {
		t.Errorf("schema %v, uid %v", d["schemaVersion"], d["uid"])
	}
	variables := map[string]bool{"DS_PROMETHEUS": true, "__rate_interval": true, "__range": true, "__url_time_range": true}
	for i, v := range d["templating"].(map[string]any)["list"].([]any) {
		report(t, fits(fmt.Sprintf("variable %d", i), v, variableShape))
		variables[v.(map[string]any)["name"].(string)] = true
	}
	for _, m := range regexp.MustCompile(`\$\{?([a-z_]\w+|DS_PROMETHEUS)`).FindAllStringSubmatch(text, -1) {
		if !variables[m[1]] && m[1] != "__data" && m[1] != "__all" {
			t.Errorf("uses $%s, which is no variable", m[1])
		}
	}
	ids := map[float64]bool{}
	taken := map[[2]int]string{}
	used := map[string]bool{}
	for _, p := range d["panels"].([]any) {
		p := p.(map[string]any)
		checkPanel(t, p, ids, taken)
		used[p["type"].(string)] = true
		if p["type"] == "row" {
			inner := map[[2]int]string{}
			for _, q := range p["panels"].([]any) {
				checkPanel(t, q.(map[string]any), ids, inner)
			}
		}
	}
	delete(used, "row") // is part of Grafana
	required := map[string]bool{}
	for _, r := range d["__requires"].([]any) {
		if r := r.(map[string]any); r["type"] == "panel" {
			required[r["id"].(string)] = true
		}
	}
	if !maps.Equal(used, required) {
		t.Errorf("requires panels %v, uses %v", required, used)
	}
}

// checkPanel holds a panel against its type's shape, and its id and place against
// those before it.
func checkPanel(t *testing.T, p map[string]any, ids map[float64]bool, taken map[[2]int]string) {
	title, _ := p["title"].(string)
	kind, _ := p["type"].(string)
	want, known := panelShape(kind)
	if !known {
		t.Errorf("%s: panels of type %q are not checked", title, kind)
		return
	}
	if errs := fits("panel "+title, p, want); errs != nil {
		report(t, errs)
		return
	}
	id := p["id"].(float64)
	if ids[id] || id < 1 {
		t.Errorf("%s: id %v is taken", title, id)
	}
	ids[id] = true
	g := p["gridPos"].(map[string]any)
	x, y, w, h := int(g["x"].(float64)), int(g["y"].(float64)), int(g["w"].(float64)), int(g["h"].(float64))
	if x < 0 || y < 0 || w < 1 || h < 1 || x+w > gridWidth {
		t.Errorf("%s: is off the grid: %v", title, g)
	}
	for i := x; i < x+w; i++ {
		for j := y; j < y+h; j++ {
			if other := taken[[2]int{i, j}]; other != "" {
				t.Fatalf("%s: lies on %s", title, other)
			}
			taken[[2]int{i, j}] = title
		}
	}
	if kind != "row" {
		checkContent(t, title, p)
	}
}

// checkContent checks what a panel's parts say of each other.
func checkContent(t *testing.T, title string, p map[string]any) {
	refs := map[string]bool{}
	for _, q := range p["targets"].([]any) {
		q := q.(map[string]any)
		ref := q["refId"].(string)
		if refs[ref] || !regexp.MustCompile(`^[A-Z]$`).MatchString(ref) {
			t.Errorf("%s: refId %q", title, ref)
		}
		refs[ref] = true
		if q["instant"] == q["range"] || q["expr"] == "" {
			t.Errorf("%s %s: instant %v, range %v, query %q", title, ref, q["instant"], q["range"], q["expr"])
		}
		if isTable := p["type"] == "table"; isTable != (q["format"] == "table") {
			t.Errorf("%s %s: format %v in a %v", title, ref, q["format"], p["type"])
		}
	}
	if len(refs) == 0 || p["title"] == "" || !strings.HasSuffix(p["description"].(string), ".") {
		t.Errorf("%s: %d queries, description %q", title, len(refs), p["description"])
	}
	config := p["fieldConfig"].(map[string]any)
	for i, s := range config["defaults"].(map[string]any)["thresholds"].(map[string]any)["steps"].([]any) {
		if value := s.(map[string]any)["value"]; (value == nil) != (i == 0) {
			t.Errorf("%s: step %d is from %v", title, i, value)
		}
	}
	for _, o := range config["overrides"].([]any) {
		o := o.(map[string]any)
		if m := o["matcher"].(map[string]any); m["id"] == "byFrameRefID" && !refs[m["options"].(string)] {
			t.Errorf("%s: there is no query %v to override", title, m["options"])
		}
		for _, v := range o["properties"].([]any) {
			v := v.(map[string]any)
			want, known := propertyOf[v["id"].(string)]
			if !known {
				t.Errorf("%s: overrides %v", title, v["id"])
				continue
			}
			report(t, fits(title+" "+v["id"].(string), v["value"], want))
		}
	}
}

func report(t *testing.T, errs []string) {
	t.Helper()
	slices.Sort(errs)
	for _, e := range errs {
		t.Error(e)
	}
}

// The checker finds what is wrong.
func TestCheckerFinds(t *testing.T) {
	files, err := render([]board{fleet()}, catalogued(t))
	if err != nil {
		t.Fatal(err)
	}
	text := string(files[fleetUID+".json"])
	for _, tt := range [][2]string{
		{`"drawStyle"`, `"drawstyle"`}, {`"unit": "Bps"`, `"unit": "Bytes"`}, {`"uid": "${datasource}"`, `"uid": "P123"`},
		{`"negative-Y"`, `"negative"`}, {`"mode": "multi"`, `"mode": true`}, {`"legendFormat"`, `"legend"`},
	} {
		var d map[string]any
		if err := json.Unmarshal([]byte(strings.ReplaceAll(text, tt[0], tt[1])), &d); err != nil {
			t.Fatal(err)
		}
		var errs []string
		for _, p := range d["panels"].([]any) {
			p := p.(map[string]any)
			want, _ := panelShape(p["type"].(string))
			errs = append(errs, fits("panel", p, want)...)
			if config, ok := p["fieldConfig"].(map[string]any); ok {
				for _, o := range config["overrides"].([]any) {
					for _, v := range o.(map[string]any)["properties"].([]any) {
						v := v.(map[string]any)
						errs = append(errs, fits("override", v["value"], propertyOf[v["id"].(string)])...)
					}
				}
			}
		}
		if len(errs) == 0 {
			t.Errorf("%s for %s is not found", tt[1], tt[0])
		}
	}
}
