package prom

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/encoding/protodelim"

	"lvs/dataplane"
)

var update = flag.Bool("update", false, "write the golden files anew")

// everything is switched on, over rich.
func everything() Options {
	snap := rich()
	samples, commits := NewDurations(), NewDurations()
	samples.Observe(.003)
	commits.Observe(.02)
	return Options{Snapshot: func() *dataplane.Snapshot { return snap }, Health: busy, KernelRates: true, NodeIPVS: true,
		SampleDurations: samples, CommitDurations: commits}
}

func exposition(t testing.TB, o Options) *Exposition {
	t.Helper()
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// get scrapes e and returns the body, which must be a success.
func get(t testing.TB, e *Exposition, query string) string {
	t.Helper()
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest("GET", "/metrics"+query, nil))
	if w.Code != http.StatusOK {
		t.Fatalf("GET %s: %d %s", query, w.Code, w.Body)
	}
	return w.Body.String()
}

// golden compares got with a file of testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got), -update to accept:\n%s", name, diff)
	}
}

func TestWholeScrape(t *testing.T) {
	tests := []struct {
		name string
		opts func() Options
	}{
		{"everything.prom", everything},
		{"before-first.prom", func() Options {
			return Options{Snapshot: func() *dataplane.Snapshot { return nil }, Health: func() Health { return Health{} }}
		}},
		{"partial.prom", func() Options { // as /proc tells it: no counters but the director's
			o := everything()
			snap := rich()
			snap.Partial = true
			o.Snapshot = func() *dataplane.Snapshot { return snap }
			o.Health, o.NodeIPVS = nil, false
			return o
		}},
		{"suppressed.prom", func() Options {
			o := everything()
			o.RealsLimit, o.NodeIPVS, o.KernelRates = 1, false, false
			return o
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := get(t, exposition(t, tt.opts()), "")
				golden(t, tt.name, strings.ReplaceAll(got, runtime.Version(), "GOVERSION"))
			})
		})
	}
}

func TestOpenMetricsScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := httptest.NewRequest("GET", "/metrics?scope=director", nil)
		r.Header.Set("Accept", "application/openmetrics-text;version=1.0.0")
		w := httptest.NewRecorder()
		exposition(t, everything()).ServeHTTP(w, r)
		golden(t, "director.openmetrics", w.Body.String())
	})
}

func TestProtobufTellsWhenTotalsBegan(t *testing.T) {
	e := exposition(t, everything())
	r := httptest.NewRequest("GET", "/metrics?scope=director,services,reals", nil)
	r.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeProtoDelim)))
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	want := rich().Services[0].FirstSeen
	counters := 0
	for body := bytes.NewReader(w.Body.Bytes()); ; {
		var mf dto.MetricFamily
		if err := protodelim.UnmarshalFrom(body, &mf); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if mf.GetType() != dto.MetricType_COUNTER || mf.GetName() == "lvs_resets_total" || mf.GetName() == "lvs_service_refused_connections_total" {
			continue
		}
		for _, m := range mf.Metric {
			counters++
			if got := m.Counter.CreatedTimestamp.AsTime(); !got.Equal(want) {
				t.Errorf("%s %v: began %v, want %v", mf.GetName(), m.Label, got, want)
			}
		}
	}
	if want := 5 + 7*(len(rich().Services)+rich().RealServers()); counters != want {
		t.Errorf("%d counters, want %d", counters, want)
	}
}

func TestPromtoolFindsNothing(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is missing: apt-get install prometheus")
	}
	o := everything()
	o.NodeIPVS = false // node_exporter's own names, which it is not ours to mend
	o.Process = ProcessMetrics()
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(get(t, exposition(t, o), ""))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

func TestLinterFindsNothing(t *testing.T) {
	e := exposition(t, everything())
	problems, err := testutil.GatherAndLint(e)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if problems, err = testutil.CollectAndLint(e); err != nil || len(problems) > 0 {
		t.Errorf("as a collector: %v %v", problems, err)
	}
}

func TestPedanticRegistryAcceptsEverySeries(t *testing.T) {
	for name, opts := range map[string]Options{"all": everything(), "fewer labels": func() Options {
		o := everything()
		o.BackendLabels = []string{"proto", "local_mark"}
		return o
	}()} {
		t.Run(name, func(t *testing.T) {
			e := exposition(t, opts)
			r := prometheus.NewPedanticRegistry()
			if err := r.Register(e); err != nil {
				t.Fatal(err)
			}
			theirs, err := r.Gather() // refuses duplicates, bad UTF-8 and what was not described
			if err != nil {
				t.Fatal(err)
			}
			ours, err := e.Gather()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(seriesOf(theirs), seriesOf(ours)); diff != "" {
				t.Errorf("registry and exposition differ (-registry +ours):\n%s", diff)
			}
		})
	}
}

// seriesOf lists names and labels of all series, in the order of their text.
func seriesOf(all []*dto.MetricFamily) (out []string) {
	for _, mf := range all {
		for _, m := range mf.Metric {
			out = append(out, fmt.Sprint(mf.GetName(), m.Label))
		}
	}
	slices.Sort(out)
	return out
}

func TestEveryFamilyIsDescribedAsItIs(t *testing.T) {
	shown := map[string]*dto.MetricFamily{}
	all, err := exposition(t, everything()).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, mf := range all {
		shown[mf.GetName()] = mf
	}
	docs := Descriptions()
	for i, d := range docs {
		if i > 0 && docs[i-1].Name >= d.Name {
			t.Errorf("%s and %s are out of order", docs[i-1].Name, d.Name)
		}
		mf := shown[d.Name]
		if mf == nil {
			t.Errorf("%s is described and not shown", d.Name)
			continue
		}
		delete(shown, d.Name)
		if got := strings.ToLower(mf.GetType().String()); got != d.Type {
			t.Errorf("%s is a %s, described as a %s", d.Name, got, d.Type)
		}
		for _, m := range mf.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName())
			}
			if !slices.Equal(labels, d.Labels) || !slices.IsSorted(labels) {
				t.Errorf("%s has labels %q, described as %q", d.Name, labels, d.Labels)
			}
		}
	}
	for name := range shown {
		t.Errorf("%s is shown and not described", name)
	}
}

func TestRemovedObjectsVanishAtOnce(t *testing.T) {
	snap := rich()
	e := exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return snap }, NodeIPVS: true})
	for _, want := range []bool{true, false} {
		got := get(t, e, "")
		for _, text := range []string{`service="fwm4/257"`, `real="198.51.100.1:0",service="fwm4/257"`, `local_mark="00000101"`} {
			if strings.Contains(got, text) != want {
				t.Errorf("%s shown: %v, want %v", text, !want, want)
			}
		}
		less := rich()
		less.Services = slices.DeleteFunc(less.Services, func(s dataplane.ServiceState) bool { return s.Key == key("fwm4/257") })
		snap = less
	}
}

func TestGzipHoldsTheSameText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := exposition(t, everything())
		want := get(t, e, "")
		for range 2 { // the second time with what the first gave back
			r := httptest.NewRequest("GET", "/metrics", nil)
			r.Header.Set("Accept-Encoding", "gzip")
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatalf("%v: %v", w.Header(), err)
			}
			got, err := io.ReadAll(z)
			if err != nil || string(got) != want {
				t.Errorf("%d bytes unzipped, want %d: %v", len(got), len(want), err)
			}
			if w.Header().Get("Content-Encoding") != "gzip" {
				t.Errorf("headers %v", w.Header())
			}
		}
	})
}

func TestGuardCountsWhatItLeavesOut(t *testing.T) {
	n := rich().RealServers()
	tests := []struct {
		mode       RealsMode
		limit      int
		query      string
		suppressed int // real servers
	}{
		{RealsAuto, 0, "", 0},
		{RealsAuto, n, "", 0},
		{RealsAuto, n - 1, "", n},
		{RealsAuto, n - 1, "?service=web", 0}, // four real servers are few
		{RealsAuto, 1, "?scope=reals", n},
		{RealsAlways, 1, "", 0},
		{RealsNever, 0, "", n},
		{RealsNever, 0, "?service=tcp/*&scope=director", 4 + 2 + 1},
	}
	full := exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return rich() }})
	perReal := strings.Count(get(t, full, "?service=fwm4/257"), "\nlvs_real_server_")
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.mode, tt.limit, tt.query), func(t *testing.T) {
			e := exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return rich() }, Reals: tt.mode, RealsLimit: tt.limit})
			got := get(t, e, tt.query)
			if want := fmt.Sprintf("\nlvs_agent_series_suppressed{scope=\"reals\"} %d\n", tt.suppressed*perReal); !strings.Contains(got, want) {
				t.Errorf("want %q in:\n%s", want, got)
			}
			if shown := strings.Contains(got, "\nlvs_real_server_"); shown != (tt.suppressed == 0) {
				t.Errorf("real servers shown: %v", shown)
			}
		})
	}
}

func TestSnapshotAgeGrowsWhileNoSampleComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var snap *dataplane.Snapshot
		e := exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return snap }, Health: func() Health { return Health{Up: true} }})
		time.Sleep(30 * time.Second)
		if got := get(t, e, ""); !strings.Contains(got, "\nlvs_agent_snapshot_age_seconds 30\n") || !strings.Contains(got, "\nlvs_up 0\n") {
			t.Errorf("before the first snapshot:\n%s", got)
		}
		snap = &dataplane.Snapshot{Time: time.Now()}
		time.Sleep(7 * time.Second)
		if got := get(t, e, ""); !strings.Contains(got, "\nlvs_agent_snapshot_age_seconds 7\n") || !strings.Contains(got, "\nlvs_up 1\n") {
			t.Errorf("seven seconds after it:\n%s", got)
		}
	})
}

func TestProcessMetricsStandAmongOurs(t *testing.T) {
	broken := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		name, gauge, v := "aaa", dto.MetricType_GAUGE, 1.0
		ours := "lvs_up"
		one := []*dto.Metric{{Gauge: &dto.Gauge{Value: &v}}}
		return []*dto.MetricFamily{{Name: &name, Type: &gauge, Metric: one}, {Name: &ours, Type: &gauge, Metric: one}}, io.ErrUnexpectedEOF
	})
	e := exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return rich() }, Process: broken})
	get(t, e, "")
	got := get(t, e, "")
	if !strings.Contains(got, "\naaa 1\n") || strings.Count(got, "TYPE lvs_up ") != 1 {
		t.Errorf("process metrics wrongly merged:\n%s", got)
	}
	if !strings.Contains(got, "lvs_agent_scrape_errors_total{stage=\"process\"} 1\n") {
		t.Errorf("the error is not counted:\n%s", got)
	}
	if got := get(t, e, "?scope=reals"); strings.Contains(got, "aaa") {
		t.Error("process metrics outside scope agent")
	}

	real := get(t, exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return rich() }, Process: ProcessMetrics()}), "?scope=agent")
	for _, want := range []string{"\ngo_goroutines ", "\nlvs_up 1\n", "\nprocess_cpu_seconds_total "} {
		if !strings.Contains(real, want) {
			t.Errorf("no %q in:\n%s", want, real)
		}
	}
	one := get(t, exposition(t, Options{Snapshot: func() *dataplane.Snapshot { return nil }, Process: ProcessMetrics()}), "?name[]=go_goroutines")
	if !strings.Contains(one, "\ngo_goroutines ") || strings.Count(one, "# TYPE") != 1 {
		t.Errorf("one family asked for:\n%s", one)
	}
	var names []string
	for line := range strings.Lines(real) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			names = append(names, name)
		}
	}
	if !slices.IsSorted(names) {
		t.Errorf("families out of order: %q", names)
	}
}

func TestScrapesAtOnceAreEachWhole(t *testing.T) {
	a, b := rich(), rich()
	for i := range b.Services {
		b.Services[i].Name = fmt.Sprint("other", i)
	}
	var mu sync.Mutex
	n := 0
	e := exposition(t, Options{Snapshot: func() *dataplane.Snapshot {
		mu.Lock()
		defer mu.Unlock()
		n++
		if n%2 == 0 {
			return a
		}
		return b
	}, NodeIPVS: true, Process: ProcessMetrics()})
	want := map[string]bool{}
	const q = "?scope=services,reals&name[]=lvs_real_server_connections_total&name[]=lvs_service_info"
	want[get(t, e, q)], want[get(t, e, q)] = true, true
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				if got := get(t, e, q); !want[got] {
					t.Errorf("a mixed scrape:\n%s", got)
				}
				get(t, e, "")
			}
		})
		wg.Go(func() {
			for range 10 {
				if _, err := e.Gather(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestOptionsThatCannotBe(t *testing.T) {
	_, err := New(Options{Reals: 9, RealsLimit: -1, BackendLabels: []string{"proto", "colour", "proto"}})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"no function", "reals mode 9", "-1 is negative", `"colour": want some of local_address`, `"proto" given twice`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestRealsModeText(t *testing.T) {
	for m := range numRealsModes {
		if got, err := ParseRealsMode(m.String()); err != nil || got != m {
			t.Errorf("ParseRealsMode(%q) = %v, %v", m, got, err)
		}
	}
	if _, err := ParseRealsMode("sometimes"); err == nil || !strings.Contains(err.Error(), "want auto, always, never") {
		t.Errorf("ParseRealsMode(sometimes): %v", err)
	}
}
