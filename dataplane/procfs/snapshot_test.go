package procfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"lvs/dataplane"
	"lvs/internal/lab"
)

var comparable = cmp.Options{
	cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
	cmp.Comparer(func(a, b dataplane.Netmask) bool { return a == b }),
	cmpopts.EquateEmpty(),
}

// fixture reads a table of the lab's fixtures, of a kernel with that frequency.
func fixture(t *testing.T, name string, hz uint32) *dataplane.Snapshot {
	t.Helper()
	f := FS{root: t.TempDir(), hz: hz}
	write(t, filepath.Join(f.root, "net/ip_vs"), lab.Read(t, "fixtures", name, "proc_net_ip_vs.txt"))
	s, err := f.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Sort()
	return s
}

func TestSnapshotIsWhatIpvsadmLists(t *testing.T) {
	for _, name := range []string{"empty", "rich-idle", "rich", "fwmark-max"} {
		t.Run(name, func(t *testing.T) {
			got := fixture(t, name, 100).Services
			want := parseLn(t, lab.Read(t, "fixtures", name, "Ln.txt"))
			if diff := cmp.Diff(want, forLn(got), comparable); diff != "" {
				t.Errorf("(-ipvsadm -Ln +procfs)\n%s", diff)
			}
		})
	}
}

func TestSnapshotOfOneConfigurationIsTheSameAtAnyHZ(t *testing.T) {
	settings := func(s *dataplane.Snapshot) (list []dataplane.Service) {
		for i := range s.Services {
			list = append(list, s.Services[i].Service)
		}
		return list
	}
	if diff := cmp.Diff(settings(fixture(t, "rich", 100)), settings(fixture(t, "smp", 250)), comparable); diff != "" {
		t.Errorf("(-HZ=100 +HZ=250)\n%s", diff)
	}
}

// forLn leaves out what parseLn cannot know.
func forLn(services []dataplane.ServiceState) []dataplane.ServiceState {
	for i := range services {
		s := &services[i]
		s.Flags = s.Flags.Configured()
		if s.Netmask.IsFull() {
			s.Netmask = dataplane.Netmask{}
		}
		if s.Key.Family == dataplane.INET6 {
			s.Flags &^= dataplane.FlagOnePacket // the kernel does not print it
		}
	}
	return services
}

// parseLn reads the output of ipvsadm -Ln, as far as /proc tells the same.
func parseLn(t *testing.T, text string) (services []dataplane.ServiceState) {
	t.Helper()
	number := func(s string) uint32 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return uint32(n)
	}
	methods := map[string]dataplane.Method{"Masq": dataplane.Masquerade, "Route": dataplane.Route,
		"Tunnel": dataplane.Tunnel, "Local": dataplane.Local}
	protocols := map[string]dataplane.Protocol{"TCP": dataplane.TCP, "UDP": dataplane.UDP, "SCTP": dataplane.SCTP}
	for _, line := range strings.Split(text, "\n")[3:] {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if f[0] == "->" {
			r := dataplane.RealState{Active: number(f[4]), Inactive: number(f[5])}
			r.RIP, r.Method, r.Weight = netip.MustParseAddrPort(f[1]), methods[f[2]], number(f[3])
			s := &services[len(services)-1]
			s.Reals = append(s.Reals, r)
			continue
		}
		s := dataplane.ServiceState{}
		if f[0] == "FWM" {
			s.Key = dataplane.MarkKey(dataplane.INET, number(f[1]))
			if f[2] == "IPv6" {
				s.Key.Family = dataplane.INET6
				f = f[1:]
			}
		} else {
			s.Key = dataplane.AddrKey(protocols[f[0]], netip.MustParseAddrPort(f[1]))
		}
		s.Scheduler = f[2]
		for i := 3; i < len(f); i++ {
			switch f[i] {
			case "ops":
				s.Flags |= dataplane.FlagOnePacket
			case "persistent":
				i++
				s.Flags |= dataplane.FlagPersistent
				s.Timeout = time.Duration(number(f[i])) * time.Second
			case "mask":
				i++
				if s.Key.Family == dataplane.INET6 {
					s.Netmask = dataplane.Mask6(number(f[i]))
				} else {
					a := netip.MustParseAddr(f[i]).As4()
					s.Netmask = dataplane.Mask4(uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3]))
				}
			}
		}
		services = append(services, s)
	}
	snap := &dataplane.Snapshot{Services: forLn(services)}
	snap.Sort()
	return snap.Services
}

func TestDirectorCompletesWhatIsThereAndKeepsTheRest(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "net/ip_vs_stats"), lab.Read(t, "fixtures", "rich", "proc_net_ip_vs_stats.txt"))
	write(t, filepath.Join(root, "sys/kernel/random/boot_id"), "some-boot\n")
	d := dataplane.Director{Version: "1.2.1", ConnTableSize: 7, Epoch: "of netlink", Connections: 5}
	if err := New(root).Director(t.Context(), &d); err != nil {
		t.Fatal(err)
	}
	want := dataplane.Director{Version: "1.2.1", ConnTableSize: 7, Epoch: "of netlink", Connections: 5, HasStats: true,
		KernelRates: dataplane.Rates{Connections: 14, InPackets: 62, OutPackets: 38, InBytes: 0x1127, OutBytes: 0xC24}}
	want.Kernel = dataplane.Counters{Connections: 191, InPackets: 876, OutPackets: 537, InBytes: 0xDFE9, OutBytes: 0x9EBD}
	if diff := cmp.Diff(want, d, comparable); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestDirectorWithNothingToReadIsNotSupported(t *testing.T) {
	d := dataplane.Director{Version: "1.2.1"}
	err := New(t.TempDir()).Director(t.Context(), &d)
	if !errors.Is(err, dataplane.ErrNotSupported) || !strings.Contains(err.Error(), "modprobe ip_vs") {
		t.Errorf("error %v", err)
	}
	if d.HasStats || d.HasConnections || d.Sysctls != nil || d.Version != "1.2.1" {
		t.Errorf("got %+v", d)
	}
}

func TestDirectorTellsOfOneBadFileAndReadsTheOthers(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "net/ip_vs_stats"), "something else\n")
	write(t, filepath.Join(root, "net/ip_vs_status"), "Conns:\t12\nConn buckets:\t64 (6 bits, lfactor 0)\n")
	write(t, filepath.Join(root, "sys/net/ipv4/vs/conntrack"), "1\n")
	var d dataplane.Director
	err := New(root).Director(t.Context(), &d)
	if err == nil || !strings.Contains(err.Error(), "ip_vs_stats: line 1") {
		t.Errorf("error %v", err)
	}
	if d.HasStats || !d.HasConnections || d.Connections != 12 || d.ConnTableSize != 64 || d.Sysctls["conntrack"] != "1" {
		t.Errorf("got %+v", d)
	}
}

func TestAbsentFilesAreThoseMissingOrForbidden(t *testing.T) {
	for err, want := range map[error]bool{
		nil: false, fs.ErrNotExist: true, fmt.Errorf("x: %w", fs.ErrPermission): true, fs.ErrClosed: false,
	} {
		if absent(err) != want {
			t.Errorf("absent(%v) = %v", err, !want)
		}
	}
}

func TestCancelledReadingsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	root := t.TempDir()
	write(t, filepath.Join(root, "net/ip_vs"), lab.Read(t, "fixtures", "rich", "proc_net_ip_vs.txt"))
	if _, err := New(root).Snapshot(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("snapshot: %v", err)
	}
	if err := New(root).Director(ctx, new(dataplane.Director)); !errors.Is(err, context.Canceled) {
		t.Errorf("director: %v", err)
	}
}

func TestMissingFilesAreNamed(t *testing.T) {
	f := New(t.TempDir())
	_, err1 := f.Stats()
	_, err2 := f.StatsPerCPU()
	_, err3 := f.Status()
	_, err4 := f.Sysctls()
	_, err5 := f.BootID()
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if !errors.Is(err, fs.ErrNotExist) || !strings.HasPrefix(err.Error(), "procfs: ") || !strings.Contains(err.Error(), f.root) {
			t.Errorf("error %v", err)
		}
	}
}

func TestEpochIsOfThisBootAndNamespace(t *testing.T) {
	if runtime.GOOS != "linux" {
		return // no /proc of Linux's
	}
	boot, err := New("/proc").BootID()
	if err != nil {
		t.Fatal(err)
	}
	want := boot + " " + readlink(t, "/proc/self/ns/net")
	f := New("/proc")
	if err := f.within(func(at dirs) error {
		if got := epoch(at); got != want {
			t.Errorf("epoch %q, want %q", got, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	f = New(fmt.Sprintf("/proc/%d", os.Getpid()))
	if err := f.within(func(at dirs) error {
		if got := readlink(t, at.ns); !strings.HasSuffix(want, got) {
			t.Errorf("namespace %q by number of process, epoch %q", got, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func readlink(t *testing.T, file string) string {
	t.Helper()
	s, err := os.Readlink(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNewInNetNSSaysWhichNamespaceIsMissing(t *testing.T) {
	_, err := NewInNetNS("no-such-namespace")
	if runtime.GOOS != "linux" {
		if !errors.Is(err, dataplane.ErrNotSupported) {
			t.Errorf("error %v", err)
		}
		return
	}
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "/run/netns/no-such-namespace") {
		t.Errorf("error %v", err)
	}
}
