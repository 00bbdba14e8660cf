package rrdstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// damages are ways to spoil a file that holds pages many pages.
var damages = map[string]func(rnd *rand.Rand, b []byte, pages int) []byte{
	"truncated": func(rnd *rand.Rand, b []byte, pages int) []byte { return b[:rnd.IntN(pages*pageSize)] },
	"zeroed": func(rnd *rand.Rand, b []byte, pages int) []byte {
		at := rnd.IntN(pages) * pageSize
		clear(b[at : at+pageSize])
		return b
	},
	"flipped": func(rnd *rand.Rand, b []byte, pages int) []byte {
		for range 1 + rnd.IntN(8) {
			b[rnd.IntN(pages*pageSize)] ^= byte(1 << rnd.IntN(8))
		}
		return b
	},
	"garbage": func(rnd *rand.Rand, b []byte, pages int) []byte {
		at := rnd.IntN(pages) * pageSize
		for i := range pageSize {
			b[at+i] = byte(rnd.Uint32())
		}
		return b
	},
	"swapped": func(rnd *rand.Rand, b []byte, pages int) []byte {
		x, y := rnd.IntN(pages)*pageSize, rnd.IntN(pages)*pageSize
		page := bytes.Clone(b[x : x+pageSize])
		copy(b[x:], b[y:y+pageSize])
		copy(b[y:], page)
		return b
	},
	"header": func(rnd *rand.Rand, b []byte, pages int) []byte { // what bbolt trusts
		at := rnd.IntN(pages) * pageSize
		for range 1 + rnd.IntN(3) {
			binary.LittleEndian.PutUint16(b[at+2*rnd.IntN(40):], uint16(rnd.Uint32()))
		}
		return b
	},
}

// TestDamageIsFoundOrHarmless spoils copies of a file in many ways. A copy is
// refused, or every row still read from it is right; in either case
// OpenOrQuarantine gives a store that works.
func TestDamageIsFoundOrHarmless(t *testing.T) {
	t.Parallel()
	const ticks = 90
	dir := filled(t, 6, 30, ticks)
	good, err := os.ReadFile(filepath.Join(dir, headName))
	if err != nil {
		t.Fatal(err)
	}
	report, err := Verify(filepath.Join(dir, headName))
	if err != nil {
		t.Fatal(err)
	}
	right := make(map[string][]string)
	for _, row := range readAll(t, dir) {
		right[row[0]] = row
	}
	if len(right) != ticks {
		t.Fatalf("%d rows, want %d", len(right), ticks)
	}
	good = good[:min(len(good), (report.Pages+2+20)*pageSize)]
	for name, spoil := range damages {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(3, uint64(len(name))))
			refused, used := 0, 0
			for range 16 {
				dir := t.TempDir()
				path := filepath.Join(dir, headName)
				if err := os.WriteFile(path, spoil(rnd, bytes.Clone(good), report.Pages+2), 0o600); err != nil {
					t.Fatal(err)
				}
				if useDamaged(t, dir, right) {
					used++
				} else {
					refused++
				}
				s, err := OpenOrQuarantine(dir, Options{})
				if err != nil {
					t.Fatalf("quarantine: %v", err)
				}
				mustCommit(t, s, table(6, 30, firstTick+100_000, 1))
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
			t.Logf("%d refused, %d used", refused, used)
		})
	}
}

// useDamaged reads a damaged file if it can and compares what it reads.
func useDamaged(t *testing.T, dir string, right map[string][]string) (used bool) {
	t.Helper()
	s, err := Open(dir, Options{})
	if err != nil {
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
			t.Errorf("open: %v", err)
		}
		return false
	}
	for _, a := range mustRemember(t, s) {
		if a.Number != 0 && a.Total != a.Kernel {
			t.Errorf("remembered %+v", a)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, row := range readAll(t, dir) {
		whole := strings.Join(right[row[0]], "\n")
		for _, line := range row {
			if !strings.Contains(whole, line) {
				t.Fatalf("read %q at %s, which was never written", line, row[0])
			}
		}
	}
	return true
}

// readAll is every row as text, the first line naming its tick.
func readAll(t *testing.T, dir string) (rows [][]string) {
	t.Helper()
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range r.Rows(t.Context(), tickAt(0), tickAt(1<<32), func(*Series) bool { return true }) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, append([]string{row.Tick.String()}, rowText(row)...))
	}
	return rows
}

// TestCopyOfAFileInUseIsFoundOrHarmless copies the file page by page while it is
// being written, which is what a crash of the machine may leave at worst.
func TestCopyOfAFileInUseIsFoundOrHarmless(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, dir, Options{})
	right := make(map[string][]string)
	tick := int64(firstTick)
	for range 15 {
		copied := t.TempDir()
		src, err := os.Open(filepath.Join(dir, headName))
		if err != nil {
			t.Fatal(err)
		}
		dst, err := os.Create(filepath.Join(copied, headName))
		if err != nil {
			t.Fatal(err)
		}
		page := make([]byte, 16*pageSize)
		for at := int64(0); ; at += int64(len(page)) {
			n, err := src.ReadAt(page, at)
			if n == 0 || at > 1<<20 {
				break
			}
			if _, err := dst.WriteAt(page[:n], at); err != nil {
				t.Fatal(err)
			}
			if err != nil {
				break
			}
			snap := table(6, 30, tick, uint64(tick-firstTick)/10)
			mustCommit(t, s, snap)
			tick += 10
		}
		src.Close()
		dst.Close()
		for at := firstTick + int64(len(right))*10; at < tick; at += 10 {
			row := expectRow(at)
			right[row[0]] = row
		}
		useDamaged(t, copied, right)
	}
}

// expectRow is what table(6, 30, …) at a tick reads as.
func expectRow(tick int64) []string {
	snap := table(6, 30, tick, uint64(tick-firstTick)/10)
	return append([]string{tickAt(tick).String()}, snapshotText(snap)...)
}
