package rrdbench

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"lvs/dataplane"
	"lvs/internal/bench/load"
	"lvs/internal/bench/usage"
)

// Plan says how the daemon is fed.
type Plan struct {
	Ticks int
	// Flush is after how many ticks the daemon writes: rrdcached -w in ticks.
	Flush int
	// Cut divides the rows of every archive: full files of ten thousand entities
	// are 76 GB. What is left is kinder to the page cache than they would be.
	Cut int
}

// A Result is what rrdcached used for ingesting and writing, all in all. What its
// client used, and the kernel for writing back, is not in it.
type Result struct {
	usage.Usage
	Updates int64
}

// Ingest feeds rrdcached a load as fast as it goes, files and all below dir.
func Ingest(ctx context.Context, dir string, c load.Config, p Plan) (r Result, err error) {
	if err := createAll(ctx, dir, c, p.Cut); err != nil {
		return r, err
	}
	d, err := startDaemon(ctx, dir)
	if err != nil {
		return r, err
	}
	defer d.stop()
	begin, err := usage.Of(d.cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	l := load.New(c)
	var text []byte
	for tick := 1; tick <= p.Ticks; tick++ {
		text = appendUpdates(text[:0], l.Next())
		if err := d.batch(text); err != nil {
			return r, err
		}
		r.Updates += int64(c.Entities())
		if tick%p.Flush == 0 || tick == p.Ticks {
			if err := d.flush(ctx, r.Updates); err != nil {
				return r, err
			}
		}
	}
	end, err := usage.Of(d.cmd.Process.Pid)
	if err != nil {
		return r, fmt.Errorf("rrdbench: rrdcached has gone: %w\n%s", err, d.log.String())
	}
	r.Usage = usage.Usage{CPU: end.CPU - begin.CPU, Written: end.Written - begin.Written, Anon: end.Anon}
	return r, nil
}

// PerTick is the CPU time of a tick.
func (r Result) PerTick(p Plan) time.Duration { return r.CPU / time.Duration(p.Ticks) }

// appendUpdates appends the commands that store a snapshot.
func appendUpdates(b []byte, s *dataplane.Snapshot) []byte {
	load.Each(s, func(i int, v load.Values) {
		b = append(b, "UPDATE "...)
		b = strconv.AppendInt(b, int64(i), 10)
		b = append(b, ".rrd "...)
		b = strconv.AppendInt(b, s.Tick.Unix(), 10)
		for _, u := range v {
			b = append(b, ':')
			b = strconv.AppendUint(b, u, 10)
		}
		b = append(b, '\n')
	})
	return b
}
