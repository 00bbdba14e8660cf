package pagebench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"lvs/dataplane"
	"lvs/internal/bench/pagebench/madeup"
	"lvs/rrdstore"
)

// interval is how often the agent that is measured reads its director: as often as
// one may.
const interval = time.Second

// buildAgent compiles lvs-agent with a source that makes its director up, and
// returns the program.
func buildAgent(ctx context.Context, dir string) (program string, err error) {
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "lvs")
	root, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("%v: %w", list, err)
	}
	module := strings.TrimSpace(string(root))
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(module, "internal/agent/source.go"): filepath.Join(module, "internal/bench/pagebench/source/source.go"),
	}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return "", err
	}
	program = filepath.Join(dir, "lvs-agent")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-overlay", overlay, "-o", program, "lvs/cmd/lvs-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as make build has it
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	return program, nil
}

// startAgent starts the program with an hour of history in its store. One real
// server goes or comes back after every flap; zero is never.
func startAgent(ctx context.Context, program, dir string, flap time.Duration) (*server, error) {
	addr, err := free()
	if err != nil {
		return nil, err
	}
	store, err := os.MkdirTemp(dir, "store")
	if err != nil {
		return nil, err
	}
	now := time.Now().Truncate(time.Second)
	if err := remember(ctx, store, madeup.New(now, flap)); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, "run", "--web.listen-address="+addr, "--store.path="+store, "--snmp.agentx=off",
		"--sample.interval="+interval.String(), "--log.level=warn")
	cmd.Env = append(os.Environ(), fmt.Sprintf("LVS_BENCH_NOW=%d", now.Unix()), "LVS_BENCH_FLAP="+flap.String())
	s, err := startServer(ctx, cmd, "http://"+addr+"/-/ready")
	if err == nil {
		s.url = "http://" + addr
	}
	return s, err
}

// remember stores the director's past.
func remember(ctx context.Context, dir string, d *madeup.Director) error {
	store, err := rrdstore.Open(dir, rrdstore.Options{Step: madeup.HistoryStep})
	if err != nil {
		return err
	}
	err = d.Past(func(s *dataplane.Snapshot) error { return store.Commit(ctx, s) })
	return errors.Join(err, store.Close())
}
