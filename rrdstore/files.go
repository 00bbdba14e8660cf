package rrdstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// keepAside is how many damaged files are kept for people to look at.
const keepAside = 2

// cleanText describes head.db, so that a change after the close is noticed.
func cleanText(info fs.FileInfo) string {
	return fmt.Sprintf("%d %d\n", info.Size(), info.ModTime().UnixNano())
}

// isClean reports whether head.db is as an orderly close left it.
func isClean(dir string, head fs.FileInfo) bool {
	b, err := os.ReadFile(filepath.Join(dir, cleanName))
	return err == nil && string(b) == cleanText(head)
}

// markClean says that head.db was closed in order. Losing the mark in a power
// cut costs a verification.
func markClean(dir string) error {
	info, err := os.Stat(filepath.Join(dir, headName))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, cleanName), []byte(cleanText(info)), 0o600)
}

// putAside renames a damaged head.db and returns its new path.
func putAside(dir string) (string, error) {
	head := filepath.Join(dir, headName)
	prefix := head + ".damaged-"
	aside := prefix + time.Now().UTC().Format("20060102T150405.000000000Z")
	if err := os.Rename(head, aside); err != nil {
		return "", err
	}
	err := syncDir(dir)
	entries, readErr := os.ReadDir(dir)
	err = errors.Join(err, readErr)
	var old []string
	for _, e := range entries {
		if name := filepath.Join(dir, e.Name()); len(name) > len(prefix) && name[:len(prefix)] == prefix {
			old = append(old, name)
		}
	}
	slices.Sort(old)
	for _, name := range old[:max(0, len(old)-keepAside)] {
		err = errors.Join(err, os.Remove(name))
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

func (s *Store) fileSize() int64 {
	info, err := os.Stat(filepath.Join(s.dir, headName))
	if err != nil {
		return 0
	}
	return info.Size()
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

// inspect refuses a head.db that bbolt must not be let near. What an orderly
// close left is only asked for its version.
func inspect(dir string) error {
	path := filepath.Join(dir, headName)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	if isClean(dir, info) {
		return checkSchema(path)
	}
	_, err = Verify(path)
	return err
}
