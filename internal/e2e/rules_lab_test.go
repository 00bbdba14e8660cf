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

// shortestRange of a query: rates need two scrapes, a second apart, between which
// the kernel brought its counters up to date, which it does every two seconds.
const shortestRange = 4 * time.Second

// What is a time in a rule: a range, how long an alert waits, and a number that is
// compared with a metric in seconds.
var (
	rangeOf   = regexp.MustCompile(`\[(\w+)\]`)
	waitOf    = regexp.MustCompile(`(?m)^(\s*(?:for|keep_firing_for): )(\w+)$`)
	secondsOf = regexp.MustCompile(`(seconds\S* >=? )(\d+)`)
)

// shortenRules writes our rules to dir, with every time in them divided by factor,
// and returns the files. Nothing else changes: what fires in an hour, fires in
// an hour's part.
func shortenRules(t *testing.T, dir string, factor int) (files []string) {
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
			return time.Duration(d) / time.Duration(factor)
		}
		out := rangeOf.ReplaceAllStringFunc(string(text), func(s string) string {
			return "[" + model.Duration(max(part(rangeOf.FindStringSubmatch(s)[1]).Round(time.Second), shortestRange)).String() + "]"
		})
		out = waitOf.ReplaceAllStringFunc(out, func(s string) string {
			m := waitOf.FindStringSubmatch(s)
			return m[1] + model.Duration(part(m[2]).Round(time.Millisecond)).String()
		})
		out = secondsOf.ReplaceAllStringFunc(out, func(s string) string {
			m := secondsOf.FindStringSubmatch(s)
			n, err := strconv.Atoi(m[2])
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%s%g", m[1], float64(n)/float64(factor))
		})
		file := filepath.Join(dir, name)
		write(t, file, out)
		files = append(files, file)
	}
	return files
}
