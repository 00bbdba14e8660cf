//go:build lab

package e2e

import (
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"

	"lvs/internal/lab"
)

// unloadIPVS empties the kernel's table, ends its connections, which would keep
// modules, and unloads ip_vs and all that stands on it.
func unloadIPVS(t *testing.T) {
	t.Helper()
	// With this set, the connections of deleted services are ended with them.
	if err := os.WriteFile("/proc/sys/net/ipv4/vs/expire_nodest_conn", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	lab.Run(t, "ipvsadm", "-C")
	lab.Wait(t, "the end of all connections", func() bool {
		b, err := os.ReadFile("/proc/net/ip_vs_conn")
		return err == nil && strings.Count(string(b), "\n") <= 1
	})
	argv := []string{"modprobe", "-r"}
	b, err := os.ReadFile("/proc/modules")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if name, _, _ := strings.Cut(line, " "); strings.HasPrefix(name, "ip_vs_") {
			argv = append(argv, name)
		}
	}
	argv = append(argv, "ip_vs")
	var said []byte
	defer func() {
		if t.Failed() {
			t.Logf("modprobe -r says: %s", said)
		}
	}()
	lab.Wait(t, "nobody uses ip_vs", func() bool { // as who reads the table just now does
		said, err = exec.Command(argv[0], argv[1:]...).CombinedOutput()
		return err == nil
	})
	if _, err := os.Stat("/proc/net/ip_vs"); err == nil {
		t.Fatal("ip_vs is still there")
	}
}

// regularFiles leaves out what a copy cannot take along: sockets.
type regularFiles struct{ fs.FS }

func (r regularFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := fs.ReadDir(r.FS, name)
	var kept []fs.DirEntry
	for _, e := range list {
		if e.Type().IsRegular() || e.IsDir() {
			kept = append(kept, e)
		}
	}
	return kept, err
}
