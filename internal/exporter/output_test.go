package exporter

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestWriteToIsWholeOrNothing(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "out.csv")
	p := &program{stdout: new(bytes.Buffer)}
	put := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			io.WriteString(w, text)
			return err
		}
	}
	if err := p.writeTo(name, put("one", nil)); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := p.writeTo(name, put("two", broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if b, _ := os.ReadFile(name); string(b) != "one" {
		t.Errorf("the file holds %q", b)
	}
	if list, _ := os.ReadDir(dir); len(list) != 1 {
		t.Errorf("left behind: %v", list)
	}
	if err := p.writeTo(toStdout, put("three", nil)); err != nil || p.stdout.(*bytes.Buffer).String() != "three" {
		t.Errorf("%v, printed %s", err, p.stdout)
	}
	if err := p.writeTo(os.DevNull, put("four", nil)); err != nil {
		t.Error(err)
	}
	if err := p.writeTo(filepath.Join(dir, "none", "out"), put("five", nil)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestWriteToLeavesTheModeToItsUser(t *testing.T) {
	dir := t.TempDir()
	p := &program{stdout: io.Discard}
	name, other := filepath.Join(dir, "out.csv"), filepath.Join(dir, "other.csv")
	nothing := func(io.Writer) error { return nil }
	mode := func(name string) os.FileMode {
		t.Helper()
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	if err := os.WriteFile(other, nil, 0o666); err != nil { // what the umask leaves of it
		t.Fatal(err)
	}
	if err := p.writeTo(name, nothing); err != nil || mode(name) != mode(other) {
		t.Errorf("a new file: %v, mode %v, want %v", err, mode(name), mode(other))
	}
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.writeTo(name, nothing); err != nil || mode(name) != 0o600 {
		t.Errorf("a file that was there: %v, mode %v, want 0600", err, mode(name))
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, w := range []io.Writer{new(bytes.Buffer), null} {
		if p := (&program{stderr: w}).progress("reading"); p.out != nil {
			t.Errorf("it takes %T for a terminal", w)
		}
	}
	var out bytes.Buffer
	p := &progress{out: &out, what: "reading", next: time.Now().Add(time.Hour)}
	p.tell(1, 10)
	p.end()
	if out.Len() != 0 {
		t.Errorf("told too soon: %q", &out)
	}
	p.next = time.Time{}
	p.tell(5, 10)
	p.tell(6, 10)
	p.end()
	if want := "\r\x1b[Kreading  50 %\r\x1b[K"; out.String() != want {
		t.Errorf("told %q, want %q", &out, want)
	}
}
