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
	"slices"
	"syscall"
	"time"
)

// The protocol of store.sock, one request a connection. The client sends the
// length (u32, big endian) of its request and the request: version, kind, and
// what is said below. The server answers with frames, each a kind, a length (u32)
// and a payload, and ends with frameEnd or frameError.
const (
	protocolVersion = 2
	requestCatalog  = 'c'
	requestState    = 's'
	requestRows     = 'r' // query.append
	requestChunks   = 'k' // chunkQuery.append
	requestFile     = 'f' // the file's name

	frameRecord = 's' // bucket and key, each with its length (u8), record
	frameState  = 't' // storeState.append
	frameRow    = 'w' // window (4), row key (6), record
	frameChunk  = 'k' // step, window, block (4 each), superchunk
	frameSize   = 'n' // of a file (u64)
	frameData   = 'd' // the next piece of it
	frameEnd    = 'e'
	frameError  = 'x' // text
	frameTaken  = 'm' // text: errTaken

	maxRequest = 8 << 20
	maxFrame   = 64 << 20
)

func (q query) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, q.start)
	b = binary.BigEndian.AppendUint32(b, q.end)
	all := byte(0)
	if q.all {
		all = 1
	}
	b = binary.AppendUvarint(append(b, all), uint64(len(q.sids)))
	last := uint32(0)
	for _, sid := range q.sids {
		b = binary.AppendUvarint(b, uint64(sid-last))
		last = sid
	}
	return b
}

func parseQuery(b []byte) (q query, err error) {
	if len(b) < 9 {
		return query{}, errShort
	}
	q.start, q.end, q.all = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), b[8] != 0
	p := &parser{b: b[9:]}
	n := p.uvarint()
	if n > uint64(len(p.rest())) {
		return query{}, fmt.Errorf("%d series in %d bytes", n, len(p.rest()))
	}
	last := uint64(0)
	for range n {
		last += p.uvarint()
		q.sids = append(q.sids, uint32(last))
	}
	return q, p.end()
}

func appendFrame(b []byte, kind byte, payload ...[]byte) []byte {
	n := 0
	for _, p := range payload {
		n += len(p)
	}
	b = binary.BigEndian.AppendUint32(append(b, kind), uint32(n))
	for _, p := range payload {
		b = append(b, p...)
	}
	return b
}

// A remoteSource is the directory whose owner is asked.
type remoteSource string

// dialable reports whether somebody serves dir.
func dialable(ctx context.Context, dir string) (bool, error) {
	conn, err := dialSocket(ctx, dir)
	switch {
	case err == nil:
		return true, conn.Close()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return false, nil
	}
	return false, err
}

func (dir remoteSource) catalog(ctx context.Context, _ bool) (all []archiveRecord, err error) {
	err = dir.ask(ctx, []byte{protocolVersion, requestCatalog}, func(kind byte, b []byte) error {
		p := &parser{b: b}
		bucket := p.take(int(p.byte()))
		key := p.take(int(p.byte()))
		if kind != frameRecord || p.err != nil {
			return unexpected(kind, b)
		}
		all = append(all, archiveRecord{string(bucket), slices.Clone(key), slices.Clone(p.rest())})
		return nil
	})
	return all, err
}

func (dir remoteSource) state(ctx context.Context) (*storeState, error) {
	var st *storeState
	err := dir.ask(ctx, []byte{protocolVersion, requestState}, func(kind byte, b []byte) (err error) {
		if kind != frameState {
			return unexpected(kind, b)
		}
		st, err = parseState(b)
		return err
	})
	if err == nil && st == nil {
		err = errShort
	}
	return st, err
}

func (dir remoteSource) chunks(ctx context.Context, q chunkQuery, emit func(chunkKey, []byte) error) error {
	return dir.ask(ctx, q.append([]byte{protocolVersion, requestChunks}), func(kind byte, b []byte) error {
		if kind != frameChunk || len(b) < 12 {
			return unexpected(kind, b)
		}
		u := binary.BigEndian.Uint32
		return emit(chunkKey{u(b), u(b[4:]), u(b[8:])}, b[12:])
	})
}

func unexpected(kind byte, b []byte) error {
	return fmt.Errorf("unexpected frame %q of %d bytes from the store's owner", kind, len(b))
}

func (dir remoteSource) rows(ctx context.Context, q query, emit func(scanRecord) error) error {
	return dir.ask(ctx, q.append([]byte{protocolVersion, requestRows}), func(kind byte, b []byte) error {
		if kind != frameRow || len(b) < 10 {
			return unexpected(kind, b)
		}
		key, err := parseRowKey(b[4:10])
		if err != nil {
			return err
		}
		return emit(scanRecord{window: binary.BigEndian.Uint32(b), key: key, value: b[10:]})
	})
}

// ask sends a request and hands over its answer's frames, whose payload is valid
// during the call.
func (dir remoteSource) ask(ctx context.Context, request []byte, frame func(kind byte, payload []byte) error) error {
	conn, err := dialSocket(ctx, string(dir))
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	// A refusal may come before the whole request was taken: reading tells.
	_, sendErr := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request...))
	err = readFrames(conn, frame)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && sendErr != nil {
		return fmt.Errorf("ask the store's owner: %w", errors.Join(sendErr, err))
	}
	return err
}

func readFrames(conn net.Conn, frame func(kind byte, payload []byte) error) error {
	in := bufio.NewReaderSize(conn, 256<<10)
	var buf []byte
	for {
		var head [5]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return fmt.Errorf("the store's owner broke off: %w", err)
		}
		n := binary.BigEndian.Uint32(head[1:])
		if n > maxFrame {
			return fmt.Errorf("frame of %d bytes from the store's owner", n)
		}
		if cap(buf) < int(n) {
			buf = make([]byte, n)
		}
		buf = buf[:n]
		if _, err := io.ReadFull(in, buf); err != nil {
			return fmt.Errorf("the store's owner broke off: %w", err)
		}
		switch head[0] {
		case frameEnd:
			return nil
		case frameTaken:
			return errTaken
		case frameError:
			return fmt.Errorf("the store's owner says: %s", buf)
		}
		if err := frame(head[0], buf); err != nil {
			return err
		}
	}
}
