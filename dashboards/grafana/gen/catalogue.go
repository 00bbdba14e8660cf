package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"lvs/collector/prom"
)

// targetLabels are on every series beside its own: those that Prometheus gives a
// target, and director, by which lvs-exporter tells the members of a fleet apart.
var targetLabels = []string{"job", "instance", "director"}

// A catalogue has the labels of every metric that collector/prom describes, those
// of a histogram under the names of its series, and of what rules record.
type catalogue map[string][]string

// levels are what the name of a recording rule begins with, and its labels.
var levels = map[string][]string{"director": nil, "service": {"service"}, "real_server": {"real", "service"}, "instance": nil}

var recordLine = regexp.MustCompile(`(?m)^\s*- record: ((\w+):\S+)$`)

// newCatalogue takes the recording rules as the text of their file.
func newCatalogue(docs []prom.MetricDoc, rules []byte) (catalogue, error) {
	c := make(catalogue)
	for _, m := range recordLine.FindAllSubmatch(rules, -1) {
		if labels, ours := levels[string(m[2])]; ours {
			c[string(m[1])] = labels
		}
	}
	if len(c) == 0 {
		return nil, errors.New("there are no recording rules")
	}
	for _, d := range docs {
		if d.Type != "histogram" {
			c[d.Name] = d.Labels
			continue
		}
		c[d.Name+"_sum"], c[d.Name+"_count"] = d.Labels, d.Labels
		c[d.Name+"_bucket"] = append(slices.Clone(d.Labels), "le")
	}
	return c, nil
}

// words are the functions and key words that queries may use beside metrics and
// labels. It is short on purpose: a typing error should not pass for a function.
var words = []string{
	"sum", "max", "min", "avg", "count", "topk", "by", "on", "and", "or", "unless", "offset", "bool", "ignoring", "group_left",
	"rate", "increase", "changes", "clamp_min", "clamp_max", "max_over_time", "histogram_quantile", "label_replace", "label_join", "label_values", "time", "timestamp", "last_over_time",
}

// token is what a query is made of: a string, a range, a variable, a number with
// what follows it, a selector's braces, a word, or anything else.
var token = regexp.MustCompile(`"[^"]*"|\[[^\]]*\]|\$\w+|[0-9][0-9.]*|\{[^}]*\}|[A-Za-z_:][\w:]*|\s+|.`)

// expand completes a query of a dashboard: every metric in it is selected by those
// of the dashboard's variables that are labels of it. It returns the labels that
// the query's metrics have. A metric or label that is not in the catalogue is an
// error.
func (c catalogue) expand(query string, variables []choice) (expanded string, labels []string, err error) {
	var out strings.Builder
	var errs []error
	var others []string
	has := map[string]bool{}
	for _, l := range targetLabels {
		has[l] = true
	}
	tokens := token.FindAllString(query, -1)
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		own, metric := c[t]
		switch {
		case metric:
			for _, l := range own {
				has[l] = true
			}
			var matchers string
			if i+1 < len(tokens) && strings.HasPrefix(tokens[i+1], "{") {
				i++
				matchers = strings.Trim(tokens[i], "{}")
			}
			s, err := selector(append(slices.Clone(targetLabels), own...), variables, matchers)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", t, err))
			}
			out.WriteString(t + s)
			continue
		case strings.HasPrefix(t, "{"):
			errs = append(errs, fmt.Errorf("%s selects from no metric", t))
		case isWord(t) && !slices.Contains(words, t):
			others = append(others, t)
		}
		out.WriteString(t)
	}
	for _, l := range others { // after all metrics are known
		if !has[l] {
			errs = append(errs, fmt.Errorf("%q is no metric, nor a label of one in %s", l, query))
		}
	}
	return out.String(), slices.Sorted(maps.Keys(has)), errors.Join(errs...)
}

func isWord(t string) bool {
	return t[0] == '_' || t[0] == ':' || t[0] >= 'a' && t[0] <= 'z' || t[0] >= 'A' && t[0] <= 'Z'
}

var matcherName = regexp.MustCompile(`(\w+)(?:=~|!~|!=|=)"[^"]*"`)

// selector makes the braces after a metric that has these labels.
func selector(labels []string, variables []choice, matchers string) (string, error) {
	var parts []string
	for _, v := range variables {
		if slices.Contains(labels, v.label) {
			parts = append(parts, v.matcher())
		}
	}
	if matchers != "" {
		parts = append(parts, matchers)
	}
	for _, m := range matcherName.FindAllStringSubmatch(matchers, -1) {
		if !slices.Contains(labels, m[1]) {
			return "", fmt.Errorf("has no label %q", m[1])
		}
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

// madeLabel is the label that a query makes.
var madeLabel = regexp.MustCompile(`, "(\w+)", "[^"]*", "`)

// withMade adds to the labels those that the query makes.
func withMade(labels []string, query string) []string {
	for _, m := range madeLabel.FindAllStringSubmatch(query, -1) {
		labels = append(labels, m[1])
	}
	return labels
}

// checkFormat is an error where a legend or a text names a label that its series
// do not have.
func checkFormat(format string, labels []string) error {
	for _, m := range regexp.MustCompile(`{{\s*(\w+)\s*}}`).FindAllStringSubmatch(format, -1) {
		if !slices.Contains(labels, m[1]) {
			return fmt.Errorf("legend %q: there is no label %q", format, m[1])
		}
	}
	return nil
}
