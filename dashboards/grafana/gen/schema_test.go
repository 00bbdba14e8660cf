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
	variables := map[string]bool{"DS_PROMETHEUS": true, "__rate_interval": true, "__range": true, "__interval": true, "__url_time_range": true}
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
	if p["type"] == "table" {
		checkColumns(t, title, p, refs)
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

// checkColumns checks that what a table shows is there: the value of a query, or a
// label by which the first one is grouped.
func checkColumns(t *testing.T, title string, p map[string]any, refs map[string]bool) {
	first := p["targets"].([]any)[0].(map[string]any)["expr"].(string)
	grouped := regexp.MustCompile(`by \(([^)]*)\)`).FindStringSubmatch(first)
	if grouped == nil || len(refs) < 2 { // a single one's column is called otherwise
		t.Fatalf("%s: %d queries, the first %s", title, len(refs), first)
	}
	labels := strings.Split(grouped[1], ", ")
	shown := p["transformations"].([]any)[1].(map[string]any)["options"].(map[string]any)["renameByName"].(map[string]any)
	for name := range shown {
		ref, value := strings.CutPrefix(name, "Value #")
		if value && !refs[ref] || !value && !slices.Contains(labels, name) {
			t.Errorf("%s: there is no column %q", title, name)
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
