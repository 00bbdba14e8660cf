package lab

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// daemonPatience is how long a daemon may take to start or to end, which is a moment
// but on a busy machine.
const daemonPatience = time.Minute

// A daemon is one of Net-SNMP's, kept private: its configuration, state and log
// are in a directory of its own. The exported methods are those of the types
// that embed it.
type daemon struct {
	name string
	t    testing.TB
	dir  string
	proc *process
}

// newDaemon makes the daemon's directory; the daemon ends with the test and the
// directory goes with it.
func newDaemon(t testing.TB, name string) *daemon {
	t.Helper()
	base := "" // the path of a socket has to stay short, which t.TempDir's is not
	if InGuest() {
		base = "/run" // the guest's own: sockets do not belong on the shared file system
	}
	dir, err := os.MkdirTemp(base, name)
	if err != nil {
		t.Fatal("lab: ", err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal("lab: ", err)
	}
	d := &daemon{name: name, t: t, dir: dir}
	t.Cleanup(d.end)
	return d
}

// env keeps daemons and tools away from the machine's own configuration, state
// and MIB files.
func (d *daemon) env() []string {
	return append(os.Environ(), "SNMPCONFPATH="+d.dir, "SNMP_PERSISTENT_DIR="+filepath.Join(d.dir, "state"), "MIBS=")
}

// Terminate ends the daemon in order (SIGTERM).
func (d *daemon) Terminate() {
	d.t.Helper()
	d.Signal(syscall.SIGTERM)
	select {
	case <-d.proc.done:
	case <-time.After(daemonPatience):
		d.t.Fatalf("lab: %s does not end on SIGTERM", d.name)
	}
}

// Kill ends the daemon on the spot (SIGKILL).
func (d *daemon) Kill() { d.proc.kill() }

// Stop makes the daemon hang (SIGSTOP): its sockets stay open, nothing is
// answered.
func (d *daemon) Stop() { d.Signal(syscall.SIGSTOP) }

// Continue lets a stopped daemon go on (SIGCONT).
func (d *daemon) Continue() { d.Signal(syscall.SIGCONT) }

// Reload has the daemon read its configuration again (SIGHUP).
func (d *daemon) Reload() { d.Signal(syscall.SIGHUP) }

// Signal sends s to the daemon, which must be running.
func (d *daemon) Signal(s syscall.Signal) {
	d.t.Helper()
	if err := d.proc.signal(s); err != nil {
		d.t.Fatalf("lab: signal %s: %v", d.name, err)
	}
}

// PID of the running daemon, for its CPU time and descriptors in /proc.
func (d *daemon) PID() int { return d.proc.pid }

// Log is what the daemon logged so far.
func (d *daemon) Log() string {
	b, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	return string(b)
}

func (d *daemon) end() {
	if d.proc != nil {
		d.proc.kill()
	}
	if d.t.Failed() {
		log := d.Log()
		d.t.Logf("%s's log ends:\n%s", d.name, log[max(0, len(log)-4000):])
	}
}
