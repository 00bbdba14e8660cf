package rrdstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
)

const (
	// maxClients bounds the readers served at once, each of which costs some
	// stepBytes.
	maxClients = 8
	// askTimeout is how long a client may take to ask, takeTimeout to take in
	// one step's worth of the answer.
	askTimeout  = 5 * time.Second
	takeTimeout = 10 * time.Second
)

// Serve answers readers of the store in other processes, through store.sock,
// until ctx is canceled; then it returns nil. A client too slow is cut off, and
// one too many told to come again. Commits go on meanwhile.
func (s *Store) Serve(ctx context.Context) error {
	l, err := listenSocket(s.dir)
	if err != nil {
		return fmt.Errorf("serve store: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	var clients sync.WaitGroup
	defer func() {
		stop()
		cancel()
		l.Close()
		clients.Wait()
		os.Remove(filepath.Join(s.dir, socketName))
	}()
	slots := make(chan struct{}, maxClients)
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("serve store: %w", err)
		}
		select {
		case slots <- struct{}{}:
			clients.Go(func() {
				defer func() { <-slots }()
				s.serve(ctx, conn)
			})
		default:
			conn.SetWriteDeadline(time.Now().Add(time.Second))
			conn.Write(appendFrame(nil, frameError, []byte("too many readers at once, try again")))
			conn.Close()
		}
	}
}

// serve answers one client. What goes wrong between the two is the client's to
// report.
func (s *Store) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	request, err := readRequest(conn)
	if errors.Is(err, io.EOF) {
		return // it only looked whether somebody is there
	}
	if err == nil {
		err = s.answer(ctx, conn, request)
	}
	if err != nil {
		kind := byte(frameError)
		if errors.Is(err, errTaken) {
			kind = frameTaken
		}
		conn.SetWriteDeadline(time.Now().Add(time.Second))
		conn.Write(appendFrame(nil, kind, []byte(err.Error())))
	}
}

func readRequest(conn net.Conn) ([]byte, error) {
	conn.SetReadDeadline(time.Now().Add(askTimeout))
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 2 || n > maxRequest {
		return nil, fmt.Errorf("request of %d bytes", n)
	}
	// Memory is taken as bytes come, not as they are announced.
	b, err := io.ReadAll(io.LimitReader(conn, int64(n)))
	if err == nil && len(b) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && b[0] != protocolVersion {
		err = fmt.Errorf("request of version %d, this owner knows %d", b[0], protocolVersion)
	}
	return b, err
}

func (s *Store) answer(ctx context.Context, conn net.Conn, request []byte) error {
	send := func(b []byte) error {
		conn.SetWriteDeadline(time.Now().Add(takeTimeout))
		_, err := conn.Write(b)
		return err
	}
	src := storeSource(s)
	switch request[1] {
	case requestCatalog:
		all, err := src.catalog(ctx, true)
		if err != nil {
			return err
		}
		return sendRecords(all, send)
	case requestState:
		st, err := src.state(ctx)
		if err != nil {
			return err
		}
		return send(appendFrame(appendFrame(nil, frameState, st.append(nil)), frameEnd))
	case requestRows:
		q, err := parseQuery(request[2:])
		if err != nil {
			return fmt.Errorf("request: %w", err)
		}
		return s.answerRows(ctx, q, send)
	case requestChunks:
		q, err := parseChunkQuery(request[2:])
		if err != nil {
			return fmt.Errorf("request: %w", err)
		}
		return answerChunks(ctx, src.arch, q, send)
	case requestFile:
		return s.answerFile(string(request[2:]), conn)
	}
	return fmt.Errorf("request of unknown kind %q", request[1])
}

func sendRecords(all []archiveRecord, send func([]byte) error) error {
	var b []byte
	for _, r := range all {
		bucket := append([]byte{byte(len(r.bucket))}, r.bucket...)
		if b = appendFrame(b, frameRecord, bucket, []byte{byte(len(r.key))}, r.key, r.value); len(b) >= stepBytes {
			if err := send(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	return send(appendFrame(b, frameEnd))
}

func (s *Store) answerRows(ctx context.Context, q query, send func([]byte) error) error {
	sc := q.scan()
	records := batches.Get().(*batch)
	defer batches.Put(records)
	var b []byte
	for !sc.done {
		if err := viewer(s.view).step(ctx, sc, records); err != nil {
			return err
		}
		b = b[:0]
		for _, rec := range records.records {
			b = appendFrame(b, frameRow, windowKey(rec.window), rec.key.bytes(), rec.value)
		}
		if err := send(b); err != nil {
			return err
		}
	}
	return send(appendFrame(b[:0], frameEnd))
}

// answerChunks copies superchunks, some at a time, so that no transaction is open
// while a client takes them in.
func answerChunks(ctx context.Context, view viewer, q chunkQuery, send func([]byte) error) error {
	var b []byte
	for _, w := range q.windows {
		for from, more := uint32(0), true; more; {
			if err := ctx.Err(); err != nil {
				return err
			}
			b = b[:0]
			err := view(func(tx *bbolt.Tx) (err error) {
				b, from, more, err = q.frames(tx, w, from, b)
				return err
			})
			if err != nil && !errors.Is(err, errNoArchive) {
				return err
			}
			if more = more && err == nil; len(b) == 0 {
				continue
			}
			if err := send(b); err != nil {
				return err
			}
		}
	}
	return send(appendFrame(b[:0], frameEnd))
}

// frames appends frames of a window's blocks from one on, until there are
// stepBytes; more says that from there on may be others.
func (q chunkQuery) frames(tx *bbolt.Tx, window, from uint32, b []byte) (_ []byte, next uint32, more bool, err error) {
	errFull := errors.New("enough for one step")
	rest := q
	if q.blocks != nil {
		at, _ := slices.BinarySearch(q.blocks, from)
		rest.blocks = q.blocks[at:]
	}
	err = rest.window(tx, window, func(k chunkKey, v []byte) error {
		if k.block < from {
			return nil
		}
		if len(b) >= stepBytes {
			next = k.block
			return errFull
		}
		b = appendFrame(b, frameChunk, windowKey(k.step), windowKey(k.window), windowKey(k.block), v)
		return nil
	})
	if errors.Is(err, errFull) {
		return b, next, true, nil
	}
	return b, 0, false, err
}
