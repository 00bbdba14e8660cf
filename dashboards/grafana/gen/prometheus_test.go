package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/collector/prom"
	"lvs/dataplane"
	"lvs/internal/lab"
)

// Every query of every dashboard finds something on a Prometheus that scrapes an
// agent on which everything happens, the outgoing side of direct routing apart,
// which has to find nothing; and what an exporter of two directors shows is found
// by every query that is not of an agent's own figures.
func TestQueriesFindData(t *testing.T) {
	agent := newLive(dataplane.Masquerade)
	routed := newLive(dataplane.Route)
	fleet := map[string]*live{"east": newLive(dataplane.Masquerade), "west": newLive(dataplane.Masquerade)}
	targets := map[string]string{"lvs": expose(t, agent), "routed": expose(t, routed), "fleet": exposeFleet(t, fleet)}
	p := startPrometheus(t, time.Second, targets)
	asks := append(allQueries(t, setting{"lvs", targets["lvs"], ".*", false}), allQueries(t, setting{"fleet", targets["fleet"], "east", true})...)
	deadline := time.Now().Add(4 * time.Minute)
	for {
		asks = slices.DeleteFunc(asks, func(a ask) bool {
			found, err := p.series(a.expr, time.Now())
			if err != nil {
				t.Fatalf("%s: %v", a, err)
			}
			return found > 0
		})
		if len(asks) == 0 {
			break
		}
		if time.Now().After(deadline) {
			for _, a := range asks {
				t.Errorf("%s: no data", a)
			}
			break
		}
		time.Sleep(time.Second) // Prometheus scrapes by the clock
	}

	// With direct routing, bytes come in and the answers are not known.
	for query, want := range map[string]bool{
		"rate(lvs_real_server_incoming_bytes_total[20s])":                        true,
		repliesOfReal("rate(lvs_real_server_outgoing_bytes_total[20s])"):         false,
		"rate(lvs_service_incoming_bytes_total[20s])":                            true,
		repliesOfService("rate(lvs_service_outgoing_bytes_total[20s])"):          false,
		"rate(lvs_service_outgoing_bytes_total[20s])":                            true,
		repliesOfReal("rate(lvs_real_server_outgoing_packets_total[20s])"):       false,
		repliesOfService("rate(lvs_service_outgoing_packets_total[20s])"):        false,
		byName(repliesOfReal("rate(lvs_real_server_outgoing_bytes_total[20s])")): false,
	} {
		expr, _, err := catalogued(t).expand(query, []choice{{label: "job"}, {label: "service"}})
		if err != nil {
			t.Fatal(err)
		}
		expr = strings.NewReplacer("$__rate_interval", "20s", "$job", "routed", "$service", "web").Replace(expr)
		if found, err := p.series(expr, time.Now()); err != nil || found > 0 != want {
			t.Errorf("direct routing: %s finds %d (%v), want some: %v", expr, found, err, want)
		}
	}
}

// A setting is what the variables of a dashboard are set to. An exporter has none
// of an agent's own figures.
type setting struct {
	job, instance, director string
	exporter                bool
}

// An ask is a query as Grafana sends it.
type ask struct{ where, expr string }

func (a ask) String() string { return a.where + ": " + a.expr }

// allQueries are those of variables, annotations and panels, with variables in place. Those
// of an agent's own figures are left out for an exporter.
func allQueries(t *testing.T, s setting) (out []ask) {
	t.Helper()
	values := strings.NewReplacer("$__rate_interval", "20s", "$__range", "20s", "$__interval", "1s", "$job", s.job, "$instance", s.instance,
		"$director", s.director, `service="$service"`, `service="web"`, `=~"$service"`, `=~".+"`, "$real", ".+")
	for _, b := range boards() {
		d, err := b.build(catalogued(t))
		if err != nil {
			t.Fatal(err)
		}
		add := func(where, expr string) {
			if s.exporter && agentOnly.MatchString(expr) {
				return
			}
			out = append(out, ask{s.job + ": " + d.Title + ": " + where, values.Replace(expr)})
		}
		for _, v := range d.Templating.List {
			if v := v.(variable); v.Type == "query" {
				series, label, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(v.Definition, "label_values("), ")"), ", ")
				add("variable "+v.Name, "count by ("+label+") ("+series+")")
			}
		}
		for _, a := range d.Annotations.List {
			if a := a.(annotation); a.BuiltIn == 0 {
				add(a.Name, a.Expr)
			}
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				add(p.Title+" "+q.RefID, q.Expr)
			}
			for _, inner := range *orNone(p.Panels) {
				for _, q := range inner.Targets {
					add(inner.Title+" "+q.RefID, q.Expr)
				}
			}
		}
	}
	if len(out) == 0 {
		t.Fatal("there are no queries")
	}
	return out
}

func orNone(p *[]panel) *[]panel {
	if p == nil {
		return &[]panel{}
	}
	return p
}

// agentOnly are the metrics that a fleet has none of.
var agentOnly = func() *regexp.Regexp {
	var names []string
	for _, d := range prom.Descriptions() {
		if !d.OfMembers {
			names = append(names, d.Name)
		}
	}
	return regexp.MustCompile(`\b(` + strings.Join(names, "|") + `)(_bucket|_sum|_count)?\b`)
}()

// expose serves the metrics of an agent and returns its address.
func expose(t *testing.T, l *live) string {
	t.Helper()
	return serve(t, exposer(t, l))
}

func exposer(t *testing.T, l *live) http.Handler {
	t.Helper()
	samples, commits := prom.NewDurations(), prom.NewDurations()
	e, err := prom.New(prom.Options{SampleDurations: samples, CommitDurations: commits, Health: l.health, Snapshot: func() *dataplane.Snapshot {
		samples.Observe(.01)
		commits.Observe(.002)
		return l.latest()
	}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// exposeFleet serves those of an exporter that asks several directors.
func exposeFleet(t *testing.T, fleet map[string]*live) string {
	t.Helper()
	e, err := prom.New(prom.Options{Members: func() (out []prom.Member) {
		for name, l := range fleet {
			h := l.health()
			out = append(out, prom.Member{Director: name, Snapshot: l.latest(), Up: true, Resets: &h.Resets, Agent: &h})
		}
		return out
	}})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, e)
}

func serve(t *testing.T, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// A server is a private Prometheus.
type server struct{ url string }

// startPrometheus starts one that scrapes a target for each job at every step, and
// evaluates the rules. It ends with the test.
func startPrometheus(t *testing.T, step time.Duration, targets map[string]string) *server {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal("prometheus is missing: install the Debian package prometheus")
	}
	var config strings.Builder
	rules, err := filepath.Abs(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&config, "global: {scrape_interval: %[1]v, scrape_timeout: %[1]v, evaluation_interval: %[1]v}\nrule_files: [%[2]q]\nscrape_configs:\n", step, rules)
	for job, addr := range targets {
		fmt.Fprintf(&config, "- {job_name: %s, static_configs: [{targets: ['%s']}]}\n", job, addr)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	addr := lab.FreePort(t, "tcp")
	c := exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+addr, "--log.level=warn")
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait() // killed: the error says so
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("prometheus says:\n%s", text)
		}
	})
	return &server{"http://" + addr}
}

// series is how many series a query finds at a time: none while the server starts. NaN,
// which is a division by nothing, does not count.
func (s *server) series(expr string, at time.Time) (n int, err error) {
	var data struct {
		Result []struct {
			Value [2]any
		}
	}
	if up, err := s.ask(expr, at, &data); err != nil || !up {
		return 0, err
	}
	for _, v := range data.Result {
		if v.Value[1] != "NaN" {
			n++
		}
	}
	return n, nil
}

// ask asks for one point in time, and what it took, and decodes the answer's data. A server that
// starts is not up; a query that is refused is an error.
func (s *server) ask(expr string, at time.Time, data any) (up bool, err error) {
	r, err := http.Get(fmt.Sprintf("%s/api/v1/query?stats=1&time=%.3f&query=%s", s.url, float64(at.UnixMilli())/1000, url.QueryEscape(expr)))
	if err != nil {
		return false, nil //nolint:nilerr // not there yet; the test's deadline tells
	}
	defer r.Body.Close()
	if r.StatusCode == http.StatusServiceUnavailable {
		return false, nil
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		return true, err
	}
	if answer.Status != "success" {
		return true, errors.New(answer.Error)
	}
	return true, nil
}
