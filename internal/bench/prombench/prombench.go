// Package prombench measures a scrape of ours beside one of node_exporter's ipvs
// collector, end to end over HTTP and of the same table. It runs the peer as
// Debian packages it, prometheus-node-exporter, and is for benchmarks only.
package prombench

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"lvs/collector/prom"
	"lvs/dataplane"
)

// Rounds is how many scrapes of each are timed; the fastest counts.
const Rounds = 15

// A Figure is what a scrape took.
type Figure struct {
	Series     int           // lines with a value
	Took       time.Duration // the fastest scrape
	NSOfSeries float64       // Took by Series, in nanoseconds
}

// Run scrapes a table with that many real servers, all scopes on, from us and
// from node_exporter in turns, and returns nanoseconds for each series.
func Run(ctx context.Context, reals int) (ours, peer float64, err error) {
	a, b, err := Compare(ctx, reals)
	return a.NSOfSeries, b.NSOfSeries, err
}

// Compare is Run with all that was measured.
func Compare(ctx context.Context, reals int) (ours, peer Figure, err error) {
	root, err := os.MkdirTemp("", "prombench")
	if err != nil {
		return ours, peer, err
	}
	defer os.RemoveAll(root)
	snap := table(reals)
	if err := writeProc(snap, root); err != nil {
		return ours, peer, err
	}
	peerURL, stopPeer, err := startPeer(ctx, root)
	if err != nil {
		return ours, peer, err
	}
	defer stopPeer()
	ourURL, stopOurs, err := startOurs(snap)
	if err != nil {
		return ours, peer, err
	}
	defer stopOurs()

	for i := range Rounds {
		for _, one := range []struct {
			url string
			f   *Figure
		}{{peerURL, &peer}, {ourURL, &ours}} {
			began := time.Now()
			body, err := scrape(ctx, one.url)
			took := time.Since(began)
			if err != nil {
				return ours, peer, err
			}
			if i == 0 {
				if one.f.Series, err = countSeries(body); err != nil {
					return ours, peer, err
				}
				one.f.Took = took
			}
			one.f.Took = min(one.f.Took, took)
		}
	}
	for _, f := range []*Figure{&ours, &peer} {
		if f.Series < 3*reals {
			return ours, peer, fmt.Errorf("prombench: %d series of %d real servers are too few to be the same table", f.Series, reals)
		}
		f.NSOfSeries = float64(f.Took.Nanoseconds()) / float64(f.Series)
	}
	return ours, peer, nil
}

// startOurs serves the table as the agent does, every real server shown.
func startOurs(snap *dataplane.Snapshot) (url string, stop func(), err error) {
	samples, commits := prom.NewDurations(), prom.NewDurations()
	e, err := prom.New(prom.Options{Snapshot: func() *dataplane.Snapshot { return snap }, Reals: prom.RealsAlways,
		SampleDurations: samples, CommitDurations: commits, Process: prom.ProcessMetrics()})
	if err != nil {
		return "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{Handler: e}
	done := make(chan struct{})
	go func() { defer close(done); srv.Serve(l) }()
	return "http://" + l.Addr().String() + "/metrics", func() { srv.Close(); <-done }, nil
}

// startPeer runs node_exporter with its ipvs collector alone.
func startPeer(ctx context.Context, root string) (url string, stop func(), err error) {
	const program = "prometheus-node-exporter"
	if _, err := exec.LookPath(program); err != nil {
		return "", nil, fmt.Errorf("prombench: %w: apt-get install %s", err, program)
	}
	addr, err := freeAddr()
	if err != nil {
		return "", nil, err
	}
	var log bytes.Buffer
	cmd := exec.Command(program, "--path.procfs="+root, "--collector.disable-defaults", "--collector.ipvs",
		"--web.disable-exporter-metrics", "--web.listen-address="+addr)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { cmd.Process.Kill(); cmd.Wait() }
	url = "http://" + addr + "/metrics"
	for range 100 {
		if _, err = scrape(ctx, url); err == nil {
			return url, stop, nil
		}
		select {
		case <-ctx.Done():
			stop()
			return "", nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	stop()
	return "", nil, fmt.Errorf("prombench: %s does not answer: %w\n%s", program, err, log.String())
}

// freeAddr is a loopback address nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// scrape asks as Prometheus does, and leaves the answer compressed.
func scrape(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/plain;version=0.0.4")
	r.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Encoding") != "gzip") {
		err = fmt.Errorf("prombench: %s: %s, encoding %q", url, resp.Status, resp.Header.Get("Content-Encoding"))
	}
	return body, err
}

func countSeries(body []byte) (n int, err error) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			n++
		}
	}
	if n == 0 {
		return 0, errors.New("prombench: an empty scrape")
	}
	return n, nil
}
