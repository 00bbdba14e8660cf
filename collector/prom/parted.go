package prom

import (
	"bytes"
	"io"
)

// partSeries is about how many series of a family are in memory at a time.
const partSeries = 4096

// A parted writer takes a family in parts, each encoded like a whole one: where
// one goes on, the comments that it begins with are left out, for a family's name,
// type and help may come but once.
type parted struct {
	io.Writer
	goesOn bool // the next part is not a family's first
	inside bool // a comment, whose end was not seen yet
}

// Write passes on what is no such comment.
func (p *parted) Write(b []byte) (int, error) {
	n := len(b)
	for p.goesOn && len(b) > 0 {
		if !p.inside && b[0] != '#' {
			p.goesOn = false // up to the next part
			break
		}
		end := bytes.IndexByte(b, '\n')
		if p.inside = end < 0; p.inside {
			return n, nil
		}
		b = b[end+1:]
	}
	if len(b) > 0 {
		if _, err := p.Writer.Write(b); err != nil {
			return 0, err
		}
	}
	return n, nil
}
