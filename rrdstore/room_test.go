package rrdstore

import (
	"bytes"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// TestArchiveTakenAwayInUseIsReplaced: commits never notice, and the rows that the
// head has begin another archive.
func TestArchiveTakenAwayInUseIsReplaced(t *testing.T) {
	t.Parallel()
	fill := func(with byte, from int64) func(string) error {
		return func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt(bytes.Repeat([]byte{with}, 60*pageSize), from)
			return errors.Join(err, f.Close())
		}
	}
	lived := t.TempDir() // a thousand steps, which all go on from
	s := mustOpen(t, lived, chronicleOptions())
	for step := range uint64(1000) {
		if err := tendChronicle(s, step); err != nil {
			t.Fatal(err)
		}
		mustMaintain(t, s)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(path string) error{
		"truncated": func(path string) error { return os.Truncate(path, 3*pageSize) },
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"removed":   os.Remove,
		"garbage":   fill(0xa5, 2*pageSize),
		"zeroed":    fill(0, 2*pageSize),
		"all zero":  fill(0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			checkAfter(t, dir)
			for file, b := range readDisk(t, lived) {
				if err := os.WriteFile(filepath.Join(dir, file), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var log bytes.Buffer
			opts := chronicleOptions()
			opts.Logger = slog.New(slog.NewTextHandler(&log, nil))
			s := mustOpen(t, dir, opts)
			mustMaintain(t, s) // from here on the archive is in use
			head := uint64(s.Stats().Oldest.Unix()-firstTick) / 10
			if err := spoil(filepath.Join(dir, archName)); err != nil {
				t.Fatal(err)
			}
			failed := 0
			for step := uint64(1000); step < 1500; step++ {
				if err := tendChronicle(s, step); err != nil {
					t.Fatal(err)
				}
				for more, err := true, error(nil); more; {
					if more, err = s.Maintain(t.Context()); err != nil {
						failed++
						if !errors.Is(err, ErrDamaged) || failed > 3 {
							t.Fatalf("maintain for the %d. time: %v", failed, err)
						}
					}
				}
			}
			if failed == 0 {
				t.Error("nothing was noticed")
			}
			r, err := s.Reader(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			checkChronicleRows(t, r, head, 1499)
			askChronicle(t, r, rand.New(rand.NewPCG(1, 1)), 1499)
			aside := s.Stats().Aside
			if (aside == "") != (name == "removed") || aside != "" && !strings.HasPrefix(filepath.Base(aside), "arch.db.damaged-") {
				t.Errorf("put aside as %q", aside)
			}
			if text := log.String(); strings.Count(text, "level=ERROR") != 1 || !strings.Contains(text, "starting a new one") || !strings.Contains(text, archName) {
				t.Errorf("the log says\n%s", text)
			}
		})
	}
}

// TestArchiveGivesUpItsOldest has room for a part of what is to be kept: it is
// kept in proportion.
func TestArchiveGivesUpItsOldest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	checkAfter(t, dir)
	opts := Options{
		MaxBytes: minMaxBytes, Step: time.Minute, Heartbeat: 2 * time.Minute, Retention: 400 * time.Hour,
		Tiers: []Tier{{time.Minute, 800 * time.Hour}},
	}
	s := mustOpen(t, dir, opts)
	worst := int64(0)
	for i := range uint64(14 * 60) {
		mustTend(t, s, table(10, 90, firstTick+60*int64(i), i*i))
		worst = max(worst, s.fileSize())
	}
	if worst > opts.MaxBytes {
		t.Errorf("the files grew to %d bytes", worst)
	}
	a := s.arch.Load()
	var shares []float64
	for _, l := range a.levels {
		shares = append(shares, float64(s.tick-a.windows[l.step][0])/float64(l.keep))
	}
	t.Logf("shares of what is to be kept: %.3f", shares)
	if len(shares) != 2 || shares[0] > 0.05 || shares[0] < 0.005 || max(shares[0], shares[1]) > min(shares[0], shares[1])+0.01 {
		t.Errorf("shares of what is to be kept: %.3f", shares)
	}
	if st := s.Stats(); st.Failures != 0 || st.Newest.Unix() != int64(s.tick) {
		t.Errorf("stats %+v", st)
	}
	r, err := s.Reader(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, step := range []time.Duration{time.Minute, 5 * time.Minute} {
		res, err := r.Fetch(t.Context(), Query{Series: r.Series()[1:3], Start: tickAt(firstTick), End: tickAt(int64(s.tick)), Resolution: step})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range res.Columns[0].Values {
			known += btoi(Known(v))
		}
	}
	if known < 150 {
		t.Errorf("%d values are known", known)
	}
}

// TestDamageIsSaid: what is left out of the archive, or of what is made of it, is
// told once.
func TestDamageIsSaid(t *testing.T) {
	dir := filled(t, 2, 4, 500)
	rewrite(t, dir, bucketRow, func(b *bbolt.Bucket) error {
		w := b.Bucket(windowKey(firstTick))
		k := rowKey{firstTick + 50, 1}.bytes()
		v := bytes.Clone(w.Get(k))
		v[2] ^= 1
		return w.Put(k, v)
	})
	rewriteArch(t, dir, bucketTier, flipRecord(windowKey(300)))
	var log bytes.Buffer
	s := mustOpen(t, dir, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	mustMaintain(t, s)
	for _, want := range []string{
		`msg="archive has damaged records, which are left out" records=1`,
		`msg="archive is made without damaged records" step=0 window=2023-11-14T22:00:00.000Z records=`,
	} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("%q is said %d times in\n%s", want, strings.Count(log.String(), want), log.String())
		}
	}
}
