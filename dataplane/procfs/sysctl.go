package procfs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Sysctls are net.ipv4.vs.*, by name and as the kernel prints them. Those that
// may not be read are left out; the error is [fs.ErrNotExist] where there are none.
func (f FS) Sysctls() (m map[string]string, err error) {
	err = f.within(func(d dirs) error {
		m, err = readSysctls(d.sysctl)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("procfs: %w", err)
	}
	return m, nil
}

func readSysctls(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	m := make(map[string]string, len(entries))
	buf := make([]byte, 1024)
	for _, e := range entries {
		if text, err := readShort(filepath.Join(dir, e.Name()), buf); err == nil {
			m[e.Name()] = strings.TrimSuffix(text, "\n")
		}
	}
	return m, nil
}

// readShort reads a file that most likely has fewer bytes than buf, by three
// system calls. os.ReadFile makes more than twice as many, most of them for the
// runtime's poller, and every reading has some thirty such files.
func readShort(file string, buf []byte) (string, error) {
	fd, err := restart(func() (int, error) { return syscall.Open(file, syscall.O_RDONLY|syscall.O_CLOEXEC, 0) })
	if err != nil {
		return "", &os.PathError{Op: "open", Path: file, Err: err}
	}
	n, err := restart(func() (int, error) { return syscall.Read(fd, buf) })
	syscall.Close(fd) // nothing was written
	if err != nil {
		return "", &os.PathError{Op: "read", Path: file, Err: err}
	}
	if n == len(buf) {
		b, err := os.ReadFile(file)
		return string(b), err
	}
	return string(buf[:n]), nil
}

// restart makes a system call again that a signal interrupted, such as those by
// which the runtime preempts.
func restart(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != syscall.EINTR {
			return n, err
		}
	}
}
