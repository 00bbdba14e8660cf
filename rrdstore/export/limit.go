package export

import (
	"bufio"
	"errors"
	"io"
)

// maxRecord is how many bytes a line of CSV or an element of XML may take.
const maxRecord = 256 << 10

var errTooLong = errors.New("longer than 256 kB: this is no such file")

// A limitReader fails when more than maxRecord bytes were read since the last
// reset, so that a parser cannot be made to hold more than that.
type limitReader struct {
	r    io.Reader
	left int
}

func (l *limitReader) reset() { l.left = maxRecord }

func (l *limitReader) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLong
	}
	n, err := l.r.Read(b[:min(len(b), l.left)])
	l.left -= n
	return n, err
}

// byteOrderMark is what Windows puts before UTF-8.
const byteOrderMark = "\uFEFF"

func skipBOM(r io.Reader) *bufio.Reader {
	b := bufio.NewReader(r)
	if head, _ := b.Peek(len(byteOrderMark)); string(head) == byteOrderMark {
		b.Discard(len(head))
	}
	return b
}
