package prometheus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lvs/collector/prom"
	"lvs/dataplane"
)

// A scene breaks something from one minute to another, and names what alerts of it
// at a minute between.
type scene struct {
	name          string
	breaks, mends func(s *stage)
	from, at, to  int // minutes: broken, looked at, mended
	clear         int // when nothing alerts any more
	alerts        []string
	ofAgent       bool // only an agent tells
}

var scenes = []scene{
	{name: "no real server left", from: 5, at: 9, to: 12, clear: 15,
		breaks: func(s *stage) { s.weigh(reals, 0) }, mends: func(s *stage) { s.weigh(reals, 1) },
		alerts: []string{"LVSNoRealServerLeft", "LVSRealServerDown"}},
	{name: "real server down", from: 5, at: 9, to: 12, clear: 15,
		breaks: func(s *stage) { s.weigh(1, 0) }, mends: func(s *stage) { s.weigh(1, 1) },
		alerts: []string{"LVSRealServerDown"}},
	{name: "few real servers up", from: 5, at: 14, to: 16, clear: 20,
		breaks: func(s *stage) { s.weigh(3, 0) }, mends: func(s *stage) { s.weigh(3, 1) },
		alerts: []string{"LVSFewRealServersUp", "LVSRealServerDown"}},
	{name: "real server removed", from: 5, at: 10, to: 12, clear: 15,
		breaks: func(s *stage) { s.remove(2) }, mends: func(s *stage) { s.add(2) },
		alerts: []string{"LVSRealServerRemoved"}},
	{name: "service removed", from: 5, at: 9, to: 12, clear: 30,
		breaks: (*stage).empty, mends: (*stage).fill,
		alerts: []string{"LVSServiceRemoved"}},
	{name: "real server flapping", from: 5, at: 14, to: 15, clear: 48,
		breaks: func(s *stage) { s.flaps = true }, mends: func(s *stage) { s.flaps = false; s.weigh(1, 1) },
		alerts: []string{"LVSRealServerFlapping"}},
	{name: "weight imbalance", from: 5, at: 35, to: 40, clear: 50,
		breaks: func(s *stage) { s.flow = [reals]uint32{200, 20, 60, 60} }, mends: func(s *stage) { s.flow = [reals]uint32{60, 60, 60, 60} },
		alerts: []string{"LVSWeightImbalance"}},
	{name: "drain stuck", from: 5, at: 75, to: 76, clear: 80,
		breaks: func(s *stage) { s.hold(0, 3); s.weigh(1, 0) }, mends: func(s *stage) { s.release(0); s.weigh(1, 1) },
		alerts: []string{"LVSDrainStuck", "LVSRealServerDown"}},
	{name: "near its threshold", from: 5, at: 13, to: 15, clear: 18,
		breaks: func(s *stage) { s.hold(1, 950) }, mends: func(s *stage) { s.release(1) },
		alerts: []string{"LVSConnectionsNearThreshold"}},
	{name: "connection table full", from: 5, at: 18, to: 20, clear: 23,
		breaks: func(s *stage) { s.connections.Store(10000) }, mends: func(s *stage) { s.connections.Store(100) },
		alerts: []string{"LVSConnectionTableFull"}},
	{name: "counters reset", from: 5, at: 8, to: 9, clear: 28,
		breaks: func(s *stage) { s.Reload(); s.fill() }, mends: func(*stage) {},
		alerts: []string{"LVSCountersReset"}},
	{name: "sync daemon stopped", from: 5, at: 9, to: 12, clear: 15,
		breaks: (*stage).stop, mends: func(s *stage) { s.startAs(dataplane.Backup) },
		alerts: []string{"LVSSyncDaemonStopped"}},
	{name: "sync daemon of another role", from: 5, at: 9, to: 12, clear: 15,
		breaks: func(s *stage) { s.stop(); s.startAs(dataplane.Backup) }, mends: func(*stage) {}},
	{name: "machine restarted without a sync daemon", from: 5, at: 40, to: 41, clear: 70,
		breaks: func(s *stage) { s.Reload(); s.fill() }, mends: func(*stage) {}},
	{name: "agent stale", from: 5, at: 9, to: 12, clear: 15,
		breaks: func(s *stage) { s.Break(errors.New("ip_vs is gone")) }, mends: func(s *stage) { s.Break(nil) },
		alerts: []string{"LVSAgentStale"}},
	{name: "snapshot inconsistent", from: 5, at: 8, to: 9, clear: 30,
		breaks: func(s *stage) { s.unstable.Store(1) }, mends: func(s *stage) { s.unstable.Store(0) },
		alerts: []string{"LVSSnapshotInconsistent"}},
	{name: "store near its limit", from: 5, at: 25, to: 26, clear: 30,
		breaks: func(s *stage) { s.storeBytes = 7 << 27 }, mends: func(s *stage) { s.storeBytes = 1 << 28 },
		alerts: []string{"LVSStoreNearLimit"}},
	{name: "a part does not work", from: 5, at: 13, to: 15, clear: 18,
		breaks: ill(func(h *prom.Health) { h.Components["store"] = false }), mends: ill(nil),
		alerts: []string{"LVSAgentComponentDown"}},
	{name: "configuration refused", from: 5, at: 13, to: 15, clear: 18, ofAgent: true,
		breaks: ill(func(h *prom.Health) { h.Config.ReloadOK = false }), mends: ill(nil),
		alerts: []string{"LVSConfigRefused"}},
	{name: "drift", from: 5, at: 17, to: 19, clear: 22, ofAgent: true,
		breaks: ill(func(h *prom.Health) { h.Director.Drift["real server"] = 2 }), mends: ill(nil),
		alerts: []string{"LVSTableDrift"}},
	{name: "notifications lost", from: 5, at: 8, to: 9, clear: 28, ofAgent: true,
		breaks: ill(func(h *prom.Health) { h.Notify["agentx"].Lost["full"] = 9 }), mends: func(*stage) {},
		alerts: []string{"LVSNotificationsLost"}},
	{name: "samples not stored", from: 5, at: 8, to: 9, clear: 28,
		breaks: ill(func(h *prom.Health) { h.Store.CommitErrors = 6 }), mends: func(*stage) {},
		alerts: []string{"LVSSamplesNotStored"}},
	{name: "store damaged", from: 5, at: 8, to: 9, clear: 12, ofAgent: true,
		breaks: ill(func(h *prom.Health) { h.Store.PutAside = true }), mends: ill(nil),
		alerts: []string{"LVSStoreDamaged"}},
	{name: "agent down", from: 5, at: 9, to: 12, clear: 15,
		breaks: func(s *stage) { s.unreachable = true }, mends: func(s *stage) { s.unreachable = false },
		alerts: []string{"LVSAgentDown"}},
	{name: "director gone", from: 5, at: 18, to: 20, clear: 23,
		breaks: func(s *stage) { s.dropped = true }, mends: func(s *stage) { s.dropped = false },
		alerts: []string{"LVSDirectorGone"}},
	{name: "agent absent", from: 5, at: 18, to: 20, clear: 23,
		breaks: func(s *stage) { s.unlisted = true }, mends: func(s *stage) { s.unlisted = false },
		alerts: []string{"LVSAgentAbsent"}},
}

// ill has the agent say this of itself from now on.
func ill(says func(*prom.Health)) func(*stage) {
	return func(s *stage) { s.ills = says }
}

// TestScenesRaiseTheirAlertsOnly plays each scene on a director, sampled and shown
// by what agent and exporter are made of, and has promtool evaluate the rules over
// what they showed: no alert before, the scene's and no other, and none after.
func TestScenesRaiseTheirAlertsOnly(t *testing.T) {
	for _, tt := range scenes {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			t.Run("agent", func(t *testing.T) { play(t, &tt, (*stage).agent) })
			if !tt.ofAgent {
				t.Run("fleet", func(t *testing.T) { play(t, &tt, (*stage).fleet) })
			}
		})
	}
}

// TestScenesAreOfEveryAlert has none left out.
func TestScenesAreOfEveryAlert(t *testing.T) {
	raised := map[string]bool{}
	for _, s := range scenes {
		for _, a := range s.alerts {
			raised[a] = true
		}
	}
	for _, r := range rules(t) {
		if r.Alert != "" && !raised[r.Alert] {
			t.Errorf("no scene raises %s", r.Alert)
		}
	}
}

func play(t *testing.T, tt *scene, show func(*stage) prom.Options) {
	var r *recorder
	synctest.Test(t, func(t *testing.T) { r = perform(t, tt, show) })
	file := filepath.Join(t.TempDir(), "scene.test.yml")
	if err := os.WriteFile(file, []byte(r.cases(t, tt)), 0o666); err != nil {
		t.Fatal(err)
	}
	promtool(t, "test", "rules", file)
}

// perform scrapes the stage every minute, until a while after all is well again.
func perform(t *testing.T, tt *scene, show func(*stage) prom.Options) *recorder {
	s := newStage(t)
	e, err := prom.New(show(s))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.sampler.Run(ctx) })
	r := &recorder{start: time.Now(), series: map[string][]string{}}
	for minute := range tt.clear + 1 {
		switch minute {
		case tt.from:
			tt.breaks(s)
		case tt.to:
			tt.mends(s)
		}
		s.minute()
		time.Sleep(25 * time.Second) // two samples or three
		synctest.Wait()
		r.scrape(t, s, e)
		time.Sleep(35 * time.Second)
	}
	cancel()
	wg.Wait()
	return r
}

// A recorder keeps what a Prometheus would that scraped once a minute.
type recorder struct {
	start   time.Time
	minutes int
	series  map[string][]string
}

func (r *recorder) scrape(t *testing.T, s *stage, e *prom.Exposition) {
	now := map[string]string{}
	if !s.unlisted {
		now[`lvs_up{job="lvs",instance="d2:10587"}`] = "1"
	}
	if !s.unlisted && !s.dropped {
		now[`up{job="lvs",instance="d1:10587"}`] = "1"
	}
	switch {
	case s.unreachable:
		now[`up{job="lvs",instance="d1:10587"}`] = "0"
	case !s.unlisted && !s.dropped:
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		for line := range strings.Lines(w.Body.String()) {
			if !strings.HasPrefix(line, "#") {
				name, value := r.sample(t, strings.TrimSpace(line))
				now[name] = value
			}
		}
	}
	for name := range now {
		if r.series[name] == nil && r.minutes > 0 {
			r.series[name] = slices.Repeat([]string{"_"}, r.minutes)
		}
	}
	for name := range now {
		r.series[name] = append(r.series[name], now[name])
	}
	for name, values := range r.series {
		if _, there := now[name]; !there {
			r.series[name] = append(values, "stale")
		}
	}
	r.minutes++
}

// sample is a line of the exposition, with the target's labels, and times told from
// the beginning, which is the time 0 of promtool.
func (r *recorder) sample(t *testing.T, line string) (series, value string) {
	at := strings.LastIndexByte(line, ' ')
	v, err := strconv.ParseFloat(line[at+1:], 64)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	name, labels, _ := strings.Cut(strings.TrimSuffix(line[:at], "}"), "{")
	if strings.HasSuffix(name, "_timestamp_seconds") && v != 0 {
		v -= float64(r.start.Unix())
	}
	series = fmt.Sprintf(`%s{job="lvs",instance="d1:10587",%s}`, name, labels)
	return strings.Replace(series, ",}", "}", 1), strconv.FormatFloat(v, 'f', -1, 64)
}

// cases are the record and what is expected of it, for promtool.
func (r *recorder) cases(t *testing.T, tt *scene) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "rule_files: ['%s/lvs.rules.yml', '%s/lvs.alerts.yml']\nevaluation_interval: 1m\n", dir, dir)
	fmt.Fprintf(&b, "group_eval_order: [lvs-services, lvs-real-servers, lvs-directors, lvs-service-alerts, lvs-real-server-alerts, lvs-director-alerts, lvs-agent-alerts]\n")
	fmt.Fprintf(&b, "tests:\n- interval: 1m\n  input_series:\n")
	for _, name := range slices.Sorted(maps.Keys(r.series)) {
		fmt.Fprintf(&b, "  - {series: '%s', values: '%s'}\n", name, strings.Join(r.series[name], " "))
	}
	fmt.Fprintf(&b, "  promql_expr_test:\n")
	for _, want := range []struct {
		minute int
		alerts []string
	}{{tt.from - 1, nil}, {tt.at, tt.alerts}, {tt.clear, nil}} {
		fmt.Fprintf(&b, "  - expr: group by (alertname) (ALERTS{alertstate=\"firing\"})\n    eval_time: %dm\n    exp_samples:\n", want.minute)
		for _, a := range want.alerts {
			fmt.Fprintf(&b, "    - {labels: '{alertname=\"%s\"}', value: 1}\n", a)
		}
	}
	return b.String()
}
