package agent

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"lvs/collector"
)

// tellSystemd tells the service manager about the agent, if one asked to be told
// (NOTIFY_SOCKET, sd_notify(3)).
func tellSystemd(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("the service manager could not be told", "state", state, "err", err)
	}
}

// notifyReloading begins a reload; READY=1 ends it.
func notifyReloading(log *slog.Logger) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		log.Warn("no monotonic clock", "err", err)
	}
	tellSystemd(log, fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/1000))
}

// keepsTime returns what reports, whenever it is asked, whether the sampler goes
// on from tick to tick. Ticks that fail or are left out count as well: it is
// for a sampler that hangs, as it does where the kernel does not return.
func keepsTime(sampler *collector.Sampler) func() bool {
	var ticks uint64
	since := time.Now()
	return func() bool {
		s := sampler.Stats()
		if now := s.Samples + s.SourceErrors + s.Skipped; now != ticks {
			ticks, since = now, time.Now()
		}
		return time.Since(since) < 2*sampler.Interval()+time.Minute
	}
}

// watchdog gives a sign of life as often as the service manager wants one,
// until ctx ends. It does so only while alive is true.
func watchdog(ctx context.Context, log *slog.Logger, alive func() bool) {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	tick := time.NewTicker(every / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if alive() {
				tellSystemd(log, daemon.SdNotifyWatchdog)
			}
		}
	}
}
