package lvs

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"lvs/collector/prom"
	"lvs/internal/agent"
	"lvs/internal/config"
	"lvs/internal/exporter"
	"lvs/mib"
)

var update = flag.Bool("update", false, "rewrite the generated parts of README.md")

// The README's tables are written from the code that they describe.
func TestREADMEIsFresh(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("COLUMNS", "") // help would be as wide as the terminal
	var agentHelp, exporterHelp, fetchHelp bytes.Buffer
	if err := agent.Run(t.Context(), []string{"--help"}, &agentHelp, &agentHelp); err != nil {
		t.Fatal(err)
	}
	if err := exporter.Run(t.Context(), []string{"--help"}, &exporterHelp, &exporterHelp); err != nil {
		t.Fatal(err)
	}
	if err := exporter.Run(t.Context(), []string{"fetch", "--help"}, &fetchHelp, &fetchHelp); err != nil {
		t.Fatal(err)
	}
	reference, err := os.ReadFile("internal/config/reference.yml")
	if err != nil {
		t.Fatal(err)
	}
	fleet, err := os.ReadFile("internal/config/fleet.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, content := range map[string]string{
		"flags": code("", agentHelp.String()), "exporter": code("", exporterHelp.String()), "fetch": code("", fetchHelp.String()), "configuration": code("yaml", string(reference)),
		"fleet":   code("yaml", string(fleet)),
		"metrics": metrics(), "mib": objects(),
	} {
		begin, end := "<!-- "+name+" -->\n", "<!-- end of "+name+" -->\n"
		before, rest, ok1 := strings.Cut(want, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok1 || !ok2 {
			t.Fatalf("README.md has no place for %s", name)
		}
		want = before + begin + content + end + after
	}
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatal("README.md is stale; go test . -update writes it")
	}
	if err := os.WriteFile("README.md", []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The README's prose names metrics and make's targets that there are.
func TestREADMENamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, d := range prom.Descriptions() {
		there[d.Name] = true
	}
	_, phony, _ := strings.Cut(string(makefile), "\n.PHONY:")
	for _, target := range strings.Fields(phony) {
		there["make "+target] = true
	}
	for _, name := range regexp.MustCompile(`\blvs_[a-z0-9_]+|\bmake [a-z]+\b`).FindAllString(string(text), -1) {
		if !there[name] {
			t.Errorf("README.md speaks of %s, which does not exist", name)
		}
	}
}

// What the README gives as configuration files can be used as such.
func TestREADMEConfigurationsAreValid(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatchIndex(text, -1) {
		block := text[m[2]:m[3]]
		if bytes.HasPrefix(block, []byte("scrape_configs:")) {
			continue // Prometheus's
		}
		checked++
		name := fmt.Sprintf("README.md from line %d", 1+bytes.Count(text[:m[2]], []byte("\n")))
		var err error
		if bytes.Contains(block, []byte("\nauths:")) {
			_, err = config.ParseFleet(bytes.NewReader(block), name)
		} else {
			_, err = config.Parse(bytes.NewReader(block), name)
		}
		if err != nil {
			t.Error(err)
		}
	}
	if checked < 3 {
		t.Errorf("README.md has %d configurations, want names, services and the reference", checked)
	}
}

func code(language, s string) string {
	var b strings.Builder
	b.WriteString("```" + language + "\n")
	for line := range strings.Lines(strings.Trim(s, "\n") + "\n") {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String() + "```\n"
}

func metrics() string {
	var b strings.Builder
	b.WriteString("| metric | type | labels | scope | what it is |\n|---|---|---|---|---|\n")
	for _, d := range prom.Descriptions() {
		help, scope := d.Help, string(d.Scope)
		if d.Option != "" {
			help += " (`" + d.Option + "`)"
		}
		if scope == "" {
			scope = "every"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", d.Name, d.Type, strings.Join(d.Labels, ", "), scope, help)
	}
	return b.String()
}

func objects() string {
	var b strings.Builder
	b.WriteString("| object | name | type | what it is |\n|---|---|---|---|\n")
	root := mib.Root()
	for _, o := range mib.Objects() {
		fmt.Fprintf(&b, "| `lvs.%v` | `%s` | %s | %s |\n", o.OID[len(root):], o.Name, o.Syntax, strings.ReplaceAll(o.Description, "|", "\\|"))
	}
	return b.String()
}
