//go:build lab

package e2e

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
)

// A shownDocument is /api/v1/snapshot as far as tables of dashboards show it.
type shownDocument struct {
	Time     time.Time      `json:"time"`
	Services []shownService `json:"services"`
}

type shownService struct {
	Key, Name string
	Scheduler string `json:"scheduler"`
	Available int    `json:"available_real_servers"`
	shownState
	Reals []struct {
		Address, Name string
		Method        string  `json:"forwarding_method"`
		Weight        float64 `json:"weight"`
		Upper         float64 `json:"upper_threshold"`
		Active        float64 `json:"active_connections"`
		Inactive      float64 `json:"inactive_connections"`
		shownState
	} `json:"real_servers"`
}

// expected is the share that is a real server's by its weight or, with schedulers
// that ask of a weight only whether it is 0, by being there; nil where nobody
// serves.
func (s shownService) expected(weight float64) any {
	sum := 0.0
	for _, r := range s.Reals {
		sum += r.Weight
	}
	switch {
	case sum == 0:
		return nil
	case !slices.Contains([]string{"rr", "lc", "dh"}, s.Scheduler):
		return weight / sum
	case weight == 0:
		return 0.0
	}
	return 1 / float64(s.Available)
}

// label is the service's in metrics.
func (s shownService) label() string { return cmp.Or(s.Name, s.Key) }

type shownState struct {
	State    string    `json:"state"`
	Changed  time.Time `json:"last_change"`
	Failures float64   `json:"failures"`
	Peak     float64   `json:"peak_connections"`
}

// up is what a dashboard's "up" is of a service.
func (s shownState) up() float64 {
	if s.State == "up" || s.State == "overloaded" {
		return 1
	}
	return 0
}

// since is when the state began, as Grafana takes times: in milliseconds.
func (s shownState) since() float64 { return float64(s.Changed.UnixMicro()) / 1000 }

// same waits until Prometheus has scraped a sample whose document was seen, and
// returns that and when it was scraped.
func (s *scene) same() (doc *shownDocument, at time.Time) {
	s.t.Helper()
	const read = `lvs_agent_last_sample_timestamp_seconds{job="` + agentJob + `"}`
	seen := map[int64]*shownDocument{} // by the time of the sample, in milliseconds
	ask := func(expr string) float64 {
		found, err := s.prom.instant(expr, time.Now())
		if err != nil {
			s.t.Fatal(err)
		}
		if len(found) == 0 {
			return 0 // the latest scrape has failed
		}
		return found[0].Value.value
	}
	lab.Wait(s.t, "a sample that was scraped", func() bool {
		next := &shownDocument{}
		if err := json.Unmarshal(s.get("/api/v1/snapshot"), next); err != nil {
			s.t.Fatal(err)
		}
		seen[next.Time.UnixMilli()] = next
		sampled, scraped := ask(read), ask("timestamp("+read+")")
		doc = seen[int64(sampled*1000)]
		at = time.UnixMilli(int64(math.Round(scraped * 1000)))
		return doc != nil && sampled == ask(read) // and no scrape came in between
	})
	return doc, at
}

// A shownTable is a table panel: its cells by row, which the labels of that name
// tell from the others, and by the title of the column.
type shownTable map[string]map[string]any

// showTable asks what a panel asks, and joins the answers by the labels given, as
// Grafana's merging does.
func showTable(t *testing.T, s *scene, b *board, title string, v values, over timeSpan, labels ...string) shownTable {
	t.Helper()
	out := shownTable{}
	for _, p := range b.panels() {
		if p.Title != title || p.Type != "table" {
			continue
		}
		titles := p.Transformations[1].Options.RenameByName
		for _, target := range p.Targets {
			expr, err := b.fill(target.Expr, v, over)
			if err != nil {
				t.Fatal(err)
			}
			found, err := s.prom.instant(expr, over.to)
			if err != nil {
				t.Fatalf("%s: %v", expr, err)
			}
			for _, r := range found {
				var at []string
				for _, l := range labels {
					at = append(at, r.Labels[l])
				}
				row := out[strings.Join(at, " ")]
				if row == nil {
					row = map[string]any{}
					out[strings.Join(at, " ")] = row
				}
				for l, value := range r.Labels {
					row[titles[l]] = value
				}
				row[titles["Value #"+target.RefID]] = r.Value.value
			}
		}
		return out
	}
	t.Fatalf("%s has no table %q", b.Title, title)
	return nil
}

// cell holds a cell against what it should be; nil is none.
func (tb shownTable) cell(t *testing.T, row, column string, want any) {
	t.Helper()
	got := tb[row][column]
	a, isNumber := got.(float64)
	if w, ok := want.(float64); ok && isNumber {
		if math.Abs(a-w) > 0.002 { // times in milliseconds lose their last digits
			t.Errorf("%s of %s is %v, want %v", column, row, a, w)
		}
		return
	}
	if want == "" {
		want = nil // Prometheus has no empty labels
	}
	if got != want {
		t.Errorf("%s of %s is %v, want %v", column, row, got, want)
	}
}

// row holds cells of a row, by the titles of their columns, against what they should be.
func (tb shownTable) row(t *testing.T, at string, want map[string]any) {
	t.Helper()
	for column, value := range want {
		tb.cell(t, at, column, value)
	}
}

// testTables holds the tables of the dashboards against the agent's document of the
// same sample.
func testTables(t *testing.T, s *scene, boards []*board, doc *shownDocument, over timeSpan) {
	for _, b := range boards {
		v, _, err := b.first(s.prom, agentJob, over)
		if err != nil {
			t.Fatal(err)
		}
		switch b.UID {
		case "lvs-director":
			testServicesTable(t, showTable(t, s, b, "Virtual services", v, over, "service"), doc)
		case "lvs-service":
			for _, service := range doc.Services {
				testRealsTable(t, showTable(t, s, b, "Real servers", v.with("service", service.label()), over, "real"), service)
			}
		case "lvs-fleet":
			testFleetTables(t, showTable(t, s, b, "Directors", v, over, "job"), showTable(t, s, b, "Services that lack real servers", v, over, "service"), doc)
		}
	}
}

// testFleetTables expects one director, and the services that have nobody, or fewer
// real servers than they had.
func testFleetTables(t *testing.T, directors, down shownTable, doc *shownDocument) {
	t.Helper()
	reals := 0
	for _, service := range doc.Services {
		reals += len(service.Reals)
		name := service.label()
		lacks := service.up() == 0 || name == "web" || name == "dns"
		if lacks {
			down.row(t, name, map[string]any{"State": service.up(), "Failures": service.Failures})
		} else if down[name] != nil && name != "flapping" { // which rules are late to follow
			t.Errorf("%s lacks no real server, and is shown: %v", name, down[name])
		}
		if lacks && service.up() == 0 {
			down.cell(t, name, "Since", service.since())
		}
	}
	down.row(t, "web", map[string]any{"In service": 3.0, "In the table": 4.0, "Of the last hour's": 3.0 / 5})
	down.row(t, "dns", map[string]any{"In service": 2.0, "In the table": 2.0, "Of the last hour's": 2.0 / 3})
	if len(directors) != 1 {
		t.Errorf("%d directors, want one", len(directors))
	}
	for at := range directors {
		directors.row(t, at, map[string]any{"State": 1.0, "Services": float64(len(doc.Services)), "Real servers": float64(reals)})
	}
}

func testRealsTable(t *testing.T, tb shownTable, service shownService) {
	t.Helper()
	if len(tb) != len(service.Reals) {
		t.Errorf("%s has %d real servers, want %d", service.label(), len(tb), len(service.Reals))
	}
	for _, r := range service.Reals {
		want := map[string]any{"Name": r.Name, "Method": r.Method, "Since": r.since(), "Weight": r.Weight,
			"Active": r.Active, "Inactive": r.Inactive, "Peak": r.Peak, "Failures": r.Failures, "Threshold": nil, "Expected": service.expected(r.Weight),
			"State": map[string]float64{"down": 0, "draining": 1, "overloaded": 2, "up": 3}[r.State]}
		if r.Upper > 0 {
			want["Threshold"] = r.Upper
		}
		tb.row(t, r.Address, want)
	}
}

func testServicesTable(t *testing.T, tb shownTable, doc *shownDocument) {
	t.Helper()
	if len(tb) != len(doc.Services) {
		t.Errorf("%d services, want %d", len(tb), len(doc.Services))
	}
	for _, service := range doc.Services {
		var weight, active, inactive float64
		for _, r := range service.Reals {
			weight, active, inactive = weight+r.Weight, active+r.Active, inactive+r.Inactive
		}
		tb.row(t, service.label(), map[string]any{"State": service.up(), "Since": service.since(), "In service": float64(service.Available),
			"Real servers": float64(len(service.Reals)), "Weight": weight, "Active": active, "Inactive": inactive})
	}
}
