//go:build linux

package usage

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// burn uses that much of the thread's time.
func burn(t *testing.T, d time.Duration) {
	t.Helper()
	begin, err := clock(unix.CLOCK_THREAD_CPUTIME_ID)
	if err != nil {
		t.Fatal(err)
	}
	for now := begin; now < begin+d; {
		if now, err = clock(unix.CLOCK_THREAD_CPUTIME_ID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMeterLeavesOutWhatIsOutside(t *testing.T) {
	const inside, outside = 20 * time.Millisecond, 200 * time.Millisecond
	m, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	burn(t, inside)
	m.Outside(func() { burn(t, outside) })
	got, err := m.Stop()
	if err != nil {
		t.Fatal(err)
	}
	if got.CPU < inside || got.CPU >= outside {
		t.Errorf("measured %v of %v and %v outside", got.CPU, inside, outside)
	}
}

func TestMeterSeesMemory(t *testing.T) {
	m, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(b); i += os.Getpagesize() {
		b[i] = 1
	}
	m.Outside(func() {})
	if err := unix.Munmap(b); err != nil {
		t.Fatal(err)
	}
	got, err := m.Stop()
	if err != nil {
		t.Fatal(err)
	}
	if got.Anon < size {
		t.Errorf("at most %d bytes of memory were seen, there were %d and more", got.Anon, size)
	}
}

func TestOfAnotherProcessIsWhatItIsOfOneself(t *testing.T) {
	burn(t, time.Millisecond)
	u, err := Of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if u.CPU < time.Millisecond || u.Anon == 0 {
		t.Errorf("%+v", u)
	}
	if _, err := Of(-1); err == nil {
		t.Error("a process that is not there uses something")
	}
}

func TestFieldsAreFound(t *testing.T) {
	file := filepath.Join(t.TempDir(), "status")
	if err := os.WriteFile(file, []byte("Name:\tx\nRssAnon:\t  123 kB\nempty:\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := field(file, "RssAnon:"); n != 123 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, name := range []string{"RssFile:", "empty:", "Name:"} {
		if n, err := field(file, name); err == nil {
			t.Errorf("%s is %d", name, n)
		}
	}
}
