package main

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"lvs/dataplane/ipvs"
)

type snapshotResult struct {
	// CPU seconds, user and system, of one reading.
	Ours, Ipvsadm float64
	AllocsPerReal float64
}

// measureSnapshot takes turns between us and ipvsadm, so that both meet the same
// machine, and gives the least of each one's rounds.
func measureSnapshot(ctx context.Context, client *ipvs.Client) (snapshotResult, error) {
	const rounds, ours, theirs = 5, 8, 3
	var r snapshotResult
	read := func() error {
		snap, err := client.Snapshot(ctx)
		if err == nil && snap.RealServers() != services*realsPerService {
			err = fmt.Errorf("read %d real servers, want %d", snap.RealServers(), services*realsPerService)
		}
		return err
	}
	if err := read(); err != nil { // the first one sizes buffers
		return r, err
	}
	for i := range rounds {
		before := cpu(syscall.RUSAGE_SELF)
		for range ours {
			if err := read(); err != nil {
				return r, err
			}
		}
		mine := (cpu(syscall.RUSAGE_SELF) - before).Seconds() / ours

		before = cpu(syscall.RUSAGE_CHILDREN)
		for range theirs {
			if err := exec.CommandContext(ctx, "ipvsadm", "-Ln", "--stats", "--exact").Run(); err != nil {
				return r, err
			}
		}
		peer := (cpu(syscall.RUSAGE_CHILDREN) - before).Seconds() / theirs
		if i == 0 || mine < r.Ours {
			r.Ours = mine
		}
		if i == 0 || peer < r.Ipvsadm {
			r.Ipvsadm = peer
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := read(); err != nil {
		return r, err
	}
	runtime.ReadMemStats(&after)
	r.AllocsPerReal = float64(after.Mallocs-before.Mallocs) / (services * realsPerService)
	return r, nil
}

// cpu is the user and system time used so far.
func cpu(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err) // who is one of its two constants
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
