package exporter

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lvs/rrdstore"
)

func TestCheckTellsSoundFromDamaged(t *testing.T) {
	dir := testHistory(t)
	check := func() (string, error) {
		var stdout bytes.Buffer
		err := Run(t.Context(), []string{"check", "--store", dir}, &stdout, new(bytes.Buffer))
		return stdout.String(), err
	}
	if said, err := check(); err != nil || strings.Count(said, ": sound: ") != 2 {
		t.Fatalf("of a sound store: %v, said\n%s", err, said)
	}
	for _, name := range storeFiles {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		// In the data of both files is the key of a service or one of its records.
		at := bytes.LastIndex(b[:len(b)-1], []byte("tcp/192.0.2.10:443"))
		if at < 0 {
			t.Fatalf("%s has nothing to damage", name)
		}
		broken := bytes.Clone(b)
		for i := range broken {
			if bytes.HasPrefix(b[i:], []byte("tcp/192.0.2.10:443")) {
				broken[i] ^= 1
			}
		}
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		said, err := check()
		if !errors.Is(err, rrdstore.ErrDamaged) || ExitCode(err) != 1 || !strings.Contains(said, name+": damaged: ") || strings.Count(said, ": sound: ") != 1 {
			t.Errorf("of a damaged %s: %v, said\n%s", name, err, said)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if said, err := check(); err != nil {
		t.Errorf("of the store as it was: %v, said\n%s", err, said)
	}
	if err := os.Truncate(filepath.Join(dir, "arch.db"), 5000); err != nil {
		t.Fatal(err)
	}
	if said, err := check(); !errors.Is(err, rrdstore.ErrDamaged) || !strings.Contains(said, "arch.db: damaged: ") {
		t.Errorf("of a file cut short: %v, said\n%s", err, said)
	}
}

func TestCheckKeepsAwayFromAUsedStore(t *testing.T) {
	dir := testStore(t)
	s, err := rrdstore.Open(dir, rrdstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = Run(t.Context(), []string{"check", "--store", dir}, new(bytes.Buffer), new(bytes.Buffer))
	if !errors.Is(err, rrdstore.ErrLocked) || !strings.Contains(err.Error(), "check a backup") || !strings.Contains(err.Error(), "process ") {
		t.Errorf("got %v", err)
	}
	if err := Run(t.Context(), []string{"check", "--store", t.TempDir()}, new(bytes.Buffer), new(bytes.Buffer)); !errors.Is(err, rrdstore.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
}
