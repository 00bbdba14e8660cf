package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"

	"lvs/internal/bench/agentxbench"
	"lvs/internal/bench/prombench"
)

// inGuest runs the guest program in the lab's kernel and reads its result.
func inGuest(ctx context.Context, result any, args ...string) error {
	build := exec.CommandContext(ctx, "go", "build", "-o", "build/bench-guest", "./internal/bench/guest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	guest := exec.CommandContext(ctx, "internal/lab/uml", append([]string{"--timeout", "600", "--", "build/bench-guest"}, args...)...)
	guest.Stderr = os.Stderr
	out, err := guest.Output()
	if err != nil {
		return fmt.Errorf("%v: %w", guest, err)
	}
	return json.Unmarshal(out, result)
}

func snapshot(ctx context.Context) ([]figure, error) {
	var r struct{ Ours, Ipvsadm, AllocsPerReal float64 }
	if err := inGuest(ctx, &r, "snapshot"); err != nil {
		return nil, err
	}
	return []figure{
		{name: "snapshot CPU", ours: r.Ours * 1e3, peer: r.Ipvsadm * 1e3, unit: "ms", limit: 0.5, peerName: "ipvsadm"},
		{name: "snapshot allocations per real server", ours: r.AllocsPerReal, unit: "allocs", limit: 2},
	}, nil
}

func steady(ctx context.Context) ([]figure, error) {
	var r struct{ CPU, RSS float64 }
	if err := inGuest(ctx, &r, "steady", "build/lvs-agent", "build/labnet"); err != nil {
		return nil, err
	}
	return []figure{
		{name: "agent CPU, 10,000 real servers, 10 s", ours: r.CPU * 100, unit: "% of a core", limit: 3},
		{name: "agent RSS, 10,000 real servers", ours: r.RSS, unit: "MiB", limit: 120},
	}, nil
}

func walk(ctx context.Context) ([]figure, error) {
	r, err := agentxbench.Run(ctx, 1000)
	if err != nil {
		return nil, err
	}
	return []figure{
		{name: "bulk walk, subagent CPU per variable", ours: r.PerVariable(r.Ours), peer: r.PerVariable(r.Peer), unit: "µs", limit: 0.8, peerName: "Net-SNMP in C"},
		{name: "bulk walk, wall", ours: r.Ours.Wall.Seconds() * 1e3, peer: r.Peer.Wall.Seconds() * 1e3, unit: "ms", limit: 0.9, peerName: "Net-SNMP in C"},
	}, nil
}

func box(ctx context.Context) ([]figure, error) {
	r, err := agentxbench.RunBox(ctx, 1000)
	if err != nil {
		return nil, err
	}
	return []figure{
		{name: "agent in the box, v2c CPU per variable", ours: r.PerVariable(r.V2c.Ours), peer: r.PerVariable(r.V2c.Peer), unit: "µs", limit: 0.25, peerName: "inside snmpd"},
		{name: "agent in the box, v3 authPriv CPU per variable", ours: r.PerVariable(r.V3.Ours), peer: r.PerVariable(r.V3.Peer), unit: "µs", limit: 1.1, peerName: "inside snmpd"},
	}, nil
}

func scrape(ctx context.Context) ([]figure, error) {
	ours, peer, err := prombench.Run(ctx, 10_000)
	return []figure{{name: "scrape per series", ours: ours, peer: peer, unit: "ns", limit: 1, peerName: "node_exporter"}}, err
}
