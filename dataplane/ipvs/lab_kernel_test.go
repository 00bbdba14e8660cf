//go:build lab && linux

package ipvs

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"lvs/dataplane"
)

func TestLabNamespaces(t *testing.T) {
	own := labClient(t, Config{})
	run(t, "ip netns add blue")
	t.Cleanup(func() { run(t, "ip netns del blue") })
	c := labClient(t, Config{NetNS: "blue"})
	must(t, c.AddService(t.Context(), dataplane.Service{Key: testKey(1), Scheduler: "rr"}))
	if s := snapshot(t, own); len(s.Services) != 0 {
		t.Errorf("%d services of another namespace", len(s.Services))
	}
	if out := run(t, "ip netns exec blue ipvsadm -Sn"); !strings.Contains(out, "-A -t 192.0.0.1:80 -s rr") {
		t.Errorf("ipvsadm in the namespace: %q", out)
	}
	byPath, err := Dial(Config{NetNS: "/run/netns/blue"})
	must(t, err)
	defer byPath.Close()
	a, b := snapshot(t, c), snapshot(t, byPath)
	if len(a.Services) != 1 || len(b.Services) != 1 || a.Director.Epoch != b.Director.Epoch {
		t.Errorf("by name %d services in %q, by path %d in %q", len(a.Services), a.Director.Epoch, len(b.Services), b.Director.Epoch)
	}
	if e := snapshot(t, own).Director.Epoch; e == a.Director.Epoch {
		t.Errorf("two namespaces have the epoch %q", e)
	}

	// Deleted, and another one of the same name.
	run(t, "ip netns del blue")
	if _, err := c.Snapshot(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the namespace: %v", err)
	}
	run(t, "ip netns add blue")
	s := snapshot(t, c)
	if len(s.Services) != 0 || s.Director.Epoch == a.Director.Epoch {
		t.Errorf("in the new namespace: %d services in %q", len(s.Services), s.Director.Epoch)
	}
	if _, err := Dial(Config{NetNS: "nosuch"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such namespace: %v", err)
	}
}

// What the main thread is in, /proc/net shows to the whole process.
func TestLabAnotherNamespaceIsNotEnteredOnTheMainThread(t *testing.T) {
	run(t, "ip netns add green")
	t.Cleanup(func() { run(t, "ip netns del green") })
	ns, err := os.Open("/run/netns/green")
	must(t, err)
	defer ns.Close()
	link := func(name string) string {
		s, err := os.Readlink(name)
		must(t, err)
		return s
	}
	home := link("/proc/self/ns/net")
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			must(t, within(ns, func() error {
				if main, here := link("/proc/self/ns/net"), link("/proc/thread-self/ns/net"); main != home || here == home {
					t.Errorf("the main thread is in %s, this one in %s; home is %s", main, here, home)
				}
				return nil
			}))
		})
	}
	wg.Wait()
}

// Unloading takes a moment: the kernel's workers hold the module.
const (
	unload = `awk '/^ip_vs/{print $1}' /proc/modules >/run/lab-modules
for m in $(grep ip_vs_ /run/lab-modules); do rmmod $m || exit; done
for i in $(seq 300); do rmmod ip_vs && exit; sleep 0.2; done; exit 1`
	load = `modprobe -a $(cat /run/lab-modules)`
)

func TestLabTheModuleUnloadedAndLoadedAgain(t *testing.T) {
	c := labClient(t, Config{})
	must(t, c.AddService(t.Context(), dataplane.Service{Key: testKey(1), Scheduler: "rr"}))
	before := snapshot(t, c)
	must(t, c.Flush(t.Context()))
	run(t, unload)
	t.Cleanup(func() { run(t, load) })
	for range 2 {
		if _, err := c.Snapshot(t.Context()); !errors.Is(err, dataplane.ErrNotSupported) || !strings.Contains(err.Error(), "modprobe ip_vs") {
			t.Errorf("without the module: %v", err)
		}
	}
	if _, err := Dial(Config{}); !errors.Is(err, dataplane.ErrNotSupported) {
		t.Errorf("without the module, Dial: %v", err)
	}
	if err := c.AddService(t.Context(), dataplane.Service{Key: testKey(1), Scheduler: "rr"}); !errors.Is(err, dataplane.ErrNotSupported) {
		t.Errorf("without the module, AddService: %v", err)
	}
	loading, err := Dial(Config{Load: true})
	if err != nil {
		t.Fatalf("Dial with Load: %v", err)
	}
	loading.Close()
	run(t, load)
	must(t, c.AddService(t.Context(), dataplane.Service{Key: testKey(1), Scheduler: "rr"}))
	after := snapshot(t, c)
	if len(after.Services) != 1 || after.Director.Epoch == before.Director.Epoch {
		t.Errorf("loaded again: %d services, epoch %q, before %q", len(after.Services), after.Director.Epoch, before.Director.Epoch)
	}
}

// Root without CAP_NET_ADMIN, as a thread of this process: at the beginning, and
// when it is lost later.
func TestLabWithoutCapability(t *testing.T) {
	c := labClient(t, Config{})
	before := snapshot(t, c)
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this
		drop(t)
		if _, err := Dial(Config{}); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
			t.Errorf("Dial: %v", err)
		}
		if _, err := c.Snapshot(t.Context()); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("Snapshot: %v", err)
		}
		if e, err := Epoch(t.Context(), Config{}); err != nil || e != before.Director.Epoch {
			t.Errorf("Epoch: %q, %v, want %q as before", e, err, before.Director.Epoch)
		}
		if err := c.Flush(t.Context()); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
			t.Errorf("Flush: %v", err)
		}
	})
	wg.Wait()
	snapshot(t, c) // the Client is none the worse
}

// drop takes CAP_NET_ADMIN from the calling thread.
func drop(t *testing.T) {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		t.Error(err)
	}
	data[0].Effective &^= 1 << unix.CAP_NET_ADMIN
	if err := unix.Capset(&hdr, &data[0]); err != nil {
		t.Error(err)
	}
}
