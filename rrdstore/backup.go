package rrdstore

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
)

const (
	// backupPiece is how much of a file is copied at a time. A client of the owner
	// has takeTimeout for each piece, and besides that pieceTime for each on
	// average: pages that commits free can be used again only when the copy ends.
	backupPiece = 1 << 20
	pieceTime   = time.Second

	partSuffix = ".part"
)

// Backup copies the store in dir to dest, a directory that must be empty or is
// made. The copy is a store: as of one time at or after the call, with every tick
// committed before it. Where the store has an owner it makes the copy, and commits
// go on meanwhile; otherwise the files are copied, and an owner that starts has to
// wait. Progress, if it is not nil, is told how many bytes of how many are done;
// the total may still change.
//
// Errors: [ErrNotExist], [ErrLocked] where an owner does not serve, [ErrDamaged]
// if the copy cannot be used as a store. dest is left as it was after an error.
func Backup(ctx context.Context, dir, dest string, progress func(done, total int64)) error {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	b := &backup{dir: dir, dest: dest, progress: progress, sizes: make(map[string]int64)}
	err := b.begin()
	if err == nil {
		if err = b.run(ctx); err != nil {
			err = errors.Join(err, b.undo())
		}
	}
	if err != nil {
		return fmt.Errorf("back up store: %w", err)
	}
	return nil
}

type backup struct {
	dir, dest string
	made      bool // dest, by us
	progress  func(done, total int64)
	sizes     map[string]int64 // of both files, as far as known
	done      int64            // bytes of the files before this one
}

func (b *backup) part(name string) string { return filepath.Join(b.dest, name+partSuffix) }

// begin finds out what there is and makes dest.
func (b *backup) begin() error {
	for _, name := range []string{headName, archName} {
		info, err := os.Stat(filepath.Join(b.dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil {
			b.sizes[name] = info.Size()
		}
	}
	if b.sizes[headName] == 0 {
		return fmt.Errorf("%w in %s", ErrNotExist, b.dir)
	}
	entries, err := os.ReadDir(b.dest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		b.made = true
		return os.MkdirAll(b.dest, 0o700)
	case err == nil && len(entries) > 0:
		return fmt.Errorf("%s is not empty", b.dest)
	}
	return err
}

// run copies the head first: rows that are taken over meanwhile are in both
// copies then, the other way round they might be in neither.
func (b *backup) run(ctx context.Context) error {
	names := []string{headName, archName}
	for _, name := range names {
		if err := b.copy(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		b.done += b.sizes[name]
	}
	if _, err := Verify(b.part(headName)); err != nil {
		return fmt.Errorf("the copy cannot be used: %w", err)
	}
	if b.sizes[archName] == 0 {
		names = names[:1]
		if err := os.Remove(b.part(archName)); err != nil {
			return err
		}
	} else if err := checkStructure(b.part(archName)); err != nil {
		return fmt.Errorf("the copy cannot be used: %w", err)
	}
	for i := len(names) - 1; i >= 0; i-- { // without a head it is no store
		if err := os.Rename(b.part(names[i]), filepath.Join(b.dest, names[i])); err != nil {
			return err
		}
	}
	err := markClean(b.dest)
	if err == nil {
		err = syncDir(b.dest)
	}
	if err == nil && b.made {
		err = syncDir(filepath.Dir(b.dest))
	}
	return err
}

// undo removes what was made.
func (b *backup) undo() (err error) {
	for _, name := range []string{headName, archName} {
		for _, path := range []string{b.part(name), filepath.Join(b.dest, name)} {
			if e := os.Remove(path); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}
	if b.made {
		err = errors.Join(err, os.Remove(b.dest))
	}
	return err
}

// copy makes a durable copy of one file.
func (b *backup) copy(ctx context.Context, name string) error {
	f, err := os.OpenFile(b.part(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = awaitOwner(ctx, func() error {
		remote, err := dialable(ctx, b.dir)
		if err != nil {
			return err
		}
		w := &backupWriter{backup: b, name: name, w: io.NewOffsetWriter(f, 0), ctx: ctx}
		if remote {
			return remoteSource(b.dir).file(ctx, name, w)
		}
		view := fileSource(b.dir).named(name)
		return view(func(tx *bbolt.Tx) error { return writeTo(w, tx) })
	})
	if errors.Is(err, errNoArchive) {
		b.sizes[name], err = 0, nil
	}
	if err == nil {
		err = f.Truncate(b.sizes[name]) // an attempt before may have written more
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// named is the viewer of one of the files.
func (f files) named(name string) viewer {
	if name == archName {
		return f.arch
	}
	return f.head
}

// A backupTarget takes in a file: its size first.
type backupTarget interface {
	size(bytes int64) error
	io.Writer
}

// writeTo copies the file as the transaction sees it, in pieces.
func writeTo(to backupTarget, tx *bbolt.Tx) error {
	if err := to.size(tx.Size()); err != nil {
		return err
	}
	w := bufio.NewWriterSize(to, backupPiece)
	if _, err := tx.WriteTo(w); err != nil {
		return err
	}
	return w.Flush()
}

// A backupWriter writes the copy of a file and tells of progress.
type backupWriter struct {
	*backup
	name    string
	w       io.Writer
	ctx     context.Context
	written int64
}

func (w *backupWriter) size(bytes int64) error {
	w.sizes[w.name] = bytes
	return nil
}

func (w *backupWriter) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.w.Write(p)
	w.written += int64(n)
	total := int64(0)
	for _, bytes := range w.sizes {
		total += bytes
	}
	w.progress(w.done+w.written, total)
	return n, err
}

// file asks the owner for a file.
func (dir remoteSource) file(ctx context.Context, name string, to backupTarget) error {
	want, got := int64(-1), int64(0)
	err := dir.ask(ctx, append([]byte{protocolVersion, requestFile}, name...), func(kind byte, b []byte) error {
		switch {
		case kind == frameSize && len(b) == 8:
			want = int64(binary.BigEndian.Uint64(b))
			return to.size(want)
		case kind == frameData:
			got += int64(len(b))
			_, err := to.Write(b)
			return err
		}
		return unexpected(kind, b)
	})
	if err == nil && want < 0 {
		return errNoArchive
	}
	if err == nil && got != want {
		return fmt.Errorf("the store's owner sent %d bytes of %d", got, want)
	}
	return err
}

// A fileSender sends a file to a client.
type fileSender struct {
	conn  net.Conn
	until time.Time // the client is to have taken all that was sent
}

func (s *Store) answerFile(name string, conn net.Conn) error {
	if name != headName && name != archName {
		return fmt.Errorf("request of file %q", name)
	}
	to := &fileSender{conn: conn, until: time.Now().Add(takeTimeout)}
	err := storeSource(s).named(name)(func(tx *bbolt.Tx) error { return writeTo(to, tx) })
	if err != nil && !errors.Is(err, errNoArchive) {
		return err
	}
	return to.send(frameEnd, nil)
}

func (to *fileSender) size(bytes int64) error {
	return to.send(frameSize, binary.BigEndian.AppendUint64(nil, uint64(bytes)))
}

func (to *fileSender) Write(p []byte) (int, error) {
	to.until = to.until.Add(pieceTime * time.Duration(len(p)) / backupPiece)
	if err := to.send(frameData, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (to *fileSender) send(kind byte, payload []byte) error {
	deadline := time.Now().Add(takeTimeout)
	if to.until.Before(deadline) {
		deadline = to.until
	}
	to.conn.SetWriteDeadline(deadline)
	_, err := to.conn.Write(appendFrame(nil, kind, payload))
	return err
}
