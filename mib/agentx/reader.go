package agentx

import "time"

// A reader cuts a link's bytes into PDUs, however they were chunked. What
// arrived of a PDU is kept when a read times out.
type reader struct {
	link   link
	buf    []byte
	lo, hi int // what is in buf and not given out yet
	head   PDU // of the PDU under way; header fields only
}

// next returns one whole PDU, valid until the next call. Its error is a
// *DecodeError where the header makes no sense, else the link's.
func (r *reader) next(wait time.Duration) ([]byte, error) {
	for {
		want := headerSize
		if have := r.hi - r.lo; have >= headerSize {
			n, err := r.head.readHeader(r.buf[r.lo:r.hi])
			if err != nil {
				return nil, err
			}
			if want += n; have >= want {
				r.lo += want
				return r.buf[r.lo-want : r.lo], nil
			}
		}
		r.reserve(want)
		n, err := r.link.read(r.buf[r.hi:], wait)
		if err != nil {
			return nil, err
		}
		r.hi += n
	}
}

// reserve makes room for the rest of a PDU of n bytes, and for what may follow.
func (r *reader) reserve(n int) {
	if len(r.buf)-r.lo >= max(n, 512) {
		return
	}
	buf := r.buf
	if len(buf) < n {
		buf = make([]byte, max(n, 16<<10))
	}
	r.hi = copy(buf, r.buf[r.lo:r.hi])
	r.lo, r.buf = 0, buf
}
