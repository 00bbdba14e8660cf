package pagebench

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"syscall"
	"time"

	"lvs/internal/bench/usage"
)

// A server is a program that serves pages on loopback.
type server struct {
	cmd *exec.Cmd
	log *bytes.Buffer
	url string
}

// startServer starts a program and waits until it answers at url.
func startServer(ctx context.Context, cmd *exec.Cmd, url string) (*server, error) {
	s := &server{cmd: cmd, log: &bytes.Buffer{}, url: url}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := get(ctx, url, "*/*")
		if err == nil {
			return s, nil
		}
		select {
		case <-ctx.Done():
			s.stop() // after which nobody writes to the log
			return nil, fmt.Errorf("pagebench: %s does not answer: %w\n%s", cmd.Path, err, s.log)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stop ends the program and waits for it; how it ends does not matter.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	t := time.AfterFunc(5*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer t.Stop()
	_ = s.cmd.Wait()
}

// used is what the program has used so far.
func (s *server) used() (usage.Usage, error) { return usage.Of(s.cmd.Process.Pid) }

// cpuOf is the program's time while f ran.
func (s *server) cpuOf(f func() error) (time.Duration, error) {
	before, err := s.used()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := s.used()
	return after.CPU - before.CPU, err
}

// views is how often a page is asked for to learn what one costs.
const views = 20

// view is the program's time for one answer of a page, as a browser asks for it.
func (s *server) view(ctx context.Context, path string) (time.Duration, error) {
	took, err := s.cpuOf(func() error {
		for range views {
			if err := get(ctx, s.url+path, "text/html"); err != nil {
				return err
			}
		}
		return nil
	})
	return took / views, err
}

// free is an address of loopback nobody listens on.
func free() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// client is many browsers' worth of connections.
var client = http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}

// get asks for a URL as a browser does and reads the answer to its end. What is not
// found is an answer.
func get(ctx context.Context, url, accept string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 500 {
		return fmt.Errorf("pagebench: %s: %s", url, resp.Status)
	}
	_, err = discard(resp.Body)
	return err
}
