package prom

import (
	"bufio"
	"compress/gzip"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// maxScrapes is how many scrapes are answered at once, and patience how long a
// client may take to read one; more would let slow clients keep others out.
const (
	maxScrapes      = 8
	maxFleetScrapes = 2 // each has a family of all directors in memory
	patience        = time.Minute
)

// ServeHTTP answers a scrape, in the format and encoding that is asked for. The
// query may choose parts of it:
//
//	scope=director,services,reals,agent,node-ipvs   (repeatable)
//	service=GLOB    on label or canonical key, * and ? only (repeatable)
//	name[]=FAMILY   (repeatable)
//	director=GLOB   on the label of that name, in a fleet only (repeatable)
//
// What it does not understand is answered 400 with the reason, and 503 while
// too many scrapes are under way.
func (e *Exposition) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.serve(w, r, e.load) }

// serve answers a scrape of what load begins it with.
func (e *Exposition) serve(w http.ResponseWriter, r *http.Request, load func(*scrapeMemory, *filter)) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "metrics are read with GET", http.StatusMethodNotAllowed)
		return
	}
	more := e.opts.Foreign
	if e.opts.Members != nil {
		more = append(slices.Clip(more), labelDirector)
	}
	want, err := parseFilter(r.URL.RawQuery, more...)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, strconv.Itoa(cap(e.slots))+" scrapes are under way; try again", http.StatusServiceUnavailable)
		return
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	w.Header().Set("Content-Type", string(format))
	conn := http.NewResponseController(w) // not every w has deadlines: then the server's hold
	_ = conn.SetWriteDeadline(time.Now().Add(patience))
	defer func() { _ = conn.SetWriteDeadline(time.Time{}) }()
	w.Header().Add("Vary", "Accept, Accept-Encoding")
	out := newBody(w, r)
	mem := e.scrapes.Get().(*scrapeMemory)
	defer e.scrapes.Put(mem)
	load(mem, want)
	err = e.writeIn(mem, out.buf, format, want)
	if err == nil {
		err = out.close()
	}
	out.release()
	if err != nil { // the client went away; nothing can be said to it any more
		e.written.Add(1)
	}
}

// writeIn writes what is wanted of what was loaded, with one family in memory at
// a time, and in the formats of text only a part of one of a fleet.
func (e *Exposition) writeIn(mem *scrapeMemory, w io.Writer, format expfmt.Format, want *filter) error {
	defer mem.release()
	process, _ := e.process(want) // counted there; the scrape goes on without

	// Our names need no escaping in any scheme, so that it is left out, which
	// copies every family; the process's may.
	scheme := format.ToEscapingScheme()
	out := &parted{Writer: w}
	series := math.MaxInt
	if kind := format.FormatType(); len(mem.members) > 1 && (kind == expfmt.TypeTextPlain || kind == expfmt.TypeOpenMetrics) {
		w, series = out, partSeries
	}
	enc := expfmt.NewEncoder(w, format.WithEscapingScheme(model.NoEscaping))
	others := func(before string) error {
		for len(process) > 0 && (before == "" || process[0].GetName() < before) {
			if err := enc.Encode(model.EscapeMetricFamily(process[0], scheme)); err != nil {
				return err
			}
			process = process[1:]
		}
		return nil
	}
	for i := range e.families {
		f := &e.families[i]
		if !want.asks(f) {
			continue
		}
		out.goesOn = false
		if err := others(f.Name); err != nil {
			return err
		}
		for next, more := 0, true; more; more = next < len(mem.members) {
			var mf *dto.MetricFamily
			if mf, next = f.fillFrom(next, series, mem, &mem.cells); len(mf.Metric) == 0 {
				continue
			}
			if err := enc.Encode(mf); err != nil {
				return err
			}
			out.goesOn = true
		}
	}
	out.goesOn = false
	if err := others(""); err != nil {
		return err
	}
	if c, ok := enc.(expfmt.Closer); ok { // OpenMetrics ends with a line of its own
		return c.Close()
	}
	return nil
}

// A body is the way of a response: buffered, and compressed if that is wanted.
type body struct {
	buf *bufio.Writer
	zip *gzip.Writer // nil if not wanted
}

var (
	buffers = sync.Pool{New: func() any { return bufio.NewWriterSize(io.Discard, 32<<10) }}
	// The fastest level: metrics shrink to a tenth at any, and a director has
	// better use for its time.
	zippers = sync.Pool{New: func() any { z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed); return z }}
)

func newBody(w http.ResponseWriter, r *http.Request) *body {
	b := &body{buf: buffers.Get().(*bufio.Writer)}
	if !acceptsGzip(r.Header) {
		b.buf.Reset(w)
		return b
	}
	w.Header().Set("Content-Encoding", "gzip")
	b.zip = zippers.Get().(*gzip.Writer)
	b.zip.Reset(w)
	b.buf.Reset(b.zip)
	return b
}

// close writes what is still held back.
func (b *body) close() error {
	if err := b.buf.Flush(); err != nil {
		return err
	}
	if b.zip != nil {
		return b.zip.Close()
	}
	return nil
}

func (b *body) release() {
	b.buf.Reset(io.Discard)
	buffers.Put(b.buf)
	if b.zip != nil {
		b.zip.Reset(io.Discard)
		zippers.Put(b.zip)
	}
}

// acceptsGzip says whether the client takes gzip; a weight of zero refuses it.
func acceptsGzip(h http.Header) bool {
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, "gzip") && name != "*" {
			continue
		}
		q, found := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		if n, err := strconv.ParseFloat(q, 64); !found || err != nil || n > 0 {
			return true
		}
		return false
	}
	return false
}
