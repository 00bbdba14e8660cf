// Package agentxbench measures our AgentX subagent beside one made of Net-SNMP's
// own library, by the walk of a manager through a real snmpd, and our agent in
// the box beside the same table inside of snmpd.
package agentxbench

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Rounds is how often each subagent is measured; the least counts.
const Rounds = 5

// Columns of lvsRealTable.
const columns = 16

// table is lvsRealTable, which both subagents serve.
const table = ".1.3.6.1.4.1.8225.4711.18"

// A Cost is what walking the table once took, the least of all rounds.
type Cost struct {
	CPU  time.Duration // of the measured process
	Wall time.Duration // of the whole snmpbulkwalk -Cr100
}

// A Result compares two subagents that gave the same answers.
type Result struct {
	Variables  int // in the table
	Ours, Peer Cost
}

// PerVariable is a CPU time in microseconds per variable.
func (r Result) PerVariable(c Cost) float64 {
	return float64(c.CPU) / float64(time.Microsecond) / float64(r.Variables)
}

// String is one line for people.
func (r Result) String() string {
	return fmt.Sprintf("%d variables: ours %.2f µs CPU each, walk %v; Net-SNMP's %.2f µs, %v: ratios %.2f, %.2f", r.Variables,
		r.PerVariable(r.Ours), r.Ours.Wall.Round(time.Millisecond), r.PerVariable(r.Peer), r.Peer.Wall.Round(time.Millisecond),
		float64(r.Ours.CPU)/float64(r.Peer.CPU), float64(r.Ours.Wall)/float64(r.Peer.Wall))
}

// Run builds both subagents, has each serve a table of so many rows to one
// private snmpd, in turns, and walks it. It needs the module's source around the
// working directory, go, cc with libsnmp-dev, snmpd and snmp, and Linux. An error
// is returned where the two do not give the same answers, too.
func Run(ctx context.Context, rows int) (Result, error) {
	r := Result{Variables: rows * columns}
	dir, err := os.MkdirTemp("", "agentxbench")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	p, err := build(ctx, dir)
	if err != nil {
		return r, err
	}
	m, err := startMaster(ctx, dir, "")
	if err != nil {
		return r, err
	}
	defer m.stop()
	never := Cost{CPU: math.MaxInt64, Wall: math.MaxInt64}
	r.Ours, r.Peer = never, never
	for range Rounds {
		a, err := m.measure(ctx, p.ours, rows, &r.Ours)
		if err != nil {
			return r, fmt.Errorf("our subagent: %w", err)
		}
		b, err := m.measure(ctx, p.peer, rows, &r.Peer)
		if err != nil {
			return r, fmt.Errorf("peer's subagent: %w", err)
		}
		if a != b {
			return r, fmt.Errorf("the subagents' answers differ: %s", firstDifference(a, b))
		}
	}
	return r, nil
}

// measure has the program serve rows, walks them once to warm up and once for
// the figures, and returns the walk's text.
func (m *master) measure(ctx context.Context, program string, rows int, least *Cost) (walk string, err error) {
	p, err := m.serve(ctx, program, rows)
	if err != nil {
		return "", err
	}
	defer p.stop()
	if _, err := m.walk(ctx, v2c, m.addr); err != nil {
		return "", err
	}
	cpu, err := p.cpuTime()
	if err != nil {
		return "", err
	}
	began := time.Now()
	if walk, err = m.walk(ctx, v2c, m.addr); err != nil {
		return "", err
	}
	wall := time.Since(began)
	after, err := p.cpuTime()
	if err != nil {
		return "", err
	}
	if n := strings.Count(walk, "\n"); n != rows*columns {
		return "", fmt.Errorf("%d variables in the walk, want %d", n, rows*columns)
	}
	least.CPU, least.Wall = min(least.CPU, after-cpu), min(least.Wall, wall)
	return walk, nil
}

// firstDifference quotes the first line in which two walks differ.
func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d: %q, %q", i+1, as[i], bs[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(as), len(bs))
}

// socket is where subagents find the master.
func (m *master) socket() string { return filepath.Join(m.dir, "agentx") }
