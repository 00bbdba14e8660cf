package usm

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The clock is the one by which the kernel tells how long it is up, which counts
// suspended time.
func TestClockCountsSuspendedTime(t *testing.T) {
	clock := newClock()
	before := clock()
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		t.Fatal(err)
	}
	after := clock()
	// Whole seconds, a begun one counted or not.
	if up := time.Duration(info.Uptime) * time.Second; up < before-time.Second || up > after+time.Second {
		t.Errorf("the kernel is up for %v, want between %v and %v", up, before, after)
	}
}
