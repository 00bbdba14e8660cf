package procfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// inNetNS calls do on a thread that is in the network namespace of file. The
// thread goes back where it came from; one that cannot is never used again.
func inNetNS(file string, do func() error) error {
	target, err := os.Open(file)
	if err != nil {
		return err
	}
	defer target.Close()
	result := make(chan error, 1)
	go onSideThread(func() (mayReuse bool) {
		err, back := switched(int(target.Fd()), do)
		result <- errors.Join(err, back)
		return back == nil
	})
	return <-result
}

// onSideThread calls do on a thread that is not the main one, whose namespace is
// what /proc/self, and with it /proc/net, shows to everybody. A thread that may
// not be used again ends.
func onSideThread(do func() (mayReuse bool)) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// Held here, the main thread cannot be the next goroutine's.
		done := make(chan struct{})
		go func() {
			defer close(done)
			onSideThread(do)
		}()
		<-done
		runtime.UnlockOSThread()
		return
	}
	if do() {
		runtime.UnlockOSThread()
	}
}

// switched calls do in another namespace, and tells whether the thread got back.
func switched(target int, do func() error) (err, back error) {
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err, nil
	}
	defer home.Close()
	if err := unix.Setns(target, unix.CLONE_NEWNET); err != nil {
		return enterError(err), nil
	}
	err = do()
	if back = unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		back = fmt.Errorf("go back: %w", back)
	}
	return err, back
}

// enterError says what setns(2) does not.
func enterError(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("enter: %w: it takes CAP_SYS_ADMIN", err)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("enter: %w: the file is no network namespace", err)
	}
	return fmt.Errorf("enter: %w", err)
}

// kernelHZ is the frequency of the kernel's timer, CONFIG_HZ. The kernel tells it
// as the resolution of its coarse clocks, which is one tick
// (kernel/time/posix-timers.c); USER_HZ is something else.
func kernelHZ() uint32 {
	var tick unix.Timespec
	if err := unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &tick); err != nil || tick.Nano() <= 0 {
		return 0
	}
	return uint32((1e9 + tick.Nano()/2) / tick.Nano())
}
