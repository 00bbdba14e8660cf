//go:build lab

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
)

// A board is one of our dashboards as Grafana reads it, as far as it is about
// queries.
type board struct {
	UID, Title  string
	Templating  struct{ List []boardVariable }
	Annotations struct {
		List []struct {
			Name, Expr string
			BuiltIn    int
		}
	}
	Panels []boardPanel
}

type boardVariable struct {
	Name, Type, Definition, AllValue string
	Multi, IncludeAll                bool
}

type boardPanel struct {
	Type, Title string
	Panels      []boardPanel // of a row that is closed
	Targets     []struct {
		RefID, Expr string
		Instant     bool
	}
	Transformations []struct {
		Options struct {
			RenameByName map[string]string // titles of a table's columns
		}
	}
}

// ourBoards reads the dashboards that are shipped.
func ourBoards(t *testing.T) (out []*board) {
	t.Helper()
	files, err := filepath.Glob(lab.Path(t, "..", "..", "dashboards", "grafana", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b := &board{}
		if err := json.Unmarshal(text, b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out = append(out, b)
	}
	if len(out) != 3 {
		t.Fatalf("dashboards: %v, want three", files)
	}
	return out
}

// A boardQuery is an expression of a board, and where it is.
type boardQuery struct {
	board, where, expr string
}

func (q boardQuery) String() string { return fmt.Sprintf("%s: %s: %s", q.board, q.where, q.expr) }

// queries are those of the board's panels, hidden ones as well, and annotations.
func (b *board) queries() (out []boardQuery) {
	for _, p := range b.panels() {
		for _, target := range p.Targets {
			out = append(out, boardQuery{b.Title, fmt.Sprintf("panel %q, query %s", p.Title, target.RefID), target.Expr})
		}
	}
	for _, a := range b.Annotations.List {
		if a.BuiltIn == 0 {
			out = append(out, boardQuery{b.Title, fmt.Sprintf("annotation %q", a.Name), a.Expr})
		}
	}
	return out
}

// panels are those that show something.
func (b *board) panels() (out []boardPanel) {
	for _, p := range b.Panels {
		if p.Type != "row" {
			out = append(out, p)
		}
		out = append(out, p.Panels...)
	}
	return out
}

// Values are what a board's variables are set to; nil is all.
type values map[string][]string

// with are the values with another of some variable.
func (v values) with(name string, value ...string) values {
	out := values{name: value}
	for n, old := range v {
		if n != name {
			out[n] = old
		}
	}
	return out
}

// A span of time as Grafana asks for it: with the least step that a data source
// allows, which is its scrape interval.
type timeSpan struct {
	from, to time.Time
	step     time.Duration
}

var variableName = regexp.MustCompile(`\$\{?(\w+)\}?`)

// fill puts values in place of variables, as Grafana does for Prometheus: one of
// many is a regular expression, and what is special in it is escaped twice, once
// for the string that it is in.
func (b *board) fill(expr string, v values, over timeSpan) (string, error) {
	var wrong error
	out := variableName.ReplaceAllStringFunc(expr, func(s string) string {
		name := variableName.FindStringSubmatch(s)[1]
		switch name {
		case "__interval":
			return over.step.String()
		case "__rate_interval":
			return (4 * over.step).String()
		case "__range":
			return over.to.Sub(over.from).Round(time.Second).String()
		}
		if name[0] <= '9' {
			return s // of a label_replace; what is no variable stays as it is
		}
		i := slices.IndexFunc(b.Templating.List, func(d boardVariable) bool { return d.Name == name })
		chosen, known := v[name]
		if i < 0 || !known {
			wrong = fmt.Errorf("%s has no variable %q", b.Title, name)
			return s
		}
		return b.Templating.List[i].text(chosen)
	})
	return out, wrong
}

// text is what a variable's values become in a query.
func (d boardVariable) text(chosen []string) string {
	if chosen == nil {
		return d.AllValue
	}
	var escaped []string
	for _, value := range chosen {
		value = strings.ReplaceAll(value, `\`, `\\`)
		if d.Multi || d.IncludeAll {
			value = regexp.MustCompile(`[$^*{}\[\]'+?.()|]`).ReplaceAllString(value, `\\$0`)
		}
		escaped = append(escaped, value)
	}
	if len(escaped) == 1 {
		return escaped[0]
	}
	return "(" + strings.Join(escaped, "|") + ")"
}

var labelValues = regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)

// options asks for the values that a variable can have, those before it being set.
func (b *board) options(p *promServer, d boardVariable, v values, over timeSpan) (out []string, err error) {
	m := labelValues.FindStringSubmatch(d.Definition)
	if m == nil {
		return nil, fmt.Errorf("%s: variable %s asks %q", b.Title, d.Name, d.Definition)
	}
	selector, err := b.fill(m[1], v, over)
	if err != nil {
		return nil, err
	}
	return out, p.api("label/"+m[2]+"/values", map[string][]string{"match[]": {selector}, "start": {epoch(over.from)}, "end": {epoch(over.to)}}, &out)
}

// first sets all variables as Grafana does for somebody who opens the board and
// chooses a job: to all, or else to the first value. It returns also what they can
// be.
func (b *board) first(p *promServer, job string, over timeSpan) (values, map[string][]string, error) {
	v, found := values{}, map[string][]string{}
	for _, d := range b.Templating.List {
		if d.Type != "query" {
			continue
		}
		options, err := b.options(p, d, v, over)
		if err != nil {
			return nil, nil, err
		}
		found[d.Name] = options
		switch {
		case d.Name == "job":
			v[d.Name] = []string{job}
		case d.IncludeAll:
			v[d.Name] = nil
		case len(options) > 0:
			v[d.Name] = options[:1]
		default:
			return nil, nil, fmt.Errorf("%s: nothing to choose for variable %s", b.Title, d.Name)
		}
	}
	return v, found, nil
}
