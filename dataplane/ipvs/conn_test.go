package ipvs

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"lvs/dataplane"
)

func TestNoFamilyIsNotSupportedUntilItIsLoaded(t *testing.T) {
	k := newKernel()
	k.fillTable(3, 2)
	c := k.client(t)
	before := snapshot(t, c)
	k.family = 0
	for range 2 {
		_, err := c.Snapshot(t.Context())
		if !errors.Is(err, dataplane.ErrNotSupported) || !strings.Contains(err.Error(), "modprobe ip_vs") {
			t.Fatalf("without the module: %v", err)
		}
		if err := c.Flush(t.Context()); !errors.Is(err, dataplane.ErrNotSupported) {
			t.Fatalf("without the module: %v", err)
		}
	}
	k.family = 31
	after := snapshot(t, c)
	if len(after.Services) != 3 || k.dials != 2 {
		t.Errorf("%d services, %d dials; want 3, 2", len(after.Services), k.dials)
	}
	if before.Director.Epoch == after.Director.Epoch || before.Director.Epoch == "" {
		t.Errorf("epochs %q and %q", before.Director.Epoch, after.Director.Epoch)
	}
	if e := snapshot(t, c).Director.Epoch; e != after.Director.Epoch {
		t.Errorf("epoch changed from %q to %q by itself", after.Director.Epoch, e)
	}
}

// An observer leaves the kernel as it is: asking for a family by its name loads
// the module, and with it connection tracking.
func TestTheModuleIsLoadedForThoseOnlyWhoAskForThat(t *testing.T) {
	for _, load := range []bool{false, true} {
		k := newKernel()
		k.family, k.loads = 0, 33
		c := k.client(t)
		c.read.load, c.control.load = load, load
		_, err := c.Snapshot(t.Context())
		if loaded := k.family != 0; loaded != load || (err == nil) != load {
			t.Errorf("Load %v: loaded %v, %v", load, loaded, err)
		}
	}
}

func TestAModuleLoadedAgainDuringASnapshot(t *testing.T) {
	k := newKernel()
	k.fillTable(5, 2)
	c := k.client(t)
	n := 0
	k.between = func() {
		if n++; n == 7 {
			k.family = 40
		}
	}
	s := snapshot(t, c)
	if len(s.Services) != 5 || !strings.Contains(s.Director.Epoch, "/40/") {
		t.Errorf("%d services of epoch %q", len(s.Services), s.Director.Epoch)
	}
}

func TestWithoutCapabilityTheErrorSaysWhich(t *testing.T) {
	k := newKernel()
	k.refuse = func([]byte) syscall.Errno { return syscall.EPERM }
	_, err := k.client(t).Snapshot(t.Context())
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("error %v", err)
	}
}

func TestAKernelThatDoesNotAnswerIsGivenUpOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.silent = true
		c := k.client(t)
		begin := time.Now()
		_, err := c.Snapshot(context.Background())
		if !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "did not answer for 5s") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begin); took != defaultTimeout {
			t.Errorf("it took %v", took)
		}
		k.silent = false
		if _, err := c.Snapshot(context.Background()); err != nil || k.dials != 2 {
			t.Errorf("afterwards: %v, %d dials; want 2", err, k.dials)
		}
	})
}

// Each datagram takes a second: more than the timeout in all, but the kernel never
// keeps silent for so long.
func TestASlowKernelIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.fillTable(10, 2)
		k.between = func() { time.Sleep(time.Second) }
		begin := time.Now()
		if s := snapshot(t, k.client(t)); len(s.Services) != 10 || k.dials != 1 {
			t.Errorf("%d services, %d dials", len(s.Services), k.dials)
		}
		if took := time.Since(begin); took < 4*defaultTimeout {
			t.Errorf("it took %v, which is too short for this test to tell anything", took)
		}
	})
}

func TestCancellingUnblocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.silent = true
		c := k.client(t)
		for _, want := range []error{context.Canceled, context.DeadlineExceeded} {
			ctx, cancel := context.WithCancel(context.Background())
			if want == context.DeadlineExceeded {
				ctx, cancel = context.WithTimeout(context.Background(), 2*time.Second)
			} else {
				time.AfterFunc(2*time.Second, cancel)
			}
			begin := time.Now()
			if err := c.Flush(ctx); !errors.Is(err, want) || time.Since(begin) != 2*time.Second {
				t.Errorf("want %v after 2s, got %v after %v", want, err, time.Since(begin))
			}
			// Who waits for the turn is unblocked as well.
			ctx2, cancel2 := context.WithTimeout(context.Background(), time.Second)
			var wg sync.WaitGroup
			wg.Go(func() { c.Flush(context.Background()) })
			synctest.Wait()
			if err := c.Flush(ctx2); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("waiting for the turn: %v", err)
			}
			wg.Wait()
			cancel()
			cancel2()
		}
	})
}

func TestClosingUnblocksAndLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.silent = true
		c := k.client(t)
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Info(context.Background()); !errors.Is(err, fs.ErrClosed) {
				t.Errorf("the call under way: %v", err)
			}
		})
		synctest.Wait()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if _, err := c.Snapshot(context.Background()); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("a call afterwards: %v", err)
		}
		if err := c.Close(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("the second Close: %v", err)
		}
	})
}

func TestCallsTakeTurns(t *testing.T) {
	k := newKernel()
	k.fillTable(20, 3)
	c := k.client(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				if s, err := c.Snapshot(t.Context()); err != nil || len(s.Services) != 20 {
					t.Errorf("snapshot: %v", err)
				}
				if err := c.Zero(t.Context()); err != nil {
					t.Error(err)
				}
				if list, err := c.RealServers(t.Context(), testKey(3)); err != nil || len(list) != 3 {
					t.Errorf("real servers: %d, %v", len(list), err)
				}
			}
		})
	}
	wg.Wait()
	if k.dials != 2 {
		t.Errorf("%d dials, want one for reading and one for changing", k.dials)
	}
}

func TestListsOfOneService(t *testing.T) {
	k := newKernel()
	k.fillTable(2, 1)
	k.table[1].reals = nil
	c := k.client(t)
	if list, err := c.RealServers(t.Context(), testKey(1)); err != nil || list != nil {
		t.Errorf("a service without real servers: %v, %v; want nothing", list, err)
	}
	if _, err := c.RealServers(t.Context(), testKey(7)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("real servers of no service: %v", err)
	}
	if s, err := c.Service(t.Context(), testKey(1)); err != nil || s.Key != testKey(1) {
		t.Errorf("one service: %v, %v", s.Key, err)
	}
	if list, err := c.Services(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("services: %d, %v", len(list), err)
	}
	k.table = nil
	if list, err := c.Services(t.Context()); err != nil || list != nil {
		t.Errorf("no services: %v, %v; want nothing", list, err)
	}
}

// A daemon that is stopped before it ran at all is not acknowledged.
func TestADaemonThatNeverRanIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKernel()
		k.refuse = func([]byte) syscall.Errno { return syscall.EINTR }
		c := k.client(t)
		if err := c.StopDaemon(context.Background(), dataplane.Backup); err != nil || k.dials != 1 {
			t.Errorf("%v, %d dials; want 1", err, k.dials)
		}
	})
}

func TestAfterASpoiltAnswerTheSocketIsGivenUp(t *testing.T) {
	set32 := func(at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.NativeEndian.PutUint32(b[at:], v); return b }
	}
	tests := map[string]struct {
		spoil func([]byte) []byte
		want  string
	}{
		"to another request": {set32(8, 12345), "answer is to request 12345"},
		"of another family":  {func(b []byte) []byte { b[4] = 99; return b }, "message of type unknown(99)"},
		"longer than it is":  {set32(0, 1<<20), "says it has 1048576 bytes"},
		"shorter than it is": {set32(0, 3), "says it has 3 bytes"},
		"cut":                {func(b []byte) []byte { return b[:18] }, "says it has 36 bytes, and 18 are there"},
		"without attributes": {func(b []byte) []byte { b[0] = 20; return b[:20] }, "attribute VERSION (1) is missing"},
		"of another command": {func(b []byte) []byte { b[16] = 7; return b }, "answered DEL_DEST, want SET_INFO"},
		"an empty message":   {func(b []byte) []byte { b[0] = 16; return b[:16] }, "0 bytes are no generic netlink header"},
		"no message":         {func(b []byte) []byte { return nil }, "answer is empty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k := newKernel()
			k.fillTable(2, 2)
			k.spoil = tt.spoil
			c := k.client(t)
			if _, err := c.Info(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			k.spoil = nil
			if s := snapshot(t, c); len(s.Services) != 2 || k.dials != 2 {
				t.Errorf("afterwards %d services, %d dials; want 2, 2", len(s.Services), k.dials)
			}
		})
	}
}
