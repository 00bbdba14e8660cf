package main

import (
	"fmt"
	"slices"
	"strings"
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
	anySource = shape{"type!": oneOf("prometheus"), "uid!": oneOf("${datasource}")}
	unit      = oneOf("none", "short", "percentunit", "Bps", "pps", "cps", "reqps", "bytes", "s", "dateTimeFromNow")
	aNumber   = "number"
	reducers  = []any{oneOf("lastNotNull", "max")}
	reduce    = shape{"calcs!": reducers, "fields!": "string", "values!": "bool"}
	tooltip   = shape{"mode!": oneOf("single", "multi", "none"), "sort!": oneOf("none", "asc", "desc")}
	legend    = shape{"calcs": reducers, "displayMode!": oneOf("list", "table"), "placement!": oneOf("bottom", "right"), "showLegend!": "bool",
		"sortBy": oneOf("Last *", "Max"), "sortDesc": "bool"}
	mappingOf   = shape{"type!": oneOf("value"), "options!": isMapping}
	stepOf      = shape{"color!": "string", "value!": "any"}
	stacking    = shape{"group!": "string", "mode!": oneOf("none", "normal", "percent")}
	targetShape = shape{"datasource!": anySource, "editorMode!": oneOf("code"), "expr!": "string", "format!": oneOf("time_series", "table"),
		"instant!": "bool", "range!": "bool", "legendFormat!": "string", "refId!": "string"}
	gridShape = shape{"h!": aNumber, "w!": aNumber, "x!": aNumber, "y!": aNumber}
	changes   = []any{shape{"id!": oneOf("merge", "organize"), "options!": isTransformation}}

	customOf = map[string]shape{
		"timeseries": {"axisPlacement!": oneOf("auto"), "axisSoftMin!": aNumber, "drawStyle!": oneOf("line", "bars", "points"), "fillOpacity!": aNumber,
			"lineInterpolation!": oneOf("linear", "smooth", "stepBefore", "stepAfter"), "lineWidth!": aNumber,
			"showPoints!": oneOf("auto", "never", "always"), "spanNulls!": "bool", "stacking!": stacking,
			"thresholdsStyle": shape{"mode!": oneOf("line", "dashed", "area")}},
		"state-timeline": {"fillOpacity!": aNumber, "lineWidth!": aNumber},
		"table":          {"align!": oneOf("auto", "left", "center", "right"), "displayMode!": oneOf("auto"), "filterable!": "bool"},
	}
	optionsOf = map[string]shape{
		"timeseries": {"legend!": legend, "tooltip!": tooltip},
		"stat": {"colorMode!": oneOf("none", "value", "background"), "graphMode!": oneOf("none", "area"), "justifyMode!": oneOf("auto", "center"),
			"orientation!": oneOf("auto", "horizontal", "vertical"), "textMode!": oneOf("auto", "name", "value", "value_and_name", "none"), "reduceOptions!": reduce},
		"bargauge": {"displayMode!": oneOf("basic", "gradient", "lcd"), "minVizHeight!": aNumber, "minVizWidth!": aNumber,
			"orientation!": oneOf("auto", "horizontal", "vertical"), "showUnfilled!": "bool", "reduceOptions!": reduce,
			"text!": shape{"titleSize!": aNumber, "valueSize!": aNumber}},
		"table": {"showHeader!": "bool", "sortBy": []any{shape{"displayName!": "string", "desc!": "bool"}}},
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
		"noValue": "string", "thresholds!": shape{"mode!": oneOf("absolute"), "steps!": []any{stepOf}}, "unit!": unit}
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
	"custom.displayMode": oneOf("color-text"), "custom.width": aNumber, "custom.minWidth": aNumber, "custom.filterable": "bool", "custom.fillOpacity": aNumber,
	"custom.lineStyle": shape{"fill!": oneOf("solid", "dash"), "dash": []any{aNumber}}, "unit": unit,
	"color": shape{"mode!": oneOf("fixed"), "fixedColor!": oneOf("green", "orange", "red", "purple")}, "noValue": "string", "mappings": []any{mappingOf},
	"links": []any{shape{"title!": "string", "url!": "string"}}, "thresholds": shape{"mode!": oneOf("absolute"), "steps!": []any{stepOf}},
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
