package agentxbench

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// walks is how often an agent in a box is walked for one figure: an agent that is
// good at it takes some milliseconds for a walk.
const walks = 5

// A BoxResult compares our agent in the box with an snmpd that has the same table
// inside of itself. Costs are those of five walks.
type BoxResult struct {
	Variables int                       // in five walks
	V2c, V3   struct{ Ours, Peer Cost } // V3 is authPriv, SHA-256 and AES
}

// PerVariable is a CPU time in microseconds per variable.
func (r BoxResult) PerVariable(c Cost) float64 {
	return float64(c.CPU) / float64(time.Microsecond) / float64(r.Variables)
}

// String is a line for people for each version.
func (r BoxResult) String() string {
	line := func(name string, ours, peer Cost) string {
		return fmt.Sprintf("%s, %d variables: ours %.2f µs CPU each, walk %v; snmpd's %.2f µs, %v: ratios %.2f, %.2f", name, r.Variables,
			r.PerVariable(ours), (ours.Wall / walks).Round(time.Millisecond), r.PerVariable(peer), (peer.Wall / walks).Round(time.Millisecond),
			float64(ours.CPU)/float64(peer.CPU), float64(ours.Wall)/float64(peer.Wall))
	}
	return line("v2c", r.V2c.Ours, r.V2c.Peer) + "\n" + line("v3", r.V3.Ours, r.V3.Peer)
}

// RunBox builds both, has each serve a table of so many rows, and walks them in
// turns. It needs what Run needs, and fails as Run does.
func RunBox(ctx context.Context, rows int) (BoxResult, error) {
	r := BoxResult{Variables: walks * rows * columns}
	never := Cost{CPU: math.MaxInt64, Wall: math.MaxInt64}
	r.V2c.Ours, r.V2c.Peer, r.V3.Ours, r.V3.Peer = never, never, never, never
	dir, err := os.MkdirTemp("", "agentxbench")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	p, err := build(ctx, dir)
	if err != nil {
		return r, err
	}
	m, err := startMaster(ctx, dir, user+"dlmod lvsreal "+p.module+"\n", "LVSREAL_ROWS="+strconv.Itoa(rows))
	if err != nil {
		return r, err
	}
	defer m.stop()
	addr, err := freePort()
	if err != nil {
		return r, err
	}
	box, err := start(m.command(ctx, p.ours, "-u", addr, strconv.Itoa(rows)))
	if err != nil {
		return r, err
	}
	defer box.stop()
	for _, a := range []string{addr, m.addr} {
		if err := m.wait(ctx, a, rows); err != nil {
			return r, err
		}
	}
	for range Rounds {
		for _, version := range []struct {
			who        []string
			ours, peer *Cost
		}{{v2c, &r.V2c.Ours, &r.V2c.Peer}, {v3, &r.V3.Ours, &r.V3.Peer}} {
			a, err := m.measureWalks(ctx, box, addr, version.who, version.ours)
			if err != nil {
				return r, fmt.Errorf("our agent: %w", err)
			}
			b, err := m.measureWalks(ctx, m.process, m.addr, version.who, version.peer)
			if err != nil {
				return r, fmt.Errorf("snmpd: %w", err)
			}
			if n := strings.Count(a, "\n"); n != rows*columns {
				return r, fmt.Errorf("%d variables in a walk, want %d", n, rows*columns)
			}
			if a != b {
				return r, fmt.Errorf("the agents' answers differ: %s", firstDifference(a, b))
			}
		}
	}
	return r, nil
}

// measureWalks walks the agent of a process and returns the last walk's text.
func (m *master) measureWalks(ctx context.Context, p *process, addr string, who []string, least *Cost) (walk string, err error) {
	before, err := p.cpuTime()
	if err != nil {
		return "", err
	}
	began := time.Now()
	for range walks {
		if walk, err = m.walk(ctx, who, addr); err != nil {
			return "", err
		}
	}
	wall := time.Since(began)
	after, err := p.cpuTime()
	if err != nil {
		return "", err
	}
	least.CPU, least.Wall = min(least.CPU, after-before), min(least.Wall, wall)
	return walk, nil
}
