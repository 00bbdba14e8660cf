package rrdstore

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

// TestLittleAddressSpace opens a store whose files may become larger than the
// process can map, as it is in user-mode Linux and under ulimit -v.
func TestLittleAddressSpace(t *testing.T) {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages uint64
	if _, err := fmt.Sscan(string(statm), &pages); err != nil {
		t.Fatal(err)
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &was); err != nil {
		t.Fatal(err)
	}
	little := was
	little.Cur = pages*uint64(os.Getpagesize()) + 512<<20
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &little); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_AS, &was)

	opts := Options{MaxBytes: 64 << 30}
	if _, err := syscall.Mmap(-1, 0, 1<<30, syscall.PROT_READ, syscall.MAP_PRIVATE|syscall.MAP_ANON); err != syscall.ENOMEM {
		t.Fatalf("mapping 1 GiB: %v, want ENOMEM; this tests nothing", err)
	}
	dir := t.TempDir()
	for n := range 2 {
		s, err := Open(dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), table(1, 2, 1e9+10*int64(n), uint64(n))); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
