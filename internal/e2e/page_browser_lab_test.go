//go:build lab

package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"lvs/internal/lab"
)

// The status page in a browser, of an agent that reads the kernel's table: a real
// server whose weight becomes zero is shown as down within two seconds of that,
// and as up again. Browser, agent and kernel share the guest's one processor, so
// the least of three counts, or of ten on a machine that is too busy.
func TestLabStatusPageInABrowser(t *testing.T) {
	lab.Guest(t)
	const service, real = "192.0.2.78:80", "198.51.100.8:80"
	lab.Run(t, "ipvsadm", "-A", "-t", service, "-s", "wlc")
	t.Cleanup(func() { lab.Run(t, "ipvsadm", "-D", "-t", service) })
	lab.Run(t, "ipvsadm", "-a", "-t", service, "-r", real, "-m", "-w", "3")
	a := startAgent(t)
	row := watchRow(t, a.url+"/", "tcp/"+service+","+real)
	row.wait("up")
	least := time.Hour
	for try := range 10 {
		if try >= 3 && least <= 2*time.Second {
			break
		}
		for _, to := range []struct{ weight, state string }{{"0", "down"}, {"3", "up"}} {
			begin := time.Now()
			lab.Run(t, "ipvsadm", "-e", "-t", service, "-r", real, "-m", "-w", to.weight)
			took := row.wait(to.state).Sub(begin)
			t.Logf("shown as %s after %v", to.state, took.Round(time.Millisecond))
			if to.state == "down" {
				least = min(least, took)
			}
		}
	}
	if least > 2*time.Second {
		t.Errorf("a real server that is down is shown as such after %v", least)
	}
	row.leave()
	a.terminate()
}

// A watchedRow is a row of a page that is open in a browser.
type watchedRow struct {
	t     *testing.T
	lines chan string // what the browser says; closed when it ends
	leave func()      // closes the browser
}

// watchRow opens a page in Debian's Chromium and looks at a row of it.
func watchRow(t *testing.T, page, row string) *watchedRow {
	t.Helper()
	modules := lab.Path(t, "..", "..", "build", "browser")
	for file, from := range map[string]string{
		"/usr/bin/chromium": "Debian's chromium", "/usr/bin/node": "Debian's nodejs", filepath.Join(modules, "node_modules/playwright-core"): ".ci/setup test",
	} {
		if _, err := os.Stat(file); err != nil {
			t.Fatalf("%v; it comes from %s", err, from)
		}
	}
	cmd := exec.Command("/usr/bin/node", "testdata/watchrow.mjs")
	cmd.Env = append(os.Environ(), "HOME="+runDir(t), "MODULES="+modules, "PROFILE="+runDir(t), "PAGE="+page, "ROW="+row)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // the browser follows; of no effect after leave
	w := &watchedRow{t: t, lines: make(chan string, 16)}
	go func() {
		defer close(w.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			w.lines <- lines.Text()
		}
	}()
	w.leave = func() {
		in.Close()
		for range w.lines {
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the browser: %v", err)
		}
	}
	return w
}

// wait waits until the row shows the state, and returns when that was.
func (w *watchedRow) wait(state string) time.Time {
	w.t.Helper()
	const patience = 5 * time.Minute // a browser starts slowly in the guest
	select {
	case line := <-w.lines:
		var shown string
		var at int64
		if _, err := fmt.Sscan(line, &shown, &at); err != nil || shown != state {
			w.t.Fatalf("the page shows %q, want %s (%v)", line, state, err)
		}
		return time.UnixMilli(at)
	case <-time.After(patience):
		w.t.Fatalf("the page does not show %s", state)
		return time.Time{}
	}
}
