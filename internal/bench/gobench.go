package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// A goResult is what go test -bench printed of one benchmark.
type goResult struct{ nsPerOp, bytesPerOp, allocsPerOp float64 }

var benchLine = regexp.MustCompile(`(?m)^Benchmark\S+\s+\d+\s+([\d.]+) ns/op(?:.*?\s([\d.]+) B/op)?(?:\s+([\d.]+) allocs/op)?`)

// goBench runs the one benchmark of a package that a pattern matches and gives
// the quickest of three runs.
func goBench(ctx context.Context, pkg, pattern string) (goResult, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchmem", "-count", "3", pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return goResult{}, fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	best := goResult{}
	for i, m := range benchLine.FindAllSubmatch(out, -1) {
		var v [3]float64
		for j := range v {
			v[j], _ = strconv.ParseFloat(string(m[j+1]), 64) // a column that is missing is 0
		}
		if i == 0 || v[0] < best.nsPerOp {
			best = goResult{v[0], v[1], v[2]}
		}
	}
	if best == (goResult{}) {
		return best, fmt.Errorf("%v printed no figure:\n%s", cmd, out)
	}
	return best, nil
}

func getNext(ctx context.Context) ([]figure, error) {
	r, err := goBench(ctx, "./mib/agentx", "^BenchmarkGetNext$")
	return []figure{
		{name: "GETNEXT handler", ours: r.nsPerOp, unit: "ns", limit: 200},
		{name: "GETNEXT allocations", ours: r.allocsPerOp, unit: "allocs", limit: 0},
	}, err
}

func tree(ctx context.Context) ([]figure, error) {
	r, err := goBench(ctx, "./mib", "^BenchmarkBuild/reals=10000,strings$")
	return []figure{{name: "tree of 10,000 real servers", ours: r.nsPerOp / 1e6, unit: "ms", limit: 50}}, err
}
