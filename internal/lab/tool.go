package lab

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// patient has Net-SNMP's tools wait for an answer longer than the second that
// is usual: on a busy machine it may come later, and to ask again is to be counted,
// and to be notified, twice.
var patient = []string{"-t", "5", "-r", "2"}

// toolLimit ends a tool that hangs. In a guest on a busy machine a walk of ten thousand
// variables was seen to take a minute.
const toolLimit = 2 * Patience

// Tool runs one of Net-SNMP's tools ("snmpget", "snmpwalk", ...) for at most twice
// [Patience] and returns its standard output; what it wrote to standard error is in
// the error. The machine's own configuration and state are kept away, and no MIB
// files are read. For use in any goroutine.
func Tool(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	lookPath(t, name, "snmp")
	ctx, cancel := context.WithTimeout(context.Background(), toolLimit)
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
