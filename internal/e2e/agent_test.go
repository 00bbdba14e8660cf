//go:build lab

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"lvs/internal/lab"
)

// program is the path of one of our programs: $LVS_AGENT for lvs-agent and so
// on, or else the one in build/, made outside of the guest.
func program(t *testing.T, env, name string) string {
	t.Helper()
	file := os.Getenv(env)
	if file == "" {
		file = lab.Path(t, "..", "..", "build", name)
	}
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("%v; build it outside the guest: make build", err)
	}
	return file
}

// runDir is a directory of the guest's own file system, where sockets work and
// files are mapped as on a disk.
func runDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/run", "e2e")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// An agent is lvs-agent as a process, over restarts: its flags, its address and
// its store stay the same. Its log is shown when the test fails.
type agent struct {
	t     *testing.T
	dir   string // holds store and log
	url   string
	flags []string
	cmd   *exec.Cmd
	ended chan error // takes how the process ended
}

// startAgent starts an agent that reads the director every second and waits
// until it has something to serve.
func startAgent(t *testing.T, flags ...string) *agent {
	t.Helper()
	a := unstarted(t, flags...)
	a.start()
	return a
}

func (a *agent) store() string { return filepath.Join(a.dir, "store") }

func (a *agent) log() string {
	b, _ := os.ReadFile(filepath.Join(a.dir, "log"))
	return string(b)
}

// start starts the process, which must not run, and waits for its first sample.
func (a *agent) start() {
	a.t.Helper()
	log, err := os.OpenFile(filepath.Join(a.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		a.t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(program(a.t, "LVS_AGENT", "lvs-agent"), a.flags...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.cmd, a.ended = cmd, make(chan error, 1)
	go func() { a.ended <- cmd.Wait() }()
	lab.Wait(a.t, "lvs-agent is ready", func() bool {
		select {
		case err := <-a.ended:
			a.cmd = nil
			a.t.Fatalf("lvs-agent ended at once: %v", err)
		default:
		}
		_, err := a.ask(http.MethodGet, "/-/ready", "")
		return err == nil
	})
}

// end sends a signal that ends the process, and returns how it did.
func (a *agent) end(s syscall.Signal) error {
	a.t.Helper()
	if err := a.cmd.Process.Signal(s); err != nil {
		a.t.Fatal(err)
	}
	a.cmd = nil
	select {
	case err := <-a.ended:
		return err
	case <-time.After(lab.Patience):
		a.t.Fatalf("lvs-agent does not end on %v", s)
		return nil
	}
}

// terminate ends the agent as a service manager does, which it must do without
// complaint.
func (a *agent) terminate() {
	a.t.Helper()
	if err := a.end(syscall.SIGTERM); err != nil {
		a.t.Errorf("lvs-agent on SIGTERM: %v", err)
	}
}

// kill ends the agent where it stands.
func (a *agent) kill() { _ = a.end(syscall.SIGKILL) }

// hangUp has it read its configuration again, by signal.
func (a *agent) hangUp() {
	a.t.Helper()
	if err := a.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		a.t.Fatal(err)
	}
}

var client = http.Client{Timeout: time.Minute}

// ask makes a request and returns the body; another status than 200 is an error
// with the body in it.
func (a *agent) ask(method, path, accept string) ([]byte, error) {
	req, err := http.NewRequest(method, a.url+path, nil)
	if err != nil {
		return nil, err
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, bytes.TrimSpace(body))
	}
	return body, err
}

// get is the body of a page that must be there.
func (a *agent) get(path string) []byte {
	a.t.Helper()
	body, err := a.ask(http.MethodGet, path, "")
	if err != nil {
		a.t.Fatal(err)
	}
	return body
}

// run runs one of our programs to its end; the error holds what it wrote to
// standard error.
func run(file string, args ...string) (string, error) {
	cmd := exec.Command(file, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), errors.Join(err, errors.New(stderr.String()))
	}
	return stdout.String(), nil
}
