package agentx

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// A link is the connection to a master. Read and Write are for one goroutine.
type link interface {
	// read waits for bytes. Its error is os.ErrDeadlineExceeded when none came for
	// the time given, and errInterrupted after interrupt.
	read(b []byte, wait time.Duration) (int, error)
	// write sends all of b or fails.
	write(b []byte) error
	// interrupt ends a read under way and all later ones. Any goroutine may
	// call it, also after close.
	interrupt()
	// wasReset reports whether the peer hung up with bytes of ours unread, as far
	// as a read that ended in io.EOF has not told. It is for use before close.
	wasReset() bool
	close()
}

var errInterrupted = errors.New("interrupted")

// dial connects to the master.
func dial(ctx context.Context, network, address string, timeout time.Duration) (link, error) {
	d := net.Dialer{Timeout: timeout}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return newLink(conn, timeout)
}

// A connLink is a link over any net.Conn.
type connLink struct {
	conn    net.Conn
	timeout time.Duration // for writing
	stopped atomic.Bool
}

func (l *connLink) read(b []byte, wait time.Duration) (int, error) {
	l.conn.SetReadDeadline(time.Now().Add(wait)) // its error shows in Read
	if l.stopped.Load() {                        // else interrupt's deadline comes after ours
		return 0, errInterrupted
	}
	n, err := l.conn.Read(b)
	if n > 0 {
		return n, nil
	}
	if l.stopped.Load() {
		return 0, errInterrupted
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, os.ErrDeadlineExceeded
	}
	return 0, err
}

func (l *connLink) write(b []byte) error {
	l.conn.SetWriteDeadline(time.Now().Add(l.timeout))
	_, err := l.conn.Write(b)
	return err
}

func (l *connLink) interrupt() {
	l.stopped.Store(true)
	l.conn.SetReadDeadline(time.Unix(1, 0))
}

func (*connLink) wasReset() bool { return false } // it cannot be asked

func (l *connLink) close() { l.conn.Close() }
