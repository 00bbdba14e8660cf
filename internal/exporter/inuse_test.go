package exporter

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lvs/rrdstore"
)

// TestCommandsReadAStoreInUse holds that what is read from an agent's store is what
// is read from its files, and from a backup that was made meanwhile.
func TestCommandsReadAStoreInUse(t *testing.T) {
	dir := testHistory(t)
	commands := [][]string{
		{"info"}, {"list", "-o", "json"},
		{"fetch", "--real", "*", "director"},
		{"fetch", "-r", "1m", "--cf", "AVERAGE,MAX", "-o", "ndjson", "--real", "*", "director"},
		{"fetch", "-r", "1h", "-o", "json", "--top", "2", "--real", "*"},
		{"graph", "--zone", "UTC", "web"},
		{"export", "--format", "openmetrics", "-s", "-1h", "web"},
		{"export", "--format", "rrd", "web"},
	}
	var want []string
	for _, c := range commands {
		want = append(want, exportNow(t, append(c, "--store", dir)...))
	}
	s, err := rrdstore.Open(dir, rrdstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- s.Serve(ctx) }()
	for deadline := time.Now().Add(90 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "store.sock")); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	for i, c := range commands {
		if got := exportNow(t, append(c, "--store", dir)...); got != want[i] {
			t.Errorf("%q: %d bytes of a store in use, %d of its files", c, len(got), len(want[i]))
		}
	}
	copied := filepath.Join(t.TempDir(), "copy")
	exportNow(t, "backup", "--store", dir, copied)
	exportNow(t, "check", "--store", copied)
	for i, c := range commands[1:] { // the first tells where the store is
		if got := exportNow(t, append(c, "--store", copied)...); got != want[i+1] {
			t.Errorf("%q: %d bytes of a backup, %d of the store", c, len(got), len(want[i+1]))
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
