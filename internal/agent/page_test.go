package agent

import (
	"context"
	"encoding/csv"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lvs/collector"
	"lvs/dashboards/web"
	"lvs/dataplane"
	"lvs/rrdstore"
)

// testPage is one over a snapshot, and the mux that serves it.
func testPage(t *testing.T, snap *dataplane.Snapshot) (*statusPage, *http.ServeMux) {
	t.Helper()
	site, err := web.NewSite()
	if err != nil {
		t.Fatal(err)
	}
	store, err := rrdstore.Open(t.TempDir(), rrdstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := &statusPage{
		site: site, sparks: newSparks(store.Reader, slog.New(slog.DiscardHandler)), latest: func() *dataplane.Snapshot { return snap },
		stats: func() collector.Stats { return collector.Stats{} }, interval: func() time.Duration { return 10 * time.Second },
		agent: func() web.Agent { return web.Agent{Source: "netlink"} }, open: store.Reader, answers: newQuota(maxTables, maxTableBytes),
	}
	p.events = newEventHub(p.latest, p.tableOf, p.pages.ofTick)
	t.Cleanup(func() {
		p.close()
		store.Close()
	})
	mux := http.NewServeMux()
	p.routes(mux)
	return p, mux
}

func askMux(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPagesAreServed(t *testing.T) {
	_, mux := testPage(t, everyKind())
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/", 200, `data-row="tcp/192.0.2.10:443,10.0.0.1:443"`},
		{"/?q=web&sort=active&dir=desc", 200, `aria-sort="descending"`},
		{"/?state=gone", 400, "not-up"},
		{"/?%zz", 400, "invalid URL escape"},
		{"/service/tcp/192.0.2.10:443", 200, "&amp;key=tcp%2F192.0.2.10%3A443&amp;kind=reals&amp;start=20"},
		{"/service/tcp/192.0.2.10:443?real=10.0.0.1:443&start=-7d", 200, "key=tcp%2F192.0.2.10%3A443%2C10.0.0.1%3A443&amp;kind=traffic&amp;start=20"},
		{"/service/sctp/[2001:db8::1]:2905", 200, `href="../.././"`},
		{"/service/sctp/%5B2001:db8::1%5D:2905", 200, "10.0.0.3:2905"},
		{"/service/sctp%2F%5B2001:db8::1%5D:2905", 200, `href=".././"`},
		{"/service/fwm6/257", 200, "fwm6/257</h1>"},
		{"/service/tcp/192.0.2.10:443?rows=1", 200, `<tr data-row="tcp/192.0.2.10:443,10.0.0.1:443"`},
		{"/service/tcp/192.0.2.10:443?start=never", 400, "never"},
		{"/service/tcp/192.0.2.10:443?color=red", 400, "color"},
		{"/service/tcp/192.0.2.10:443?real=10.9.9.9:1", 404, "neither in the director"},
		{"/service/tcp/192.0.2.99:443", 404, "neither in the director"},
		{"/service/%3Cscript%3E", 404, "&lt;script&gt;"},
	} {
		w := askMux(t, mux, c.path)
		if !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s lacks %q:\n%s", c.path, c.want, w.Body)
		}
		if w.Code != c.status {
			t.Errorf("%s: %d, want %d", c.path, w.Code, c.status)
		}
		h := w.Header()
		if h.Get("Content-Security-Policy") != web.Policy || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", c.path, h)
		}
	}
	for _, forbidden := range []string{"unsafe", "http:", "https:", "*"} {
		if strings.Contains(web.Policy, forbidden) {
			t.Errorf("the policy allows %s", forbidden)
		}
	}
}

// People know services by their names.
func TestServiceByName(t *testing.T) {
	s := everyKind()
	s.Services[0].Name = "the web"
	_, mux := testPage(t, s)
	w := askMux(t, mux, "/service/the%20web?start=-1d")
	if want := "../service/" + s.Services[0].Key.String() + "?start=-1d"; w.Code != http.StatusFound || w.Header().Get("Location") != want {
		t.Errorf("%d %q, want %q", w.Code, w.Header().Get("Location"), want)
	}
}

// Every file that a page names is there, is kept by caches, and is not sent again,
// in whichever of its forms it was.
func TestStaticFiles(t *testing.T) {
	_, mux := testPage(t, everyKind())
	page := askMux(t, mux, "/service/fwm6/257").Body.String()
	names := regexp.MustCompile(`(?:src|href)="\.\./\.\./(static/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(names) != 7 {
		t.Fatalf("the page names %d files: %v", len(names), names)
	}
	for _, m := range names {
		w := askMux(t, mux, "/"+m[1])
		etag := w.Header().Get("ETag")
		if w.Code != 200 || !strings.HasPrefix(etag, `W/"`) || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", m[1], w.Code, w.Header())
		}
		if again := askMux(t, mux, "/"+m[1], "If-None-Match", etag); again.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", m[1], again.Code)
		}
	}
	if w := askMux(t, mux, "/static/style.css"); w.Code != 404 {
		t.Errorf("a name without a hash: %d", w.Code)
	}
}

func TestSnapshotAsCSV(t *testing.T) {
	_, mux := testPage(t, everyKind())
	w := askMux(t, mux, "/api/v1/snapshot.csv")
	lines, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(lines) != 7 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") {
		t.Errorf("%d lines, %v, %v", len(lines), err, w.Header())
	}
	_, mux = testPage(t, nil)
	if w := askMux(t, mux, "/api/v1/snapshot.csv"); w.Code != 503 {
		t.Errorf("without a sample: %d", w.Code)
	}
	if w := askMux(t, mux, "/service/fwm6/257"); w.Code != 503 {
		t.Errorf("a service's page without a sample: %d", w.Code)
	}
	if w := askMux(t, mux, "/"); w.Code != 200 || !strings.Contains(w.Body.String(), "no sample") {
		t.Errorf("the page without a sample: %d %s", w.Code, w.Body)
	}
}

// Where a graph's time axis begins and ends is read from the picture by zoom.js,
// with this expression.
func TestZoomFindsThePlot(t *testing.T) {
	site, err := web.NewSite()
	if err != nil {
		t.Fatal(err)
	}
	_, mux := testPage(t, everyKind())
	name := regexp.MustCompile(`static/(zoom-[^"]+)`).FindStringSubmatch(askMux(t, mux, "/service/fwm6/257").Body.String())[1]
	f, _ := site.File(name)
	const expression = `data-plot="([\d.]+) ([\d.]+)"`
	if !strings.Contains(string(f.Content), "/"+expression+"/") {
		t.Fatalf("%s does not look for %s", name, expression)
	}
	h, _, _ := testHistorian(t)
	for _, kind := range []string{"traffic", "connections", "reals"} {
		w := h.ask(t, "/graph.svg?key=tcp/192.0.2.10:443&start=2026-11-20T11:00:00Z&end=start%2B20min&kind="+kind)
		m := regexp.MustCompile(expression).FindStringSubmatch(w.Body.String())
		if m == nil {
			t.Errorf("%s: nothing matches in %.600s", kind, w.Body)
			continue
		}
		left, _ := strconv.ParseFloat(m[1], 64)
		right, _ := strconv.ParseFloat(m[2], 64)
		if left < 20 || left > 200 || right < 860 || right > 900 {
			t.Errorf("%s: the plot is from %g to %g of 900", kind, left, right)
		}
	}
}

func TestSparklinesAreOfTheHistory(t *testing.T) {
	h, _, _ := testHistorian(t) // values until 12:30
	s := newSparks(h.open, slog.New(slog.DiscardHandler))
	defer s.close()
	paths, err := s.fetch(t.Context(), epoch.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	key := dataplane.MarkKey(dataplane.INET, 257)
	if len(paths) != 2 || paths[key].Title != "in at most 100 B/s" || !strings.HasPrefix(paths[key].Draw, "M0 23V1h1h1") {
		t.Errorf("sparklines: %+v, want 2, level at 100 bytes per second", paths)
	}
}

// A page is not held up by the history, and is shown no line that is long past.
func TestOldSparklinesAreNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := func(ctx context.Context) (*rrdstore.Reader, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		s := newSparks(never, slog.New(slog.DiscardHandler))
		defer s.close()
		s.paths, s.until, s.read = map[dataplane.ServiceKey]web.Spark{{}: {Draw: "M0 0"}}, time.Now(), time.Now()
		for _, c := range []struct {
			after time.Duration
			lines int
			waits time.Duration
		}{{0, 1, 0}, {sparkStep, 1, sparkWait}, {sparkAge, 0, sparkWait}} {
			time.Sleep(c.after)
			begin := time.Now()
			if got := s.of(t.Context()); len(got) != c.lines || time.Since(begin) != c.waits {
				t.Errorf("%d lines after %s, want %d after %s", len(got), time.Since(begin), c.lines, c.waits)
			}
		}
	})
}
