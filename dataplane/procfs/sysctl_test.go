package procfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sysctlDir is a directory like /proc/sys/net/ipv4/vs.
func sysctlDir(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestSysctlsOfAnyLength(t *testing.T) {
	long := strings.Repeat("0-63,", 1000)
	dir := sysctlDir(t, map[string]string{"conntrack": "0\n", "sync_threshold": "3\t50\n", "est_cpulist": long + "\n", "empty": "", "exact": strings.Repeat("x", 1024)})
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := readSysctls(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"conntrack": "0", "sync_threshold": "3\t50", "est_cpulist": long, "empty": "", "exact": strings.Repeat("x", 1024)}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %.200q, want %.200q", got, want)
	}
}

func TestAMissingSysctlIsAPathError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "conntrack")
	_, err := readShort(file, make([]byte, 16))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want one that is fs.ErrNotExist and names the file", err)
	}
}

// BenchmarkSysctls reads as many files as the kernel has.
func BenchmarkSysctls(b *testing.B) {
	files := map[string]string{}
	for i := range 30 {
		files[fmt.Sprint("sysctl", i)] = "1\n"
	}
	dir := sysctlDir(b, files)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readSysctls(dir); err != nil {
			b.Fatal(err)
		}
	}
}
