package main

// The types below are Grafana's JSON, as far as it is used here: fields that
// schema version 37 (Grafana 9.3) has and later versions still read.

// schemaVersion is that of Grafana 9.3; later ones migrate it when they load it.
const schemaVersion = 37

type dashboard struct {
	Inputs        []input     `json:"__inputs"`
	Elements      struct{}    `json:"__elements"`
	Requires      []require   `json:"__requires"`
	Annotations   listOf      `json:"annotations"`
	Description   string      `json:"description"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"` // 1: one crosshair for all panels
	ID            *int        `json:"id"`           // null: Grafana gives one
	Links         []boardLink `json:"links"`
	Panels        []panel     `json:"panels"`
	Refresh       string      `json:"refresh"`
	SchemaVersion int         `json:"schemaVersion"`
	Tags          []string    `json:"tags"`
	Templating    listOf      `json:"templating"`
	Time          timeRange   `json:"time"`
	Timepicker    struct{}    `json:"timepicker"`
	Timezone      string      `json:"timezone"`
	Title         string      `json:"title"`
	UID           string      `json:"uid"`
	Version       int         `json:"version"`
}

type input struct {
	Name        string `json:"name"`
	Label       string `json:"label"`
	Description string `json:"description"`
	Type        string `json:"type"`
	PluginID    string `json:"pluginId"`
	PluginName  string `json:"pluginName"`
}

type require struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Version string `json:"version"`
}

type listOf struct {
	List []any `json:"list"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type source struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// prometheus is the data source that the variable names.
var prometheus = source{"prometheus", "${datasource}"}

type boardLink struct {
	AsDropdown  bool     `json:"asDropdown"`
	Icon        string   `json:"icon"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	Tags        []string `json:"tags"`
	TargetBlank bool     `json:"targetBlank"`
	Title       string   `json:"title"`
	Tooltip     string   `json:"tooltip"`
	Type        string   `json:"type"`
	URL         string   `json:"url"`
}

type variable struct {
	Name        string     `json:"name"`
	Label       string     `json:"label"`
	Description string     `json:"description,omitempty"`
	Type        string     `json:"type"`
	Datasource  *source    `json:"datasource,omitempty"`
	Definition  string     `json:"definition,omitempty"`
	Query       any        `json:"query"` // variableQuery, or the type of a data source
	Refresh     int        `json:"refresh"`
	Regex       string     `json:"regex"`
	Sort        int        `json:"sort"`
	Multi       bool       `json:"multi"`
	IncludeAll  bool       `json:"includeAll"`
	AllValue    string     `json:"allValue,omitempty"`
	Current     any        `json:"current"` // chosen, or {}
	Hide        int        `json:"hide"`
	Options     []struct{} `json:"options"`
	SkipURLSync bool       `json:"skipUrlSync"`
}

type variableQuery struct {
	Query string `json:"query"`
	RefID string `json:"refId"`
}

type chosen struct {
	Selected bool `json:"selected"`
	Text     any  `json:"text"`
	Value    any  `json:"value"`
}

type annotation struct {
	Name        string `json:"name"`
	Datasource  source `json:"datasource"`
	Enable      bool   `json:"enable"`
	Hide        bool   `json:"hide"`
	IconColor   string `json:"iconColor"`
	Expr        string `json:"expr,omitempty"`
	Step        string `json:"step,omitempty"`
	TitleFormat string `json:"titleFormat,omitempty"`
	TextFormat  string `json:"textFormat,omitempty"`
	TagKeys     string `json:"tagKeys,omitempty"`
	BuiltIn     int    `json:"builtIn,omitempty"`
	Type        string `json:"type,omitempty"`
}

type panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	PluginVersion   string           `json:"pluginVersion,omitempty"` // else Grafana takes it for one of version 6
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	Datasource      *source          `json:"datasource,omitempty"`
	GridPos         gridPos          `json:"gridPos"`
	Collapsed       *bool            `json:"collapsed,omitempty"`
	Panels          *[]panel         `json:"panels,omitempty"` // of a row: those that it hides
	Targets         []target         `json:"targets,omitempty"`
	FieldConfig     *fieldConfig     `json:"fieldConfig,omitempty"`
	Options         map[string]any   `json:"options,omitempty"`
	Transformations []transformation `json:"transformations,omitempty"`
}

type gridPos struct {
	H int `json:"h"`
	W int `json:"w"`
	X int `json:"x"`
	Y int `json:"y"`
}

type target struct {
	Datasource   source `json:"datasource"`
	EditorMode   string `json:"editorMode"`
	Expr         string `json:"expr"`
	Format       string `json:"format"`
	Instant      bool   `json:"instant"`
	LegendFormat string `json:"legendFormat"`
	Range        bool   `json:"range"`
	RefID        string `json:"refId"`
}

type fieldConfig struct {
	Defaults  defaults   `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type defaults struct {
	Color      map[string]any   `json:"color"`
	Custom     map[string]any   `json:"custom,omitempty"`
	Decimals   *int             `json:"decimals,omitempty"`
	Mappings   []map[string]any `json:"mappings"`
	Max        *float64         `json:"max,omitempty"`
	Min        *float64         `json:"min,omitempty"`
	NoValue    string           `json:"noValue,omitempty"`
	Thresholds thresholds       `json:"thresholds"`
	Unit       string           `json:"unit"`
}

type thresholds struct {
	Mode  string `json:"mode"`
	Steps []step `json:"steps"`
}

type step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"` // null: from minus infinity
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options any    `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

type transformation struct {
	ID      string         `json:"id"`
	Options map[string]any `json:"options"`
}
