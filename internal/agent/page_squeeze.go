package agent

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"sync"

	"github.com/klauspost/compress/gzip"

	"lvs/internal/httpserver"
)

// squeezers are kept for other pages: one has more memory than most pages.
var squeezers = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // there is that level
	}
	return z
}}

// squeezed is what render writes, compressed by gzip: of a page that many are given,
// once for all, and less to keep meanwhile.
func squeezed(render func(io.Writer) error) func(io.Writer) error {
	return func(out io.Writer) error {
		z := squeezers.Get().(*gzip.Writer)
		defer squeezers.Put(z)
		z.Reset(out)
		pieces := bufio.NewWriterSize(z, 32<<10)
		if err := render(pieces); err != nil {
			return err
		}
		if err := pieces.Flush(); err != nil {
			return err
		}
		return z.Close()
	}
}

// deliverSqueezed sends what was squeezed, to who does not take gzip as it was before.
func deliverSqueezed(w http.ResponseWriter, r *http.Request, body []byte) {
	if httpserver.TakesGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		deliver(w, body)
		return
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	// At the end is how long it was (RFC 1952, section 2.3.1).
	out := newPaced(w, int(binary.LittleEndian.Uint32(body[len(body)-4:])))
	// An error is the reader's going away.
	_, _ = io.CopyBuffer(out, struct{ io.Reader }{z}, make([]byte, 64<<10))
}
