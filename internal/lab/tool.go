package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// patient has Net-SNMP's tools wait for an answer longer than the second that
// is usual: on a busy machine it may come later, and to ask again is to be counted,
// and to be notified, twice.
var patient = []string{"-t", "5", "-r", "2"}

// Tool runs one of Net-SNMP's tools ("snmpget", "snmpwalk", ...) for at most two
// minutes and returns its standard output; what it wrote to standard error is in
// the error. The machine's own configuration and state are kept away, and no MIB
// files are read. For use in any goroutine.
func Tool(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	lookPath(t, name, "snmp")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path(name), append(patient[:len(patient):len(patient)], args...)...)
	cmd.Env = append(os.Environ(), "SNMPCONFPATH=/nonexistent", "SNMP_PERSISTENT_DIR="+t.TempDir(), "MIBS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return string(out), err
}
