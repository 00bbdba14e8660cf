// Package prometheus holds the tests of the recording rules and alerts beside it,
// which Prometheus reads as they are.
package prometheus

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// A rule is a recording rule or an alert of the files.
type rule struct {
	Record, Alert, Expr, For string
	Labels, Annotations      map[string]string
}

// rules are all of them, in order.
func rules(t *testing.T) (all []rule) {
	t.Helper()
	for _, name := range []string{"lvs.rules.yml", "lvs.alerts.yml"} {
		var file struct {
			Groups []struct {
				Name  string
				Rules []rule
			}
		}
		readYAML(t, name, &file)
		for _, g := range file.Groups {
			all = append(all, g.Rules...)
		}
	}
	if len(all) < 40 {
		t.Fatalf("only %d rules were read", len(all))
	}
	return all
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// promtool runs Debian's, and fails the test where it does not succeed.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("%v; it is in Debian's package prometheus", err)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "duplicate") {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestPromtoolTakesTheRules(t *testing.T) {
	promtool(t, "check", "rules", "lvs.rules.yml", "lvs.alerts.yml")
}

func TestRulesDoWhatTheirCasesSay(t *testing.T) {
	files, err := filepath.Glob("tests/*.test.yml")
	if err != nil || len(files) != 4 {
		t.Fatalf("there are the cases %q, %v", files, err)
	}
	promtool(t, append([]string{"test", "rules"}, files...)...)
}

// cases are the files of tests, as far as it matters which rules they have.
type cases struct {
	Tests []struct {
		Name       string
		AlertTests []struct {
			Time   string `yaml:"eval_time"`
			Name   string `yaml:"alertname"`
			Alerts []struct {
				Labels map[string]string `yaml:"exp_labels"`
			} `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
		ExprTests []struct {
			Expr    string
			Samples []struct{ Labels string } `yaml:"exp_samples"`
		} `yaml:"promql_expr_test"`
	}
}

// TestEveryRuleHasCases wants of each recording rule that samples of it are
// expected, and of each alert that it is silent, fires and is silent again.
func TestEveryRuleHasCases(t *testing.T) {
	var ofRules, ofAlerts cases
	readYAML(t, "tests/rules.test.yml", &ofRules)
	readYAML(t, "tests/alerts.test.yml", &ofAlerts)
	recorded := map[string]bool{}
	for _, c := range ofRules.Tests {
		for _, e := range c.ExprTests {
			for _, s := range e.Samples {
				name, _, _ := strings.Cut(s.Labels, "{")
				recorded[name] = true
			}
		}
	}
	phases := map[string]string{} // of an alert: s for silent, F for firing
	for _, c := range ofAlerts.Tests {
		for _, a := range c.AlertTests {
			if a.Name != c.Name {
				t.Errorf("the case %s asks for %s", c.Name, a.Name)
			}
			if len(a.Alerts) == 0 {
				phases[a.Name] += "s"
			} else {
				phases[a.Name] += "F"
			}
		}
	}
	for _, r := range rules(t) {
		switch {
		case r.Record != "" && !recorded[r.Record]:
			t.Errorf("no case expects a sample of %s", r.Record)
		case r.Alert != "" && !regexp.MustCompile(`^s+F+s+(F+s+)*$`).MatchString(phases[r.Alert]):
			t.Errorf("the cases of %s are %q; want it silent, firing, silent", r.Alert, phases[r.Alert])
		}
	}
}

// TestNamesSayTheirLevel holds names to LEVEL:METRIC:OPERATION, and has none twice.
func TestNamesSayTheirLevel(t *testing.T) {
	levels := []string{"real_server", "service", "director", "instance", "job", "job_service"}
	form := regexp.MustCompile(`^([a-z_]+):lvs_[a-z_]+:(sum|bool|ratio|ratio5m|ratio1h|rate5m|seconds)$`)
	alert := regexp.MustCompile(`^LVS([A-Z][a-z]+)+$`)
	seen := map[string]bool{}
	for _, r := range rules(t) {
		name := r.Record + r.Alert
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
		switch m := form.FindStringSubmatch(name); {
		case r.Alert != "" && !alert.MatchString(name):
			t.Errorf("%s is no name for an alert", name)
		case r.Record != "" && (m == nil || !slices.Contains(levels, m[1])):
			t.Errorf("%s is no name for a recording rule", name)
		}
	}
}
