// Package usage tells what a process takes from its machine: time, memory and the
// disk. It is for benchmarks and reads Linux's own accounts, which it names;
// elsewhere it returns errors.
package usage

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Usage is what a process used up, or what a part of its work did.
type Usage struct {
	CPU time.Duration // user and system, all threads, those that ended too
	// Written is what the process caused to be written to a disk, in whole pages;
	// files in memory (tmpfs) do not count. Source: write_bytes of /proc/PID/io.
	Written int64
	// Anon is the memory that no file stands behind, at most. Source: RssAnon of
	// /proc/PID/status.
	Anon int64
}

// Of is what another process has used so far; Anon is what it has now.
func Of(pid int) (u Usage, err error) {
	// clock_getcpuclockid(3): nanoseconds, where /proc/PID/stat has hundredths of a
	// second. CPUCLOCK_SCHED is 2 in include/linux/posix-timers_types.h.
	if u.CPU, err = clock(int32(^pid<<3 | 2)); err != nil {
		return u, err
	}
	return u, u.read(strconv.Itoa(pid))
}

func (u *Usage) read(process string) (err error) {
	if u.Written, err = field("/proc/"+process+"/io", "write_bytes:"); err != nil {
		return err
	}
	anon, err := field("/proc/"+process+"/status", "RssAnon:")
	u.Anon = anon << 10
	return err
}

func clock(id int32) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		return 0, fmt.Errorf("usage: clock %d: %w", id, err)
	}
	return time.Duration(t.Nano()), nil
}

// field is the number after a name in one of Linux's lists.
func field(file, name string) (int64, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			if f := strings.Fields(rest); len(f) > 0 {
				return strconv.ParseInt(f[0], 10, 64)
			}
		}
	}
	return 0, fmt.Errorf("usage: %s has no %s", file, name)
}

// A Meter tells what this process used since Start, without what it did Outside.
// It belongs to one goroutine, which stays on its thread until Stop.
type Meter struct {
	begin   Usage
	outside time.Duration
	anon    int64
	err     error
}

// Start begins to measure.
func Start() (*Meter, error) {
	runtime.LockOSThread()
	m := &Meter{}
	if m.err = m.begin.read("self"); m.err == nil {
		m.begin.CPU, m.err = clock(unix.CLOCK_PROCESS_CPUTIME_ID)
	}
	return m, m.err
}

// Outside runs f, whose time on this thread does not count. What f makes other
// threads do, such as collecting its garbage, does: f should make none. It is
// also when the memory is looked at.
func (m *Meter) Outside(f func()) {
	begin, err := clock(unix.CLOCK_THREAD_CPUTIME_ID)
	anon, err2 := field("/proc/self/status", "RssAnon:")
	m.anon = max(m.anon, anon<<10)
	f()
	end, err3 := clock(unix.CLOCK_THREAD_CPUTIME_ID)
	m.outside += end - begin
	for _, err := range []error{err, err2, err3} {
		if m.err == nil {
			m.err = err
		}
	}
}

// CPU is the time so far.
func (m *Meter) CPU() time.Duration {
	now, err := clock(unix.CLOCK_PROCESS_CPUTIME_ID)
	if m.err == nil {
		m.err = err
	}
	return now - m.begin.CPU - m.outside
}

// Stop is what was used, or the first error of any method.
func (m *Meter) Stop() (Usage, error) {
	runtime.UnlockOSThread()
	u := Usage{CPU: m.CPU()}
	var end Usage
	if err := end.read("self"); m.err == nil {
		m.err = err
	}
	u.Written, u.Anon = end.Written-m.begin.Written, max(m.anon, end.Anon)
	return u, m.err
}
