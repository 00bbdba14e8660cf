package agentx

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// A fdLink is a link over a blocking descriptor. A session is one request and
// one answer after the other, and the poller's part in a net.Conn (an epoll
// wake-up, a goroutine switch, a deadline to set) costs a third of all a request
// costs; the kernel's own socket timeouts serve as deadlines for nothing. Its goroutine
// has to yield every few milliseconds: one that only ever blocks in the kernel looks
// to Go's scheduler, after ten of them, like one that has run all along, and has
// the processor taken away in each wait, by a thread that is woken for that.
type fdLink struct {
	fd   int
	wait time.Duration // the read timeout set in the kernel

	mu      sync.Mutex // guards against a shutdown of somebody else's descriptor
	stopped bool
	closed  bool
}

// newLink takes conn over.
func newLink(conn net.Conn, timeout time.Duration) (link, error) {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return &connLink{conn: conn, timeout: timeout}, nil
	}
	defer conn.Close() // the link has a descriptor of its own
	fd, err := blockingCopy(sc)
	if err != nil {
		return nil, fmt.Errorf("blocking socket: %w", err)
	}
	if err := setTimeout(fd, syscall.SO_SNDTIMEO, timeout); err != nil {
		syscall.Close(fd)
		return nil, err
	}
	return &fdLink{fd: fd}, nil
}

// blockingCopy duplicates the descriptor below sc and makes both block: the mode
// belongs to the open socket. The original must not be used after it.
func blockingCopy(sc syscall.Conn) (fd int, err error) {
	raw, err := sc.SyscallConn()
	if err != nil {
		return -1, err
	}
	var errno syscall.Errno
	err = raw.Control(func(old uintptr) {
		var n uintptr
		n, _, errno = syscall.Syscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 0)
		fd = int(n)
	})
	if err != nil {
		return -1, err
	}
	if errno != 0 {
		return -1, errno
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

func setTimeout(fd, opt int, d time.Duration) error {
	tv := syscall.NsecToTimeval(int64(max(d, time.Microsecond))) // zero would be no timeout at all
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, opt, &tv); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	return nil
}

func (l *fdLink) read(b []byte, wait time.Duration) (int, error) {
	if wait != l.wait {
		if err := setTimeout(l.fd, syscall.SO_RCVTIMEO, wait); err != nil {
			return 0, err
		}
		l.wait = wait
	}
	for {
		n, err := syscall.Read(l.fd, b)
		switch {
		case n > 0:
			return n, nil
		case errors.Is(err, syscall.EINTR):
			continue // a signal; those come too seldom to put the timeout off for long
		case errors.Is(err, syscall.EAGAIN):
			return 0, os.ErrDeadlineExceeded
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.stopped {
			return 0, errInterrupted
		}
		return 0, io.EOF
	}
}

func (l *fdLink) write(b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Write(l.fd, b) // the runtime ignores SIGPIPE here
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return fmt.Errorf("write: %w", os.ErrDeadlineExceeded)
		case err != nil:
			return os.NewSyscallError("write", err)
		}
		b = b[max(n, 0):]
	}
	return nil
}

// interrupt shuts the reading half down, which wakes a reader; the Close PDU
// can still be written.
func (l *fdLink) interrupt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = true
	if !l.closed {
		syscall.Shutdown(l.fd, syscall.SHUT_RD)
	}
}

// wasReset asks the socket for an error not reported so far: TCP gets one when
// bytes are sent to a peer that has closed, though reading tells but the end.
func (l *fdLink) wasReset() bool {
	errno, err := syscall.GetsockoptInt(l.fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
	return err == nil && errno != 0
}

func (l *fdLink) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.closed = true
		syscall.Close(l.fd)
	}
}
