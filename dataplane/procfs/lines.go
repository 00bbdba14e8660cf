package procfs

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// lines reads a file line by line and remembers where it is, for errors.
type lines struct {
	file string
	sc   *bufio.Scanner
	src  *chunks
	n    int // number of text
	text string
	buf  []string // what fields returned
}

// The kernel hands out at most a page at a time; a larger buffer saves nothing
// there but is what a plain file fills.
const bufferSize = 64 << 10

func newLines(file string, r io.Reader) *lines {
	l := &lines{file: file, src: &chunks{r: r}}
	l.sc = bufio.NewScanner(l.src)
	l.sc.Buffer(make([]byte, 0, bufferSize), bufferSize)
	l.sc.Split(wholeLines)
	return l
}

// wholeLines is bufio.ScanLines, except that a last line without its end is an
// error: the kernel ends each line, so the rest of it was lost.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	n, line, err := bufio.ScanLines(data, atEOF)
	if err == nil && line != nil && data[n-1] != '\n' {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return n, line, err
}

// next moves to the next line; false at the end, or at an error that err tells.
func (l *lines) next() bool {
	if !l.sc.Scan() {
		return false
	}
	l.n++
	l.text = l.sc.Text()
	return true
}

// fields are the words of the line, until the next call.
func (l *lines) fields() []string {
	l.buf = l.buf[:0]
	for word := range strings.FieldsSeq(l.text) {
		l.buf = append(l.buf, word)
	}
	return l.buf
}

// need is next where the format asks for another line.
func (l *lines) need() error {
	if l.next() {
		return nil
	}
	if err := l.err(); err != nil {
		return err
	}
	return fmt.Errorf("%s: line %d: %w", l.file, l.n+1, io.ErrUnexpectedEOF)
}

// header is need for a line that begins with want.
func (l *lines) header(want string) error {
	if err := l.need(); err != nil {
		return err
	}
	if !strings.HasPrefix(strings.TrimSpace(l.text), want) {
		return l.errorf("want a line that begins %q", want)
	}
	return nil
}

// err is why next returned false; nil at the end of the file.
func (l *lines) err() error {
	if err := l.sc.Err(); err != nil {
		return fmt.Errorf("%s: line %d: %w", l.file, l.n+1, err)
	}
	return nil
}

// errorf is an error about the line next moved to.
func (l *lines) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: line %d: %s: %q", l.file, l.n, fmt.Sprintf(format, args...), l.text)
}

// hex reads fields as hexadecimal numbers, all of them or an error.
func (l *lines) hex(fields []string, into ...*uint64) error {
	if len(fields) != len(into) {
		return l.errorf("%d numbers, want %d", len(fields), len(into))
	}
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 16, 64)
		if err != nil {
			return l.errorf("%q is no hexadecimal number", f)
		}
		*into[i] = n
	}
	return nil
}

// chunks counts the reads that gave something: what came in one is of one
// moment, between two the kernel lets its table change.
type chunks struct {
	r io.Reader
	n int
}

func (c *chunks) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if n > 0 {
		c.n++
	}
	return n, err
}
