//go:build lab

package e2e

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lvs/internal/lab"
)

// An alerting is a Prometheus that evaluates our alerts, shortened, every other second.
type alerting struct {
	*promServer
	dir string
}

// A target is an agent, the label instance that it has, and the scopes that are
// asked for; "" is all.
type target struct {
	*agent
	instance, scope string
}

// startAlerting starts one that scrapes these every other second: a machine that is
// busy leaves a scrape no less than that. It ends with the test.
func startAlerting(t *testing.T, targets ...target) *alerting {
	t.Helper()
	p := &alerting{dir: runDir(t)}
	h := haste{factor: 120, leastRange: 20 * time.Second, leastWait: 4 * time.Second}
	shortenRules(t, p.dir, h)
	p.configure(t, targets)
	// Series of a job that is gone are seen for five minutes else.
	p.promServer = runPrometheus(t, p.dir, "--query.lookback-delta="+h.leastRange.String())
	return p
}

func (p *alerting) configure(t *testing.T, targets []target) {
	t.Helper()
	var b strings.Builder
	b.WriteString("global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 2s}\nrule_files: [lvs.rules.yml, lvs.alerts.yml]\nscrape_configs:\n")
	for _, at := range targets {
		fmt.Fprintf(&b, "- job_name: lvs-%s\n  static_configs: [{targets: ['%s'], labels: {instance: %[1]s}}]\n", at.instance, strings.TrimPrefix(at.url, "http://"))
		if at.scope != "" {
			fmt.Fprintf(&b, "  params: {scope: ['%s']}\n", at.scope)
		}
	}
	write(t, filepath.Join(p.dir, "prometheus.yml"), b.String())
}

// scrape has other targets scraped from now on, of which there are more or fewer.
func (p *alerting) scrape(t *testing.T, targets ...target) {
	t.Helper()
	p.configure(t, targets)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	lab.Wait(t, "prometheus has its new targets", func() bool {
		var data struct{ ActiveTargets []any }
		return p.api("targets", nil, &data) == nil && len(data.ActiveTargets) == len(targets)
	})
}

// tooBusy reports whether an alert says no more than that scrapes have lately taken
// longer than they may, of the agent or of any: the machine is too slow for them.
func (p *alerting) tooBusy(a alert) bool {
	if name := a.Labels["alertname"]; name != "LVSAgentDown" && name != "LVSAgentAbsent" {
		return false
	}
	found, err := p.instant(fmt.Sprintf("max_over_time(scrape_duration_seconds{instance=~%q}[1m]) > 1.9", cmp.Or(a.Labels["instance"], ".+")), time.Now())
	return err == nil && len(found) > 0
}

// An alert is one that Prometheus has, pending or firing.
type alert struct {
	Labels, Annotations map[string]string
	State               string
}

// ofAlerts are the labels that tell alerts of one name apart, in the order of
// [alert.String].
var ofAlerts = []string{"instance", "service", "real", "component", "kind", "reason", "target"}

// String is the name and those labels, as "LVSRealServerDown a web 10.2.0.11:80".
func (a alert) String() string {
	words := []string{a.Labels["alertname"]}
	for _, name := range ofAlerts {
		if v, has := a.Labels[name]; has {
			words = append(words, v)
		}
	}
	return strings.Join(words, " ")
}

// check holds what an alert says against what people need.
func (a alert) check(t *testing.T) {
	t.Helper()
	for name, v := range a.Labels {
		if v == "" || !slices.Contains(ofAlerts, name) && !slices.Contains([]string{"alertname", "job", "severity"}, name) {
			t.Errorf("%v has the label %s=%q", a, name, v)
		}
	}
	if instance := a.Labels["instance"]; instance != "" && a.Labels["job"] != "lvs-"+instance {
		t.Errorf("%v is of the job %s", a, a.Labels["job"])
	}
	for _, name := range []string{"summary", "description", "runbook_url"} {
		text := a.Annotations[name]
		if text == "" || strings.Contains(text, "<error") || strings.Contains(text, "<no value>") || strings.Contains(text, "{{") {
			t.Errorf("%v has the %s %q", a, name, text)
		}
		for _, label := range []string{"service", "real"} {
			if v := a.Labels[label]; v != "" && name == "summary" && !strings.Contains(text, v) {
				t.Errorf("the summary of %v is %q, which does not say %s", a, text, v)
			}
		}
	}
}

// alerts are all there are.
func (p *alerting) alerts() ([]alert, error) {
	var data struct{ Alerts []alert }
	err := p.api("alerts", nil, &data)
	return data.Alerts, err
}
