package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lvs/collector/prom"
)

// rulesFile are the recording rules that go with the dashboards.
const rulesFile = "../../prometheus/lvs.rules.yml"

// catalogued is the catalogue that dashboards are made with.
func catalogued(t *testing.T) catalogue {
	t.Helper()
	rules, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	known, err := newCatalogue(prom.Descriptions(), rules)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// What is in the tree is what the description says now.
func TestFilesAreFresh(t *testing.T) {
	files, err := render(boards(), catalogued(t))
	if err != nil {
		t.Fatal(err)
	}
	again, err := render(boards(), catalogued(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if string(again[name]) != string(want) {
			t.Errorf("%s: two generations differ", name)
		}
		got, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Error(err)
		} else if string(got) != string(want) {
			t.Errorf("%s is stale: run go generate ./dashboards/grafana/gen", name)
		}
	}
	shipped, err := filepath.Glob("../*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(shipped) != len(files) {
		t.Errorf("%d dashboards are shipped, %d are described", len(shipped), len(files))
	}
}

// A query takes the variables that its metrics have labels for.
func TestExpand(t *testing.T) {
	known := catalogued(t)
	variables := []choice{{label: "job", all: true}, {label: "service"}}
	for query, want := range map[string]string{
		"lvs_up": `lvs_up{job=~"$job"}`,
		`sum by (service) (rate(lvs_service_connections_total[5m]))`:        `sum by (service) (rate(lvs_service_connections_total{job=~"$job",service="$service"}[5m]))`,
		`lvs_service_real_servers{state="up"}`:                              `lvs_service_real_servers{job=~"$job",service="$service",state="up"}`,
		`rate(lvs_agent_sample_duration_seconds_bucket[$__rate_interval])`:  `rate(lvs_agent_sample_duration_seconds_bucket{job=~"$job"}[$__rate_interval])`,
		`label_replace(lvs_up, "for", ".*", "director", "") and lvs_up > 0`: `label_replace(lvs_up{job=~"$job"}, "for", ".*", "director", "") and lvs_up{job=~"$job"} > 0`,
	} {
		got, _, err := known.expand(query, variables)
		if err != nil || got != want {
			t.Errorf("%s becomes\n%s (%v), want\n%s", query, got, err, want)
		}
	}
}

// Names that collector/prom does not have end the generation.
func TestUnknownNames(t *testing.T) {
	for _, tt := range []struct{ name, expr, legend, want string }{
		{"metric", "rate(lvs_service_conections_total[5m])", "", "lvs_service_conections_total"},
		{"rule", "director:lvs_service_down:sum", "", "director:lvs_service_down:sum"},
		{"label of a rule", "sum by (service) (director:lvs_services_down:sum)", "", "service"},
		{"histogram without its part", "lvs_agent_sample_duration_seconds", "", "lvs_agent_sample_duration_seconds"},
		{"label of an aggregation", "sum by (scheduler) (lvs_service_up)", "", "scheduler"},
		{"label of a matcher", `lvs_service_up{real="a"}`, "", `"real"`},
		{"label of a legend", "lvs_service_up", "{{real}}", `"real"`},
		{"function", "rat(lvs_service_connections_total[5m])", "", "rat"},
		{"selector alone", `{job="lvs"}`, "", "selects from no metric"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := board{uid: "x", rows: []section{{title: "row", views: []view{
				chart("the panel", "", "none", query{expr: tt.expr, legend: tt.legend})}}}}
			_, err := render([]board{b}, catalogued(t))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "the panel") {
				t.Errorf("error %v, want one about %s in the panel", err, tt.want)
			}
		})
	}
	b := fleet()
	b.variables = append(b.variables, choice{label: "real", metric: "lvs_service_info"})
	if _, err := render([]board{b}, catalogued(t)); err == nil {
		t.Error("a variable of a label that its metric does not have is taken")
	}
	b = fleet()
	b.marks = append(b.marks, mark{query: "lvs_up", text: "{{service}}"})
	if _, err := render([]board{b}, catalogued(t)); err == nil {
		t.Error("an annotation with a label that its metric does not have is taken")
	}
}
