package rrdstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"lvs/rrdstore/chunk"
)

// A Report is what Verify found in a file.
type Report struct {
	Pages   int // that are in use
	Series  int // superseded ones included
	Windows int
	Rows    int // of an archive, in all its superchunks
	// Damaged is how many records are refused for themselves, leaving the rest
	// usable; First is why the first of them is.
	Damaged int
	First   error
}

// Verify reads a whole head.db or arch.db, which nobody may be writing, and checks
// all that bbolt relies on and the checksum of every record. It never maps the file, so
// that no damage can end the process. A file that cannot be used is a
// [*DamagedError]; a newer one is [ErrNewer]; damaged records alone are only
// reported.
func Verify(path string) (Report, error) {
	var v verifier
	err := v.file(path, v.record)
	return v.report, err
}

// checkSchema reads no more than the version of a file.
func checkSchema(path string) error {
	var v verifier
	return v.file(path, nil)
}

// A verifier visits the records of a file in the order meta, series, row.
type verifier struct {
	report  Report
	brief   bool // leave the data of an archive out
	onChunk func(chunkKey, *chunk.Block) error
}

// file visits all records where record is given, and meta alone otherwise. What
// record returns ends the visit if it is ErrNewer and counts as damage otherwise.
func (v *verifier) file(path string, record func(bucket string, window []byte, key, value []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("verify store: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("verify store: %w", err)
	}
	pages, err := openPages(f, info.Size())
	if err == nil {
		pages.brief = v.brief
		err = v.buckets(pages, record)
		v.report.Pages = pages.pages
	}
	if isNewer(err) {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err != nil {
		return &DamagedError{Path: path, Err: err}
	}
	return nil
}

func (v *verifier) buckets(pages *pageFile, record func(string, []byte, []byte, []byte) error) error {
	roots := make(map[string][]byte)
	err := pages.rootBucket(func(e element) error {
		if !e.bucket {
			return fmt.Errorf("key %x is no bucket", e.key)
		}
		roots[string(e.key)] = e.value
		return nil
	})
	if err != nil {
		return err
	}
	if len(roots) == 0 {
		return nil // made, and not written to before the process ended
	}
	if err := v.meta(pages, roots[bucketMeta], record); err != nil {
		return fmt.Errorf("bucket %q: %w", bucketMeta, err)
	}
	if record == nil {
		return nil
	}
	if roots[bucketData] != nil {
		return v.archive(pages, roots, record)
	}
	if pages.freelist != noFreelist {
		return errors.New("it has a list of free pages, which this store never writes")
	}
	err = pages.bucket(roots[bucketSeries], func(e element) error {
		if e.bucket || len(e.key) != 8 {
			return fmt.Errorf("series %x is a bucket, or its key is not 8 bytes", e.key)
		}
		v.report.Series++
		return v.judge(record(bucketSeries, nil, e.key, e.value))
	})
	if err != nil {
		return fmt.Errorf("bucket %q: %w", bucketSeries, err)
	}
	err = pages.bucket(roots[bucketRow], func(w element) error {
		if !w.bucket || len(w.key) != 4 || len(w.value) < bucketHeader {
			return fmt.Errorf("window %x is no bucket", w.key)
		}
		v.report.Windows++
		rows := uint64(0)
		err := pages.bucket(w.value, func(e element) error {
			if e.bucket || len(e.key) != 6 {
				return fmt.Errorf("row %x of window %x is a bucket, or its key is not 6 bytes", e.key, w.key)
			}
			if e.key[4] == 0 && e.key[5] == 0 {
				rows++
			}
			return v.judge(record(bucketRow, w.key, e.key, e.value))
		})
		v.report.Rows += int(rows)
		if sequence := binary.NativeEndian.Uint64(w.value[8:]); err == nil && sequence != rows {
			return v.judge(fmt.Errorf("%w: window %x has %d rows, and says %d", ErrDamaged, w.key, rows, sequence))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("bucket %q: %w", bucketRow, err)
	}
	return nil
}

// meta checks the schema: without it nothing else can be read.
func (v *verifier) meta(pages *pageFile, bucket []byte, record func(string, []byte, []byte, []byte) error) error {
	found := false
	err := pages.bucket(bucket, func(e element) error {
		if string(e.key) != keySchema || e.bucket {
			if record == nil || e.bucket {
				return nil // for the schema to tell
			}
			return v.judge(record(bucketMeta, nil, e.key, e.value))
		}
		found = true
		payload, err := unseal(e.value, bucketMeta, 0, e.key)
		if err != nil {
			return err
		}
		if len(payload) == 0 {
			return errShort
		}
		if payload[0] > schema {
			return fmt.Errorf("schema %d: %w", payload[0], ErrNewer)
		}
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("key %q is missing", keySchema)
	}
	return err
}

// record is what Verify asks of a record: its checksum and version.
func (v *verifier) record(bucket string, window, key, value []byte) error {
	var w uint32
	if window != nil {
		w = binary.BigEndian.Uint32(window)
	}
	_, err := unseal(value, bucket, w, key)
	return err
}

func (v *verifier) judge(err error) error {
	if err == nil || isNewer(err) {
		return err
	}
	v.report.Damaged++
	if v.report.First == nil {
		v.report.First = err
	}
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	return nil
}
