package rrdstore

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

const firstTick = 1_700_000_000

// filled is a closed store of n ticks.
func filled(t testing.TB, services, reals, n int) string {
	t.Helper()
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	for i := range n {
		mustCommit(t, s, table(services, reals, firstTick+int64(i)*10, uint64(i)))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestStoreIsLockedByItsOwner(t *testing.T) {
	dir := t.TempDir()
	mustOpen(t, dir, Options{})
	_, err := Open(dir, Options{LockTimeout: time.Millisecond})
	var locked *LockedError
	if !errors.As(err, &locked) || !errors.Is(err, ErrLocked) || locked.PID != os.Getpid() {
		t.Errorf("got %v, want it locked by %d", err, os.Getpid())
	}
	if _, err := OpenOrQuarantine(dir, Options{LockTimeout: time.Millisecond}); !errors.Is(err, ErrLocked) {
		t.Errorf("quarantine: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, headName)); err != nil {
		t.Errorf("the file was touched: %v", err)
	}
}

func TestLockEndsWithItsOwner(t *testing.T) {
	dir := filled(t, 1, 1, 3)
	s := mustOpen(t, dir, Options{})
	mustCommit(t, s, table(1, 1, firstTick+1000, 1))
}

// rewrite changes a value of a closed store's file.
func rewrite(t *testing.T, dir, bucket string, change func(b *bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, headName), 0, &bbolt.Options{NoFreelistSync: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error { return change(tx.Bucket([]byte(bucket))) }); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := markClean(dir); err != nil {
		t.Fatal(err)
	}
}

func TestNewerStoreIsRefusedAndLeftAlone(t *testing.T) {
	schemaTo := func(v byte) func(*bbolt.Bucket) error {
		return func(b *bbolt.Bucket) error {
			return b.Put([]byte(keySchema), seal([]byte{recordVersion, v}, 0, bucketMeta, 0, []byte(keySchema)))
		}
	}
	newerRecord := func(b *bbolt.Bucket) error {
		k, v := b.Cursor().First()
		body := append([]byte{seriesVersion + 1}, v[1:len(v)-4]...)
		return b.Put(k, seal(body, 0, bucketSeries, 0, k))
	}
	for name, c := range map[string]struct {
		bucket string
		change func(*bbolt.Bucket) error
	}{"schema": {bucketMeta, schemaTo(schema + 1)}, "record": {bucketSeries, newerRecord}} {
		for _, clean := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/clean=%t", name, clean), func(t *testing.T) {
				dir := filled(t, 2, 2, 5)
				rewrite(t, dir, c.bucket, c.change)
				if !clean {
					removeClean(t, dir)
				}
				before := fileSum(t, dir)
				if _, err := Open(dir, Options{}); !errors.Is(err, ErrNewer) {
					t.Errorf("open: %v, want ErrNewer", err)
				}
				if _, err := OpenOrQuarantine(dir, Options{}); !errors.Is(err, ErrNewer) {
					t.Errorf("quarantine: %v, want ErrNewer", err)
				}
				if _, err := OpenReader(t.Context(), dir); !errors.Is(err, ErrNewer) {
					t.Errorf("reader: %v, want ErrNewer", err)
				}
				if fileSum(t, dir) != before {
					t.Error("the file was changed")
				}
			})
		}
	}
}

func fileSum(t *testing.T, dir string) [sha256.Size]byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, headName))
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(b)
}

func TestQuarantineKeepsTheNewestTwo(t *testing.T) {
	dir := t.TempDir()
	for range 4 {
		if err := os.WriteFile(filepath.Join(dir, headName), []byte("no store at all"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := OpenOrQuarantine(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if aside := s.Stats().Aside; !strings.HasPrefix(aside, filepath.Join(dir, "head.db.damaged-")) {
			t.Errorf("put aside as %q", aside)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "head.db.damaged-*"))
	if err != nil || len(left) != keepAside {
		t.Errorf("%v are left, %v", left, err)
	}
}

func TestFileTakenAwayInUseIsReplaced(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"truncated": func(path string) error { return os.Truncate(path, 3*pageSize) },
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"removed":   os.Remove,
		"garbage": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			defer f.Close()
			_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, 60*pageSize), 2*pageSize)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			checkAfter(t, dir)
			s := mustOpen(t, dir, Options{})
			for i := range 20 {
				mustCommit(t, s, table(4, 20, firstTick+int64(i)*10, uint64(i)))
			}
			if err := spoil(filepath.Join(dir, headName)); err != nil {
				t.Fatal(err)
			}
			if err := s.Commit(t.Context(), table(4, 20, firstTick+1000, 100)); !errors.Is(err, ErrDamaged) {
				t.Errorf("commit after: %v, want ErrDamaged", err)
			}
			for i := range 3 {
				mustCommit(t, s, table(4, 20, firstTick+2000+int64(i)*10, 200))
			}
			if got := len(mustRemember(t, s)); got != 1+4+4*20 {
				t.Errorf("%d accounts", got)
			}
			if st := s.Stats(); st.Rows != 3 || (st.Aside == "") != (name == "removed") {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

func TestFileReplacedInUseIsTakenOver(t *testing.T) {
	other := filled(t, 2, 2, 5)
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	mustCommit(t, s, table(1, 1, firstTick, 1))
	if err := os.Rename(filepath.Join(other, headName), filepath.Join(dir, headName)); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), table(1, 1, firstTick+10, 1)); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	mustCommit(t, s, table(2, 2, firstTick+1000, 9))
	if st := s.Stats(); st.Rows != 6 || st.Aside != "" {
		t.Errorf("stats %+v", st)
	}
}

func TestDamagedRecordCostsItselfOnly(t *testing.T) {
	dir := filled(t, 3, 100, 10)
	rewrite(t, dir, bucketSeries, func(b *bbolt.Bucket) error {
		k := seriesKey{sidOf(2, 5), firstTick}.bytes()
		v := bytes.Clone(b.Get(k))
		v[3] ^= 1
		return b.Put(k, v)
	})
	rewrite(t, dir, bucketRow, func(b *bbolt.Bucket) error {
		w := b.Bucket(windowKey(firstTick))
		k := rowKey{firstTick + 50, 3}.bytes()
		v := bytes.Clone(w.Get(k))
		v[2] ^= 1
		return w.Put(k, v)
	})
	s := mustOpen(t, dir, Options{})
	// Block 3, of 64 slots, is unknown until the next keyframe.
	if got, want := len(mustRemember(t, s)), 1+303-1-64; got != want {
		t.Errorf("%d accounts, want %d", got, want)
	}
	if st := s.Stats(); st.Damaged == 0 {
		t.Error("no damage in the stats")
	}
	mustCommit(t, s, table(3, 100, firstTick+1000, 50))
	if got := len(mustRemember(t, s)); got != 1+3+300 {
		t.Errorf("%d accounts after the next tick", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rows := readAll(t, dir)
	if len(rows) != 11 {
		t.Errorf("%d rows", len(rows))
	}
	if before, after := len(rows[4]), len(rows[6]); before != 2+303-1 || after != 2+303-1-64 {
		t.Errorf("%d lines before the damage, %d after", before, after)
	}
	if diff := cmp.Diff(2+303, len(rows[10])); diff != "" {
		t.Errorf("after the next keyframe %s", diff)
	}
}
