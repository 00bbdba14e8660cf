package agent

import (
	"bytes"
	"net/http"
	"time"
)

// The bounds of answers about the history that are sent while they are made.
const (
	// maxSpool is how many bytes an answer may have to be made whole before it is
	// sent, so that its turn is over when the network is waited for. Pictures and
	// what is asked for usually have a tenth of it.
	maxSpool = 1 << 20
	// largeTime is how long a larger one is sent at most, whose size nobody knows.
	largeTime = time.Minute
)

// A spool keeps an answer until it is whole or too large to be kept; then begin is
// called, once, and unless it returns an error all that comes goes to the client.
// Until then another answer may be given instead.
type spool struct {
	http.ResponseWriter
	begin func() error
	made  bytes.Buffer
	begun bool  // bytes went to the client
	err   error // of begin or the client; nothing is written after it
	until time.Time
}

// Write keeps or sends b.
func (s *spool) Write(b []byte) (int, error) {
	switch {
	case s.err != nil:
		return 0, s.err
	case s.begun:
		return s.send(b)
	case s.made.Len()+len(b) <= maxSpool:
		return s.made.Write(b)
	}
	if s.err = s.begin(); s.err != nil {
		return 0, s.err
	}
	s.begun, s.until = true, time.Now().Add(largeTime)
	_, err := s.send(s.made.Bytes())
	s.made = bytes.Buffer{}
	if err != nil {
		return 0, err
	}
	return s.send(b)
}

func (s *spool) send(b []byte) (n int, err error) {
	deadline := earlier(time.Now().Add(patience), s.until)
	_ = http.NewResponseController(s.ResponseWriter).SetWriteDeadline(deadline) // see deliver
	n, s.err = s.ResponseWriter.Write(b)
	return n, s.err
}

// Unwrap is for http.ResponseController.
func (s *spool) Unwrap() http.ResponseWriter { return s.ResponseWriter }
