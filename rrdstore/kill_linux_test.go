package rrdstore

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// suicideEnv is after how many closed windows a child kills itself, and how many
// microseconds into what closing takes: a parent cannot aim at milliseconds.
const suicideEnv = "RRDSTORE_TEST_SUICIDE"

// tendUntilKilled lives through the chronicle as fast as it can, from where a
// process before it was killed. It says which steps are committed, and "m" while a
// window is closed.
func tendUntilKilled(dir string) error {
	var windows, wait int
	suicide, _ := fmt.Sscan(os.Getenv(suicideEnv), &windows, &wait)
	s, err := Open(dir, chronicleOptions())
	if err != nil {
		return err
	}
	step := uint64(0)
	if newest := s.Stats().Newest; !newest.IsZero() {
		step = uint64(newest.Unix()-firstTick)/10 + 1
	}
	for ; ; step++ {
		if err := tendChronicle(s, step); err != nil {
			return err
		}
		fmt.Println(step)
		if stepAt(step)%3600 < 10 {
			fmt.Println("m")
			if windows--; suicide == 2 && windows == 0 {
				time.AfterFunc(time.Duration(wait)*time.Microsecond, func() { _ = unix.Kill(os.Getpid(), unix.SIGKILL) })
			}
		}
		for more := true; more; {
			if more, err = s.Maintain(context.Background()); err != nil {
				return err
			}
			if more {
				fmt.Println("m")
			}
		}
	}
}

// kills is how often TestKillLosesNoAcknowledgedTick kills.
func kills(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("LVS_KILLS")); err == nil {
		return n
	}
	return 20
}

// TestKillLosesNoAcknowledgedTick kills a process that commits and maintains,
// again and again, in the midst of whatever it does, and looks at what it left:
// both files are sound, every tick it had reported is there, rows and tiers say
// what they must, and the accounts are exactly those of the last tick.
func TestKillLosesNoAcknowledgedTick(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(11, 1))
	last, during := uint64(0), 0
	for round := range kills(t) {
		acknowledged, maintaining := tendAndKill(t, dir, rnd)
		last = max(last, acknowledged)
		if maintaining {
			during++
		}
		checkKilled(t, dir, rnd, round, &last)
		if t.Failed() {
			t.Fatalf("after kill %d", round)
		}
	}
	t.Logf("%d steps, %d kills while the archive was written", last, during)
}

// tendAndKill lets a process live for a random while, and returns the last step
// that it had reported, zero if none, and whether it was at the archive.
func tendAndKill(t *testing.T, dir string, rnd *rand.Rand) (last uint64, maintaining bool) {
	t.Helper()
	cmd := child(t, "tend", dir)
	atArchive := rnd.IntN(2) == 0
	if atArchive {
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d %d", suicideEnv, 1+rnd.IntN(2), rnd.IntN(9000)))
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	say := func() bool {
		if !lines.Scan() {
			return false
		}
		text := lines.Text()
		if maintaining = text == "m"; maintaining {
			return true
		}
		if last, err = strconv.ParseUint(text, 10, 64); err != nil {
			rest, _ := io.ReadAll(out)
			t.Fatalf("child said %q %s", text, strings.TrimSpace(string(rest)))
		}
		return true
	}
	for n := rnd.IntN(300); atArchive || n > 0; n-- {
		if !atArchive && rnd.IntN(200) == 0 || !say() { // some never come to say anything
			break
		}
	}
	time.Sleep(time.Duration(rnd.IntN(3000)) * time.Microsecond)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for say() { // what it had still said
	}
	_ = cmd.Wait()
	return last, maintaining
}

// checkKilled looks at what a killed process left. Every other time it leaves it
// as it is, otherwise opens it as an owner does.
func checkKilled(t *testing.T, dir string, rnd *rand.Rand, round int, last *uint64) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, headName)); err != nil && *last == 0 {
		return // killed before it made anything
	}
	checkLeft(t, dir)
	if t.Failed() || *last == 0 {
		return
	}
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	newest := checkChronicle(t, r, rnd, *last)
	*last = newest
	if round%2 == 0 {
		return
	}
	s, err := Open(dir, chronicleOptions())
	if err != nil {
		t.Fatal(err)
	}
	want := chronicle(newest)
	want.Sort()
	for _, a := range mustRemember(t, s) {
		switch svc := want.Service(a.Key); {
		case !a.Key.IsValid() || svc == nil:
		case !a.RIP.IsValid() && a.Total != svc.Total, a.RIP.IsValid() && svc.Real(a.RIP) != nil && a.Total != svc.Real(a.RIP).Total:
			t.Errorf("%v %v has total %v at step %d", a.Key, a.RIP, a.Total, newest)
		case !a.RIP.IsValid() && a.Peak != svc.Peak, a.RIP.IsValid() && svc.Real(a.RIP) != nil && a.Peak != svc.Real(a.RIP).Peak:
			t.Errorf("%v %v has peak %d at step %d", a.Key, a.RIP, a.Peak, newest)
		}
	}
	abandon(t, s)
}

// checkLeft is checkNow of what may not have been begun.
func checkLeft(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{headName, archName} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			checkFile(t, path)
		}
	}
}
