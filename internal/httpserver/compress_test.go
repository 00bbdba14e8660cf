package httpserver

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// page is about what the status page is like, in size and in what repeats.
var page = made(func(b *bytes.Buffer) {
	for i := range 3200 {
		fmt.Fprintf(b, `<tr data-row="tcp/10.1.%d.%d:80"><td><a href="service/tcp/10.1.%d.%d:80">tcp/10.1.%d.%d:80</a></td><td class="state up">up</td><td>wlc</td>`+
			`<td class="number" title="%d">%d</td><td class="number">%d</td></tr>`+"\n", i/250, i%250, i/250, i%250, i/250, i%250, i*i*7919, i*i, i*31%97)
	}
})

func made(write func(*bytes.Buffer)) []byte {
	var b bytes.Buffer
	write(&b)
	return b.Bytes()
}

// ask asks h as a browser that takes gzip, unless encoding says otherwise.
func ask(t testing.TB, h http.Handler, path string, encoding ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	if len(encoding) > 0 {
		r.Header["Accept-Encoding"] = encoding
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func server(h http.HandlerFunc) http.Handler {
	return newServer(h, time.Minute, slog.New(slog.DiscardHandler)).Handler
}

func TestTextIsCompressed(t *testing.T) {
	kinds := map[string]bool{
		"text/html; charset=utf-8": true, "text/css": true, "text/javascript; charset=utf-8": true, "Application/JSON": true, "image/svg+xml": true,
		"text/csv; charset=utf-8; header=present": true, "application/x-ndjson": true, "text/plain": true,
		"image/png": false, "text/event-stream": false, "application/octet-stream": false,
	}
	h := server(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.URL.Query().Get("type"))
		w.Header().Set("ETag", `W/"1"`)
		if r.URL.Query().Has("short") {
			w.Write(page[:500])
			return
		}
		w.Write(page)
	})
	for kind, want := range kinds {
		w := ask(t, h, "/?type="+strings.NewReplacer(";", "%3B", " ", "+", "+", "%2B").Replace(kind))
		got := w.Body.Bytes()
		if w.Header().Get("Content-Encoding") == "gzip" != want || w.Header().Get("Content-Type") != kind || w.Header().Get("ETag") != `W/"1"` {
			t.Errorf("%s: %v", kind, w.Header())
		}
		if want {
			in, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			size := len(got)
			if got, err = io.ReadAll(in); err != nil || size > len(page)/5 {
				t.Errorf("%s: %d bytes of %d, %v", kind, size, len(page), err)
			}
		}
		if !bytes.Equal(got, page) || !slices.Contains(w.Header().Values("Vary"), "Accept-Encoding") {
			t.Errorf("%s: %d bytes are another text, or %v", kind, len(got), w.Header())
		}
	}
	for _, encoding := range []string{"", "identity", "br, zstd", "gzip;q=0"} {
		if w := ask(t, h, "/?type=text/html", encoding); !bytes.Equal(w.Body.Bytes(), page) || w.Header().Get("Content-Encoding") != "" {
			t.Errorf("who accepts %q gets %v", encoding, w.Header())
		}
	}
	if w := ask(t, h, "/?type=text/html&short="); w.Body.Len() != 500 {
		t.Errorf("500 bytes become %d: %v", w.Body.Len(), w.Header())
	}
}

// What a handler compressed itself is left as it is.
func TestCompressedTextIsLeftAlone(t *testing.T) {
	h := server(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(page) // for it
	})
	if w := ask(t, h, "/metrics"); !bytes.Equal(w.Body.Bytes(), page) || w.Header().Get("Content-Encoding") != "gzip" {
		t.Errorf("%d bytes, %v", w.Body.Len(), w.Header())
	}
}

func TestWhoTakesGzip(t *testing.T) {
	for encoding, want := range map[string]bool{
		"gzip": true, "gzip, deflate, br, zstd": true, "br;q=1.0, GZIP ; Q=0.5": true, "gzip;level=9": true,
		"": false, "identity": false, "br": false, "gzip;q=0": false, "gzip; q=0.000, br": false, "gzip;q=x": false, "x-gzip": false,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", encoding)
		if got := TakesGzip(r); got != want {
			t.Errorf("%q: %v", encoding, got)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["Accept-Encoding"] = []string{"br", "gzip"}
	if !TakesGzip(r) {
		t.Error("the second line is not read")
	}
}

// Each event arrives when it is sent, and a deadline set beside it counts.
func TestEventsAreNotHeldBack(t *testing.T) {
	next := make(chan struct{})
	s := httptest.NewServer(server(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		out := http.NewResponseController(w)
		for i := range 3 {
			if err := out.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Error(err)
			}
			fmt.Fprintf(w, "data: %d\n\n", i)
			if err := out.Flush(); err != nil {
				t.Error(err)
			}
			<-next
		}
	}))
	defer s.Close()
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	in := bufio.NewScanner(resp.Body)
	for i := range 3 {
		if !in.Scan() || in.Text() != fmt.Sprintf("data: %d", i) || !in.Scan() {
			t.Fatalf("event %d is %q, %v", i, in.Text(), in.Err())
		}
		next <- struct{}{}
	}
}

// What is broken off is not taken for whole.
func TestCompressedTextBreaksOff(t *testing.T) {
	s := httptest.NewServer(server(func(w http.ResponseWriter, _ *http.Request) {
		w.Write(page)
		panic(http.ErrAbortHandler)
	}))
	defer s.Close()
	resp, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err == nil || !resp.Uncompressed {
		t.Errorf("%d bytes, compressed: %v, without an error", len(b), resp.Uncompressed)
	}
}

// BenchmarkCompressedPage is what a page of 0.7 MB costs who takes gzip.
func BenchmarkCompressedPage(b *testing.B) {
	h := server(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write(page)
	})
	b.SetBytes(int64(len(page)))
	size := 0
	for b.Loop() {
		size = ask(b, h, "/").Body.Len()
	}
	b.ReportMetric(float64(size), "bytes")
}
