package agent

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/common/version"

	"lvs/collector"
	"lvs/dashboards/web"
	"lvs/dataplane"
	"lvs/internal/history"
)

// A statusPage serves what people look at. It only reads, and nothing in it waits
// for the kernel.
type statusPage struct {
	site     *web.Site
	latest   func() *dataplane.Snapshot // nil before the first
	stats    func() collector.Stats
	interval func() time.Duration
	sparks   *sparks
	events   *eventHub
}

func newStatusPage(a *agent) (*statusPage, error) {
	site, err := web.NewSite()
	if err != nil {
		return nil, err
	}
	p := &statusPage{
		site: site, sparks: newSparks(a.openHistory, a.log),
		// The sampler is made after its sinks, of which the events are one.
		latest:   func() *dataplane.Snapshot { return a.sampler.Latest() },
		stats:    func() collector.Stats { return a.sampler.Stats() },
		interval: func() time.Duration { return a.sampler.Interval() },
	}
	p.events = newEventHub(p.latest, p.sparks.of)
	return p, nil
}

// routes adds the page's to mux.
func (p *statusPage) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.serveTable)
	mux.HandleFunc("GET /service/{key...}", p.serveService)
	mux.HandleFunc("GET /static/{name}", p.serveFile)
	mux.HandleFunc("GET /api/v1/snapshot.csv", p.serveCSV)
	mux.Handle("GET /api/v1/events", p.events)
}

// close ends what goes on between requests: events, and the reading of sparklines.
func (p *statusPage) close() {
	p.events.close()
	p.sparks.close()
}

// page is what all pages have.
func (p *statusPage) page(title, base string) *web.Page {
	return &web.Page{Title: title, Base: base, Version: version.Version, Interval: p.interval(), Stale: p.stats().Failing}
}

// table is the latest sample's; nil before the first.
func (p *statusPage) table(ctx context.Context) *web.Table {
	snap := p.latest()
	if snap == nil {
		return nil
	}
	return web.NewTable(snap, p.sparks.of(ctx))
}

func (p *statusPage) serveTable(w http.ResponseWriter, r *http.Request) {
	page := p.page("Virtual services", "")
	asked, err := url.ParseQuery(r.URL.RawQuery)
	var q web.Query
	if err == nil {
		q, err = web.ParseQuery(asked)
	}
	if err != nil {
		page.Error = err.Error()
		p.render(w, http.StatusBadRequest, "message", page)
		return
	}
	if t := p.table(r.Context()); t != nil {
		t.View(page, q)
	}
	p.render(w, http.StatusOK, "page", page)
}

// serveService is a service's page: /service/KEY with real, start and end. With
// rows=1 it is the rows of its real servers alone, for the page of all services.
func (p *statusPage) serveService(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("key")
	page := p.page(name, strings.Repeat("../", 1+strings.Count(name, "/")))
	fail := func(status int, why string) {
		page.Error = why
		p.render(w, status, "message", page)
	}
	key, err := dataplane.ParseServiceKey(name)
	if err != nil {
		fail(http.StatusNotFound, err.Error())
		return
	}
	now := time.Now().UTC()
	asked, err := serviceQuery(r.URL.RawQuery)
	if err != nil {
		fail(http.StatusBadRequest, err.Error())
		return
	}
	from, to, err := history.ParseRange(asked.Get("start"), asked.Get("end"), now)
	if err != nil {
		fail(http.StatusBadRequest, err.Error())
		return
	}
	t := p.table(r.Context())
	if t == nil {
		fail(http.StatusServiceUnavailable, "there is no sample yet; the log says why, if it lasts")
		return
	}
	if !t.Detail(page, key, asked.Get("real"), asked.Get("start"), asked.Get("end")) {
		fail(http.StatusNotFound, "it is not in the director's table at present; its history is still to be had")
		return
	}
	page.Service.From, page.Service.To = from.Unix(), to.Unix()
	if asked.Get("rows") != "" {
		page.Base = ""
		p.render(w, http.StatusOK, "rows", page)
		return
	}
	p.render(w, http.StatusOK, "service", page)
}

// serviceQuery reads a service page's parameters, whose usual time is the last
// hour.
func serviceQuery(raw string) (url.Values, error) {
	asked, err := url.ParseQuery(raw)
	if err != nil {
		return nil, err
	}
	for name := range asked {
		switch name {
		case "start", "end", "real", "rows":
		default:
			return nil, fmt.Errorf("there is no parameter %q; there are start, end, real, rows", name)
		}
	}
	for name, usual := range map[string]string{"start": "-1h", "end": "now"} {
		if asked.Get(name) == "" {
			asked.Set(name, usual)
		}
	}
	return asked, nil
}

func (p *statusPage) serveFile(w http.ResponseWriter, r *http.Request) {
	f, ok := p.site.File(r.PathValue("name"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.ContentType)
	h.Set("X-Content-Type-Options", "nosniff")
	// The name changes with the content.
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("ETag", f.ETag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.Content))
}

func (p *statusPage) serveCSV(w http.ResponseWriter, _ *http.Request) {
	snap := p.latest()
	if snap == nil {
		writeJSON(w, http.StatusServiceUnavailable, apiError{"there is no sample yet; the log says why, if it lasts"})
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_ = web.CSV(w, snap) // an error is the client's going away
}

// render answers with a page.
func (p *statusPage) render(w http.ResponseWriter, status int, name string, page *web.Page) {
	var b bytes.Buffer
	if err := p.site.Render(&b, name, page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", web.Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // an error here is the client's going away
}
