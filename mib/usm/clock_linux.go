package usm

import (
	"time"

	"golang.org/x/sys/unix"
)

// newClock is a clock that nobody sets and that runs while the machine is
// suspended, too. Source: CLOCK_BOOTTIME, clock_gettime(2).
func newClock() func() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return monotonic() // where a sandbox forbids it
	}
	return func() time.Duration {
		var t unix.Timespec
		_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // it did not fail before
		return time.Duration(t.Nano())
	}
}
