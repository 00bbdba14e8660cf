package agentx

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"lvs/internal/lab"
)

// TestSNMPDAccessIsDeniedAndGranted dials as an ordinary user, whoever runs the
// test: file permissions follow the thread's file system user, and a session
// keeps to its thread.
func TestSNMPDAccessIsDeniedAndGranted(t *testing.T) {
	m := lab.SNMPD(t)
	socket := strings.TrimPrefix(m.Unix, "unix:")
	if err := os.Chmod(socket, 0); err != nil {
		t.Fatal(err)
	}
	log := &syncBuffer{}
	s := newTestSubagent(t, m.Unix, log)
	inner := s.dial
	s.dial = func(ctx context.Context) (link, error) {
		if os.Getuid() == 0 {
			syscall.Setfsuid(65534)
			defer syscall.Setfsuid(0)
		}
		return inner(ctx)
	}
	run(t, s)
	eventually(t, 5*time.Second, "be refused", func() bool { return errors.Is(s.Stats().LastError, fs.ErrPermission) })
	if !strings.Contains(log.String(), "agentXPerms") {
		t.Errorf("log does not help: %s", log)
	}
	time.Sleep(500 * time.Millisecond) // some more tries
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d log lines, want 1:\n%s", n, log)
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	registered(t, s, time.Second)
}
