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

// Reads are wall times of rrdtool as a program, the least of several rounds, for
// one real server's last 24 hours as they were sampled.
type Reads struct {
	Fetch    time.Duration // all sources, as text
	PNG, SVG time.Duration // a picture of in and out bytes, 900 pixels wide
}

// readRounds is how often each is timed.
const readRounds = 7

// MeasureReads fills the .rrd file of a real server with a day's load and reads it.
func MeasureReads(ctx context.Context, dir string) (r Reads, err error) {
	const ticks = 8640
	// Of its own: a daemon takes up the journal of the one before.
	if dir, err = os.MkdirTemp(dir, "reads"); err != nil {
		return r, err
	}
	c := busy()
	if _, err := Ingest(ctx, dir, c, Plan{Ticks: ticks, Flush: ticks, Cut: 1}); err != nil {
		return r, err
	}
	file, picture := filepath.Join(dir, name(2)), filepath.Join(dir, "picture")
	end := c.Start.Add(ticks * c.Step)
	span := []string{"--start", strconv.FormatInt(end.Add(-24*time.Hour).Unix(), 10), "--end", strconv.FormatInt(end.Unix(), 10)}
	graph := func(format string) []string {
		return append([]string{"graph", picture, "--imgformat", format, "--width", "900", "--height", "250", "--title", "traffic",
			"DEF:i=" + file + ":in_bytes:AVERAGE", "DEF:o=" + file + ":out_bytes:AVERAGE", "AREA:i#4488cc:in", "LINE1:o#cc8844:out",
			"GPRINT:i:AVERAGE:average %.1lf%s", "GPRINT:i:MAX:peak %.1lf%s"}, span...)
	}
	for _, one := range []struct {
		args []string
		took *time.Duration
	}{
		{append([]string{"fetch", file, "AVERAGE"}, span...), &r.Fetch},
		{graph("PNG"), &r.PNG},
		{graph("SVG"), &r.SVG},
	} {
		if *one.took, err = least(ctx, one.args); err != nil {
			return r, err
		}
	}
	return r, os.Remove(picture)
}

// busy is a load of one real server that counts everything, outgoing bytes too.
func busy() load.Config {
	c := load.Config{Services: 1, Reals: 1, Start: load.Start, Step: 10 * time.Second}
	for load.New(c).Next().Director.Total.OutBytes == 0 {
		c.Seed++
	}
	return c
}

// least is the shortest time that rrdtool takes.
func least(ctx context.Context, args []string) (least time.Duration, err error) {
	path, err := find("rrdtool")
	if err != nil {
		return 0, err
	}
	for i := range readRounds {
		began := time.Now()
		out, err := exec.CommandContext(ctx, path, args...).Output()
		took := time.Since(began)
		if err != nil || len(out) == 0 {
			return 0, fmt.Errorf("rrdbench: rrdtool %s: %w: %d bytes", args[0], err, len(out))
		}
		if i == 0 || took < least {
			least = took
		}
	}
	return least, nil
}
