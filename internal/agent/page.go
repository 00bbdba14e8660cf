package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/version"

	"lvs/collector"
	"lvs/dashboards/web"
	"lvs/dataplane"
	"lvs/internal/history"
	"lvs/rrdstore"
)

// A statusPage serves what people look at. It only reads, and nothing in it waits
// for the kernel.
type statusPage struct {
	site     *web.Site
	latest   func() *dataplane.Snapshot // nil before the first
	stats    func() collector.Stats
	interval func() time.Duration
	agent    func() web.Agent                                // how the program fares
	open     func(context.Context) (*rrdstore.Reader, error) // the history, see historian
	sparks   *sparks
	events   *eventHub
	answers  *quota // those of the whole table
	pages    pages
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
		agent:    a.pageAgent, open: a.openHistory, answers: a.answers,
	}
	p.events = newEventHub(p.latest, p.tableOf, p.pages.ofTick)
	return p, nil
}

// routes adds the page's to mux.
func (p *statusPage) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.serveTable)
	mux.HandleFunc("GET /service/{key...}", p.serveService)
	mux.HandleFunc("GET /static/{name}", p.serveFile)
	mux.HandleFunc("GET /api/v1/snapshot.csv", p.serveCSV)
	mux.Handle("GET /api/v1/events", p.events)
	mux.HandleFunc("GET /api/v1/rows", p.serveRows)
}

// close ends what goes on between requests: events, and the reading of sparklines.
func (p *statusPage) close() {
	p.events.close()
	p.sparks.close()
}

// page is what all pages have.
func (p *statusPage) page(title, base string) *web.Page {
	return &web.Page{Title: title, Base: base, Host: hostName(), Version: version.Version, Now: time.Now(), Interval: p.interval(), Stale: p.stats().Failing}
}

// tableOf is a sample as the page shows it now.
func (p *statusPage) tableOf(ctx context.Context, snap *dataplane.Snapshot) *web.Table {
	return p.pages.of(snap, func() *web.Table { return web.NewTable(snap, p.sparks.of(ctx), p.agent()) })
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
	snap := p.latest()
	// Others may be waiting for the page when who asked first has left.
	ctx := context.WithoutCancel(r.Context())
	made, err := p.pages.page(ctx, p.answers, pageKey{snap, q.URL(), page.Stale}, squeezed(func(out io.Writer) error {
		if snap != nil {
			p.tableOf(ctx, snap).View(page, q)
		}
		return p.site.Render(out, "page", page)
	}))
	switch {
	case errors.Is(err, errBusy):
		page.Table, page.Error = nil, errBusy.Error()
		w.Header().Set("Retry-After", "2")
		p.render(w, http.StatusServiceUnavailable, "message", page)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer p.pages.leave(p.answers, made)
	pageHeaders(w.Header())
	deliverSqueezed(w, r, made.body)
}

// serveService is a service's page: /service/KEY, or its name, with real, start and
// end. With rows=1 it is the rows of its real servers alone, for the page of all
// services. What is no longer in the table has a page as long as the history knows it.
func (p *statusPage) serveService(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("key")
	// As deep as the browser sees it, for which an escaped slash is none.
	page := p.page(name, strings.Repeat("../", strings.Count(r.URL.EscapedPath(), "/")-1))
	fail := func(status int, why string) {
		page.Error = why
		p.render(w, status, "message", page)
	}
	key, err := dataplane.ParseServiceKey(name)
	if err != nil {
		if key, ok := p.named(name); ok {
			to := url.URL{Path: page.Base + "service/" + key.String(), RawQuery: r.URL.RawQuery}
			w.Header().Set("Location", to.String())
			w.WriteHeader(http.StatusFound)
			return
		}
		fail(http.StatusNotFound, err.Error())
		return
	}
	asked, err := serviceQuery(r.URL.RawQuery)
	if err != nil {
		fail(http.StatusBadRequest, err.Error())
		return
	}
	from, to, err := history.ParseRange(asked.Get("start"), asked.Get("end"), page.Now.UTC())
	if err != nil {
		fail(http.StatusBadRequest, err.Error())
		return
	}
	snap := p.latest()
	if snap == nil {
		fail(http.StatusServiceUnavailable, "there is no sample yet; the log says why, if it lasts")
		return
	}
	ctx := context.WithoutCancel(r.Context()) // others may be waiting for the same table
	found := func(snap *dataplane.Snapshot) bool {
		return p.tableOf(ctx, snap).Detail(page, key, asked.Get("real"), asked.Get("start"), asked.Get("end"))
	}
	if !found(snap) && !found(p.remember(ctx, snap, key, asked.Get("real"))) {
		fail(http.StatusNotFound, "it is neither in the director's table nor in the history")
		return
	}
	page.Service.From, page.Service.To = from, to
	part := "service"
	if asked.Get("rows") != "" {
		page.Base, part = "", "rows"
	}
	pageHeaders(w.Header())
	p.answers.answer(w, r, pageType, func(out io.Writer) error { return p.site.Render(out, part, page) })
}

// remember is snap with what the history knows of a service and one of its real
// servers besides, as removed from the table.
func (p *statusPage) remember(ctx context.Context, snap *dataplane.Snapshot, key dataplane.ServiceKey, rip string) *dataplane.Snapshot {
	reader, err := p.open(ctx)
	if err != nil {
		return snap
	}
	with := *snap
	with.Removed = slices.Clip(with.Removed)
	for _, s := range reader.Series() {
		if s.Key == key && (!s.RIP.IsValid() || s.RIP.String() == rip) {
			account := dataplane.Account{FirstSeen: s.First, LastSeen: s.Last}
			with.Removed = append(with.Removed, dataplane.Removed{Key: s.Key, RIP: s.RIP, Name: s.Name, Account: account})
		}
	}
	return &with
}

// named finds the service of the latest sample that is called so.
func (p *statusPage) named(name string) (key dataplane.ServiceKey, ok bool) {
	snap := p.latest()
	if snap == nil {
		return key, false
	}
	i := slices.IndexFunc(snap.Services, func(s dataplane.ServiceState) bool { return s.Name == name })
	if i < 0 || name == "" {
		return key, false
	}
	return snap.Services[i].Key, true
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
	h.Set("ETag", "W/"+f.ETag) // of its compressed form as well
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.Content))
}

func (p *statusPage) serveCSV(w http.ResponseWriter, r *http.Request) {
	snap := p.latest()
	if snap == nil {
		writeJSON(w, http.StatusServiceUnavailable, apiError{"there is no sample yet; the log says why, if it lasts"})
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	p.answers.answer(w, r, "text/csv; charset=utf-8; header=present", func(out io.Writer) error { return web.CSV(out, snap) })
}

// pageType is the content type of pages.
const pageType = "text/html; charset=utf-8"

// pageHeaders are those of every page.
func pageHeaders(h http.Header) {
	h.Set("Content-Type", pageType)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", web.Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// render answers with a page that is small whatever the table is.
func (p *statusPage) render(w http.ResponseWriter, status int, name string, page *web.Page) {
	var b bytes.Buffer
	if err := p.site.Render(&b, name, page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	pageHeaders(w.Header())
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error is the client's going away
}
