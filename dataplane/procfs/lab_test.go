//go:build lab

package procfs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lvs/dataplane"
	"lvs/internal/lab"
)

// First of all: connections that other tests leave behind keep the modules.
func TestLabUnloadedModuleIsNotSupportedUntilItIsBack(t *testing.T) {
	lab.Guest(t)
	used := lab.Run(t, "sh", "-c", "lsmod | awk '/^ip_vs_/ {print $1}'")
	modules := append(strings.Fields(used), "ip_vs")
	lab.Run(t, append([]string{"modprobe", "-r"}, modules...)...)
	t.Cleanup(func() { lab.Run(t, append([]string{"modprobe", "-a"}, modules...)...) })
	f := New("/proc")
	_, err := f.Snapshot(t.Context())
	err2 := f.Director(t.Context(), new(dataplane.Director))
	for _, err := range []error{err, err2} {
		if !errors.Is(err, dataplane.ErrNotSupported) || !strings.Contains(err.Error(), "modprobe ip_vs") {
			t.Errorf("without ip_vs: %v", err)
		}
	}
	lab.Run(t, "modprobe", "ip_vs")
	if s, err := f.Snapshot(t.Context()); err != nil || len(s.Services) != 0 || !s.Director.HasStats {
		t.Errorf("with ip_vs again: %+v, %v", s, err)
	}
}

func TestLabSnapshotIsWhatIpvsadmListsNow(t *testing.T) {
	lab.Rich(t)
	lab.Traffic(t, 3, true)
	var s *dataplane.Snapshot
	var listed string
	lab.Wait(t, "no connection expires while it is read", func() bool {
		listed = lab.Run(t, "ipvsadm", "-Ln")
		var err error
		if s, err = New("/proc").Snapshot(t.Context()); err != nil {
			t.Fatal(err)
		}
		return lab.Run(t, "ipvsadm", "-Ln") == listed
	})
	want := parseLn(t, listed)
	s.Sort()
	// The guest's HZ is 100, the frequency is asked of the kernel: a wrong one
	// shows in the timeouts.
	if diff := cmp.Diff(want, forLn(s.Services), comparable); diff != "" {
		t.Errorf("(-ipvsadm -Ln +procfs)\n%s", diff)
	}
	d := &s.Director
	if d.Version != "1.2.1" || d.ConnTableSize != 4096 || d.Sysctls["sync_threshold"] != "3\t50" || d.Epoch == "" {
		t.Errorf("director %+v", d)
	}
	if !d.HasStats || d.Kernel != statsOf(t) {
		t.Errorf("totals %+v, services together have %+v", d.Kernel, statsOf(t))
	}
	if d.HasConnections {
		t.Error("this kernel has no ip_vs_status, and yet connections are known")
	}
	cpus, err := New("/proc").StatsPerCPU()
	if err != nil || len(cpus) != 1 || cpus[0].Total.Connections < d.Kernel.Connections {
		t.Errorf("per CPU %+v, %v; totals %+v", cpus, err, d.Kernel)
	}
}

var serviceStats = regexp.MustCompile(`(?m)^(?:TCP|UDP|SCTP|FWM) .* (\d+) +(\d+) +(\d+) +(\d+) +(\d+)$`)

// statsOf adds up what ipvsadm says of all services.
func statsOf(t *testing.T) (sum dataplane.Counters) {
	t.Helper()
	for _, m := range serviceStats.FindAllStringSubmatch(lab.Stats(t), -1) {
		var n [5]uint64
		for i := range n {
			var err error
			if n[i], err = strconv.ParseUint(m[1+i], 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		sum = sum.Add(dataplane.Counters{Connections: n[0], InPackets: n[1], OutPackets: n[2], InBytes: n[3], OutBytes: n[4]})
	}
	return sum
}

func TestLabNetNSShowsItsOwnTableAndLeavesThisOne(t *testing.T) {
	lab.Site(t)
	ns := lab.NetNS(t)
	lab.Run(t, lab.InNetNS(ns, "ipvsadm", "-A", "-t", "10.9.9.9:80", "-s", "rr")...)
	lab.Run(t, lab.InNetNS(ns, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/vs/conntrack")...)
	lab.Run(t, "ipvsadm", "-A", "-t", "10.8.8.8:80", "-s", "wlc")
	other, err := NewInNetNS(ns)
	if err != nil {
		t.Fatal(err)
	}
	byFile, err := NewInNetNS("/run/netns/" + ns)
	if err != nil {
		t.Fatal(err)
	}
	// Many at once, so that threads are used again by the others.
	var wg sync.WaitGroup
	epochs := map[string]string{}
	var mu sync.Mutex
	for i := range 60 {
		wg.Go(func() {
			f, key, conntrack := New("/proc"), "tcp/10.8.8.8:80", "0"
			switch i % 3 {
			case 1:
				f, key, conntrack = other, "tcp/10.9.9.9:80", "1"
			case 2:
				f, key, conntrack = byFile, "tcp/10.9.9.9:80", "1"
			}
			s, err := f.Snapshot(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			if len(s.Services) == 0 {
				t.Errorf("reading %d: no services", i)
				return
			}
			if len(s.Services) != 1 || s.Services[0].Key.String() != key || s.Director.Sysctls["conntrack"] != conntrack {
				t.Errorf("reading %d: %d services, first %v, conntrack %s; want %s and %s", i, len(s.Services), s.Services[0].Key, s.Director.Sysctls["conntrack"], key, conntrack)
			}
			mu.Lock()
			defer mu.Unlock()
			if old, ok := epochs[key]; ok && old != s.Director.Epoch {
				t.Errorf("epoch of %s was %q, is %q", key, old, s.Director.Epoch)
			}
			epochs[key] = s.Director.Epoch
		})
	}
	wg.Wait()
	if epochs["tcp/10.8.8.8:80"] == epochs["tcp/10.9.9.9:80"] {
		t.Errorf("both namespaces have the epoch %q", epochs["tcp/10.8.8.8:80"])
	}
	if _, err := NewInNetNS("/proc/self/status"); err == nil || !strings.Contains(err.Error(), "no network namespace") {
		t.Errorf("a file that is no namespace: %v", err)
	}
}

func TestLabMainThreadNeverLeavesItsNamespace(t *testing.T) {
	lab.Guest(t)
	ns := "/run/netns/" + lab.NetNS(t)
	home, there := readlink(t, "/proc/self/ns/net"), ""
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 100 {
		wg.Go(func() {
			err := inNetNS(ns, func() error {
				mu.Lock()
				defer mu.Unlock()
				own, err := os.Readlink("/proc/thread-self/ns/net")
				if own == home || there != "" && own != there {
					t.Errorf("the thread is in %s, home is %s", own, home)
				}
				there = own
				if main := readlink(t, "/proc/self/ns/net"); main != home {
					t.Errorf("the main thread is in %s, home is %s", main, home)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if own := readlink(t, "/proc/thread-self/ns/net"); own != home {
		t.Errorf("afterwards a thread is in %s, home is %s", own, home)
	}
}

func TestLabProcessDirectoryShowsTheProcessesNamespace(t *testing.T) {
	lab.Site(t)
	ns := lab.NetNS(t)
	lab.Run(t, lab.InNetNS(ns, "ipvsadm", "-A", "-t", "10.9.9.9:80", "-s", "rr")...)
	argv := lab.InNetNS(ns, "sleep", "60")
	cmd := exec.Command(argv[0], argv[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	f := New(fmt.Sprintf("/proc/%d", cmd.Process.Pid))
	var s *dataplane.Snapshot
	lab.Wait(t, "the process is in its namespace", func() bool {
		var err error
		s, err = f.Snapshot(t.Context())
		return err == nil && len(s.Services) == 1
	})
	if key := s.Services[0].Key.String(); key != "tcp/10.9.9.9:80" || !s.Director.HasStats || s.Director.Sysctls != nil {
		t.Errorf("%s, director %+v", key, s.Director)
	}
}

// unprivileged, set to a file, makes the test binary write a snapshot there.
const unprivileged = "PROCFS_TEST_UNPRIVILEGED"

func TestLabUnprivilegedProcessesMayRead(t *testing.T) {
	if os.Getenv(unprivileged) != "" {
		s, err := New("/proc").Snapshot(t.Context())
		_, nsErr := NewInNetNS("/proc/1/ns/net")
		fmt.Printf("uid %d: %d services, %d sysctls, stats %v, error %v, namespace %v\n",
			os.Getuid(), len(s.Services), len(s.Director.Sysctls), s.Director.HasStats, err, nsErr != nil)
		return
	}
	lab.Rich(t)
	// Where nobody may go and what nobody may execute is a matter of the host.
	dir := t.TempDir()
	if lab.InGuest() {
		var err error
		if dir, err = os.MkdirTemp("/run", "procfs"); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self := filepath.Join(dir, "test")
	b, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(self, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), unprivileged+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	services := strings.Count(lab.Read(t, "fixtures", "rich", "S-n.txt"), "-A ")
	if want := fmt.Sprintf("uid 65534: %d services, ", services); err != nil || !strings.Contains(string(out), want) ||
		!strings.Contains(string(out), "stats true, error <nil>, namespace true") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestLabReadingsUnderChurnShowNoImpossibleRow(t *testing.T) {
	lab.Rich(t)
	constant := strings.Count(lab.Read(t, "fixtures", "rich", "S-n.txt"), "-A ")
	churned := regexp.MustCompile(`10\.1\.0\.100:90[01]\d$`)
	stop := make(chan struct{})
	readings, retries := 0, 0
	var wg sync.WaitGroup
	wg.Go(func() {
		for ; ; readings++ {
			select {
			case <-stop:
				return
			default:
			}
			s, err := New("/proc").Snapshot(context.Background())
			if err != nil {
				t.Error(err)
				return
			}
			retries += s.Retries
			n := 0
			for i := range s.Services {
				svc := &s.Services[i]
				if !churned.MatchString(svc.Key.String()) {
					n++
					continue
				}
				for _, r := range svc.Reals {
					if r.RIP.String() != "10.2.0.11:7" || r.Weight != 5 || r.Method != dataplane.Masquerade {
						t.Errorf("%v has %+v", svc.Key, r)
					}
				}
			}
			if n != constant && s.Inconsistent == 0 {
				t.Errorf("%d of the %d services that were there all the time", n, constant)
			}
		}
	})
	for i := range 40 {
		port := fmt.Sprintf("10.1.0.100:%d", 9000+i%20)
		lab.RunInput(t, fmt.Appendf(nil, "-A -t %[1]s -s rr\n-a -t %[1]s -r 10.2.0.11:7 -m -w 5\n", port), "ipvsadm", "-R")
		lab.Run(t, "ipvsadm", "-D", "-t", port)
	}
	close(stop)
	wg.Wait()
	if readings < 20 {
		t.Errorf("%d readings", readings)
	}
	t.Logf("%d readings, %d of them again", readings, retries)
}
