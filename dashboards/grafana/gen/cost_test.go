package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lvs/collector"
	"lvs/collector/prom"
	"lvs/dataplane"
)

// What the crowd is made of: as many real servers as are shown in the metrics
// without being asked for.
const (
	crowdServices = 1000
	crowdReals    = prom.DefaultRealsLimit / crowdServices
	crowdDown     = 3 // services without a real server
)

// crowdStep is the time between two scrapes, enough to take in so many samples.
const crowdStep = 5 * time.Second

// limits of a dashboard on such a director. Series are what one query hands to a
// browser; samples, what Prometheus reads for one point in time of all its queries,
// those of closed rows apart.
var limits = map[string]struct{ queries, series, samples int }{
	fleetUID:    {30, 4 + crowdDown, 20 * crowdServices},
	directorUID: {45, crowdServices, 45 * crowdServices},
	serviceUID:  {60, 4 * crowdReals, 4000},
}

// Dashboards of a director with a thousand services stay light: a fleet shows what
// is down and sums, a director its busiest services, and a service nothing of the
// others.
func TestDashboardsAreLight(t *testing.T) {
	p := startPrometheus(t, crowdStep, map[string]string{"lvs": serve(t, scrapes(t, exposer(t, crowd())))})
	var at time.Time
	settled := func() bool {
		at = time.Now().Truncate(crowdStep).Add(-crowdStep / 2)
		n, err := p.series("service:lvs_real_servers_up:ratio1h and service:lvs_outgoing_bytes:rate5m", at)
		if err != nil || n < crowdServices {
			return false
		}
		n, err = p.series("count_over_time(lvs_up[20s]) == 4", at) // whoever looks has full windows
		return err == nil && n == 1
	}
	for deadline := time.Now().Add(4 * time.Minute); !settled(); time.Sleep(time.Second) { // it goes by the clock
		if time.Now().After(deadline) {
			t.Fatal("the recording rules know of no rates")
		}
	}
	for _, b := range boards() {
		d, err := b.build(catalogued(t))
		if err != nil {
			t.Fatal(err)
		}
		limit, queries, samples := limits[b.uid], 0, 0
		for _, panel := range d.Panels {
			for _, q := range panel.Targets {
				expr := crowdValues.Replace(q.Expr)
				cost, err := p.cost(expr, at)
				if err != nil {
					t.Fatalf("%s: %s: %s: %v", d.Title, panel.Title, expr, err)
				}
				queries, samples = queries+1, samples+cost.samples
				if cost.series > limit.series {
					t.Errorf("%s: %s %s hands over %d series, want at most %d: %s", d.Title, panel.Title, q.RefID, cost.series, limit.series, expr)
				}
			}
		}
		t.Logf("%s: %d queries, %d samples for a point in time", d.Title, queries, samples)
		if queries > limit.queries || samples > limit.samples {
			t.Errorf("%s: %d queries read %d samples for a point in time, want at most %d and %d", d.Title, queries, samples, limit.queries, limit.samples)
		}
	}
}

var crowdValues = strings.NewReplacer("$__rate_interval", "20s", "$__range", "100s", "$__interval", "5s", "$job", ".+",
	`instance="$instance"`, `instance=~".+"`, "$instance", ".+", "$director", ".*",
	`service="$service"`, `service="tcp/198.51.100.1:500"`, "$service", ".+", "$real", ".+")

// A cost is what a query hands over and what it reads for that.
type cost struct{ series, samples int }

// cost asks for one point in time.
func (s *server) cost(expr string, at time.Time) (c cost, err error) {
	var data struct {
		Result []any
		Stats  struct {
			Samples struct{ TotalQueryableSamples int }
		}
	}
	if _, err := s.ask(expr, at, &data); err != nil {
		return c, err
	}
	if data.Stats.Samples.TotalQueryableSamples == 0 && len(data.Result) > 0 {
		return c, fmt.Errorf("prometheus does not tell what it read")
	}
	return cost{len(data.Result), data.Stats.Samples.TotalQueryableSamples}, nil
}

// scrapes are what h answers, a few times, with the time of the scrape's step in it: no
// more samples are in a window for one that comes late on a busy machine. They are made
// before they are asked for, which such a machine takes long for.
func scrapes(t *testing.T, h http.Handler) http.Handler {
	t.Helper()
	const stamp = " 0000000000000\n" // milliseconds
	var texts [6]string
	var format string
	for i := range texts {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
		format = w.Header().Get("Content-Type")
		var text strings.Builder
		for line := range strings.Lines(w.Body.String()) {
			if !strings.HasPrefix(line, "#") {
				line = strings.TrimSuffix(line, "\n") + stamp
			}
			text.WriteString(line)
		}
		texts[i] = text.String()
	}
	var asked atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i := min(asked.Add(1), int64(len(texts))) - 1 // the last one stays
		w.Header().Set("Content-Type", format)
		io.WriteString(w, strings.ReplaceAll(texts[i], stamp, fmt.Sprintf(" %013d\n", time.Now().Truncate(crowdStep).UnixMilli())))
	})
}

// crowd is a director with a thousand services, all of them busy but those that are
// down.
func crowd() *live {
	return &live{continuity: collector.NewContinuity(nil, time.Hour), table: func(n uint64, now time.Time) *dataplane.Snapshot {
		s := &dataplane.Snapshot{Time: now, Took: time.Millisecond, Director: dataplane.Director{Epoch: "one", HasStats: true}}
		s.Director.Kernel = moved(crowdServices*n, true)
		for i := range crowdServices {
			v := serviceAt(netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, 1}), uint16(i+1)).String())
			v.Kernel = moved(n, true)
			for j := range uint64(crowdReals) {
				r := realAt(j, dataplane.Masquerade)
				r.Kernel = moved(n/crowdReals, true)
				if i < crowdDown {
					r.Weight = 0
				}
				v.Reals = append(v.Reals, r)
			}
			s.Services = append(s.Services, v)
		}
		return s
	}}
}
