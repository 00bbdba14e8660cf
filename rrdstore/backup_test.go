package rrdstore

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestBackupWhileCommitting makes backups of a store that is as busy as it can
// be. Each holds every tick that was committed before it began, is a store by all
// our tests, and can be gone on with.
func TestBackupWhileCommitting(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := serving(t, dir)
	mustTend(t, s, table(3, 20, firstTick, 0))
	var committed atomic.Int64
	committed.Store(firstTick)
	stop := make(chan struct{})
	var busy sync.WaitGroup
	busy.Go(func() {
		for tick := int64(firstTick + 30); ; tick += 30 {
			select {
			case <-stop:
				return
			default:
			}
			if err := s.Commit(context.Background(), table(3, 20, tick, uint64(tick-firstTick)/10)); err != nil {
				t.Error(err)
				return
			}
			committed.Store(tick)
			if _, err := s.Maintain(context.Background()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	backups := filepath.Join(t.TempDir(), "all of them")
	for i := range 12 {
		for committed.Load() < firstTick+int64(i)*900 {
			time.Sleep(time.Millisecond) // for windows to be closed between two
		}
		before := committed.Load()
		dest := filepath.Join(backups, string(rune('a'+i)))
		if err := Backup(t.Context(), dir, dest, nil); err != nil {
			t.Fatal(err)
		}
		goodBackup(t, dest, before)
	}
	close(stop)
	busy.Wait()
	if s.Stats().Windows == 0 {
		t.Error("no window was closed meanwhile")
	}
}

// goodBackup checks a backup of a store that was given table(3, 20, …) every 30
// seconds.
func goodBackup(t *testing.T, dest string, before int64) {
	t.Helper()
	checkNow(t, dest)
	r, err := OpenReader(t.Context(), dest)
	if err != nil {
		t.Fatal(err)
	}
	next := int64(firstTick)
	for row, err := range r.Rows(t.Context(), tickAt(0), tickAt(1<<32), func(*Series) bool { return true }) {
		if err != nil {
			t.Fatal(err)
		}
		if row.Tick.Unix() != next {
			t.Fatalf("row %d comes where %d should", row.Tick.Unix(), next)
		}
		next += 30
		if want := 3 * 21; len(row.Entries) != want {
			t.Fatalf("row %d has %d entries, want %d", row.Tick.Unix(), len(row.Entries), want)
		}
		for _, e := range row.Entries {
			if e.Series.RealNumber == 0 && e.Total.Connections != uint64(row.Tick.Unix()-firstTick)/10*uint64(e.Series.Number) {
				t.Fatalf("row %d: %v has %v", row.Tick.Unix(), e.Series.Key, e.Total)
			}
		}
	}
	if next <= before {
		t.Errorf("rows end at %d, %d was committed before", next-30, before)
	}
	s := mustOpen(t, dest, Options{})
	mustTend(t, s, table(3, 20, next, uint64(next-firstTick)/10))
	if got := s.Stats(); got.Damaged != 0 || got.Aside != "" {
		t.Errorf("stats %+v", got)
	}
}

// snapshotOf is the content of a directory's files.
func snapshotOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestBackupOfFiles(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(dir string) error{
		"closed in order": func(string) error { return nil },
		"killed":          func(dir string) error { return os.Remove(filepath.Join(dir, cleanName)) },
		"without archive": func(dir string) error { return os.Remove(filepath.Join(dir, archName)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := filled(t, 3, 20, 200)
			if err := spoil(dir); err != nil {
				t.Fatal(err)
			}
			before, want := snapshotOf(t, dir), readAll(t, dir)
			dest := t.TempDir() // empty, but there
			var steps []int64
			err := Backup(t.Context(), dir, dest, func(done, total int64) { steps = append(steps, done, total) })
			if err != nil {
				t.Fatal(err)
			}
			if n := len(steps); n == 0 || steps[n-1] != steps[n-2] || !slices.IsSorted(evens(steps)) {
				t.Errorf("progress %v", steps)
			}
			if diff := cmp.Diff(before, snapshotOf(t, dir)); diff != "" {
				t.Error("the store was changed")
			}
			if diff := cmp.Diff(want, readAll(t, dest)); diff != "" {
				t.Errorf("(-store +backup)\n%s", diff)
			}
			for _, name := range []string{headName, archName} {
				info, err := os.Stat(filepath.Join(dest, name))
				if err == nil && (info.Mode() != 0o600 || !isClean(dest, name, info)) {
					t.Errorf("%s has mode %v", name, info.Mode())
				}
			}
		})
	}
}

func evens(all []int64) (some []int64) {
	for i := 0; i < len(all); i += 2 {
		some = append(some, all[i])
	}
	return some
}

func TestBackupLeavesNothingAfterAnError(t *testing.T) {
	store, empty := filled(t, 2, 5, 50), t.TempDir()
	damaged := filled(t, 2, 5, 50)
	f, err := os.OpenFile(filepath.Join(damaged, headName), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, 20*pageSize), 2*pageSize); err != nil {
		t.Fatal(err)
	}
	f.Close()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		dir  string
		want error
	}{
		"no store": {t.Context(), empty, ErrNotExist},
		"damaged":  {t.Context(), damaged, ErrDamaged},
		"canceled": {canceled, store, context.Canceled},
	} {
		dest := filepath.Join(t.TempDir(), "backup")
		if err := Backup(c.ctx, c.dir, dest, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if _, err := os.Stat(dest); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the directory is there, %v", name, err)
		}
	}
	before := snapshotOf(t, store)
	if err := Backup(t.Context(), store, store, nil); err == nil {
		t.Error("copied into a directory that is not empty")
	}
	if diff := cmp.Diff(before, snapshotOf(t, store)); diff != "" {
		t.Error("a directory that is not empty was changed")
	}
}

// TestSlowClientOfABackupIsCutOff: a client that takes a little all the time
// must not keep the owner's pages from being used again.
func TestSlowClientOfABackupIsCutOff(t *testing.T) {
	dir := filled(t, 20, 60, 60)
	synctest.Test(t, func(t *testing.T) {
		s := mustOpen(t, dir, Options{})
		here, there := net.Pipe()
		var client sync.WaitGroup
		client.Go(func() {
			for {
				if _, err := io.CopyN(io.Discard, there, 4096); err != nil {
					return
				}
				time.Sleep(500 * time.Millisecond)
			}
		})
		begin := time.Now()
		err := s.answerFile(headName, here)
		took := time.Since(begin)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want it cut off", err)
		}
		if most := takeTimeout + time.Duration(s.Stats().Bytes/backupPiece+1)*pieceTime; took > most {
			t.Errorf("it took %s, want %s at most", took, most)
		}
		here.Close()
		client.Wait()
		there.Close()
	})
}

func TestOwnerSendsItsFilesOnly(t *testing.T) {
	dir := t.TempDir()
	serving(t, dir)
	for _, name := range []string{"", lockName, "../" + headName} {
		err := remoteSource(dir).file(t.Context(), name, &backupWriter{backup: &backup{}, ctx: t.Context(), w: io.Discard})
		if err == nil {
			t.Errorf("file %q was sent", name)
		}
	}
}
