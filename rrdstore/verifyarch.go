package rrdstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"

	"lvs/rrdstore/chunk"
)

// checkStructure looks at all of an archive that bbolt relies on, and at the
// catalog, but not at the data.
func checkStructure(path string) error {
	v := verifier{brief: true}
	return v.file(path, v.record)
}

// archive visits the buckets of an arch.db.
func (v *verifier) archive(pages *pageFile, roots map[string][]byte, record func(string, []byte, []byte, []byte) error) error {
	for _, name := range []string{bucketTier, bucketSource, bucketEntity} {
		err := pages.bucket(roots[name], func(e element) error {
			if e.bucket || len(e.key) != 4 {
				return fmt.Errorf("key %x is a bucket, or not 4 bytes", e.key)
			}
			if name == bucketEntity {
				v.report.Series++
			}
			return v.judge(record(name, nil, e.key, e.value))
		})
		if err != nil {
			return fmt.Errorf("bucket %q: %w", name, err)
		}
	}
	err := pages.bucket(roots[bucketData], func(l element) error {
		if !l.bucket || len(l.key) != 4 {
			return fmt.Errorf("level %x is no bucket", l.key)
		}
		return pages.bucket(l.value, func(w element) error {
			if !w.bucket || len(w.key) != 4 {
				return fmt.Errorf("window %x of level %x is no bucket", w.key, l.key)
			}
			v.report.Windows++
			return pages.bucket(w.value, func(e element) error {
				if e.bucket || len(e.key) != 4 {
					return fmt.Errorf("block %x of window %x is a bucket, or its key is not 4 bytes", e.key, w.key)
				}
				if v.brief {
					return nil
				}
				return v.judge(v.chunk(chunkKey{keyNumber(l.key), keyNumber(w.key), keyNumber(e.key)}, e.value))
			})
		})
	})
	if err != nil {
		return fmt.Errorf("bucket %q: %w", bucketData, err)
	}
	return pages.free()
}

// chunk is what Verify asks of a superchunk: the checksums of all its parts.
func (v *verifier) chunk(k chunkKey, value []byte) error {
	b, err := chunk.Parse(k.place(), value)
	if err != nil {
		return v.chunkError(k, err)
	}
	v.report.Rows += b.Rows
	for slot := range chunk.Slots {
		if _, err := b.Slot(slot); err != nil {
			return v.chunkError(k, err)
		}
	}
	if v.onChunk != nil {
		return v.onChunk(k, b)
	}
	return nil
}

func (v *verifier) chunkError(k chunkKey, err error) error {
	err = fmt.Errorf("block %d of window %d, step %d: %w", k.block, k.window, k.step, err)
	if errors.Is(err, chunk.ErrNewer) {
		return fmt.Errorf("%w: %w", ErrNewer, err)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

const pageFreelist = 0x10

// free checks the list of free pages: one that is also in use would be written
// over. It is read after all that is in use. Source: internal/freelist in
// go.etcd.io/bbolt.
func (f *pageFile) free() error {
	if f.freelist == noFreelist {
		return nil
	}
	f.brief = false
	b, err := f.page(f.freelist)
	if err != nil {
		return fmt.Errorf("list of free pages: %w", err)
	}
	ne := binary.NativeEndian
	if flags := ne.Uint16(b[8:]); flags != pageFreelist {
		return fmt.Errorf("list of free pages: page %d has flags %#x", f.freelist, flags)
	}
	count, ids := uint64(ne.Uint16(b[10:])), b[pageHeader:]
	if count == 0xffff {
		count, ids = ne.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return fmt.Errorf("list of free pages has %d in %d bytes", count, len(ids))
	}
	for i := range count {
		id := ne.Uint64(ids[8*i:])
		if id < 2 || id >= f.high {
			return fmt.Errorf("page %d is free, outside of the file's %d", id, f.high)
		}
		if f.seen[id] {
			return fmt.Errorf("page %d is free and in use, or twice free", id)
		}
		f.seen[id] = true
	}
	return nil
}

// vitals is a checksum of a file's meta pages and its list of free pages.
func vitals(path string) (uint32, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	pages, err := openPages(f, info.Size())
	if err != nil {
		return 0, err
	}
	metas := make([]byte, 2*pages.size)
	if _, err := f.ReadAt(metas, 0); err != nil {
		return 0, err
	}
	sum := crc32.Checksum(metas, castagnoli)
	if pages.freelist == noFreelist {
		return sum, nil
	}
	free, err := pages.page(pages.freelist)
	return crc32.Update(sum, castagnoli, free), err
}
