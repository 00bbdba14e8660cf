package agentxbench

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is what all threads of the process used so far, ended ones included, in
// the scheduler's own nanoseconds: /proc counts in hundredths of a second.
func (p *process) cpuTime() (time.Duration, error) {
	// MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED), include/linux/posix-timers_types.h
	clock := int32(^p.cmd.Process.Pid<<3 | 2)
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}
