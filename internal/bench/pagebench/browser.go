package pagebench

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

//go:embed browse.mjs
var browse []byte

// A Paint is how a page came up in a browser that had seen nothing before. Times
// are milliseconds since it was asked for.
type Paint struct {
	URL         string
	First, Load float64
	Sent, Bytes float64 // the page and all that it needs, as sent and as such
	Nodes       float64 // elements
	Heap        float64 // bytes that its scripts hold
}

// A Window is how a page fared that was scrolled while it followed the director.
// Times are in milliseconds.
type Window struct {
	Frames, Slow           float64 // Slow are those after more than 50 ms
	LongestFrame           float64
	LongestTask, LongTasks float64 // those of more than 50 ms, and all of them together
	Shift                  float64 // cumulative layout shift
	Samples                float64 // that it showed
	// Script, Layout and Busy are what the page's thread spent on a processor in
	// scripts, in styles and layout, and in anything.
	Script, Layout, Busy float64
	Heap                 float64 // bytes that its scripts hold
}

// A said is one line of browse.mjs: one of its fields is set.
type said struct {
	Paint     *Paint
	Request   *request
	Still     *Window
	Following bool
	Window    *Window
}

// A request is one that a page makes.
type request struct{ Path, Accept string }

// runBrowser runs browse.mjs and calls each for what it says.
func runBrowser(ctx context.Context, dir string, each func(said) error, args ...string) error {
	modules, err := filepath.Abs("build/browser")
	if err != nil {
		return err
	}
	script := filepath.Join(dir, "browse.mjs")
	if err := os.WriteFile(script, browse, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "node", append([]string{script}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Env, cmd.Stderr = append(os.Environ(), "MODULES="+modules), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var s said
		if err = json.Unmarshal(lines.Bytes(), &s); err == nil {
			err = each(s)
		}
		if err != nil {
			_ = cmd.Process.Signal(syscall.SIGTERM) // and its browser with it
			break
		}
	}
	if waited := cmd.Wait(); err == nil && waited != nil {
		err = fmt.Errorf("pagebench: %s: %w", args[0], waited)
	}
	return err
}
