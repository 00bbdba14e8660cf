package httpserver

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// compressed is h with its text compressed for whoever takes gzip, but for what it
// compressed itself. Tags that h gives are to be weak: a strong one would be of one
// of the two forms (RFC 9110, section 8.8.3.3). Nothing in an answer is secret beside what a stranger chooses, so that
// its length may tell.
func compressed(h http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(
		gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.EnableZstd(false),
		gzhttp.ContentTypeFilter(isText),
	)
	if err != nil {
		panic(fmt.Sprintf("httpserver: gzip: %v", err)) // the options are wrong
	}
	return wrap(h)
}

// isText reports whether a content type is worth compressing. Events are not: they
// are few bytes at a time, each of which is to be sent at once.
func isText(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	switch kind = strings.ToLower(strings.TrimSpace(kind)); kind {
	case "text/event-stream":
		return false
	case "application/json", "application/x-ndjson", "application/openmetrics-text", "image/svg+xml":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

// TakesGzip reports whether the client of a request takes gzip, for handlers that
// compress by themselves (RFC 9110, section 12.5.3).
func TakesGzip(r *http.Request) bool {
	for _, coding := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, given := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q=")
		v, err := strconv.ParseFloat(q, 64)
		return !given || err == nil && v > 0
	}
	return false
}
