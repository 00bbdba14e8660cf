// Package agent is one file: it takes the place of internal/agent/source.go in the
// lvs-agent that is measured, which so reads a director that is made up, and is
// the real one in all else. Where the original reads the kernel, this one is of
// the same form.
//
// The environment says when the director's present began, LVS_BENCH_NOW in Unix
// seconds, and how often a real server goes or comes back, LVS_BENCH_FLAP.
package agent

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"time"

	"lvs/dataplane"
	"lvs/dataplane/ipvs"
	"lvs/internal/bench/pagebench/madeup"
)

// A kernelSource reads the director that is made up.
type kernelSource struct {
	mu       sync.Mutex
	director *madeup.Director
	err      error // of the environment
	last     time.Time
}

func newKernelSource(string, bool, *slog.Logger) *kernelSource {
	s := &kernelSource{}
	now, err := strconv.ParseInt(os.Getenv("LVS_BENCH_NOW"), 10, 64)
	if err != nil {
		return &kernelSource{err: fmt.Errorf("LVS_BENCH_NOW: %w", err)}
	}
	flap, err := time.ParseDuration(os.Getenv("LVS_BENCH_FLAP"))
	if err != nil {
		return &kernelSource{err: fmt.Errorf("LVS_BENCH_FLAP: %w", err)}
	}
	s.director, s.last = madeup.New(time.Unix(now, 0), flap), time.Unix(now, 0)
	s.err = s.director.Past(func(*dataplane.Snapshot) error { return nil })
	return s
}

// Snapshot is what has become of the director since the last one.
func (s *kernelSource) Snapshot(context.Context) (*dataplane.Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	now := time.Now()
	step := max(now.Sub(s.last), time.Millisecond)
	s.last = now
	return s.director.Read(now, step), nil
}

// dial is for an agent that changes the table, which this one cannot.
func (s *kernelSource) dial() (*ipvs.Client, error) { return nil, dataplane.ErrNotSupported }

// Close has nothing to close.
func (s *kernelSource) Close() error { return nil }
