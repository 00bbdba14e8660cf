package rrdstore

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// serving is an open store in dir that serves until the test ends.
func serving(t *testing.T, dir string) *Store {
	t.Helper()
	s := mustOpen(t, dir, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		if _, err := os.Stat(filepath.Join(dir, socketName)); err == nil {
			t.Error("serve left its socket")
		}
	})
	for {
		conn, err := dialSocket(t.Context(), dir)
		if err == nil {
			conn.Close()
			return s
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

func TestReaderSeesTheSameThroughSocketFileAndCopy(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{
		"short path": t.TempDir(),
		"long path":  filepath.Join(t.TempDir(), strings.Repeat("long/", 30)),
	} {
		t.Run(name, func(t *testing.T) {
			var live [][]string
			t.Run("socket", func(t *testing.T) {
				s := serving(t, dir)
				for i := range 150 {
					mustCommit(t, s, table(5, 30, firstTick+int64(i)*60, uint64(i)))
				}
				live = readAll(t, dir)
			})
			file := readAll(t, dir)
			if len(file) != 150 {
				t.Errorf("%d rows", len(file))
			}
			if diff := cmp.Diff(file, live); diff != "" {
				t.Errorf("(-file +socket)\n%s", diff)
			}
			copied := t.TempDir()
			b, err := os.ReadFile(filepath.Join(dir, headName))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(copied, headName), b, 0o400); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(file, readAll(t, copied)); diff != "" {
				t.Errorf("(-file +copy)\n%s", diff)
			}
		})
	}
}

// TestReadersWhileCommitting reads again and again, all and one series, while
// ticks come in and windows go; every row read must be whole and right.
func TestReadersWhileCommitting(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := serving(t, dir)
	mustCommit(t, s, table(6, 30, firstTick, 0))
	var readers sync.WaitGroup
	stop := make(chan struct{})
	rows := make([]int, 3)
	for n := range rows {
		readers.Go(func() {
			r, err := OpenReader(t.Context(), dir)
			if err != nil {
				t.Error(err)
				return
			}
			want := func(s *Series) bool { return n == 0 || s.Number == uint32(n) && s.RealNumber == uint32(n) }
			for done := false; !done; {
				select {
				case <-stop:
					done = true
				default:
				}
				for row, err := range r.Rows(t.Context(), tickAt(0), tickAt(1<<32), want) {
					if err != nil {
						t.Error(err)
						return
					}
					rows[n]++
					checkRow(t, row, n)
				}
				if r.Damaged() != 0 {
					t.Errorf("%d records were left out", r.Damaged())
				}
			}
		})
	}
	for i := range int64(400) {
		// Windows go to the archive while they are read.
		mustTend(t, s, table(6, 30, firstTick+10+i*30, uint64(i*30+10)/10))
	}
	close(stop)
	readers.Wait()
	for n, got := range rows {
		if got < 60 {
			t.Errorf("reader %d saw %d rows", n, got)
		}
	}
	if s.Stats().Windows == 0 {
		t.Error("no window went")
	}
}

// checkRow checks a row of table(6, 30, …), whose counters follow from the tick.
func checkRow(t *testing.T, row *Row, n int) {
	want := 6 * 31
	if n > 0 {
		want = 1
	}
	if len(row.Entries) != want {
		t.Errorf("row %v has %d entries, want %d", row.Tick, len(row.Entries), want)
	}
	step := uint64(row.Tick.Unix()-firstTick) / 10
	for _, e := range row.Entries {
		scale := uint64(e.Series.Number)
		if e.Series.RealNumber > 0 {
			scale = uint64((e.Series.Number-1)*3 + e.Series.RealNumber - 1)
		}
		if e.Total.Connections != step*scale || e.Total.InBytes != step*scale*900 {
			t.Errorf("row %v: %v %v has %v", row.Tick, e.Series.Key, e.Series.RIP, e.Total)
			return
		}
	}
}

func TestTooManyReadersAreToldSo(t *testing.T) {
	dir := t.TempDir()
	s := serving(t, dir)
	mustCommit(t, s, table(1, 1, firstTick, 1))
	for range maxClients {
		conn, err := dialSocket(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	for range 1000 {
		_, err := remoteSource(dir).catalog(t.Context(), true)
		if err == nil {
			continue // the clients that were first are not accepted yet
		}
		if !strings.Contains(err.Error(), "too many readers") {
			t.Errorf("got %v", err)
		}
		return
	}
	t.Error("nobody was refused")
}

// TestReaderThatTakesNothingHoldsUpNobody lets a client ask for everything and
// read none of it.
func TestReaderThatTakesNothingHoldsUpNobody(t *testing.T) {
	dir := t.TempDir()
	s := serving(t, dir)
	for i := range 150 {
		mustCommit(t, s, table(20, 50, firstTick+int64(i)*10, uint64(i*i)))
	}
	conn, err := dialSocket(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	request := query{end: 1<<32 - 1, all: true}.append([]byte{protocolVersion, requestRows})
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request...)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // it is being answered
		t.Fatal(err)
	}
	for i := range 20 {
		mustCommit(t, s, table(20, 50, firstTick+3000+int64(i)*10, uint64(i)))
	}
	if n := s.db.Stats().OpenTxN; n != 0 {
		t.Errorf("%d transactions are open", n)
	}
	if got := len(readAll(t, dir)); got != 170 {
		t.Errorf("another reader saw %d rows", got)
	}
	// Serve ends with the test, although the client still holds on.
	t.Cleanup(func() { conn.Close() })
}

func TestOwnerAnswersNonsenseWithAnError(t *testing.T) {
	dir := t.TempDir()
	serving(t, dir)
	for name, request := range map[string]string{
		"version": "\x00\x00\x00\x02\x63c", "kind": "\x00\x00\x00\x02\x02z", "too short": "\x00\x00\x00\x01\x02",
		"too long": "\xff\xff\xff\xff", "bad query": "\x00\x00\x00\x04\x02r\x00\x00",
		"more series than bytes": "\x00\x00\x00\x0c\x02r\x00\x00\x00\x00\x00\x00\x00\x00\x00\x7f",
	} {
		conn, err := dialSocket(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		err = readFrames(conn, func(byte, []byte) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "request") {
			t.Errorf("%s: %v, want an error about the request", name, err)
		}
		conn.Close()
	}
}

func TestReaderNoticesAnOwnerThatBreaksOff(t *testing.T) {
	a, b := net.Pipe()
	go func() {
		b.Write(appendFrame(nil, frameRow, make([]byte, 20))[:15])
		b.Close()
	}()
	if err := readFrames(a, func(byte, []byte) error { return nil }); err == nil || !strings.Contains(err.Error(), "broke off") {
		t.Errorf("got %v", err)
	}
}

func TestReaderGoesOnWhenTheOwnerGoes(t *testing.T) {
	dir := t.TempDir()
	var r *Reader
	t.Run("owner", func(t *testing.T) {
		s := serving(t, dir)
		mustCommit(t, s, table(1, 1, firstTick, 1))
		var err error
		if r, err = OpenReader(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	})
	n := 0
	for _, err := range r.Rows(t.Context(), tickAt(0), tickAt(firstTick), func(*Series) bool { return true }) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestReaderWithoutAStore(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		if _, err := OpenReader(t.Context(), dir); !errors.Is(err, ErrNotExist) {
			t.Errorf("got %v, want ErrNotExist", err)
		}
		if err := os.WriteFile(filepath.Join(dir, headName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, headName), []byte("no store"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReader(t.Context(), dir); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
}

func TestRowsStopsWhenAskedTo(t *testing.T) {
	dir := filled(t, 2, 2, 10)
	r, err := OpenReader(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range r.Rows(t.Context(), tickAt(0), tickAt(1<<32), func(*Series) bool { return false }) {
		if n++; n == 3 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range r.Rows(ctx, tickAt(0), tickAt(1<<32), func(*Series) bool { return true }) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		n++
	}
	if n != 4 {
		t.Errorf("%d iterations, want 4", n)
	}
}
