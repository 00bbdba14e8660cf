package prometheus

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lvs/collector/prom"
)

// words of PromQL that the rules use.
var words = []string{"sum", "max", "group", "rate", "increase", "absent", "time", "timestamp", "max_over_time", "changes", "last_over_time", "and", "or", "unless"}

// grouping words are followed by a list of labels.
var grouping = []string{"by", "without", "on", "ignoring", "group_left", "group_right"}

// ofTarget are the labels that Prometheus gives, or the exporter of a fleet.
var ofTarget = []string{"job", "instance", "director"}

var token = regexp.MustCompile(`"[^"]*"|'[^']*'|\[[^\]]*\]|[A-Za-z_:][A-Za-z0-9_:]*|[0-9][0-9.a-z]*|[{}(),]|[^\s]`)

// A selector is a metric in an expression, and the labels it is selected by.
type selector struct {
	metric string
	labels []string
}

// parse takes an expression apart into its selectors and the labels that it groups
// and matches by. Words that it does not know are errors.
func parse(t *testing.T, expr string) (selectors []selector, groups []string) {
	t.Helper()
	tokens := token.FindAllString(regexp.MustCompile(`#.*`).ReplaceAllString(expr, ""), -1)
	name := regexp.MustCompile(`^[A-Za-z_:][A-Za-z0-9_:]*$`)
	for i := 0; i < len(tokens); i++ {
		switch w := tokens[i]; {
		case !name.MatchString(w) || slices.Contains(words, w):
		case slices.Contains(grouping, w):
			for i++; i < len(tokens) && tokens[i] != ")"; i++ {
				if name.MatchString(tokens[i]) {
					groups = append(groups, tokens[i])
				}
			}
		case w == "up" || strings.HasPrefix(w, "lvs_") || strings.Contains(w, ":"):
			s := selector{metric: w}
			if i+1 < len(tokens) && tokens[i+1] == "{" {
				for i++; tokens[i] != "}"; i++ {
					if name.MatchString(tokens[i]) {
						s.labels = append(s.labels, tokens[i])
					}
				}
			}
			selectors = append(selectors, s)
		default:
			t.Errorf("%q in %s is neither a metric nor a known word", w, expr)
		}
	}
	return selectors, groups
}

func TestParseFindsMetricsAndLabels(t *testing.T) {
	selectors, groups := parse(t, `sum without (a, b) (rate(lvs_x{c=~"lvs_no|d", e!=''}[5m])) / on (f) group_left () (x:lvs_y:z > 0.5)`)
	if len(selectors) != 2 || selectors[0].metric != "lvs_x" || !slices.Equal(selectors[0].labels, []string{"c", "e"}) ||
		selectors[1].metric != "x:lvs_y:z" || selectors[1].labels != nil || !slices.Equal(groups, []string{"a", "b", "f"}) {
		t.Errorf("found %+v, groups %q", selectors, groups)
	}
}

// known are the labels of every family that the agent describes, and of what is
// recorded of them: those of the families in its expression.
func known(t *testing.T, all []rule) map[string][]string {
	t.Helper()
	families := map[string][]string{"up": nil}
	own, err := os.ReadFile("../../internal/exporter/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`Name: "(lvs_exporter_\w+)"`).FindAllSubmatch(own, -1) {
		families[string(m[1])] = nil // an exporter's own, of no director
	}
	for _, d := range prom.Descriptions() {
		if d.Option == "" {
			families[d.Name] = d.Labels
		}
	}
	for _, r := range all {
		if r.Record == "" {
			continue
		}
		selectors, _ := parse(t, r.Expr)
		var labels []string
		for _, s := range selectors {
			labels = append(labels, families[s.metric]...)
		}
		families[r.Record] = labels
	}
	return families
}

// TestRulesAskForWhatIsDescribed allows no metric in an expression but those that
// are always there, those recorded before, and a rule's own result of before; and no
// label but theirs.
func TestRulesAskForWhatIsDescribed(t *testing.T) {
	all := rules(t)
	families := known(t, all)
	recorded := map[string]bool{}
	for _, r := range all {
		selectors, groups := parse(t, r.Expr)
		if len(selectors) == 0 {
			t.Errorf("%s%s asks for nothing", r.Record, r.Alert)
		}
		var labels []string
		for _, s := range selectors {
			of, described := families[s.metric]
			switch {
			case !described:
				t.Errorf("%s%s asks for %s, which nobody describes", r.Record, r.Alert, s.metric)
			case strings.Contains(s.metric, ":") && !recorded[s.metric] && s.metric != r.Record:
				t.Errorf("%s%s asks for %s, which is recorded after it", r.Record, r.Alert, s.metric)
			}
			for _, l := range s.labels {
				if !slices.Contains(of, l) && !slices.Contains(ofTarget, l) {
					t.Errorf("%s%s: %s has no label %s", r.Record, r.Alert, s.metric, l)
				}
			}
			labels = append(labels, of...)
		}
		for _, l := range groups {
			if !slices.Contains(labels, l) && !slices.Contains(ofTarget, l) {
				t.Errorf("%s%s groups by %s, which none of its metrics has", r.Record, r.Alert, l)
			}
		}
		recorded[r.Record] = true
	}
}

// TestAnnotationsShowLabelsThatAreThere holds what texts show against the labels of
// what their alert asks for, and the queries in them against the families.
func TestAnnotationsShowLabelsThatAreThere(t *testing.T) {
	shown, query := regexp.MustCompile(`\$labels\.(\w+)`), regexp.MustCompile(`printf "([^"]*[{].*?)" \$`)
	all := rules(t)
	families := known(t, all)
	for _, r := range all {
		var labels []string
		selectors, _ := parse(t, r.Expr)
		for _, s := range selectors {
			labels = append(labels, families[s.metric]...)
		}
		for name, text := range r.Annotations {
			for _, m := range shown.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(labels, m[1]) && !slices.Contains(ofTarget, m[1]) {
					t.Errorf("%s: %s shows the label %s, which is not there", r.Alert, name, m[1])
				}
			}
			for _, m := range query.FindAllStringSubmatch(text, -1) {
				selectors, _ := parse(t, strings.ReplaceAll(m[1], "%+q", `""`))
				if len(selectors) != 1 || families[selectors[0].metric] == nil {
					t.Fatalf("%s: %s asks for %q", r.Alert, name, m[1])
				}
				for _, l := range selectors[0].labels {
					if !slices.Contains(families[selectors[0].metric], l) && !slices.Contains(ofTarget, l) {
						t.Errorf("%s: %s asks %s for the label %s", r.Alert, name, selectors[0].metric, l)
					}
				}
			}
		}
	}
}
