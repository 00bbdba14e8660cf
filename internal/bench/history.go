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

// rrdPlan is an hour of rrdcached's default, to write every 300 seconds.
var rrdPlan = rrdbench.Plan{Ticks: 360, Flush: 30, Cut: 100}

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
		Reads           struct{ OneDay, AllHour, PNG, SVG time.Duration }
	}
	tsdbResult struct {
		used
		Ticks, Samples int
		Block          int64
		AllHour        time.Duration
	}
	keptResult struct{ Bytes float64 }
)

// A historyResult is all that was measured of the store and its peers.
type historyResult struct {
	store      storeResult
	kept       keptResult
	tsdb       tsdbResult
	rrdTick    time.Duration
	rrdReads   rrdbench.Reads
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
	st := &r.store
	ours, tsdb := ms(st.CPU)/float64(st.Ticks), ms(r.tsdb.CPU)/float64(r.tsdb.Ticks)
	written, values := float64(st.Written)/float64(st.Ticks*st.Entities), float64(8*len(load.Sources))
	block := float64(r.tsdb.Block) / float64(r.tsdb.Samples)
	return []figure{
		{name: "history: CPU of a tick", ours: ours, peer: ms(r.rrdTick), unit: "ms", limit: 1. / 5, peerName: "rrdcached"},
		{name: "history: CPU of a tick", ours: ours, peer: tsdb, unit: "ms", limit: 1. / 3, peerName: "tsdb"},
		{name: "history: written for a row", ours: written, peer: values, unit: "B", limit: 2, peerName: "its 8 values"},
		{name: "history: a value as sampled, stored", ours: st.Raw, peer: block, unit: "B", limit: 0.8, peerName: "tsdb"},
		{name: "history: two years of an entity", ours: r.kept.Bytes / 1e3, peer: float64(r.rrd3) / 1e3, unit: "kB", limit: 1. / 6, peerName: ".rrd"},
		{name: "history: two years of an entity, LAST too", ours: r.kept.Bytes / 1e3, peer: float64(r.rrd4) / 1e3, unit: "kB", limit: 1. / 6, peerName: ".rrd"},
		{name: "history: memory", ours: float64(st.Anon) / 1e6, peer: float64(r.tsdb.Anon) / 1e6, unit: "MB", limit: 80, peerName: "tsdb", absolute: true},
		{name: "history: read 24 hours of one", ours: ms(st.Reads.OneDay), peer: ms(r.rrdReads.Fetch), unit: "ms", limit: 1, peerName: "rrdtool fetch", absolute: true},
		{name: "history: read the last hour of all", ours: ms(st.Reads.AllHour), peer: ms(r.tsdb.AllHour), unit: "ms", limit: 300, peerName: "tsdb", absolute: true},
		{name: "history: PNG of 24 hours", ours: ms(st.Reads.PNG), peer: ms(r.rrdReads.PNG), unit: "ms", limit: 50, peerName: "rrdtool graph", absolute: true},
		{name: "history: SVG of 24 hours", ours: ms(st.Reads.SVG), peer: ms(r.rrdReads.SVG), unit: "ms", limit: 10, peerName: "rrdtool graph", absolute: true},
	}
}

func ms(d time.Duration) float64 { return d.Seconds() * 1e3 }

func measureRRD(ctx context.Context, dir string, r *historyResult) (err error) {
	if r.rrd3, err = rrdbench.FileSize(ctx, dir, "AVERAGE", "MIN", "MAX"); err != nil {
		return err
	}
	if r.rrd4, err = rrdbench.FileSize(ctx, dir, "AVERAGE", "MIN", "MAX", "LAST"); err != nil {
		return err
	}
	c := load.Config{Services: historyServices, Reals: historyReals, Seed: historySeed, Start: load.Start, Step: 10 * time.Second}
	result, err := rrdbench.Ingest(ctx, dir, c, rrdPlan)
	if err != nil {
		return err
	}
	r.rrdTick = result.PerTick(rrdPlan)
	r.rrdReads, err = rrdbench.MeasureReads(ctx, dir)
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
