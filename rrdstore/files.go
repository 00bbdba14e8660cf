package rrdstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// keepAside is how many damaged files are kept for people to look at.
const keepAside = 2

// cleanText describes both files, so that a change after the close is noticed.
func cleanText(dir string) (string, error) {
	var b strings.Builder
	for _, name := range []string{headName, archName} {
		info, err := os.Stat(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		line, err := cleanLine(dir, name, info)
		if err != nil {
			return "", err
		}
		b.WriteString(line)
	}
	return b.String(), nil
}

// cleanLine describes a file by name, size, time, and a checksum of what decides
// where bbolt writes next.
func cleanLine(dir, name string, info fs.FileInfo) (string, error) {
	sum, err := vitals(filepath.Join(dir, name))
	return fmt.Sprintf("%s %d %d %08x\n", name, info.Size(), info.ModTime().UnixNano(), sum), err
}

// isClean reports whether one of the files is as an orderly close left it.
func isClean(dir, name string, info fs.FileInfo) bool {
	b, err := os.ReadFile(filepath.Join(dir, cleanName))
	if err != nil {
		return false
	}
	line, err := cleanLine(dir, name, info)
	return err == nil && strings.Contains(string(b), line)
}

// markClean says that the files were closed in order. Losing the mark in a power
// cut costs a verification.
func markClean(dir string) error {
	text, err := cleanText(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, cleanName), []byte(text), 0o600)
}

// putAside renames a damaged file and returns its new path.
func putAside(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	prefix := path + ".damaged-"
	aside := prefix + time.Now().UTC().Format("20060102T150405.000000000Z")
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	err := syncDir(dir)
	entries, readErr := os.ReadDir(dir)
	err = errors.Join(err, readErr)
	var old []string
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); len(path) > len(prefix) && path[:len(prefix)] == prefix {
			old = append(old, path)
		}
	}
	slices.Sort(old)
	for _, path := range old[:max(0, len(old)-keepAside)] {
		err = errors.Join(err, os.Remove(path))
	}
	return aside, err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// fileSize is what both files take.
func (s *Store) fileSize() (n int64) {
	for _, name := range []string{headName, archName} {
		if info, err := os.Stat(filepath.Join(s.dir, name)); err == nil {
			n += info.Size()
		}
	}
	return n
}

// ownerOfDir is the process id that the last owner of dir left.
func ownerOfDir(dir string) int {
	f, err := os.Open(filepath.Join(dir, lockName))
	if err != nil {
		return 0
	}
	defer f.Close()
	return ownerOf(f)
}

// inspect refuses a file that bbolt must not be let near. What an orderly close
// left is only asked for its version, but for a head that its owner opens: bbolt
// then walks through all of it at once, and ends the process where it meets with
// damage. Of the archive, which may be large, what bbolt relies on is looked at
// and not the data, each of which has checksums of its own.
func inspect(dir, name string, owner bool) error {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	switch {
	case !(owner && name == headName) && isClean(dir, name, info):
		return checkSchema(path)
	case name == archName:
		return checkStructure(path)
	}
	_, err = Verify(path)
	return err
}
