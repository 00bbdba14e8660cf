package schema

import "strings"

// A migration is what a version of Grafana makes of a table's field as it loads a
// dashboard that is older: its id, as in an override, and its value.
type migration func(id string, value any) (string, any)

// cells is that to schema version 38, of Grafana 10.0: how a cell is displayed has
// become an object. Source: apps/dashboard/pkg/migration/schemaversion/v38.go. Of
// its cases, those are left out that no table of ours is in: bars and backgrounds.
func cells(id string, value any) (string, any) {
	if id != "custom.displayMode" {
		return id, value
	}
	return "custom.cellOptions", object{"type": value}
}

// hidden is that of Grafana 12.2, where columns are hidden as series are. Source:
// public/app/plugins/panel/table/migrations.ts. The versions up to schema 42, the
// newest, change nothing else in what our dashboards have.
func hidden(id string, value any) (string, any) {
	if id != "custom.hidden" {
		return id, value
	}
	return "custom.hideFrom.viz", value
}

// migrate changes the fields of a panel as its version of Grafana does.
func migrate(panel object, by []migration) {
	if panel["type"] != "table" {
		return
	}
	config := panel["fieldConfig"].(object)
	for _, m := range by {
		custom := object{}
		for name, value := range config["defaults"].(object)["custom"].(object) {
			id, value := m("custom."+name, value)
			custom[strings.TrimPrefix(id, "custom.")] = value
		}
		config["defaults"].(object)["custom"] = custom
		for _, o := range list(config, "overrides") {
			for _, property := range list(o, "properties") {
				property["id"], property["value"] = m(property["id"].(string), property["value"])
			}
		}
	}
}
