package rrdstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
)

// A shortContext is canceled after so many questions.
type shortContext struct {
	context.Context
	left int
}

func (c *shortContext) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// pointsOf are values of one source, every step seconds from a tick on.
func pointsOf(name string, key, n int, start, step int64) iter.Seq2[Point, error] {
	return func(yield func(Point, error) bool) {
		for i := range n {
			p := Point{
				Time: tickAt(start + int64(i)*step), Key: testKey(key),
				Source: Source{Name: name}, Value: UintValue(uint64(1000*key + i)),
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}

// TestMaintenanceIsInterruptedAnywhere gives up what is done for the archive at
// every point at which it can be, and goes on: nothing is lost.
func TestMaintenanceIsInterruptedAnywhere(t *testing.T) {
	t.Parallel()
	for _, after := range []int{0, 1, 2, 3, 5, 8, 12} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			dir := t.TempDir()
			checkAfter(t, dir)
			s := mustOpen(t, dir, Options{})
			want := make(map[int64][]string)
			for i := range uint64(400) {
				snap := table(2, 40, stepAt(i), i)
				want[stepAt(i)] = snapshotText(snap)
				mustCommit(t, s, snap)
			}
			ctx := &shortContext{t.Context(), after}
			for more := true; more; {
				var err error
				if more, err = s.Maintain(ctx); err != nil && !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			}
			ctx = &shortContext{t.Context(), after}
			if _, err := s.ImportPoints(ctx, pointsOf("queue", 0, 40, stepAt(0), 10)); err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			for i := range 3 {
				if i < 2 { // the entities and sources that were given up must not be half known
					mustMaintain(t, s)
				}
				if _, err := s.ImportPoints(t.Context(), pointsOf("queue", i, 40, stepAt(0), 10)); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := OpenReader(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			rows, queued := 0, 0
			for row, err := range r.Rows(t.Context(), tickAt(0), tickAt(1<<32), func(*Series) bool { return true }) {
				if err != nil {
					t.Fatal(err)
				}
				rows++
				got := rowText(row)
				for _, line := range want[row.Tick.Unix()] {
					if line[:8] != "director" && !containsLine(got, line) {
						t.Fatalf("row %d lacks %q", row.Tick.Unix(), line)
					}
				}
				for _, e := range row.Entries {
					queued += len(e.Others)
				}
			}
			if rows != len(want) || queued != 3*40 {
				t.Errorf("%d rows, %d imported values, want %d and %d", rows, queued, len(want), 3*40)
			}
		})
	}
}

func containsLine(lines []string, line string) bool {
	for _, l := range lines {
		if l == line {
			return true
		}
	}
	return false
}

// TestFaultOfTheHeadSparesTheArchive: what the archive is made of proves damaged
// while it is made.
func TestFaultOfTheHeadSparesTheArchive(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{})
	for i := range uint64(800) {
		if mustCommit(t, s, table(2, 30, stepAt(i), i)); i < 500 {
			mustMaintain(t, s)
		}
	}
	windows := len(s.arch.Load().windows[0])
	if windows == 0 {
		t.Fatal("nothing is archived")
	}
	spoilPages(t, filepath.Join(dir, headName), func(page []byte) bool { return page[8] == pageLeaf })
	for i := uint64(0); ; i++ {
		_, err := s.Maintain(t.Context())
		if err == nil && i < 10 {
			continue
		}
		if !errors.Is(err, errHead) {
			t.Fatalf("maintain: %v, want a fault of the head", err)
		}
		break
	}
	if err := s.Commit(t.Context(), table(2, 30, stepAt(800), 800)); err != nil {
		t.Logf("the first commit after: %v", err)
	}
	for i := range uint64(800) {
		mustTend(t, s, table(2, 30, stepAt(801+i), 801+i))
	}
	if got := len(s.arch.Load().windows[0]); got <= windows {
		t.Errorf("%d windows are archived, before there were %d", got, windows)
	}
	aside, err := filepath.Glob(filepath.Join(dir, "*.damaged-*"))
	if err != nil || len(aside) != 1 || filepath.Base(aside[0])[:4] != "head" {
		t.Errorf("%v was put aside, %v", aside, err)
	}
}

// spoilPages makes nonsense of the pages of a file that pick picks.
func spoilPages(t *testing.T, path string, pick func(page []byte) bool) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page, n := make([]byte, pageSize), 0
	for at := int64(2 * pageSize); ; at += pageSize {
		if k, _ := f.ReadAt(page, at); k < pageSize {
			break
		}
		if pick(page) {
			if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, pageSize), at); err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	if n == 0 {
		t.Fatal("no such page")
	}
}

// rewriteArch changes a bucket of a closed store's archive.
func rewriteArch(t *testing.T, dir, bucket string, change func(b *bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(dir, archName), 0, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return change(tx.Bucket([]byte(bucket))) })
	if err = errors.Join(err, db.Close()); err == nil {
		err = markClean(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// flipRecord spoils the record of a key.
func flipRecord(key []byte) func(*bbolt.Bucket) error {
	return func(b *bbolt.Bucket) error {
		v := bytes.Clone(b.Get(key))
		v[len(v)/2] ^= 4
		return b.Put(key, v)
	}
}

func TestNumbersOfDamagedRecordsAreNotGivenAgain(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	if _, err := s.ImportPoints(t.Context(), pointsOf("queue", 1, 50, stepAt(0), 10)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rewriteArch(t, dir, bucketSource, flipRecord(windowKey(importedID)))
	rewriteArch(t, dir, bucketEntity, flipRecord(windowKey(0)))
	s = mustOpen(t, dir, Options{})
	for _, key := range []int{2, 1} {
		if _, err := s.ImportPoints(t.Context(), pointsOf("errors", key, 50, stepAt(100), 10)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for row, err := range r.Rows(t.Context(), tickAt(0), tickAt(1<<32), func(*Series) bool { return true }) {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range row.Entries {
			for _, o := range e.Others {
				if n++; o.Source.Name != "errors" || row.Tick.Unix() < stepAt(100) {
					t.Fatalf("%s is %v at %d", o.Source.Name, o.Value, row.Tick.Unix())
				}
			}
		}
	}
	if n != 100 {
		t.Errorf("%d values, want 100", n)
	}
}

// TestStepOfDataPointsIsNeverGuessed: without its record raw values would be made
// other data points of.
func TestStepOfDataPointsIsNeverGuessed(t *testing.T) {
	dir := filled(t, 2, 3, 500)
	rewriteArch(t, dir, bucketMeta, flipRecord([]byte(keyStep)))
	if r, err := OpenReader(t.Context(), dir); err == nil {
		_, err = r.Info(t.Context())
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("read with %v, want ErrDamaged", err)
		}
	} else if !errors.Is(err, ErrDamaged) {
		t.Errorf("open: %v, want ErrDamaged", err)
	}
	mustOpen(t, dir, Options{}) // the options tell it again
	if _, err := OpenReader(t.Context(), dir); !errors.Is(err, ErrLocked) {
		t.Errorf("open: %v", err)
	}
}

// TestImportAheadOfTheClock brings values of a time that is still to come, and
// that then comes: the rows of it are kept like all others.
func TestImportAheadOfTheClock(t *testing.T) {
	t.Parallel()
	for name, live := range map[string]bool{"while rows come": true, "before any row": false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			checkAfter(t, dir)
			s := mustOpen(t, dir, Options{})
			step := uint64(0)
			tend := func(n int) {
				t.Helper()
				for range n {
					mustTend(t, s, table(2, 3, stepAt(step), step))
					step++
				}
			}
			if live {
				tend(500)
			}
			for _, from := range []uint64{2000, 1000} {
				if _, err := s.ImportPoints(t.Context(), pointsOf("in_bytes", 9, 400, stepAt(from), 10)); err != nil {
					t.Fatal(err)
				}
			}
			if !live {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = mustOpen(t, dir, Options{})
			}
			tend(1500)
			r, err := s.Reader(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			next := uint64(0)
			for row, err := range r.Rows(t.Context(), tickAt(0), tickAt(stepAt(step-1)), func(s *Series) bool { return s.Number != 0 }) {
				if err != nil {
					t.Fatal(err)
				}
				if row.Tick.Unix() != stepAt(next) || len(row.Entries) != 2*4 {
					t.Fatalf("row %d has %d entries, want %d of row %d", row.Tick.Unix(), len(row.Entries), 2*4, stepAt(next))
				}
				next++
			}
			if next != step {
				t.Errorf("%d rows, want %d", next, step)
			}
			w := newWitness(10, 20)
			for i := range step {
				w.snapshot(table(2, 3, stepAt(i), i), func(string) bool { return false })
			}
			q := Query{Start: tickAt(stepAt(0)), End: tickAt(stepAt(step - 30)), Resolution: time.Minute, Functions: []Function{Average, Min, Max, Last}}
			for _, series := range r.Series()[1:] {
				if series.Number != 0 {
					q.Series = append(q.Series, series)
				}
			}
			if n := w.compare(t, r, q); n == 0 {
				t.Error("nothing was known")
			}
		})
	}
}

// TestClockSetBack: a head that was lost begins anew before the archive ends.
func TestClockSetBack(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	for i := range uint64(900) {
		mustTend(t, s, table(1, 2, stepAt(i), i))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, headName)); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, dir, Options{})
	for i := range uint64(900) {
		mustTend(t, s, table(1, 2, stepAt(i)+5, i)) // between those there are
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	checkNow(t, dir)
	got := make(map[string]int)
	for _, row := range readAll(t, dir) {
		got[fmt.Sprint(len(row)-1)]++
	}
	last := stepAt(900) - stepAt(900)%3600 // of the first head only this much was taken over
	want := map[string]int{"4": 900 + int(last-firstTick+9)/10}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows by entries (-want +got)\n%s", diff)
	}
}

// TestShortRetention keeps raw rows for no longer than it must: what tiers are
// made of goes only when it is of no account any more.
func TestShortRetention(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{Retention: time.Minute})
	w := newWitness(10, 20)
	for i := range uint64(2500) {
		snap := table(1, 2, stepAt(i)+7, i) // always within a data point
		w.snapshot(snap, func(string) bool { return false })
		mustTend(t, s, snap)
	}
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	q := Query{Series: r.Series()[1:], Functions: []Function{Average, Min, Max, Last}, Start: tickAt(stepAt(20)), End: tickAt(stepAt(2400)), Resolution: time.Minute}
	if w.compare(t, r, q); len(s.arch.Load().windows[0]) > 3 {
		t.Errorf("windows of raw rows: %d", s.arch.Load().windows[0])
	}
}
