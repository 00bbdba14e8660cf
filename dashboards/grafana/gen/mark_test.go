package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMarksMissNothing has a mark's query see what happened once between two steps,
// with the windows that versions of Grafana take for a step of a quarter of an hour:
// one that is longer, and one that is shorter.
func TestMarksMissNothing(t *testing.T) {
	program, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is missing: install the Debian package prometheus")
	}
	var b strings.Builder
	b.WriteString("tests:\n- interval: 1m\n  input_series:\n")
	// Once after five minutes; of one that was not there before, just before a step; never.
	for series, values := range map[string]string{"once": "3x4 4x60", "back": "1 stale _x26 1 2x60", "never": "7x60"} {
		fmt.Fprintf(&b, "  - {series: 'lvs_resets_total{service=%q}', values: '%s'}\n", series, values)
	}
	b.WriteString("  promql_expr_test:\n")
	for _, window := range []string{"16m", "4m"} {
		expr := strings.NewReplacer("$__rate_interval", window, "$__interval", "15m").Replace("group by (service) (" + grown("lvs_resets_total") + " > 0)")
		for at, seen := range map[string][]string{"15m": {"once"}, "30m": {"back"}, "60m": nil} {
			fmt.Fprintf(&b, "  - expr: %s\n    eval_time: %s\n    exp_samples:\n", expr, at)
			for _, service := range seen {
				fmt.Fprintf(&b, "    - {labels: '{service=%q}', value: 1}\n", service)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "marks.test.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), program, "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

var windowOf = regexp.MustCompile(`\[[^\]]*\]`)

// TestMarksNameLabelsThatAreThere keeps labels that series may lack out of their texts,
// where Grafana writes the names of those.
func TestMarksNameLabelsThatAreThere(t *testing.T) {
	for _, b := range boards() {
		for _, m := range b.marks {
			for _, label := range []string{"director", "name", "fwmark", "vip", "port", "protocol"} {
				if strings.Contains(m.text, "{{"+label+"}}") {
					t.Errorf("%s: %s shows the label %s, which may be absent", b.title, m.title, label)
				}
			}
		}
	}
}

// TestMarksAreAskedForByTheStep has no window of a fixed length in them.
func TestMarksAreAskedForByTheStep(t *testing.T) {
	for _, b := range boards() {
		for _, m := range b.marks {
			if windows := slices.Compact(slices.Sorted(slices.Values(windowOf.FindAllString(m.query, -1)))); !slices.Equal(windows, []string{"[$__rate_interval]"}) {
				t.Errorf("%s: %s asks for the windows %q", b.title, m.title, windows)
			}
		}
	}
}

// TestQueriesOfAllTheTimeShownAreInSteps keeps those of a month from reading every
// sample of it, which Prometheus refuses.
func TestQueriesOfAllTheTimeShownAreInSteps(t *testing.T) {
	for _, b := range boards() {
		for _, s := range b.rows {
			for _, v := range s.views {
				for _, q := range v.queries {
					if strings.Contains(q.expr, "$__range]") {
						t.Errorf("%s: %s asks for every sample: %s", b.title, v.title, q.expr)
					}
					if q.table && slices.Contains(windowOf.FindAllString(q.expr, -1), "[$__rate_interval]") {
						t.Errorf("%s: the table %s, of how things are now, takes a window that is longer the more time is shown: %s", b.title, v.title, q.expr)
					}
				}
			}
		}
	}
}
