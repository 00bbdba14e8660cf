package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"lvs/internal/history"
	"lvs/rrdstore"
	"lvs/rrdstore/export"
)

// The bounds of what is asked about the history.
const (
	// maxQueries is how many questions are answered at once, and maxQueryBytes what
	// answers may come to while they wait for slow readers.
	maxQueries    = 2
	maxQueryBytes = 32 << 20
	// maxCells is how many values an answer may have.
	maxCells = 2_000_000
	// maxPixels is how many a PNG may have.
	maxPixels = 8_000_000
)

// A historian answers questions about the history over HTTP.
type historian struct {
	// open returns a reader of the store; errNoStore and errNoStoreYet say that
	// there is none.
	open  func(context.Context) (*rrdstore.Reader, error)
	fresh func() time.Duration // how long an answer is as good as a new one
	quota *quota
	// large has room for one: an answer that is sent while it is made, and so holds
	// its turn for as long as its reader takes. The other turn is for all others.
	large chan struct{}
	log   *slog.Logger
}

func newHistorian(open func(context.Context) (*rrdstore.Reader, error), fresh func() time.Duration, log *slog.Logger) *historian {
	return &historian{open: open, fresh: fresh, quota: newQuota(maxQueries, maxQueryBytes), large: make(chan struct{}, 1), log: log}
}

// The parameters of both kinds of questions.
var (
	historyParameters = []string{"key", "real", "top", "by", "start", "end", "resolution", "cf", "source", "xff", "format", "zone"}
	graphParameters   = []string{"key", "start", "end", "resolution", "kind", "theme", "zone", "width", "height", "scale", "title"}
)

// openHistory returns a reader of the agent's own store.
func (a *agent) openHistory(ctx context.Context) (*rrdstore.Reader, error) {
	if a.ledger == nil {
		return nil, errNoStore
	}
	store := a.ledger.Current()
	if store == nil {
		return nil, errNoStoreYet
	}
	return store.Reader(ctx)
}

// An answer writes the answer to a question, put at a time, from a reader.
type answer func(w http.ResponseWriter, asked url.Values, now time.Time, r *rrdstore.Reader) error

// serveHistory is GET /api/v1/history.
func (h *historian) serveHistory(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, historyParameters, func(w http.ResponseWriter, asked url.Values, now time.Time, reader *rrdstore.Reader) error {
		q, err := question(asked, now)
		if err != nil {
			return badRequest{err}
		}
		name := asked.Get("format")
		if name == "" {
			name = export.JSON.String()
		}
		format, err := export.ParseFormat(name)
		if err != nil {
			return badRequest{fmt.Errorf("format: %w", err)}
		}
		w.Header().Set("Content-Type", format.ContentType())
		a := &history.Answer{Question: q, Format: format, Limit: maxCells}
		return a.Write(r.Context(), reader, w)
	})
}

// serveGraph is GET /api/v1/graph.svg and graph.png.
func (h *historian) serveGraph(format, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		h.serve(w, r, graphParameters, func(w http.ResponseWriter, asked url.Values, now time.Time, reader *rrdstore.Reader) error {
			words := history.PictureWords{
				Kind: asked.Get("kind"), Theme: asked.Get("theme"), Title: asked.Get("title"),
				Width: asked.Get("width"), Height: asked.Get("height"), Scale: asked.Get("scale"),
			}
			pic, err := words.Picture(now.Location())
			if err != nil {
				return badRequest{err}
			}
			if format == "png" && pic.Pixels() > maxPixels {
				return badRequest{fmt.Errorf("width, height, scale: %d pixels, more than %d; ask for fewer or an SVG", pic.Pixels(), maxPixels)}
			}
			q, err := question(asked, now)
			if err != nil {
				return badRequest{err}
			}
			g, err := pic.Draw(r.Context(), reader, q)
			if err != nil {
				return err
			}
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
			return history.WritePicture(w, g, format)
		})
	}
}

// question is the one of a URL, about the last day unless it tells.
func question(asked url.Values, now time.Time) (*history.Question, error) {
	words := history.Words{
		Keys: asked["key"], Top: asked.Get("top"), By: asked.Get("by"), Start: "end-24h", End: "now", Resolution: asked.Get("resolution"),
		Functions: asked["cf"], Sources: asked["source"], XFF: asked.Get("xff"),
	}
	if asked.Has("start") {
		words.Start = asked.Get("start")
	}
	if asked.Has("end") {
		words.End = asked.Get("end")
	}
	if asked.Has("real") && asked.Get("real") != "" {
		var err error
		if words.Reals, err = strconv.ParseBool(asked.Get("real")); err != nil {
			return nil, fmt.Errorf("real %q: want true or false", asked.Get("real"))
		}
	}
	return words.Question(now)
}

// serve has write write the answer, or tells why there is none.
func (h *historian) serve(w http.ResponseWriter, r *http.Request, parameters []string, write answer) {
	out := &spool{ResponseWriter: w, begin: func() error { return takeTurn(r.Context(), h.large) }}
	err := h.answer(out, r, parameters, write)
	if err == nil && !out.begun {
		err = h.quota.send(w, &out.made)
	}
	switch {
	case err == nil || r.Context().Err() != nil:
	case out.begun: // it can only be broken off
		h.log.Warn("answering about the history failed", "url", r.URL.String(), "err", err)
		panic(http.ErrAbortHandler)
	default:
		h.refuse(w, r, err)
	}
}

// answer has write write into out, in its turn.
func (h *historian) answer(out *spool, r *http.Request, parameters []string, write answer) error {
	asked, now, err := parseQuery(r, parameters)
	if err != nil {
		return badRequest{err}
	}
	if err := h.quota.begin(r.Context()); err != nil {
		return err
	}
	defer h.quota.end()
	defer func() {
		if out.begun {
			<-h.large
		}
	}()
	reader, err := h.open(r.Context())
	if err != nil {
		return err
	}
	out.Header().Set("Cache-Control", fmt.Sprintf("max-age=%d", int(h.fresh().Seconds())))
	if err := write(out, asked, now, reader); err != nil {
		return cmp.Or(out.err, err) // what out says is why
	}
	return nil
}

// parseQuery reads the parameters of a question, and what the time is where the asker
// is.
func parseQuery(r *http.Request, parameters []string) (url.Values, time.Time, error) {
	now := time.Now()
	asked, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, now, err
	}
	for name := range asked {
		if !slices.Contains(parameters, name) {
			return nil, now, fmt.Errorf("there is no parameter %q; there are %s", name, strings.Join(parameters, ", "))
		}
	}
	if name := asked.Get("zone"); name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil {
			return nil, now, fmt.Errorf("zone %q: want the name of a time zone, as Europe/Berlin or UTC", name)
		}
		now = now.In(zone)
	}
	return asked, now, nil
}

// badRequest marks what is wrong with a URL.
type badRequest struct{ error }

func (e badRequest) Unwrap() error { return e.error }

var (
	// errNoStore is of an agent without a store, errNoStoreYet of one that could
	// not open it so far.
	errNoStore    = errors.New("there is no history: the agent runs without a store (store.path is off)")
	errNoStoreYet = errors.New("the store is not open yet; the log says why, if it lasts")
)

// refuse says why there is no answer.
func (h *historian) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	var bad badRequest
	switch {
	case errors.As(err, &bad), errors.Is(err, history.ErrQuestion), errors.Is(err, rrdstore.ErrTooMuch):
		status = http.StatusBadRequest
	case errors.Is(err, errNoStore):
		status = http.StatusNotFound
	case errors.Is(err, errBusy), errors.Is(err, errNoStoreYet):
		w.Header().Del("Cache-Control")
		refuseLater(w, err)
		return
	default:
		h.log.Warn("answering about the history failed", "url", r.URL.String(), "err", err)
	}
	w.Header().Del("Cache-Control")
	writeJSON(w, status, apiError{err.Error()})
}
