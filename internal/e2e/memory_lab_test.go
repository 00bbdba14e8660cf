//go:build lab

package e2e

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// A memory is what a process has, in octets.
type memory struct{ resident, anonymous int }

func (m memory) String() string {
	return fmt.Sprintf("%.1f MB (%.1f MB anonymous)", float64(m.resident)/1e6, float64(m.anonymous)/1e6)
}

func memoryOf(t *testing.T, pid int) (m memory) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		var kB int
		fmt.Sscan(value, &kB)
		switch name {
		case "VmRSS":
			m.resident = kB << 10
		case "RssAnon":
			m.anonymous = kB << 10
		}
	}
	if m.resident == 0 || m.anonymous == 0 {
		t.Fatalf("the process does not tell: %s", b)
	}
	return m
}

// dropped is how many datagrams the kernel had no room for at the sockets of a
// port: the last field of /proc/net/udp.
func dropped(t *testing.T, port string) (n int) {
	t.Helper()
	b, err := os.ReadFile("/proc/net/udp")
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	local := fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32([]byte{127, 0, 0, 1}), number)
	found := false
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) > 12 && f[1] == local {
			found = true
			fmt.Sscan(f[12], &n)
		}
	}
	if !found {
		t.Fatalf("nobody listens at %s: %s", local, b)
	}
	return n
}
