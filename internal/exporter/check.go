package exporter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kingpin/v2"

	"lvs/rrdstore"
)

const checkHelp = `Check the files of a store.

Every page, every checksum, and that the records make sense together. What is found is printed for each file; where anything is damaged the exit code is 1. Nothing is changed, and nobody may be writing meanwhile: of a running agent's store, check a backup.

Examples:
  lvs-exporter check --store /var/backups/lvs
  lvs-exporter backup /var/tmp/copy && lvs-exporter check --store /var/tmp/copy`

// storeFiles are the files of a store that have data, the first of which makes it
// one.
var storeFiles = []string{"head.db", "arch.db"}

// A check is the command check.
type check struct{ *program }

func addCheck(p *program, app *kingpin.Application) {
	c := &check{p}
	p.command(app, "check", checkHelp, c.run)
}

func (c *check) run(context.Context) error {
	if _, err := os.Stat(filepath.Join(c.dir, storeFiles[0])); err != nil {
		return fmt.Errorf("check store: %w in %s", rrdstore.ErrNotExist, c.dir)
	}
	release, err := holdStill(c.dir)
	if err != nil {
		return err
	}
	defer release()
	damaged := 0
	for _, name := range storeFiles {
		path := filepath.Join(c.dir, name)
		report, err := rrdstore.Verify(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			fmt.Fprintf(c.stdout, "%s: not there\n", name)
			continue
		case errors.Is(err, rrdstore.ErrDamaged):
		case err != nil:
			return err
		case report.Damaged > 0:
			err = fmt.Errorf("%d records are damaged, the first: %w", report.Damaged, report.First)
		default:
			err = rrdstore.Check(path)
		}
		if err != nil {
			var d *rrdstore.DamagedError
			if errors.As(err, &d) {
				err = d.Err // its file is told already
			}
			damaged++
			fmt.Fprintf(c.stdout, "%s: damaged: %v\n", name, err)
			continue
		}
		fmt.Fprintf(c.stdout, "%s: sound: %d pages, %d series, %d windows, %d rows\n", name, report.Pages, report.Series, report.Windows, report.Rows)
	}
	if damaged > 0 {
		return fmt.Errorf("%w: %s", rrdstore.ErrDamaged, c.dir)
	}
	return nil
}

// holdStill keeps owners away from a directory until release is called.
func holdStill(dir string) (release func(), err error) {
	f, err := os.Open(filepath.Join(dir, "lock"))
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil // a copy
	}
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if err == nil {
		return func() { f.Close() }, nil
	}
	defer f.Close()
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	locked := &rrdstore.LockedError{Dir: dir}
	if b, err := os.ReadFile(f.Name()); err == nil {
		locked.PID, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	}
	return nil, fmt.Errorf("%w; check a backup of it: lvs-exporter backup DEST && lvs-exporter check --store DEST", locked)
}
