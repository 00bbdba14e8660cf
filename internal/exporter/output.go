package exporter

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// toStdout is the name of standard output.
const toStdout = "-"

// writeTo makes what write writes the content of a file, or prints it where the
// name is "-" or empty. A file is whole or, after an error, as it was before.
func (p *program) writeTo(name string, write func(io.Writer) error) error {
	if name == toStdout || name == "" {
		return write(p.stdout)
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return writeDevice(name, write) // a pipe, /dev/null
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	defer os.Remove(f.Name())
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func writeDevice(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
