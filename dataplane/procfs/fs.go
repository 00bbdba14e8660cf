package procfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"lvs/dataplane"
)

// An FS is a proc file system and the network namespace whose IPVS it shows. It
// holds nothing open: its methods may be called at the same time from several
// goroutines, and a value may be copied. The zero FS is not valid; use [New] or
// [NewInNetNS].
type FS struct {
	root  string
	netNS string // file of the namespace; empty is what root shows
	// hz is the kernel's timer frequency, in which net/ip_vs prints timeouts;
	// zero is unknown.
	hz uint32
}

// New reads below root, which is "/proc" for this process's own network
// namespace, or "/proc/PID" for that of another process; there the sysctls are
// missing. Nothing is opened yet.
func New(root string) FS { return FS{root: root, hz: kernelHZ()} }

// NewInNetNS reads the IPVS of another network namespace, named by its file
// ("/proc/PID/ns/net") or, without a slash, by its name under /run/netns. It
// takes CAP_SYS_ADMIN. The namespace is entered anew for each reading, on a
// thread kept apart from the rest of the process: one deleted and made again
// under its name is found again. The error is [dataplane.ErrNotSupported] on
// other systems than Linux, and [fs.ErrNotExist] where there is no such
// namespace.
func NewInNetNS(netNS string) (FS, error) {
	if !strings.Contains(netNS, "/") {
		netNS = filepath.Join("/run/netns", netNS)
	}
	f := FS{root: "/proc", netNS: netNS, hz: kernelHZ()}
	if err := f.within(func(dirs) error { return nil }); err != nil {
		return FS{}, fmt.Errorf("procfs: %w", err)
	}
	return f, nil
}

// dirs are where the files of one reading are.
type dirs struct{ net, sysctl, ns, bootID string }

// within calls do where the namespace's files are seen, and only as long.
func (f FS) within(do func(dirs) error) error {
	// net is self/net, the main thread's, where a goroutine that is locked to
	// the main thread may have left for another namespace; threads of goroutines
	// that are not locked are in the process's own.
	self := filepath.Join(f.root, "thread-self")
	if _, err := os.Lstat(self); errors.Is(err, fs.ErrNotExist) {
		self = f.root // a process's directory has no such entry
	}
	d := dirs{
		net:    filepath.Join(self, "net"),
		ns:     filepath.Join(self, "ns/net"),
		sysctl: filepath.Join(f.root, "sys/net/ipv4/vs"),
		bootID: filepath.Join(f.root, "sys/kernel/random/boot_id"),
	}
	if f.netNS == "" {
		return do(d)
	}
	if err := inNetNS(f.netNS, func() error { return do(d) }); err != nil {
		return fmt.Errorf("network namespace %s: %w", f.netNS, err)
	}
	return nil
}

// read opens a file and parses it.
func read[T any](file string, parse func(*lines) (T, error)) (T, error) {
	r, err := os.Open(file)
	if err != nil {
		var zero T
		return zero, err
	}
	defer r.Close()
	return parse(newLines(file, r))
}

// readNet reads one file of the namespace's net directory.
func readNet[T any](f FS, name string, parse func(*lines) (T, error)) (t T, err error) {
	err = f.within(func(d dirs) error {
		t, err = read(filepath.Join(d.net, name), parse)
		return err
	})
	if err != nil {
		return t, fmt.Errorf("procfs: %w", err)
	}
	return t, nil
}

// BootID is the kernel's random name of this boot (sys/kernel/random/boot_id).
func (f FS) BootID() (string, error) {
	b, err := os.ReadFile(filepath.Join(f.root, "sys/kernel/random/boot_id"))
	if err != nil {
		return "", fmt.Errorf("procfs: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// absent reports whether err says that a file is not there, or not for us: the
// kernel may be older than the file, and net/ip_vs_status is root's.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

// Director completes what a netlink snapshot knows of the director: the totals
// and the kernel's rates of them, the connections in the table, and the sysctls;
// also ConnTableSize and Epoch where they are empty. A file that is not there, or
// not for us to read, leaves its part as it was. The error is
// [dataplane.ErrNotSupported] if none was there, and otherwise joins what could
// not be understood, with the other parts filled.
func (f FS) Director(ctx context.Context, d *dataplane.Director) error {
	err := f.within(func(at dirs) error { return readDirector(ctx, at, d) })
	if err != nil {
		return fmt.Errorf("procfs: %w", err)
	}
	return nil
}

func readDirector(ctx context.Context, at dirs, d *dataplane.Director) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	stats, errStats := read(filepath.Join(at.net, "ip_vs_stats"), parseStats)
	if errStats == nil {
		d.HasStats, d.Kernel, d.KernelRates = true, stats.Total, stats.Rates
	}
	status, errStatus := read(filepath.Join(at.net, "ip_vs_status"), parseStatus)
	if errStatus == nil {
		d.HasConnections, d.Connections = true, status.Connections
		if d.ConnTableSize == 0 {
			d.ConnTableSize = status.ConnBuckets
		}
	}
	sysctls, errSysctls := readSysctls(at.sysctl)
	if errSysctls == nil {
		d.Sysctls = sysctls
	}
	if d.Epoch == "" {
		d.Epoch = epoch(at)
	}
	if absent(errStats) && absent(errStatus) && absent(errSysctls) {
		return notLoaded(filepath.Join(at.net, "ip_vs_stats"))
	}
	var errs []error
	for _, err := range []error{errStats, errStatus, errSysctls} {
		if !absent(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// epoch is the boot and the network namespace. The files do not tell when ip_vs
// was loaded again.
func epoch(at dirs) string {
	boot, err := os.ReadFile(at.bootID)
	if err != nil {
		return ""
	}
	ns, err := os.Readlink(at.ns)
	if err != nil {
		ns = "net:?" // of another user's process: its file says less
	}
	return strings.TrimSpace(string(boot)) + " " + ns
}

func notLoaded(file string) error {
	return fmt.Errorf("no %s: %w: load the kernel's IPVS (modprobe ip_vs), or use a kernel that has it (CONFIG_IP_VS)",
		file, dataplane.ErrNotSupported)
}
