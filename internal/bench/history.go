package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"lvs/internal/bench/load"
	"lvs/internal/bench/rrdbench"
)

// The director whose history is kept, and how long by each contender: so long that
// the figure stays, and that windows of every length close.
const (
	historyServices = 1000
	historyReals    = 10
	historySeed     = 1

	storeTicks = 26*360 + 180 // a day and more: a week ends in it, and an hour is open at its end
	tsdbTicks  = 2 * 360      // what it keeps in memory before it writes a block

	// keptServices and keptReals are 64 entities with the director, the store's
	// unit; they are kept until a week is whole.
	keptServices, keptReals = 7, 8
	keptTicks               = 8*8640 + 3*360
)

// rrdPlan is rrdcached -w 1800.
var rrdPlan = rrdbench.Plan{Ticks: 360, Flush: 180, Cut: 100}

// What the programs print; see storebench and tsdbpeer.
type (
	used struct {
		CPU     time.Duration
		Written int64
		Anon    int64
	}
	storeResult struct {
		used
		Ticks, Entities int
		Raw             float64 // bytes of a value
		Reads           struct{ OneDay, AllHour time.Duration }
	}
	tsdbResult struct {
		used
		Ticks, Samples int
		Block          int64
	}
	keptResult struct{ Bytes float64 }
)

// A historyResult is all that was measured of the store and its peers.
type historyResult struct {
	store      storeResult
	kept       keptResult
	tsdb       tsdbResult
	rrdTick    time.Duration
	rrd3, rrd4 int64 // bytes of an .rrd file with three and with four functions
}

// history measures one after the other, each beginning with an empty directory.
func history(ctx context.Context) ([]figure, error) {
	// Below build, which is on a disk where /tmp may be none.
	dir, err := filepath.Abs("build")
	if err != nil {
		return nil, err
	}
	if dir, err = os.MkdirTemp(dir, "history"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	var r historyResult
	for _, measure := range []func(context.Context, string, *historyResult) error{measureRRD, measureTSDB, measureStore, measureKept} {
		part := filepath.Join(dir, "data")
		if err := os.Mkdir(part, 0o700); err != nil {
			return nil, err
		}
		err := measure(ctx, part, &r)
		if err := os.RemoveAll(part); err != nil {
			return nil, err
		}
		if err != nil {
			return nil, err
		}
	}
	return r.figures(), nil
}

// figures holds the store against its peers.
func (r *historyResult) figures() []figure {
	tick := func(u used, ticks int) float64 { return u.CPU.Seconds() * 1e3 / float64(ticks) }
	ours, prom := tick(r.store.used, r.store.Ticks), tick(r.tsdb.used, r.tsdb.Ticks)
	row := float64(len(load.Sources) * 8)
	written := float64(r.store.Written) / float64(r.store.Ticks*r.store.Entities)
	return []figure{
		{name: "history: CPU of a tick, all tiers", ours: ours, peer: r.rrdTick.Seconds() * 1e3, unit: "ms", limit: 1. / 5, peerName: "rrdcached"},
		{name: "history: CPU of a tick, all tiers", ours: ours, peer: prom, unit: "ms", limit: 1. / 3, peerName: "Prometheus tsdb"},
		{name: "history: written for a row of 8 values", ours: written, peer: row, unit: "B", limit: 2, peerName: "the values"},
		{name: "history: a value as sampled, on disk", ours: r.store.Raw, peer: float64(r.tsdb.Block) / float64(r.tsdb.Samples), unit: "B", limit: 0.8, peerName: "tsdb block"},
		{name: "history: two years of an entity", ours: r.kept.Bytes / 1e3, peer: float64(r.rrd3) / 1e3, unit: "kB", limit: 1. / 6, peerName: ".rrd without LAST"},
		{name: "history: two years of an entity", ours: r.kept.Bytes / 1e3, peer: float64(r.rrd4) / 1e3, unit: "kB", limit: 1. / 6, peerName: ".rrd with LAST"},
		{name: "history: memory while storing", ours: float64(r.store.Anon) / 1e6, unit: "MB", limit: 80},
		{name: "history: read one real server's 24 hours", ours: r.store.Reads.OneDay.Seconds() * 1e3, unit: "ms", limit: 1},
		{name: "history: read all real servers' last hour", ours: r.store.Reads.AllHour.Seconds() * 1e3, unit: "ms", limit: 300},
	}
}

func measureRRD(ctx context.Context, dir string, r *historyResult) (err error) {
	if r.rrd3, err = rrdbench.FileSize(ctx, dir, "AVERAGE", "MIN", "MAX"); err != nil {
		return err
	}
	if r.rrd4, err = rrdbench.FileSize(ctx, dir, "AVERAGE", "MIN", "MAX", "LAST"); err != nil {
		return err
	}
	c := load.Config{Services: historyServices, Reals: historyReals, Seed: historySeed, Start: load.Start, Step: 10 * time.Second}
	result, err := rrdbench.Ingest(ctx, dir, c, rrdPlan)
	r.rrdTick = result.PerTick(rrdPlan)
	return err
}

func measureTSDB(ctx context.Context, dir string, r *historyResult) error {
	return runProgram(ctx, &r.tsdb, "tsdbpeer", nil, dir, historyServices, historyReals, tsdbTicks)
}

func measureStore(ctx context.Context, dir string, r *historyResult) error {
	return runProgram(ctx, &r.store, "storebench", []string{"ingest"}, dir, historyServices, historyReals, storeTicks)
}

// measureKept is about size alone: it takes place in memory where it can.
func measureKept(ctx context.Context, dir string, r *historyResult) error {
	if shm, err := os.MkdirTemp("/dev/shm", "history"); err == nil {
		defer os.RemoveAll(shm)
		dir = shm
	}
	return runProgram(ctx, &r.kept, "storebench", []string{"keep"}, dir, keptServices, keptReals, keptTicks)
}

// runProgram builds and runs one of the benchmarks' programs on a load, and reads
// its result.
func runProgram(ctx context.Context, result any, name string, args []string, dir string, services, reals, ticks int) error {
	program, err := filepath.Abs(filepath.Join("build", "bench-"+name))
	if err != nil {
		return err
	}
	// From its own directory: it may be a module of its own.
	build := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join("internal", "bench", name), "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	args = append(args, dir)
	for _, n := range []int{services, reals, historySeed, ticks} {
		args = append(args, strconv.Itoa(n))
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return json.Unmarshal(out, result)
}
