package rrdstore

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/bits"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	bucketMeta   = "meta"
	bucketSeries = "series"
	bucketRow    = "row"

	// schema is the version of the whole file, the payload of meta/"schema".
	schema    = 1
	keySchema = "schema"
	keyPeaks  = "peaks"

	headName  = "head.db"
	lockName  = "lock"
	cleanName = "clean"

	// pageSize is the same on every machine, so that files can be moved.
	pageSize = 4096

	minMaxBytes = 8 << 20
)

// Options say how much a store keeps.
type Options struct {
	// Step is how often rows come, and that of primary data points unless a tier's
	// step is no multiple of it: then it is the longest below that is. Zero is 10
	// seconds.
	Step time.Duration
	// Heartbeat is the longest interval between two rows that says something; what
	// is longer is a gap. Zero is twice Step.
	Heartbeat time.Duration
	// Retention is how long rows are kept as they came; zero is 24 hours. Rows and
	// those of Tiers go by the window, an hour of them or more.
	Retention time.Duration
	// Tiers are what is kept of older times; nil is DefaultTiers. See CheckTiers.
	// Those of a shorter step than Step are left out. One that is added is filled
	// from what is there; of one that is left out later, the rows stay for as long
	// as they would have.
	Tiers []Tier
	// MaxBytes bounds both files together, at the cost of Retention and of what
	// Tiers are kept, each in proportion; zero is 4 GiB, and less than 8 MiB is 8
	// MiB.
	MaxBytes int64
	// Forget is how long the account of something that is gone is kept; zero is
	// 32 days.
	Forget time.Duration
	// LockTimeout is how long Open waits for readers of the file and another
	// owner to go; zero is one second.
	LockTimeout time.Duration
	// Logger is told of what the store did about damage or a full disk by
	// itself; nil discards it.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&o.Step, 10*time.Second)
	set(&o.Heartbeat, 2*o.Step)
	set(&o.Retention, 24*time.Hour)
	set(&o.Forget, 32*24*time.Hour)
	set(&o.LockTimeout, time.Second)
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 30
	}
	o.MaxBytes = max(o.MaxBytes, minMaxBytes)
	if o.Tiers == nil {
		o.Tiers = DefaultTiers()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// headBytes and archBytes share MaxBytes out: the head needs a few hours of rows
// only, as long as the archive takes them.
func (o Options) headBytes() int64 {
	return min(max(o.MaxBytes/4, minMaxBytes/2), 1<<30) / pageSize * pageSize
}
func (o Options) archBytes() int64 { return (o.MaxBytes - o.headBytes()) / pageSize * pageSize }

// growBytes is by how much head.db grows at a time.
func (o Options) growBytes() int64 {
	return min(16<<20, max(64<<10, o.headBytes()/64)) / pageSize * pageSize
}

// softBytes is how much of head.db may be in use before the oldest rows go. The
// rest keeps a commit and a removal possible.
func (o Options) softBytes() int64 { return o.headBytes() - o.growBytes() - o.headBytes()/8 }

// A Store is the owner of a store directory. Its methods may be called from any
// goroutine; commits take turns.
type Store struct {
	dir  string
	opts Options
	lock *os.File

	mu     sync.Mutex
	db     *bbolt.DB   // replaced, under mu, only when a damaged file is put aside
	opened fs.FileInfo // of head.db
	high   int64       // bytes of it that were ever in use
	used   int64       // bytes of it that hold something
	closed bool
	began  time.Time // see Stats.Begin
	// stale says that memory may differ from the file, because a commit failed
	// or none was read yet: it is read again before it is used.
	stale bool
	// broken is set when bbolt panicked or faulted on the file.
	broken error
	state
	stats Stats

	// For those who must not wait for a commit under way.
	published atomic.Pointer[Stats]
	shared    atomic.Pointer[bbolt.DB]
	// suspect is what a reader of head.db met with that proves it damaged; the
	// next commit sees to it.
	suspect atomic.Pointer[error]

	arch  atomic.Pointer[archive] // nil while it could not be opened
	chore sync.Mutex              // held by Maintain; taken before mu
	upkeep
}

// Open opens the store in dir and becomes its owner; the directory is made when
// it is not there. What is in head.db is verified first, and unless it was closed
// in order, what bbolt relies on in arch.db. Errors: [ErrLocked], [ErrNewer] and [ErrDamaged],
// each leaving the file as it is, or what the system says.
func Open(dir string, opts Options) (*Store, error) {
	s := &Store{dir: dir, opts: opts.withDefaults(), stale: true}
	s.allTiers = s.opts.Tiers
	if err := CheckTiers(s.allTiers); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	s.opts.Tiers = usable(s.allTiers, s.opts.Step)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	lock, err := lockDir(dir, s.opts.LockTimeout)
	if err != nil {
		return nil, err
	}
	s.lock = lock
	if err := s.openHead(); err != nil {
		return nil, errors.Join(err, s.lock.Close())
	}
	err = s.openArch()
	if errors.Is(err, ErrNewer) {
		return nil, errors.Join(err, s.Close())
	}
	if err != nil { // what the director is about goes on without
		s.opts.Logger.Error("archive cannot be opened, trying again later", "err", err)
	}
	if err := os.Remove(filepath.Join(dir, cleanName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), s.Close())
	}
	return s, nil
}

// OpenOrQuarantine is Open, but puts a damaged file aside as
// head.db.damaged-TIME and starts a new one; Stats tells its path. Of files put
// aside the newest two are kept.
func OpenOrQuarantine(dir string, opts Options) (*Store, error) {
	s, err := Open(dir, opts)
	if !errors.Is(err, ErrDamaged) {
		return s, err
	}
	opts = opts.withDefaults()
	lock, lockErr := lockDir(dir, opts.LockTimeout)
	if lockErr != nil {
		return nil, lockErr
	}
	aside, moveErr := putAside(dir, headName)
	if err := errors.Join(moveErr, lock.Close()); err != nil {
		return nil, fmt.Errorf("open store: put damaged file aside: %w", err)
	}
	opts.Logger.Error("store was damaged, starting a new one", "aside", aside, "err", err)
	if s, err = Open(dir, opts); err == nil {
		s.stats.Aside = aside
		s.publish()
	}
	return s, err
}

// openHead checks head.db, opens it and reads it. The directory is locked.
func (s *Store) openHead() error {
	path := filepath.Join(s.dir, headName)
	if err := inspect(s.dir, headName, true); err != nil {
		return err
	}
	db, err := openBolt(path, s.boltOptions())
	if errors.Is(err, berrors.ErrTimeout) {
		return &LockedError{Dir: s.dir}
	}
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	db.AllocSize = growth(0, s.opts.growBytes()) // bbolt's own is 16 MiB
	opened, err := os.Stat(path)
	if err == nil {
		err = syncDir(s.dir) // a new file must not lose its name in a power cut
	}
	if err != nil {
		return errors.Join(fmt.Errorf("open store: %w", err), db.Close())
	}
	s.suspect.Store(nil)
	s.db, s.opened, s.broken, s.stale = db, opened, nil, true
	if err := s.guard(s.initialise); err != nil {
		return errors.Join(fmt.Errorf("open store: %w", err), closeBolt(db, err))
	}
	s.shared.Store(db)
	s.publish()
	return nil
}

func (s *Store) boltOptions() *bbolt.Options {
	o := &bbolt.Options{
		Timeout:        s.opts.LockTimeout,
		FreelistType:   bbolt.FreelistMapType,
		NoFreelistSync: true,
		PageSize:       pageSize,
		MaxSize:        int(s.opts.headBytes()),
	}
	if bits.UintSize == 64 {
		// Room for all the file may ever be: a commit that had to map more would
		// wait for every reader.
		o.InitialMmapSize = int(s.opts.headBytes())
	}
	return o
}

// initialise makes what a new file lacks and reads the rest.
func (s *Store) initialise() error {
	missing := false
	err := s.db.View(func(tx *bbolt.Tx) error {
		missing = tx.Bucket([]byte(bucketRow)) == nil
		return nil
	})
	if err == nil && missing {
		err = s.update(createBuckets)
	}
	if err != nil {
		return err
	}
	s.measure()
	return s.load()
}

func createBuckets(tx *bbolt.Tx) error {
	for _, name := range []string{bucketMeta, bucketSeries, bucketRow} {
		if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
			return err
		}
	}
	v := seal([]byte{recordVersion, schema}, 0, bucketMeta, 0, []byte(keySchema))
	return tx.Bucket([]byte(bucketMeta)).Put([]byte(keySchema), v)
}

// Close ends the store in order, so that the next Open is quick. It waits for a
// commit and for Maintain under way. Closing twice is [ErrClosed].
func (s *Store) Close() error {
	s.chore.Lock()
	defer s.chore.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.closed = true
	err := s.closeArch()
	if s.broken == nil {
		if err = errors.Join(err, s.db.Close()); err == nil {
			err = markClean(s.dir)
		}
	}
	if err = errors.Join(err, s.lock.Close()); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}
