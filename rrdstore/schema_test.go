package rrdstore

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

// writeOldHead puts a head.db into dir as it was written before there was an
// archive, changes of state or peaks.
func writeOldHead(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "schema1", "head.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, headName), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestStoreWithoutArchiveIsTakenOver opens a head.db that was written before there
// was an archive: 150 minutes of table(2, 3, …), of which the second service was
// gone for the last ten.
func TestStoreWithoutArchiveIsTakenOver(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	writeOldHead(t, dir)
	want := func(minute int64) []string {
		services := 2
		if minute >= 140 {
			services = 1
		}
		return entriesOf(snapshotText(table(services, 3, firstTick+60*minute, uint64(minute))))
	}
	readers := func(r *Reader, minutes int64) {
		t.Helper()
		minute := int64(0)
		for row, err := range r.Rows(t.Context(), tickAt(0), tickAt(1<<32), func(*Series) bool { return true }) {
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want(minute), entriesOf(rowText(row))); diff != "" || row.Tick.Unix() != firstTick+60*minute {
				t.Fatalf("row %d of minute %d (-want +got)\n%s", row.Tick.Unix(), minute, diff)
			}
			minute++
		}
		if minute != minutes {
			t.Errorf("%d rows, want %d", minute, minutes)
		}
	}
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	readers(r, 150)

	s := mustOpen(t, dir, Options{Step: time.Minute})
	if got := len(mustRemember(t, s)); got != 1+2*4 {
		t.Errorf("%d accounts", got)
	}
	for minute := int64(150); minute < 250; minute++ {
		mustTend(t, s, table(1, 3, firstTick+60*minute, uint64(minute)))
	}
	if n := len(s.arch.Load().windows[0]); n < 3 {
		t.Errorf("%d windows are archived", n)
	}
	if r, err = s.Reader(t.Context()); err != nil {
		t.Fatal(err)
	}
	readers(r, 250)
}

func TestNewerArchiveIsRefusedAndLeftAlone(t *testing.T) {
	schemaTo := func(v byte) func(*bbolt.Bucket) error {
		return func(b *bbolt.Bucket) error {
			return b.Put([]byte(keySchema), seal([]byte{recordVersion, v}, 0, bucketMeta, 0, []byte(keySchema)))
		}
	}
	newerRecord := func(b *bbolt.Bucket) error {
		k, v := b.Cursor().First()
		k, body := bytes.Clone(k), append([]byte{recordVersion + 1}, v[1:len(v)-4]...)
		return b.Put(k, seal(body, 0, bucketTier, 0, k))
	}
	for name, c := range map[string]struct {
		bucket string
		change func(*bbolt.Bucket) error
	}{"schema": {bucketMeta, schemaTo(archSchema + 1)}, "record": {bucketTier, newerRecord}} {
		for _, clean := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/clean=%t", name, clean), func(t *testing.T) {
				dir := filled(t, 2, 2, 5)
				rewriteArch(t, dir, c.bucket, c.change)
				if !clean {
					removeClean(t, dir)
				}
				before, err := os.ReadFile(filepath.Join(dir, archName))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := Open(dir, Options{}); !errors.Is(err, ErrNewer) {
					t.Errorf("open: %v, want ErrNewer", err)
				}
				if _, err := OpenOrQuarantine(dir, Options{}); !errors.Is(err, ErrNewer) {
					t.Errorf("quarantine: %v, want ErrNewer", err)
				}
				if _, err := OpenReader(t.Context(), dir); !errors.Is(err, ErrNewer) {
					t.Errorf("reader: %v, want ErrNewer", err)
				}
				after, err := os.ReadFile(filepath.Join(dir, archName))
				if err != nil || !bytes.Equal(before, after) {
					t.Errorf("the file was changed, %v", err)
				}
			})
		}
	}
}
