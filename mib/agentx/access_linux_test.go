package agentx

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"lvs/internal/lab"
)

// TestSNMPDAccessIsDeniedAndGranted dials as an ordinary user, whoever runs the
// test: file permissions follow the thread's file system user.
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
			runtime.LockOSThread() // or else another goroutine would be that user, too
			defer runtime.UnlockOSThread()
			syscall.Setfsuid(65534)
			defer syscall.Setfsuid(0)
		}
		return inner(ctx)
	}
	run(t, s)
	eventually(t, "be refused", func() bool { return errors.Is(s.Stats().LastError, fs.ErrPermission) })
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
	registered(t, s)
}

// TestReconnectsLeakNothing counts descriptors over many sessions.
func TestReconnectsLeakNothing(t *testing.T) {
	path := t.TempDir() + "/agentx"
	server, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		for i := 0; ; i++ {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			if i%2 == 0 {
				conn.Write([]byte("garbage, and enough of it"))
			}
			conn.Close()
		}
	}()
	s := newTestSubagent(t, "unix:"+path, &syncBuffer{})
	h := &handler{counters: &s.counters}
	open := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(fds)
	}
	before, goroutines := open(), runtime.NumGoroutine()
	for range 200 {
		if err := s.connect(t.Context(), h); err == nil {
			t.Fatal("a session ended without an error")
		}
	}
	// The last of these may take a moment longer, and the server has one connection.
	eventually(t, "close every descriptor", func() bool { return open() <= before+1 })
	eventually(t, "end every goroutine", func() bool { return runtime.NumGoroutine() <= goroutines })
}
