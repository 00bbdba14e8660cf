//go:build lab

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"lvs/internal/lab"
)

// A haste is what every time in the rules is divided by, and what none gets shorter
// than: a range, or an age that is compared with, and the time an alert waits. Rates
// need two scrapes, between which the kernel brought its counters up to date, which
// it does every two seconds. Ranges of half an hour and more say how things were
// before, or count what takes its time: they are given four times as long. Those of
// steps, of a day, are waited for until they end: they are no longer than two of the
// least.
type haste struct {
	factor                int
	leastRange, leastWait time.Duration
}

// What is a time in a rule: a range, how long an alert waits, and a number that is
// compared with a metric in seconds.
var (
	rangeOf   = regexp.MustCompile(`\[(\w+)(:\w+)?\]`)
	waitOf    = regexp.MustCompile(`(?m)^(\s*(?:for|keep_firing_for): )(\w+)$`)
	secondsOf = regexp.MustCompile(`(seconds\S* >=? )(\d+)`)
)

// rulesWork fails the test where a rule could not be evaluated, as where series meet
// that are not told apart: Prometheus goes on without it, and says so only there.
func (p *promServer) rulesWork(t *testing.T) {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct{ Name, LastError string }
		}
	}
	if err := p.api("rules", nil, &data); err != nil {
		t.Error(err)
		return
	}
	rules := 0
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			rules++
			if r.LastError != "" {
				t.Errorf("rule %s: %s", r.Name, r.LastError)
			}
		}
	}
	if rules == 0 {
		t.Error("there are no rules")
	}
}

// shortenRules writes our rules to dir, with every time in them divided, and returns
// the files. Nothing else changes: what fires in an hour, fires in an hour's part.
func shortenRules(t *testing.T, dir string, h haste) (files []string) {
	t.Helper()
	for _, name := range []string{"lvs.rules.yml", "lvs.alerts.yml"} {
		text, err := os.ReadFile(lab.Path(t, "..", "..", "dashboards", "prometheus", name))
		if err != nil {
			t.Fatal(err)
		}
		part := func(text string) time.Duration {
			d, err := model.ParseDuration(text)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return time.Duration(d) / time.Duration(h.factor)
		}
		out := rangeOf.ReplaceAllStringFunc(string(text), func(s string) string {
			m := rangeOf.FindStringSubmatch(s)
			if m[2] != "" {
				return "[" + model.Duration(2*h.leastRange).String() + ":1s]"
			}
			d := part(m[1]).Round(time.Second)
			if d*time.Duration(h.factor) >= time.Hour/2 {
				d *= 4
			}
			return "[" + model.Duration(max(d, h.leastRange)).String() + "]"
		})
		out = waitOf.ReplaceAllStringFunc(out, func(s string) string {
			m := waitOf.FindStringSubmatch(s)
			return m[1] + model.Duration(max(part(m[2]).Round(time.Millisecond), h.leastWait)).String()
		})
		out = secondsOf.ReplaceAllStringFunc(out, func(s string) string {
			m := secondsOf.FindStringSubmatch(s)
			n, err := strconv.Atoi(m[2])
			if err != nil {
				t.Fatal(err)
			}
			age := time.Duration(n) * time.Second / time.Duration(h.factor)
			if n > 0 { // or else it is asked whether there is any
				age = max(age, h.leastRange)
			}
			return fmt.Sprintf("%s%g", m[1], age.Seconds())
		})
		file := filepath.Join(dir, name)
		write(t, file, out)
		files = append(files, file)
	}
	return files
}
