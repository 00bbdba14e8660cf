package agentx

import (
	"testing"

	"golang.org/x/sys/unix"
)

// threadCPU is what the calling thread used so far, in nanoseconds: unlike the
// time on the wall it does not grow while others have the processor.
func threadCPU(b *testing.B) int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		b.Fatal(err)
	}
	return ts.Nano()
}
