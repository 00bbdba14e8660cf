package lab

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// InGuest reports whether this process runs under the lab's kernel.
func InGuest() bool { return os.Getenv("UML_GUEST") == "1" }

// Guest fails the test unless it runs under the lab's kernel.
func Guest(t testing.TB) {
	t.Helper()
	if !InGuest() {
		t.Fatal(`lab: this test configures a kernel and runs in the lab's only: ` +
			`CGO_ENABLED=0 go test -tags lab -exec "$PWD/internal/lab/uml --timeout 300 --" -run '^TestLab' ./PACKAGE`)
	}
}

// Patience is how long a test waits for what has to come. It ends a test of a program
// that hangs, and measures nothing: a guest has a part of a busy machine, and may
// stand still for seconds.
const Patience = 3 * time.Minute

// Run runs a command and returns its standard output. A status other than 0, or
// no end within [Patience], fails the test.
func Run(t testing.TB, argv ...string) string {
	t.Helper()
	return RunInput(t, nil, argv...)
}

// RunInput is Run with a standard input.
func RunInput(t testing.TB, stdin []byte, argv ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path(argv[0]), argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	// A daemon that the command left behind may hold its output open.
	cmd.WaitDelay = Patience / 10
	if err := cmd.Run(); err != nil {
		t.Fatalf("lab: %s: %v\n%s%s", strings.Join(argv, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// Wait asks ok again and again until it is true; more than [Patience] fails the test,
// saying what did not come.
func Wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("lab: waited in vain: ", what)
		}
	}
}
