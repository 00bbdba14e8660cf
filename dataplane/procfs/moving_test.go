//go:build unix

package procfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const header = "IP Virtual Server version 1.2.1 (size=4096)\n" +
	"Prot LocalAddress:Port Scheduler Flags\n" +
	"  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"

// large is a table that does not come in one piece, of services on the ports
// from first on.
func large(first int) string {
	var b strings.Builder
	b.WriteString(header)
	for i := range 3000 {
		fmt.Fprintf(&b, "TCP  0A010064:%04X wlc  \n", first+i)
	}
	return b.String()
}

// moving is a proc file system whose net/ip_vs is another text at each opening.
func moving(t *testing.T, texts ...string) (f FS, readings func() int) {
	t.Helper()
	f = FS{root: t.TempDir()}
	file := filepath.Join(f.root, "net/ip_vs")
	if err := os.Mkdir(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	fifo := func() {
		if err := syscall.Mkfifo(file+".new", 0o600); err != nil {
			t.Error(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Error(err)
		}
	}
	fifo()
	done := make(chan int)
	stop := make(chan struct{})
	go func() {
		n := 0
		defer func() { done <- n }()
		for _, text := range texts {
			w, err := os.OpenFile(file, os.O_WRONLY, 0) // waits for a reader
			if err != nil {
				t.Error(err)
				return
			}
			select {
			case <-stop:
				w.Close()
				return
			default:
			}
			n++
			fifo() // the next reading finds the next text, before this one ends
			w.WriteString(text)
			w.Close()
		}
	}()
	return f, func() int {
		close(stop)
		// Lets a writer go that still waits for a reader.
		if r, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
			defer r.Close()
		}
		return <-done
	}
}

func TestLargeTablesAreReadUntilTheyAgree(t *testing.T) {
	a, b, c, d := large(1), large(2), large(4), large(8)
	for _, test := range []struct {
		name                           string
		texts                          []string
		reads, retries, moved, highest int
	}{
		{"still", []string{a, a, b}, 2, 0, 0, 3000},
		{"moved once", []string{a, b, b, c}, 3, 1, 0, 3001},
		{"moved twice", []string{a, b, c, c}, 4, 2, 0, 3003},
		{"moves on", []string{a, b, c, d, d}, 4, 2, 8, 3007},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, readings := moving(t, test.texts...)
			s, err := f.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n := readings(); n != test.reads {
				t.Errorf("read %d times, want %d", n, test.reads)
			}
			if s.Retries != test.retries || s.Inconsistent != test.moved {
				t.Errorf("retries %d, inconsistent %d; want %d and %d", s.Retries, s.Inconsistent, test.retries, test.moved)
			}
			if last := s.Services[len(s.Services)-1].Key.VIP.Port(); len(s.Services) != 3000 || int(last) != test.highest {
				t.Errorf("%d services up to port %d, want 3000 up to %d", len(s.Services), last, test.highest)
			}
		})
	}
}

func TestSmallTablesAreReadOnce(t *testing.T) {
	text := header + "TCP  0A010064:0050 wlc  \n"
	f, readings := moving(t, text, text)
	if _, err := f.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := readings(); n != 1 {
		t.Errorf("read %d times", n)
	}
}
