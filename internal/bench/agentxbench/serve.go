package agentxbench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Serve has a private snmpd answer for our subagent with so many real servers, ten
// in each service, to the community public. Addr is where, until stop.
func Serve(ctx context.Context, rows int) (addr string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "agentxbench")
	if err != nil {
		return "", nil, err
	}
	undo := func() { os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			undo()
		}
	}()
	program := filepath.Join(dir, "gosubagent")
	cmd := command(ctx, "go", "build", "-o", program, "lvs/internal/bench/gosubagent")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	m, err := startMaster(ctx, dir, "")
	if err != nil {
		return "", nil, err
	}
	p, err := m.serve(ctx, program, rows)
	if err != nil {
		m.stop()
		return "", nil, err
	}
	return m.addr, func() {
		p.stop()
		m.stop()
		undo()
	}, nil
}
