package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
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
	p := startPrometheus(t, map[string]string{"lvs": serve(t, onTheSecond(exposer(t, crowd())))})
	var at time.Time
	settled := func() bool {
		at = time.Now().Truncate(time.Second).Add(-time.Second / 2)
		n, err := p.series("service:lvs_real_servers_up:ratio1h and service:lvs_outgoing_bytes:rate5m", at)
		return err == nil && n == crowdServices
	}
	for deadline := time.Now().Add(90 * time.Second); !settled(); time.Sleep(time.Second) { // it goes by the clock
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

var crowdValues = strings.NewReplacer("$__rate_interval", "4s", "$__range", "20s", "$__interval", "1s", "$job", ".+",
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

// onTheSecond gives what is scraped the time of the whole second before. A scrape that
// comes late on a busy machine then puts no more samples into a window than one that
// does not, and what a query reads between two seconds is the same everywhere.
func onTheSecond(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, plain := httptest.NewRecorder(), r.Clone(r.Context())
		plain.Header = http.Header{} // no compression, and the format whose times are milliseconds
		h.ServeHTTP(answer, plain)
		w.Header().Set("Content-Type", answer.Header().Get("Content-Type"))
		at := fmt.Sprintf(" %d\n", time.Now().Truncate(time.Second).UnixMilli())
		for line := range strings.Lines(answer.Body.String()) {
			if !strings.HasPrefix(line, "#") {
				line = strings.TrimSuffix(line, "\n") + at
			}
			io.WriteString(w, line)
		}
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
