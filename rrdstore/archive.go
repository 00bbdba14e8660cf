package rrdstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"sync/atomic"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"lvs/rrdstore/chunk"
)

const (
	archName = "arch.db"

	bucketEntity = "entity"
	bucketSource = "source"
	bucketTier   = "tier"
	bucketData   = "data"

	// resetID is the number of the resets, which no catalog lists; importedID is
	// the first one of sources that imports brought.
	resetID    = uint16(len(standardSources))
	importedID = 16
)

// An archive is an open arch.db: closed windows of every level, by identity. Its
// one writer is Store.Maintain, or an import.
type archive struct {
	path   string
	db     *bbolt.DB
	shared atomic.Pointer[bbolt.DB] // nil after a fault
	catalog
	windows map[uint32][]uint32 // by step, the windows there are, in order
	opened  fs.FileInfo
	// oldBeat is the heartbeat of rows before oldUntil, which came at longer
	// intervals; zero: they did not.
	oldBeat, oldUntil uint32
	high              int64 // bytes of it that were ever in use
	used              int64 // bytes that hold something
	// stale says that memory may be ahead of the file, because what was to be
	// stored was not: it is read again before it is used.
	stale bool
}

// openArchive opens or makes dir's archive.
func openArchive(dir string, opts *Options) (*archive, error) {
	path := filepath.Join(dir, archName)
	o := &bbolt.Options{Timeout: opts.LockTimeout, FreelistType: bbolt.FreelistMapType, PageSize: pageSize, MaxSize: int(opts.archBytes())}
	if bits.UintSize == 64 {
		o.InitialMmapSize = int(opts.archBytes())
	}
	db, err := openBolt(path, o)
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, &LockedError{Dir: dir}
	}
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	db.AllocSize = growth(0, 16<<20)
	a := &archive{path: path, db: db}
	err = guard(func() error {
		missing := false
		err := db.View(func(tx *bbolt.Tx) error {
			missing = tx.Bucket([]byte(bucketData)) == nil
			return nil
		})
		if err == nil && missing {
			err = a.update(createArchive)
		}
		if err != nil {
			return err
		}
		return db.View(a.load)
	})
	if err == nil {
		err = syncDir(dir)
	}
	if err == nil {
		a.opened, err = os.Stat(path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open archive: %w", err), closeBolt(db, err))
	}
	a.shared.Store(db)
	return a, nil
}

// createArchive makes what a new file lacks.
func createArchive(tx *bbolt.Tx) error {
	for _, name := range []string{bucketMeta, bucketEntity, bucketSource, bucketTier, bucketData} {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	v := seal([]byte{recordVersion, archSchema}, 0, bucketMeta, 0, []byte(keySchema))
	return tx.Bucket([]byte(bucketMeta)).Put([]byte(keySchema), v)
}

// load reads all but the data.
func (a *archive) load(tx *bbolt.Tx) error {
	records, err := archiveRecords(tx)
	if err != nil {
		return err
	}
	if a.catalog, err = parseCatalog(records); err != nil {
		return err
	}
	a.windows = make(map[uint32][]uint32)
	for _, l := range a.levels {
		a.windows[l.step] = windowsOf(tx, l.step)
	}
	a.measure(tx)
	return nil
}

// fresh makes memory what the file says.
func (a *archive) fresh(o *Options) error {
	if !a.stale {
		return nil
	}
	err := a.view(a.load)
	if err == nil && a.level(0) == nil { // its record was damaged meanwhile
		err = guard(func() error { return a.configure(o) })
	}
	a.stale = err != nil
	return err
}

func (a *archive) measure(tx *bbolt.Tx) {
	stats := a.db.Stats()
	a.high = tx.Size()
	a.db.AllocSize = growth(a.high, 16<<20)
	a.used = a.high - int64(stats.FreePageN+stats.PendingPageN)*pageSize
}

// update is bbolt's Update; see Store.update.
func (a *archive) update(fn func(*bbolt.Tx) error) error {
	tx, err := a.db.Begin(true)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (a *archive) view(fn func(*bbolt.Tx) error) error {
	db := a.shared.Load()
	if db == nil {
		return ErrClosed
	}
	err := guard(func() error { return db.View(fn) })
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// intact looks at the file from outside; see Store.intact.
func (a *archive) intact() error { return intact(a.path, a.opened, a.high) }

// windowsOf are the windows of a level in the file.
func windowsOf(tx *bbolt.Tx, step uint32) (all []uint32) {
	level := levelBucket(tx, step)
	if level == nil {
		return nil
	}
	c := level.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if len(k) == 4 {
			all = append(all, binary.BigEndian.Uint32(k))
		}
	}
	return all
}

func levelBucket(tx *bbolt.Tx, step uint32) *bbolt.Bucket {
	data := tx.Bucket([]byte(bucketData))
	if data == nil {
		return nil
	}
	return data.Bucket(windowKey(step))
}

// A chunkKey is where a superchunk is kept.
type chunkKey struct{ step, window, block uint32 }

// place is what a superchunk's checksums are bound to.
func (k chunkKey) place() []byte {
	b := append(make([]byte, 0, len(bucketData)+12), bucketData...)
	b = binary.BigEndian.AppendUint32(b, k.step)
	b = binary.BigEndian.AppendUint32(b, k.window)
	return binary.BigEndian.AppendUint32(b, k.block)
}

// getChunk is the superchunk of a key, nil if there is none. It is part of the
// file's memory and valid during the transaction.
func getChunk(tx *bbolt.Tx, k chunkKey) []byte {
	level := levelBucket(tx, k.step)
	if level == nil {
		return nil
	}
	w := level.Bucket(windowKey(k.window))
	if w == nil {
		return nil
	}
	return w.Get(windowKey(k.block))
}

// putChunk stores a superchunk.
func putChunk(tx *bbolt.Tx, k chunkKey, v []byte) error {
	level, err := tx.Bucket([]byte(bucketData)).CreateBucketIfNotExists(windowKey(k.step))
	if err != nil {
		return err
	}
	w, err := level.CreateBucketIfNotExists(windowKey(k.window))
	if err != nil {
		return err
	}
	w.FillPercent = 1 // blocks come in order
	return w.Put(windowKey(k.block), v)
}

// blockOf is the block and the slot in it of an entity.
func blockOf(aid uint32) (block uint32, slot int) { return aid / chunk.Slots, int(aid % chunk.Slots) }
