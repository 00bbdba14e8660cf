package agent

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whether somebody takes gzip or not, the page is the same.
func TestPagesAreSqueezed(t *testing.T) {
	want := strings.Repeat("<tr><td>10.0.0.1</td></tr>\n", 100_000)
	var made bytes.Buffer
	if err := squeezed(func(out io.Writer) error { _, err := io.WriteString(out, want); return err })(&made); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { deliverSqueezed(w, r, made.Bytes()) })
	for _, takes := range []string{"", "gzip, br"} {
		w := askMux(t, mux, "/", "Accept-Encoding", takes)
		got := w.Body.String()
		if takes != "" {
			got = inflated(t, w)
		}
		if got != want {
			t.Errorf("who takes %q is given %d bytes, want %d", takes, len(got), len(want))
		}
	}
}

// inflated is an answer that is compressed, as it was before.
func inflated(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("headers %v", w.Header())
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The page of all services is, and is whole.
func TestTheTableIsSqueezed(t *testing.T) {
	_, mux := testPage(t, everyKind())
	for name, text := range map[string]string{
		"plain": askMux(t, mux, "/").Body.String(), "squeezed": inflated(t, askMux(t, mux, "/", "Accept-Encoding", "gzip")),
	} {
		if text = strings.TrimSpace(text); !strings.HasPrefix(text, "<!DOCTYPE html>") || !strings.HasSuffix(text, "</html>") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// What cannot be made is not squeezed, and what squeezed it is of use to others.
func TestSqueezingFails(t *testing.T) {
	fails := squeezed(func(out io.Writer) error {
		_, _ = out.Write(make([]byte, 100<<10))
		return io.ErrShortWrite
	})
	for range 3 {
		var b bytes.Buffer
		if err := fails(&b); err != io.ErrShortWrite {
			t.Errorf("failed with %v", err)
		}
		b.Reset()
		if err := squeezed(func(out io.Writer) error { _, err := io.WriteString(out, "page"); return err })(&b); err != nil {
			t.Fatal(err)
		}
		if z, err := gzip.NewReader(&b); err != nil {
			t.Error(err)
		} else if got, err := io.ReadAll(z); string(got) != "page" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}
