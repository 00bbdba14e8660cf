// Package rrdbench measures RRDtool as it is usually run: one .rrd file for each
// thing that is counted, and rrdcached before them. It runs Debian's rrdtool and
// rrdcached, and is for benchmarks only.
package rrdbench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"lvs/internal/bench/load"
)

// A tier is a resolution and for how long it is kept.
type tier struct{ step, keep time.Duration }

const day = 24 * time.Hour

// base is kept as AVERAGE, like the store's own rows as they were sampled; tiers
// with all functions.
var (
	base  = tier{10 * time.Second, day}
	tiers = []tier{{time.Minute, 7 * day}, {5 * time.Minute, 31 * day}, {time.Hour, 2 * 365 * day}}
)

// Create makes an .rrd file with all sources of an entity, tiers with those
// functions, and 1/cut of the rows of each.
func Create(ctx context.Context, file string, start time.Time, cut int, functions ...string) error {
	seconds := func(d time.Duration) int { return int(d / time.Second) }
	step := seconds(base.step)
	args := []string{"create", file, "--start", strconv.FormatInt(start.Unix(), 10), "--step", strconv.Itoa(step)}
	for i, name := range load.Sources {
		kind := "GAUGE"
		if i < load.Counters {
			kind = "DERIVE" // with a minimum of 0, so that a reset is no spike
		}
		args = append(args, fmt.Sprintf("DS:%s:%s:%d:0:U", name, kind, 3*step))
	}
	archive := func(function string, t tier) {
		args = append(args, fmt.Sprintf("RRA:%s:0.5:%d:%d", function, seconds(t.step)/step, max(1, int(t.keep/t.step)/cut)))
	}
	archive("AVERAGE", base)
	for _, f := range functions {
		for _, t := range tiers {
			archive(f, t)
		}
	}
	return run(ctx, "rrdtool", args...)
}

// FileSize is how large an .rrd file of full length is.
func FileSize(ctx context.Context, dir string, functions ...string) (int64, error) {
	file := filepath.Join(dir, "full.rrd")
	if err := Create(ctx, file, load.Start, 1, functions...); err != nil {
		return 0, err
	}
	defer os.Remove(file)
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// createAll makes a file for each entity, all alike.
func createAll(ctx context.Context, dir string, c load.Config, cut int) error {
	first := filepath.Join(dir, name(0))
	if err := Create(ctx, first, c.Start, cut, "AVERAGE", "MIN", "MAX"); err != nil {
		return err
	}
	content, err := os.ReadFile(first)
	for i := 1; i < c.Entities() && err == nil; i++ {
		if err = ctx.Err(); err == nil {
			err = os.WriteFile(filepath.Join(dir, name(i)), content, 0o600)
		}
	}
	return err
}

func name(entity int) string { return strconv.Itoa(entity) + ".rrd" }

// find is a program, or which package has it.
func find(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("rrdbench: %w: apt-get install %s", err, program)
	}
	return path, nil
}

func run(ctx context.Context, program string, args ...string) error {
	path, err := find(program)
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, path, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("rrdbench: %s %s: %w: %s", program, args[0], err, out)
	}
	return nil
}
