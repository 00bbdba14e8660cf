package main

import "maps"

// chart is a graph over time.
func chart(title, about, unit string, queries ...query) view {
	v := view{
		kind: "timeseries", title: title, about: about, unit: unit, queries: queries, width: 12, height: 9, // no none: the axis would say it, too
		custom: map[string]any{
			"axisPlacement": "auto", "axisSoftMin": 0, "drawStyle": "line", "fillOpacity": 10, "lineInterpolation": "linear", "lineWidth": 1,
			"showPoints": "never", "spanNulls": false, "stacking": map[string]any{"group": "A", "mode": "none"},
		},
		options: map[string]any{
			"legend": map[string]any{"calcs": []string{"lastNotNull", "max"}, "displayMode": "table", "placement": "bottom", "showLegend": true,
				"sortBy": "Last *", "sortDesc": true}, // as Grafana heads the column of lastNotNull
			"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
		},
	}
	if unit == "none" { // how many there are
		v.decimals = new(int)
	}
	return v
}

// stacked puts a chart's series on top of each other; those below the axis have a
// stack of their own.
func (v view) stacked() view {
	v.custom = maps.Clone(v.custom)
	v.custom["stacking"] = map[string]any{"group": "A", "mode": "normal"}
	v.custom["fillOpacity"] = 40
	for i, q := range v.queries {
		if q.below {
			v.overrides = append(v.overrides, override{matcher{"byFrameRefID", string(rune('A' + i))},
				[]property{{"custom.stacking", map[string]any{"group": "B", "mode": "normal"}}}})
		}
	}
	return v
}

// stepped draws a chart of what changes at once.
func (v view) stepped() view {
	v.custom = maps.Clone(v.custom)
	v.custom["lineInterpolation"] = "stepAfter"
	return v
}

// tall gives a chart of many series a legend that shows more than the first few.
func (v view) tall() view { return v.sized(v.width, 11) }

// limited draws a line where a chart's values become worth a look.
func (v view) limited(steps ...step) view {
	v.custom = maps.Clone(v.custom)
	v.custom["thresholdsStyle"] = map[string]any{"mode": "dashed"}
	v.steps = append([]step{{Color: "transparent"}}, steps...)
	return v
}

// counted draws a chart of what happens now and then: a line would leave out what
// has nothing beside it, and most series are at 0 in the end.
func (v view) counted() view {
	legend := maps.Clone(v.options["legend"].(map[string]any))
	legend["sortBy"] = "Max"
	v.options = maps.Clone(v.options)
	v.options["legend"] = legend
	v.custom = maps.Clone(v.custom)
	v.custom["drawStyle"], v.custom["fillOpacity"] = "bars", 80
	return v
}

// byState gives series named after states the colours that these have on the
// status page.
func (v view) byState() view {
	for _, s := range [][2]string{{"up", "green"}, {"overloaded", "purple"}, {"draining", "orange"}, {"down", "red"}} {
		v.overrides = append(v.overrides, override{matcher{"byName", s[0]},
			[]property{{"color", map[string]any{"mode": "fixed", "fixedColor": s[1]}}}})
	}
	return v
}

// dashed draws the series of a query, which are what should be, other than those
// that are.
func (v view) dashed(query string) view {
	v.overrides = append(v.overrides, override{matcher{"byFrameRefID", query},
		[]property{{"custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{6, 6}}}, {"custom.fillOpacity", 0}}})
	return v
}

// stat is one number, or one for each series.
func stat(title, about, unit string, steps []step, queries ...query) view {
	for i := range queries {
		queries[i].instant = true
	}
	return view{
		kind: "stat", title: title, about: about, unit: unit, queries: queries, width: 4, height: 4, none: "n/a",
		color: map[string]any{"mode": "thresholds"}, steps: steps,
		options: map[string]any{
			"colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
			"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
		},
	}
}

// bars is a bar for each series, from 0 to the whole.
func bars(title, about string, queries ...query) view {
	for i := range queries {
		queries[i].instant = true
	}
	return view{
		kind: "bargauge", title: title, about: about, unit: "percentunit", queries: queries, width: 12, height: 8, none: "n/a",
		color: map[string]any{"mode": "thresholds"}, steps: []step{{Color: "orange"}, above("green", 1)}, least: number(0), most: number(1),
		options: map[string]any{
			"displayMode": "basic", "minVizHeight": 10, "minVizWidth": 0, "orientation": "horizontal", "showUnfilled": true,
			"text":          map[string]any{"titleSize": 14, "valueSize": 18}, // else one bar alone has no room for its name
			"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
		},
	}
}

// timeline shows which of few states each series was in.
func timeline(title, about string, states []state, queries ...query) view {
	return view{
		kind: "state-timeline", title: title, about: about, unit: "none", queries: queries, width: 24, height: 8, none: "n/a",
		color: map[string]any{"mode": "thresholds"}, mappings: []map[string]any{mapping(states)},
		custom: map[string]any{"fillOpacity": 80, "lineWidth": 0},
		options: map[string]any{
			"alignValue": "left", "mergeValues": true, "rowHeight": 0.9, "showValue": "auto",
			"legend":  map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": false},
			"tooltip": map[string]any{"mode": "single", "sort": "none"},
		},
	}
}

// A column of a table: a label, or the value of the query of the same place in
// the list of those that have a unit.
type column struct {
	name  string // of the field
	title string
	unit  string
	link  *fieldLink
	words []state
	steps []step // of colours, where the value is judged
	width int    // pixels, of a name at least; 0 is by what it shows
	hide  bool
}

// A fieldLink is where a click on a cell leads.
type fieldLink struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// table shows the latest values of several queries, a row for each set of labels
// that they share.
func table(title, about string, columns []column, queries ...query) view {
	for i := range queries {
		queries[i].instant, queries[i].table = true, true
	}
	excluded := map[string]bool{"Time": true}
	order, renamed := map[string]int{}, map[string]string{}
	v := view{kind: "table", title: title, about: about, unit: "none", queries: queries, width: 24, height: 9, none: "n/a",
		color:   map[string]any{"mode": "thresholds"},
		custom:  map[string]any{"align": "auto", "displayMode": "auto", "filterable": false},
		options: map[string]any{"showHeader": true},
	}
	for i, c := range columns {
		if c.hide {
			v.overrides = append(v.overrides, override{matcher{"byName", c.name}, []property{{"custom.hidden", true}}})
			continue
		}
		order[c.name], renamed[c.name] = i, c.title
		v.overrides = append(v.overrides, override{matcher{"byName", c.title}, c.properties()})
	}
	v.transformations = []transformation{
		{"merge", map[string]any{}},
		{"organize", map[string]any{"excludeByName": excluded, "indexByName": order, "renameByName": renamed}},
	}
	return v
}

// properties are those of a column that differ from the table's.
func (c column) properties() (out []property) {
	out = append(out, property{"noValue", "n/a"})
	if c.unit != "" {
		out = append(out, property{"unit", c.unit})
	}
	// Names and addresses share what figures leave of the table's width.
	text, id := c.words == nil && c.unit == "", "custom.width"
	width := max(80, 7*len(c.title)+28) // so that the title can be read
	switch {
	case text:
		id, width = "custom.minWidth", 170 // an IPv6 address
	case c.words != nil:
		width = max(width, 95) // overloaded
	case c.unit == "dateTimeFromNow":
		width = 125
	}
	if c.width != 0 {
		width = c.width
	}
	out = append(out, property{id, width})
	if text || c.words != nil {
		out = append(out, property{"custom.filterable", true})
	}
	if c.words != nil {
		out = append(out, property{"mappings", []map[string]any{mapping(c.words)}}, property{"custom.displayMode", "color-text"})
	}
	if c.steps != nil {
		out = append(out, property{"thresholds", thresholds{"absolute", c.steps}}, property{"custom.displayMode", "color-text"})
	}
	if c.link != nil {
		out = append(out, property{"links", []fieldLink{*c.link}})
	}
	return out
}

// A state is what a value means, in a word and a colour.
type state struct {
	value, word, color string
}

var (
	upDown     = []state{{"0", "down", "red"}, {"1", "up", "green"}}
	answers    = append([]state{{"-1", "no answer", "red"}}, upDown...)
	yesNo      = []state{{"0", "no", "red"}, {"1", "yes", "green"}}
	realStates = []state{{"0", "down", "red"}, {"1", "draining", "orange"}, {"2", "overloaded", "purple"}, {"3", "up", "green"}}
	runs       = []state{{"1", "runs", "green"}}
	ifAny      = []state{{"0", "none", "text"}}
)

func mapping(states []state) map[string]any {
	options := map[string]any{}
	for i, s := range states {
		options[s.value] = map[string]any{"color": s.color, "index": i, "text": s.word}
	}
	return map[string]any{"type": "value", "options": options}
}

func number(v float64) *float64 { return &v }

// above is the step from a value on.
func above(color string, v float64) step { return step{color, &v} }

// plain leaves numbers without judgement, bad calls every number but 0 so, and
// good every number but 0 the opposite.
func plain() []step { return []step{{Color: "text"}} }
func bad() []step   { return []step{{Color: "green"}, above("red", 1)} }
func good() []step  { return []step{{Color: "red"}, above("green", 1)} }

// worstFirst sorts a table by its column State, in which those that are down come
// first.
func (v view) worstFirst() view {
	v.options = maps.Clone(v.options)
	v.options["sortBy"] = []map[string]any{{"displayName": "State", "desc": false}}
	return v
}

// share colours the part of a whole that is in service: none of it, some, all.
func share() []step { return []step{{Color: "red"}, above("orange", 0.001), above("green", 1)} }

// sized gives a view another size.
func (v view) sized(width, height int) view {
	v.width, v.height = width, height
	return v
}

// worded shows words in place of a view's values.
func (v view) worded(states []state) view {
	v.mappings = []map[string]any{mapping(states)}
	return v
}
