package exporter

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// toStdout is the name of standard output.
const toStdout = "-"

// writeTo makes what write writes the content of a file, or prints it where the
// name is "-" or empty. A file is whole or, after an error, as it was before; it
// keeps its mode, and a new one has that of any new file of this user's.
func (p *program) writeTo(name string, write func(io.Writer) error) error {
	if name == toStdout || name == "" {
		return write(p.stdout)
	}
	before, err := os.Stat(name)
	if err == nil && !before.Mode().IsRegular() {
		return writeDevice(name, write) // a pipe, /dev/null
	}
	temporary := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text())
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	defer os.Remove(temporary)
	if before != nil {
		err = f.Chmod(before.Mode().Perm())
	}
	if err == nil {
		err = write(f)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}

func writeDevice(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
