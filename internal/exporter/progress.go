package exporter

import (
	"fmt"
	"io"
	"os"
	"time"
)

const (
	// progressAfter is how long work takes before it tells how far it is.
	progressAfter = 500 * time.Millisecond
	// progressEvery is how often it does.
	progressEvery = 200 * time.Millisecond
)

// A progress is a line on a terminal that tells how far long work is. Its zero
// value tells nothing.
type progress struct {
	out  io.Writer // nil: no terminal
	what string
	next time.Time
	told bool
}

// progress begins to tell of work on stderr, if that is a terminal.
func (p *program) progress(what string) *progress {
	if !isTerminal(p.stderr) {
		return &progress{}
	}
	return &progress{out: p.stderr, what: what, next: time.Now().Add(progressAfter)}
}

// isTerminal reports whether somebody may be looking at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// tell says that done of total is done.
func (p *progress) tell(done, total int) {
	now := time.Now()
	if p.out == nil || total <= 0 || now.Before(p.next) {
		return
	}
	p.next, p.told = now.Add(progressEvery), true
	fmt.Fprintf(p.out, "\r\x1b[K%s %3d %%", p.what, int64(done)*100/int64(total))
}

// end takes the line away.
func (p *progress) end() {
	if p.told {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
