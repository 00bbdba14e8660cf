package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"lvs/internal/bench/load"
)

// A window is one of the archive's, with its place in time and in the file.
type window struct {
	start time.Time
	bytes int64 // of the pages that hold it, all of each
}

// A level is the archive's windows of one step; 0 is the raw rows.
type level struct {
	step    time.Duration
	windows []window // in order
}

type levels []level

const archiveName = "arch.db"

func (all levels) of(step time.Duration) level {
	for _, l := range all {
		if l.step == step {
			return l
		}
	}
	return level{step: step}
}

// archived is what lies in the archive of a store that nobody has open. The
// buckets are as package rrdstore describes them: data/STEP/WINDOW.
func archived(dir string) (all levels, err error) {
	db, err := bbolt.Open(filepath.Join(dir, archiveName), 0, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.View(func(tx *bbolt.Tx) error {
		data := tx.Bucket([]byte("data"))
		if data == nil {
			return errors.New("the archive has no data")
		}
		return data.ForEachBucket(func(step []byte) error {
			l := level{step: seconds(step)}
			b := data.Bucket(step)
			err := b.ForEachBucket(func(start []byte) error {
				st := b.Bucket(start).Stats()
				size := st.BranchAlloc + st.LeafAlloc
				if size == 0 {
					size = st.InlineBucketInuse // so small that it is within its parent's page
				}
				l.windows = append(l.windows, window{time.Unix(int64(seconds(start)/time.Second), 0), int64(size)})
				return nil
			})
			all = append(all, l)
			return err
		})
	})
	return all, err
}

// archiveSize is that of the file, free pages and all.
func archiveSize(dir string) (int64, error) {
	info, err := os.Stat(filepath.Join(dir, archiveName))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func seconds(key []byte) time.Duration {
	return time.Duration(binary.BigEndian.Uint32(key)) * time.Second
}

// perSample is how many bytes of the file a value takes.
type perSample float64

// perSample counts the sources that the peers keep too, and is for raw rows without
// gaps.
func (l level) perSample(c load.Config) perSample {
	var bytes int64
	for _, w := range l.windows {
		bytes += w.bytes
	}
	samples := float64(len(l.windows)) * float64(l.span()/c.Step) * float64(c.Entities()*len(load.Sources))
	return perSample(float64(bytes) / samples)
}

// span is how long a window is.
func (l level) span() time.Duration {
	if len(l.windows) < 2 {
		return time.Hour
	}
	return l.windows[1].start.Sub(l.windows[0].start)
}

// String is for errors.
func (l level) String() string { return fmt.Sprintf("%d windows of %v", len(l.windows), l.step) }
