package agent

import (
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lvs/rrdstore"
	"lvs/rrdstore/export"
)

// testHistorian serves two hours of two imported services.
func testHistorian(t *testing.T) (*historian, *rrdstore.Store, *syncBuffer) {
	t.Helper()
	store, err := rrdstore.Open(t.TempDir(), rrdstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	_, err = store.ImportPoints(t.Context(), importedHours(2))
	if err != nil {
		t.Fatal(err)
	}
	log := &syncBuffer{}
	h := newHistorian(store.Reader, func() time.Duration { return 10 * time.Second }, slog.New(slog.NewTextHandler(log, nil)))
	return h, store, log
}

// importedHours are values of three series from epoch on, 100 bytes per second.
func importedHours(hours int) iter.Seq2[rrdstore.Point, error] {
	return func(yield func(rrdstore.Point, error) bool) {
		for i := range hours * 360 {
			for _, key := range []string{"tcp/192.0.2.10:443", "tcp/192.0.2.10:443,10.0.0.1:80", "fwm4/257"} {
				p := rrdstore.Point{Time: epoch.Add(time.Duration(i) * 10 * time.Second), Source: rrdstore.Source{Name: "in_bytes"}, Value: rrdstore.UintValue(uint64(i) * 1000)}
				p.Key, p.RIP, _ = export.ParseSeriesKey(key)
				if !yield(p, nil) {
					return
				}
			}
		}
	}
}

func (h *historian) ask(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
	switch r.URL.Path {
	case "/history":
		h.serveHistory(w, r)
	case "/graph.svg":
		h.serveGraph("svg", "image/svg+xml")(w, r)
	case "/graph.png":
		h.serveGraph("png", "image/png")(w, r)
	}
	return w
}

// at is the time that questions are about.
const at = "&start=2026-11-20T11:00:00Z&end=start%2B20s"

func TestHistoryAnswers(t *testing.T) {
	h, _, log := testHistorian(t)
	for _, c := range []struct{ path, contentType, want string }{
		{"/history?key=fwm4/257&source=in_bytes&format=csv&cf=AVERAGE" + at, "text/csv",
			"time,service,real,in_bytes\n2026-11-20T11:00:10Z,fwm4/257,,100\n2026-11-20T11:00:20Z,fwm4/257,,100\n2026-11-20T11:00:30Z,fwm4/257,,100\n"},
		{"/history?key=fwm4/257&source=in_bytes&format=csv-long" + at, "text/csv",
			"time,key,source,value\n2026-11-20T11:00:00Z,fwm4/257,in_bytes,180000\n2026-11-20T11:00:10Z,fwm4/257,in_bytes,181000\n2026-11-20T11:00:20Z,fwm4/257,in_bytes,182000\n"},
		{"/history?key=tcp/*&real=true&top=1&by=in_bytes&source=in_bytes&format=ndjson&resolution=1m" + at, "application/x-ndjson",
			`{"time":"2026-11-20T11:01:00Z","service":"tcp/192.0.2.10:443","real":"","in_bytes":100}` + "\n"},
	} {
		w := h.ask(t, c.path)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), c.contentType) || w.Header().Get("Cache-Control") != "max-age=10" {
			t.Errorf("%s: %d, %v", c.path, w.Code, w.Header())
		}
		if w.Body.String() != c.want {
			t.Errorf("%s answers\n%s\nwant\n%s", c.path, w.Body, c.want)
		}
	}
	w := h.ask(t, "/history?key=fwm4/257&source=in_bytes"+at)
	var doc struct{ Data [][]float64 }
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || len(doc.Data) != 3 || doc.Data[0][0] != 100 {
		t.Errorf("%v: %s", err, w.Body)
	}
	if log.String() != "" {
		t.Errorf("logged: %s", log)
	}
}

func TestHistoryDraws(t *testing.T) {
	h, _, _ := testHistorian(t)
	w := h.ask(t, "/graph.svg?key=fwm4/257&kind=traffic&theme=dark&zone=Asia/Kolkata&start=2026-11-20T11:00&end=12:00+20.11.2026")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(w.Body.String(), "<svg") {
		t.Errorf("%d, %v, %.100s", w.Code, w.Header(), w.Body)
	}
	w = h.ask(t, "/graph.svg?key=fwm4/257&title=%3Cscript%3E"+at)
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script>") || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d, %v, %.300s", w.Code, w.Header(), w.Body)
	}
	w = h.ask(t, "/graph.png?key=fwm4/257&width=640&scale=2"+at)
	if img, err := png.Decode(w.Body); err != nil || img.Bounds().Dx() != 1280 {
		t.Errorf("%d: %v", w.Code, err)
	}
}

func TestHistoryRefuses(t *testing.T) {
	h, store, _ := testHistorian(t)
	for path, want := range map[string]string{
		"/history?key=nosuch":    `key "nosuch": the store has none like it`,
		"/history?kye=fwm4/257":  `there is no parameter "kye"; there are key, real`,
		"/history?real=perhaps":  `real "perhaps"`,
		"/history?start=someday": `start: time "someday"`,
		"/history?start=":        `start: time ""`,
		"/history?format=xml":    `format: no format "xml"`,
		"/history?cf=MEDIAN":     `cf: no consolidation function`,
		"/history?source=nosuch": `source "nosuch": the store has none`,
		"/history?zone=Berlin":   `zone "Berlin"`,
		"/history?start=0&end=3000000000&format=csv&cf=MAX&cf=MIN&cf=LAST&cf=AVERAGE&resolution=10": "ask for fewer series",
		"/history?%zz":                               `invalid URL escape`,
		"/graph.svg":                                 "a picture is of one service",
		"/graph.svg?key=fwm4/257&kind=pie":           `kind: no graph "pie"`,
		"/graph.svg?key=fwm4/257&real=1":             `there is no parameter "real"`,
		"/graph.png?key=fwm4/257&width=8000&scale=4": "ask for fewer or an SVG",
	} {
		w := h.ask(t, path)
		var doc apiError
		if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil || w.Code != http.StatusBadRequest || !strings.Contains(doc.Error, want) {
			t.Errorf("%s: %d %s, want 400 with %q", path, w.Code, w.Body, want)
		}
		if cache := w.Header().Get("Cache-Control"); cache != "no-store" {
			t.Errorf("%s: Cache-Control: %s", path, cache)
		}
	}
	for _, c := range []struct {
		err  error
		want int
	}{{errNoStore, http.StatusNotFound}, {errNoStoreYet, http.StatusServiceUnavailable}, {errors.New("disk broken"), http.StatusInternalServerError}} {
		h.open = func(context.Context) (*rrdstore.Reader, error) { return nil, c.err }
		if w := h.ask(t, "/history"); w.Code != c.want || !strings.Contains(w.Body.String(), c.err.Error()) {
			t.Errorf("%v: %d %s, want %d", c.err, w.Code, w.Body, c.want)
		}
	}
	h.open = store.Reader
	if w := h.ask(t, "/history?key=fwm4/257"+at); w.Code != http.StatusOK {
		t.Errorf("after all of that: %d %s", w.Code, w.Body)
	}
}

func TestHistoryAnswersFewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistorian(func(context.Context) (*rrdstore.Reader, error) { return nil, errNoStore }, nil, slog.New(slog.DiscardHandler))
		for range maxQueries {
			h.quota.turns <- struct{}{}
		}
		begin := time.Now()
		w := h.ask(t, "/history?key=fwm4/257")
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "ask again") || time.Since(begin) != queryWait {
			t.Errorf("after %v: %d %v %s", time.Since(begin), w.Code, w.Header(), w.Body)
		}
		go func() {
			time.Sleep(queryWait / 2)
			h.quota.end()
		}()
		if w := h.ask(t, "/history?key=fwm4/257"); w.Code != http.StatusNotFound {
			t.Errorf("when its turn came: %d %s", w.Code, w.Body)
		}
	})
}

// A client that went away gets no answer, and nobody a warning.
func TestHistoryForgetsTheGone(t *testing.T) {
	h, _, log := testHistorian(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	h.serveHistory(w, httptest.NewRequestWithContext(ctx, "GET", "/history?key=fwm4/257"+at, nil))
	if w.Body.Len() > 0 || log.String() != "" {
		t.Errorf("%d %s; logged %s", w.Code, w.Body, log)
	}
}

// bytesOf writes an answer of n bytes, a kilobyte at a time, that ends with an error.
func bytesOf(n int, end error) answer {
	return func(w http.ResponseWriter, _ url.Values, _ time.Time, _ *rrdstore.Reader) error {
		for range n >> 10 {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return err
			}
		}
		return end
	}
}

// What fails after it was begun is broken off, so that nobody takes it for whole.
func TestHistoryBreaksOff(t *testing.T) {
	h, _, log := testHistorian(t)
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/history", nil)
	w := httptest.NewRecorder()
	h.serve(w, r, nil, bytesOf(maxSpool, errors.New("disk broken")))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "disk broken") {
		t.Errorf("before it was begun: %d, %d bytes", w.Code, w.Body.Len())
	}
	defer func() {
		if recover() != http.ErrAbortHandler || strings.Count(log.String(), "disk broken") != 2 || len(h.large) != 0 {
			t.Errorf("it did not break off; logged %s", log)
		}
	}()
	h.serve(httptest.NewRecorder(), r, nil, bytesOf(maxSpool+1<<10, errors.New("disk broken")))
}

// Readers that do not read keep nobody waiting; of large answers one is sent.
func TestSlowReadersKeepNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistorian(func(context.Context) (*rrdstore.Reader, error) { return nil, nil }, func() time.Duration { return 0 }, slog.New(slog.DiscardHandler))
		ask := func(w http.ResponseWriter, n int) {
			defer func() { _ = recover() }() // of what is broken off
			h.serve(w, httptest.NewRequestWithContext(t.Context(), "GET", "/history", nil), nil, bytesOf(n, nil))
		}
		var reading sync.WaitGroup
		slow := func(n int, takes time.Duration) *slowReader {
			r := &slowReader{ResponseRecorder: httptest.NewRecorder(), takes: takes}
			reading.Go(func() { ask(r, n) })
			return r
		}
		begin := time.Now()
		const small = 128 << 10
		for range 10 {
			slow(small, time.Hour)
		}
		slow(2*maxSpool, time.Hour)
		synctest.Wait()
		for n, want := range map[int]int{maxSpool: http.StatusOK, 3 * maxSpool: http.StatusServiceUnavailable} {
			w := httptest.NewRecorder()
			if ask(w, n); w.Code != want || want == http.StatusOK && w.Body.Len() != n {
				t.Errorf("%d bytes beside slow readers: %d, %d bytes", n, w.Code, w.Body.Len())
			}
		}
		if took := time.Since(begin); took != queryWait {
			t.Errorf("the second large answer was refused, and others answered, after %s", took)
		}
		reading.Wait()
		if took := time.Since(begin); took != patience {
			t.Errorf("who does not read is waited for %s", took)
		}
		begin = time.Now()
		steady := slow(2*maxSpool, patience/2)
		reading.Wait()
		if took := time.Since(begin); took != largeTime || steady.Body.Len() == 0 || len(h.large) != 0 || h.quota.waiting != 0 {
			t.Errorf("who reads slowly is sent %d bytes in %s", steady.Body.Len(), took)
		}
		whole := slow(2*maxSpool, 0)
		if reading.Wait(); whole.Code != http.StatusOK || whole.Body.Len() != 2*maxSpool {
			t.Errorf("a large answer: %d, %d bytes", whole.Code, whole.Body.Len())
		}
	})
}

// TestAgentAnswersAboutItsHistory asks a whole agent.
func TestAgentAnswersAboutItsHistory(t *testing.T) {
	dir := t.TempDir()
	store, err := rrdstore.Open(dir, rrdstore.Options{})
	if err == nil {
		_, err = store.ImportPoints(t.Context(), importedHours(2))
	}
	if err = errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	url, log, _ := running(t, "--store.path="+dir)
	status, body := 0, ""
	wait(t, "the store", log, func() bool {
		status, body = ask(t, "GET", url+"/api/v1/history?key=fwm4/257&source=in_bytes&format=csv"+at)
		return status != http.StatusServiceUnavailable
	})
	if status != http.StatusOK || !strings.Contains(body, "2026-11-20T11:00:10Z,fwm4/257,,181000\n") {
		t.Errorf("%d %s", status, body)
	}
	if status, body = ask(t, "GET", url+"/api/v1/graph.svg?key=fwm4/257"+at); status != http.StatusOK || !strings.HasPrefix(body, "<svg") {
		t.Errorf("%d %.200s", status, body)
	}
	if status, body = ask(t, "GET", url+"/api/v1/graph.png?key=fwm4/257"+at); status != http.StatusOK || !strings.Contains(body[:8], "PNG") {
		t.Errorf("%d %.20q", status, body)
	}
	url, _, _ = running(t, "--store.path=off")
	if status, body = ask(t, "GET", url+"/api/v1/history"); status != http.StatusNotFound || !strings.Contains(body, "without a store") {
		t.Errorf("%d %s", status, body)
	}
}
