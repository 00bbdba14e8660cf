package rrdstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A child process of the tests does what childEnv names, in the directory dirEnv.
const (
	childEnv = "RRDSTORE_TEST_CHILD"
	dirEnv   = "RRDSTORE_TEST_DIR"
)

func TestMain(m *testing.M) {
	children := map[string]func(dir string) error{
		"tend": tendUntilKilled, "full": commitOnAFullDisk, "fullarch": maintainOnAFullDisk, "hold": holdUntilKilled,
	}
	name := os.Getenv(childEnv)
	if name == "" {
		if err := beInMemory(); err != nil {
			fmt.Println("memory for files:", err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	if err := children[name](os.Getenv(dirEnv)); err != nil {
		fmt.Println("child:", err)
		os.Exit(1)
	}
}

// beInMemory puts the tests' directories where files are in memory, if there is
// enough of it and nobody says otherwise. Tests wait for a disk tens of thousands of
// times and learn nothing by it: what a kill and a full disk leave is the same, and
// power cuts are made up.
func beInMemory() error {
	const memory, enough = "/dev/shm", 1 << 30
	var fs unix.Statfs_t
	if os.Getenv("TMPDIR") != "" || unix.Statfs(memory, &fs) != nil || fs.Type != unix.TMPFS_MAGIC || fs.Bavail*uint64(fs.Bsize) < enough {
		return nil
	}
	return os.Setenv("TMPDIR", memory)
}

func child(t *testing.T, name, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+name, dirEnv+"="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

func holdUntilKilled(dir string) error {
	if _, err := Open(dir, Options{}); err != nil {
		return err
	}
	fmt.Println("open")
	select {}
}

func TestLockNamesTheOtherProcess(t *testing.T) {
	dir := t.TempDir()
	cmd := child(t, "hold", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("child said %q, %v", line, err)
	}
	var locked *LockedError
	if _, err := Open(dir, Options{LockTimeout: time.Millisecond}); !errors.As(err, &locked) || locked.PID != cmd.Process.Pid {
		t.Errorf("open: %v, want it locked by %d", err, cmd.Process.Pid)
	}
	// It holds the file and serves nobody.
	if _, err := OpenReader(t.Context(), dir); !errors.As(err, &locked) || locked.PID != cmd.Process.Pid {
		t.Errorf("reader: %v, want it locked by %d", err, cmd.Process.Pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	mustOpen(t, dir, Options{LockTimeout: time.Minute})
}

// commitOnAFullDisk has the system refuse to let the file grow, as a full disk
// does, first while there is nothing to give up, then while there is, and then
// no more.
func commitOnAFullDisk(dir string) error {
	s, err := Open(dir, Options{MaxBytes: 64 << 20})
	if err != nil {
		return err
	}
	step := uint64(0)
	commit := func() error {
		step++
		return s.Commit(context.Background(), table(50, 40, stepAt(step), step))
	}
	limit := func(bytes uint64) error {
		return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY})
	}
	if err := errors.Join(commit(), limit(uint64(s.Stats().Bytes))); err != nil {
		return err
	}
	failed := 0
	for failed < 5 {
		if err := commit(); err != nil {
			if !noSpace(err) {
				return fmt.Errorf("step %d: %w, want no space", step, err)
			}
			failed++
		}
	}
	if got := s.Stats(); got.Failures != 5 || got.Reclaimed != 0 {
		return fmt.Errorf("with one window: %+v", got)
	}
	if _, err := s.Remembered(context.Background()); err != nil {
		return fmt.Errorf("remembered on a full disk: %w", err)
	}
	// Room for some windows, then none: the oldest give way to the new.
	if err := limit(uint64(s.Stats().Bytes) + 2<<20); err != nil {
		return err
	}
	for s.Stats().Reclaimed < 3 {
		step += 12 // windows of an hour fill soon
		if err := commit(); err != nil {
			return fmt.Errorf("step %d with old windows to give up: %w, %+v", step, err, s.Stats())
		}
	}
	if err := limit(unix.RLIM_INFINITY); err != nil {
		return err
	}
	reclaimed := s.Stats().Reclaimed
	for range 50 {
		if err := commit(); err != nil {
			return fmt.Errorf("step %d with room again: %w", step, err)
		}
	}
	if got := s.Stats(); got.Reclaimed != reclaimed || got.Newest.Unix() != stepAt(step) {
		return fmt.Errorf("with room again: %+v", got)
	}
	return s.Close()
}

// maintainOnAFullDisk has the system refuse to let the archive grow, then no more:
// it gives up its oldest windows, and commits go on all the time.
func maintainOnAFullDisk(dir string) error {
	s, err := Open(dir, Options{MaxBytes: 64 << 20, Retention: 1000 * time.Hour})
	if err != nil {
		return err
	}
	step := uint64(0)
	tend := func(n uint64) error {
		for range n {
			step += 5 // windows of an hour fill soon
			if err := s.Commit(context.Background(), table(10, 60, stepAt(step), step*step)); err != nil {
				return fmt.Errorf("commit of step %d: %w", step, err)
			}
			for more := true; more; {
				if more, err = s.Maintain(context.Background()); err != nil {
					return fmt.Errorf("maintain at step %d: %w", step, err)
				}
			}
		}
		return nil
	}
	for s.arch.Load().high <= s.high+512<<10 {
		if err := tend(100); err != nil {
			return err
		}
	}
	if got := s.Stats(); got.Reclaimed != 0 {
		return fmt.Errorf("with room: %+v", got)
	}
	info, err := os.Stat(filepath.Join(dir, archName))
	if err != nil {
		return err
	}
	full := unix.Rlimit{Cur: uint64(info.Size()), Max: unix.RLIM_INFINITY}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &full); err != nil {
		return err
	}
	for s.Stats().Reclaimed < 3 {
		if err := tend(100); err != nil {
			return err
		}
	}
	windows := len(s.arch.Load().windows[0])
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}); err != nil {
		return err
	}
	reclaimed := s.Stats().Reclaimed
	if err := tend(160); err != nil {
		return err
	}
	if got := s.Stats(); got.Reclaimed != reclaimed || got.Failures != 0 || len(s.arch.Load().windows[0]) < windows+1 {
		return fmt.Errorf("with room again: %d windows, %+v", len(s.arch.Load().windows[0]), got)
	}
	return s.Close()
}

func TestFullDiskIsSurvived(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"full", "fullarch"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			checkAfter(t, dir)
			out, err := child(t, name, dir).Output()
			if err != nil {
				t.Fatalf("%v: %s", err, strings.TrimSpace(string(out)))
			}
			if _, err := os.Stat(filepath.Join(dir, cleanName)); err != nil {
				t.Error(err)
			}
			readAll(t, dir)
		})
	}
}
