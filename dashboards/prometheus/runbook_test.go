package prometheus

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// paragraphs are the runbook's, by their headings, with lines joined.
func paragraphs(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, p := range strings.Split(string(b), "\n## ")[1:] {
		heading, text, _ := strings.Cut(p, "\n")
		all[heading] = strings.TrimSpace(text)
	}
	return all
}

// TestEveryAlertHasItsParagraph wants a heading for each alert and none besides, an
// address that leads there, the severity and waiting time of the rule, a command
// to look with, and texts for people.
func TestEveryAlertHasItsParagraph(t *testing.T) {
	texts := paragraphs(t)
	alerts := 0
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		alerts++
		text := texts[r.Alert]
		wait := "at once"
		if r.For != "" {
			wait = "for " + r.For
		}
		severity := r.Labels["severity"]
		if begin := fmt.Sprintf("*%s, %s.* ", severity, wait); !strings.HasPrefix(text, begin) {
			t.Errorf("the paragraph of %s does not begin with %q", r.Alert, begin)
		}
		if severity != "critical" && severity != "warning" && severity != "info" {
			t.Errorf("%s has the severity %q", r.Alert, severity)
		}
		if !strings.Contains(text, "\n\n    ") || strings.Count(text, "\n\n") < 2 {
			t.Errorf("the paragraph of %s does not say how to look, and what to do then", r.Alert)
		}
		if got, want := r.Annotations["runbook_url"], "RUNBOOK.md#"+strings.ToLower(r.Alert); got != want {
			t.Errorf("%s leads to %q, want %q", r.Alert, got, want)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s has no summary or description", r.Alert)
		}
	}
	if alerts != len(texts) {
		t.Errorf("there are %d alerts, and %d headings in the runbook", alerts, len(texts))
	}
}

// TestRunbookSpeaksOfWhatThereIs holds the names of metrics in it, and what is to be
// looked for in an answer, against those that are described.
func TestRunbookSpeaksOfWhatThereIs(t *testing.T) {
	var names []string
	for name := range known(t, nil) {
		names = append(names, name)
	}
	described := strings.Join(names, " ") + " overloaded"
	for alert, text := range paragraphs(t) {
		for _, name := range regexp.MustCompile(`\blvs_[a-z0-9_]+`).FindAllString(text, -1) {
			if !slices.Contains(names, name) {
				t.Errorf("the paragraph of %s speaks of %s, which nobody describes", alert, name)
			}
		}
		for _, m := range regexp.MustCompile(`metrics\?.*\| grep (.*)`).FindAllStringSubmatch(text, -1) {
			for _, word := range strings.Fields(strings.ReplaceAll(m[1], "-e ", "")) {
				if !strings.Contains(described, word) {
					t.Errorf("the paragraph of %s has one look for %s, which is in no metric", alert, word)
				}
			}
		}
	}
}

// TestInhibitionNamesAlerts holds the piece for Alertmanager against the alerts: each
// name in it is one's, and each alert has the labels that have to be equal.
func TestInhibitionNamesAlerts(t *testing.T) {
	b, err := os.ReadFile("RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Inhibit []struct {
			Sources []string `yaml:"source_matchers"`
			Targets []string `yaml:"target_matchers"`
			Equal   []string
		} `yaml:"inhibit_rules"`
	}
	piece := regexp.MustCompile(`(?m)^    route:\n(    .*\n)+`).FindString(string(b))
	if err := yaml.Unmarshal([]byte(piece), &config); err != nil || len(config.Inhibit) == 0 {
		t.Fatalf("%v in %q", err, piece)
	}
	labels := map[string][]string{}
	all := rules(t)
	families := known(t, all)
	for _, r := range all {
		labels[r.Alert] = []string{}
		selectors, _ := parse(t, r.Expr)
		for _, s := range selectors {
			labels[r.Alert] = append(labels[r.Alert], families[s.metric]...)
		}
	}
	delete(labels, "") // recording rules
	name := regexp.MustCompile(`LVS\w+`)
	for _, rule := range config.Inhibit {
		for _, alert := range name.FindAllString(strings.Join(append(rule.Sources, rule.Targets...), " "), -1) {
			if alert == "LVS" {
				continue // all of them
			}
			if _, known := labels[alert]; !known {
				t.Errorf("%s is no alert", alert)
			}
			for _, l := range rule.Equal {
				if !slices.Contains(ofTarget, l) && !slices.Contains(labels[alert], l) {
					t.Errorf("%s has no label %s", alert, l)
				}
			}
		}
	}
}

var (
	threshold = regexp.MustCompile(`[<>]=?\s*(?:on[^(]*\([^)]*\)\s*group_left \(\) \()?([0-9.]+)`)
	window    = regexp.MustCompile(`\[([0-9]+)m\]`)
)

// spellings are the ways a text may write a threshold.
func spellings(n string) []string {
	f, _ := strconv.ParseFloat(n, 64)
	return []string{n + " ", strconv.FormatFloat(f*100, 'f', -1, 64) + " %"}
}

func mentions(text string, any []string) bool {
	for _, s := range any {
		if regexp.MustCompile(`(^|[^0-9.])` + regexp.QuoteMeta(s)).MatchString(text) {
			return true
		}
	}
	return false
}

// TestTextsTellTheThresholds holds every number that an alert compares with, 0 aside
// and 1 of a state, and every window, against what the runbook says; and its first
// threshold against the description.
func TestTextsTellTheThresholds(t *testing.T) {
	texts := paragraphs(t)
	told := 0
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		runbook := strings.Join(strings.Fields(texts[r.Alert]), " ")
		for i, m := range threshold.FindAllStringSubmatch(r.Expr, -1) {
			if m[1] == "0" {
				continue
			}
			told++
			want := spellings(m[1])
			if m[1] == "3" && r.Alert == "LVSAgentStale" {
				want = []string{"three intervals"}
			}
			if !mentions(runbook, want) {
				t.Errorf("%s compares with %s; the runbook has none of %q", r.Alert, m[1], want)
			}
			if i == 0 && !mentions(r.Annotations["description"], want) {
				t.Errorf("%s compares with %s; its description has none of %q", r.Alert, m[1], want)
			}
		}
		for _, m := range window.FindAllStringSubmatch(r.Expr, -1) {
			if want := m[1] + " minutes"; !strings.Contains(runbook, want) {
				t.Errorf("%s looks back %sm; the runbook does not say %q", r.Alert, m[1], want)
			}
		}
	}
	if told < 9 {
		t.Errorf("only %d thresholds were found", told)
	}
}
