//go:build lab

package e2e

import (
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lvs/collector/prom"
	"lvs/internal/lab"
)

// notHere are the metrics that this kernel's director has none of, and why.
var notHere = map[string]string{
	"lvs_service_refused_connections_total": "the kernel's IPVS does not count connections without a real server",
	"lvs_director_peak_connections":         "the kernel tells since it has /proc/net/ip_vs_status, and this one has none",
}

// TestLabDashboards asks a Prometheus that scrapes an agent under traffic whatever
// our dashboards ask. Every variable, panel and annotation finds something, except
// for what the kernel does not tell; nothing finds the replies that a director
// does not see; and tables show what the agent says of the same sample.
func TestLabDashboards(t *testing.T) {
	s := newScene(t)
	boards := ourBoards(t)
	t.Run("names", func(t *testing.T) { testBoardNames(t, boards) })
	s.happen()
	doc, at := s.same()
	s.prom.rulesWork(t) // of a director that is scraped itself and by way of an exporter
	s.end()             // what is asked is over
	over := timeSpan{s.began, at, scrapeInterval}
	for _, b := range boards {
		t.Run(b.UID, func(t *testing.T) { testBoard(t, s, b, agentJob, over) })
		t.Run(b.UID+" of a fleet", func(t *testing.T) { testBoard(t, s, b, fleetJob, over) })
	}
	t.Run("tables", func(t *testing.T) { testTables(t, s, boards, doc, over) })
}

var (
	metricName = regexp.MustCompile(`\blvs_\w+`)
	recordName = regexp.MustCompile(`\b[a-z_]+:lvs_\w+:\w+`)
	recorded   = regexp.MustCompile(`(?m)^ *- record: (\S+)$`)
)

// testBoardNames checks that no dashboard asks for what no agent describes and no rule
// records.
func testBoardNames(t *testing.T, boards []*board) {
	known := map[string]bool{}
	for _, d := range prom.Descriptions() {
		known[d.Name] = true
		if d.Type == "histogram" {
			known[d.Name+"_bucket"], known[d.Name+"_sum"], known[d.Name+"_count"] = true, true, true
		}
	}
	for name := range notHere {
		if !known[name] {
			t.Errorf("%s is not described either", name)
		}
	}
	rules, err := os.ReadFile(lab.Path(t, "..", "..", "dashboards", "prometheus", "lvs.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range recorded.FindAllStringSubmatch(string(rules), -1) {
		known[m[1]] = true
	}
	for _, b := range boards {
		for _, q := range b.queries() {
			rest := recordName.ReplaceAllStringFunc(q.expr, func(name string) string {
				if !known[name] {
					t.Errorf("%v\n\tno rule records %s", q, name)
				}
				return ""
			})
			for _, name := range metricName.FindAllString(rest, -1) {
				if !known[name] {
					t.Errorf("%v\n\tno agent describes %s", q, name)
				}
			}
		}
	}
}

// testBoard asks all that a board asks, as it is opened for a job, and, for the
// agent's own, for every choice of its last variables.
func testBoard(t *testing.T, s *scene, b *board, job string, over timeSpan) {
	v, options, err := b.first(s.prom, job, over)
	if err != nil {
		t.Fatal(err)
	}
	for name, found := range options {
		if (len(found) == 0) != (name == "director" && job == agentJob) { // an agent is a director by its instance
			t.Errorf("variable %s of %s can be %q", name, b.Title, found)
		}
	}
	if _, chosen := v["service"]; chosen && b.UID == "lvs-service" {
		v["service"] = []string{"web"}
	}
	if job == fleetJob {
		v = v.with("director", options["director"]...)
	}
	asked, empty := 0, 0
	for _, q := range b.queries() {
		found := ask(t, s, b, q, v, over)
		asked++
		if !found {
			empty++
		}
	}
	t.Logf("%s: %d queries, %d of them for what is not told here", b.Title, asked, empty)
	if job != agentJob {
		return
	}
	if b.UID == "lvs-service" {
		for _, service := range options["service"] {
			testReplies(t, s, b, v.with("service", service), over)
		}
		testMany(t, s, b, v, "real", []string{"10.2.0.11:7", "10.2.0.12:7"}, over)
	}
	if b.UID == "lvs-director" {
		testMany(t, s, b, v, "service", []string{"web", "tcp/[fd10:1::100]:7500"}, over)
	}
}

// ask asks a query near the end of the time, where not every moment has a change,
// and over all of it. It reports whether it should have found something: unless
// this kernel does not tell, or the exporter knows nothing of it.
func ask(t *testing.T, s *scene, b *board, q boardQuery, v values, over timeSpan) bool {
	t.Helper()
	expr, err := b.fill(q.expr, v, over)
	if err != nil {
		t.Errorf("%v\n\t%v", q, err)
		return true
	}
	var now []promSeries
	for at := over.to; len(now) == 0 && over.to.Sub(at) < 5*scrapeInterval; at = at.Add(-scrapeInterval) {
		if now, err = s.prom.instant(expr, at); err != nil {
			t.Errorf("%v\n\t%v", q, err)
		}
	}
	all, err := s.prom.over(expr, over.from, over.to, over.step)
	if err != nil {
		t.Errorf("%v\n\t%v", q, err)
	}
	told := !slices.ContainsFunc(metricName.FindAllString(q.expr, -1), func(name string) bool {
		return notHere[name] != "" || v["job"][0] == fleetJob && agentsOwn(name)
	})
	for how, found := range map[string]bool{
		// An exporter may not have come to read a director again on a busy machine.
		// A mark is where something happened.
		"at one time": told && (v["job"][0] == fleetJob || strings.HasPrefix(q.where, "annotation ")) || slices.ContainsFunc(now, func(r promSeries) bool { return isNumber(r.Value.value) }),
		"over time": slices.ContainsFunc(all, func(r promSeries) bool {
			return slices.ContainsFunc(r.Values, func(p promPoint) bool { return isNumber(p.value) })
		}),
	} {
		if found != told {
			t.Errorf("%v\n\tfinds something %s: %v, want %v; it asked\n\t%s", q, how, found, told, expr)
		}
	}
	return told
}

// agentsOwn reports whether a metric is the agent's alone: the LVS-DIRECTOR-MIB has
// nothing of it, so that an exporter cannot have either.
func agentsOwn(name string) bool {
	return slices.ContainsFunc(prom.Descriptions(), func(d prom.MetricDoc) bool {
		return !d.OfMembers && (d.Name == name || d.Type == "histogram" && strings.HasPrefix(name, d.Name+"_"))
	})
}

func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// testReplies checks that a service's board shows what came from clients, and what
// went to them where the director sees it: nothing, rather than 0, where not.
func testReplies(t *testing.T, s *scene, b *board, v values, over timeSpan) {
	t.Helper()
	service := v["service"][0]
	reals := !strings.HasSuffix(service, ":7503") // has none
	for _, q := range b.queries() {
		in, out := strings.Contains(q.expr, "incoming"), strings.Contains(q.expr, "outgoing")
		if !in && !out {
			continue
		}
		expr, err := b.fill(q.expr, v, over)
		if err != nil {
			t.Fatalf("%v\n\t%v", q, err)
		}
		found, err := s.prom.over(expr, over.from, over.to, 2*over.step)
		if err != nil {
			t.Errorf("%v of %s\n\t%v", q, service, err)
		}
		ofReal := strings.Contains(q.expr, "lvs_real_server_incoming") || strings.Contains(q.expr, "lvs_real_server_outgoing")
		want := (in || !slices.Contains(sceneBypassed, service)) && (reals || !ofReal)
		if len(found) > 0 != want {
			t.Errorf("%v\n\tof %s finds something: %v, want %v", q, service, len(found) > 0, want)
		}
		if service == sceneMixed && ofReal && out && len(found) != 1 {
			t.Errorf("%v\n\tof %s finds %d real servers, want the one of two whose replies pass the director", q, service, len(found))
		}
	}
}

// testMany chooses two values of a variable: queries that select by it find those
// and no others.
func testMany(t *testing.T, s *scene, b *board, v values, variable string, chosen []string, over timeSpan) {
	t.Helper()
	v = v.with(variable, chosen...)
	tried := 0
	for _, q := range b.queries() {
		if !strings.Contains(q.expr, "$"+variable) {
			continue
		}
		expr, err := b.fill(q.expr, v, over)
		if err != nil {
			t.Fatalf("%v\n\t%v", q, err)
		}
		found, err := s.prom.instant(expr, over.to)
		if err != nil {
			t.Errorf("%v\n\t%v", q, err)
		}
		for _, r := range found {
			if label, has := r.Labels[variable]; has {
				tried++
				if !slices.Contains(chosen, label) {
					t.Errorf("%v\n\tfinds %s, which was not chosen", q, label)
				}
			}
		}
	}
	if tried == 0 {
		t.Errorf("%s: no series has a label %s", b.Title, variable)
	}
}
