// Package schema holds the dashboards against Grafana's own types of them, those
// that it is compiled with, of its major versions from 9.3 on: every name of a
// field and every word that a field may have is one that Grafana knows.
//
// The types come from @grafana/schema as package-lock.json has it, the compiler
// from typescript; .ci/setup test installs them in build/grafana. Later versions
// migrate a file of an older schema as they load it, and so does the test first.
package schema

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// versions are those held against, by the name of the package in package.json.
var versions = []struct {
	name  string
	types string // that describes it, of this directory
	index string // of the package's types
	query string // the type of a query, where the package has it
	by    []migration
}{
	{name: "grafana-9.3", types: "grafana9", index: "dist/index.d.ts"},
	// The last that we hold against with the type of Prometheus's queries; it is now
	// part of @grafana/prometheus, which comes with an editor and all of React.
	{name: "grafana-10.1", types: "grafana10", index: "dist/index.d.ts",
		query: "@grafana/schema/dist/esm/raw/composable/prometheus/dataquery/x/PrometheusDataQuery_types.gen", by: []migration{cells}},
	{name: "grafana-11.6", types: "grafana10", index: "dist/esm/index.d.ts", by: []migration{cells}},
	{name: "grafana-12.4", types: "grafana10", index: "dist/types/index.d.ts", by: []migration{cells, hidden}},
	{name: "grafana-13.2", types: "grafana10", index: "dist/types/index.d.ts", by: []migration{cells, hidden}},
}

// dashboards are those shipped, each time anew.
func dashboards(t *testing.T) (out []object) {
	t.Helper()
	files, err := filepath.Glob("../*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var dashboard object
		if err := json.Unmarshal(text, &dashboard); err != nil {
			t.Fatal(err)
		}
		out = append(out, dashboard)
	}
	return out
}

func TestDashboardsAreGrafanas(t *testing.T) {
	for _, v := range versions {
		t.Run(v.name, func(t *testing.T) {
			here, err := filepath.Abs(".")
			if err != nil {
				t.Fatal(err)
			}
			modules := filepath.Join(here, "../../../build/grafana/node_modules")
			p := project{dir: t.TempDir(), modules: modules}
			p.text.WriteString("import type { Stored } from \"types/stored\"\nimport type { Grafana } from \"types/" + v.types + "\"\n")
			if v.query != "" {
				p.text.WriteString("import type { PrometheusDataQuery as " + query + " } from \"" + v.query + "\"\n")
			}
			all := mistakes()
			for _, dashboard := range dashboards(t) {
				all = append(all, statements(dashboard, v.by)...)
			}
			for _, s := range all {
				if s.as != query || v.query != "" {
					p.add(s)
				}
			}
			p.configure(t, map[string]string{"types/*": here + "/*",
				"@grafana/schema": filepath.Join(modules, v.name, v.index), "@grafana/schema/*": filepath.Join(modules, v.name) + "/*"})
			p.check(t)
		})
	}
}

// A project is one that the compiler looks at: a file with a line for each
// statement.
type project struct {
	dir, modules string
	text         strings.Builder
	lines        map[int]statement // by their number, from 1
}

func (p *project) add(s statement) {
	if p.lines == nil {
		p.lines = map[int]statement{}
	}
	p.lines[strings.Count(p.text.String(), "\n")+1] = s
	p.text.WriteString(s.String())
}

// configure writes the project's files; paths say where an import leads.
func (p *project) configure(t *testing.T, paths map[string]string) {
	t.Helper()
	lists := map[string][]string{}
	for name, to := range paths {
		lists[name] = []string{to}
	}
	config, err := json.Marshal(object{"files": []string{"parts.ts"}, "compilerOptions": object{
		"strict": true, "noEmit": true, "skipLibCheck": true, "target": "es2022", "lib": []string{"es5"},
		"module": "esnext", "moduleResolution": "bundler", "types": []string{}, "paths": lists}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"tsconfig.json": string(config), "parts.ts": p.text.String()} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// complaint is the first line of what the compiler says of one of the parts.
var complaint = regexp.MustCompile(`^parts\.ts\((\d+),\d+\): error TS\d+: (.*)$`)

// check runs the compiler, and reports what it finds wrong with the parts that
// should be right, and what it does not find.
func (p *project) check(t *testing.T) {
	compiler := filepath.Join(p.modules, "typescript/bin/tsc")
	for file, from := range map[string]string{"/usr/bin/node": "Debian's nodejs", compiler: ".ci/setup test"} {
		if _, err := os.Stat(file); err != nil {
			t.Fatalf("%v; it comes from %s", err, from)
		}
	}
	cmd := exec.CommandContext(t.Context(), "/usr/bin/node", compiler, "--project", p.dir, "--pretty", "false")
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	found := map[int]string{}
	last := 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, "\n")
		if m := complaint.FindStringSubmatch(line); m != nil {
			last, _ = strconv.Atoi(m[1])
			found[last] += m[2]
		} else if strings.HasPrefix(line, " ") && last != 0 {
			found[last] += "\n" + line // more about the same
		} else {
			t.Fatalf("the compiler says (%v)\n%s", err, out)
		}
	}
	for n, says := range found {
		if s, ok := p.lines[n]; !ok {
			t.Errorf("line %d: %s", n, says)
		} else if !s.wrong {
			t.Errorf("%s: %s", s.about, says)
		}
	}
	for n, s := range p.lines {
		if s.wrong && found[n] == "" {
			t.Errorf("the compiler finds nothing wrong with %s", strings.TrimSpace(fmt.Sprint(s)))
		}
	}
}
