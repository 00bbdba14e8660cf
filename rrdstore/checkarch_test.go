package rrdstore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"lvs/rrdstore/chunk"
)

// changeChunk rewrites the first superchunk of a level.
func changeChunk(step uint32, change func(k *chunkKey, b *chunk.Block, slots *[chunk.Slots][]byte)) func(*bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		k := chunkKey{step: step, window: windowsOf(tx, step)[0]}
		b, err := chunk.Parse(k.place(), getChunk(tx, k))
		if err != nil {
			return err
		}
		var slots [chunk.Slots][]byte
		for i := range slots {
			if slots[i], err = b.Slot(i); err != nil {
				return err
			}
		}
		change(&k, b, &slots)
		return putChunk(tx, k, chunk.Append(nil, k.place(), &b.Header, &slots))
	}
}

// changeRows rewrites the last column of an entity's rows in the first superchunk
// of minutes.
func changeRows(change func(c *chunk.TierColumn)) func(*bbolt.Tx) error {
	return changeChunk(60, func(_ *chunkKey, b *chunk.Block, slots *[chunk.Slots][]byte) {
		for i, v := range slots {
			var tier chunk.Tier
			if v == nil || tier.Parse(v, b.Rows, b.Step/b.PDP, chunk.AllParts, nil) != nil {
				continue
			}
			change(&tier.Columns[len(tier.Columns)-1])
			slots[i] = tier.Append(nil, b.Rows, b.Step/b.PDP)
			return
		}
	})
}

// TestCheckFindsWhatDoesNotFit breaks each of the invariants of an archive with
// records whose checksums are right.
func TestCheckFindsWhatDoesNotFit(t *testing.T) {
	dir := t.TempDir()
	checkAfter(t, dir)
	s := mustOpen(t, dir, Options{})
	for i := range uint64(800) {
		mustTend(t, s, table(1, 3, stepAt(i), i))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good := readDisk(t, dir)[archName]
	stranger := entity{aid: 500, id: identity{key: testKey(0)}}
	known := func(c *chunk.TierColumn) (row int) {
		for c.Known[row] == 0 {
			row++
		}
		return row
	}
	for want, change := range map[string]func(*bbolt.Tx) error{
		"complete until":      (&level{step: 60, span: 3600, keep: 9, frontier: 3601, fed: true}).put,
		"windows of step 60":  (&level{step: 60, span: 5000, keep: 9, fed: true}).put,
		"is no multiple of":   (&level{step: 90, span: 3600, keep: 9, fed: true}).put,
		"levels are stored":   (&level{step: 60, keep: 9, fed: true}).put,
		"identities":          stranger.put,
		"sources have":        sourceEntry{20, Source{"in_bytes", Counter}}.put,
		"step of data points": func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucketMeta)).Delete([]byte(keyStep)) },
		"no such entity":      func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucketEntity)).Delete(windowKey(2)) },
		"begins within": changeChunk(0, func(k *chunkKey, b *chunk.Block, _ *[chunk.Slots][]byte) {
			k.window += 100
			b.Start = k.window
			for i := range b.Ticks {
				b.Ticks[i] += 100
			}
		}),
		"it is of window":  changeChunk(0, func(_ *chunkKey, b *chunk.Block, _ *[chunk.Slots][]byte) { b.Start -= 10 }),
		"some later than":  changeChunk(0, func(_ *chunkKey, b *chunk.Block, _ *[chunk.Slots][]byte) { b.Ticks[b.Rows-1] += 3600 }),
		"no level":         changeChunk(60, func(k *chunkKey, _ *chunk.Block, _ *[chunk.Slots][]byte) { k.step = 77 }),
		"rows of data":     changeChunk(60, func(_ *chunkKey, b *chunk.Block, s *[chunk.Slots][]byte) { *s, b.Rows = [chunk.Slots][]byte{}, 59 }),
		"no source 15":     changeRows(func(c *chunk.TierColumn) { c.Source = 15 }),
		"its least":        changeRows(func(c *chunk.TierColumn) { c.Min[known(c)], c.Max[known(c)] = 9, 8 }),
		"its mean":         changeRows(func(c *chunk.TierColumn) { c.Sum[known(c)] = -5 }),
		"its last":         changeRows(func(c *chunk.TierColumn) { c.Last[known(c)] = 1e18 }),
		"checksum differs": func(tx *bbolt.Tx) error { return flipRecord(windowKey(1))(tx.Bucket([]byte(bucketEntity))) },
	} {
		t.Run(want, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), archName)
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := bbolt.Open(path, 0, &bbolt.Options{Timeout: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Update(change); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err := Check(path); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want it to say %q", err, want)
			}
		})
	}
}
