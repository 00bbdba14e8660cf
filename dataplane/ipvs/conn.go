package ipvs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"

	"lvs/dataplane"
)

// A conn is one netlink socket, used by one call at a time. A socket on which a
// call was cut short, by a deadline or a fault, may still hold the rest of an
// answer: it is closed, and the next call dials anew.
type conn struct {
	ns      *namespace
	dial    func() (*netlink.Conn, error)
	timeout time.Duration
	turn    chan struct{} // holds one token: who has it may use what follows
	buf     []byte        // requests are built here
	load    bool          // see Config.Load
	family  uint16        // the family's number in this kernel; 0 is not known
	nsCount int           // of the namespace nc is in

	mu     sync.Mutex // guards nc and closed, for close alone comes without the turn
	nc     *netlink.Conn
	closed bool
}

func newConn(ns *namespace, dial func() (*netlink.Conn, error), timeout time.Duration) *conn {
	return &conn{ns: ns, dial: dial, timeout: timeout, turn: make(chan struct{}, 1)}
}

// An errKernel is a number in the kernel's answer, as against faults of the socket.
type errKernel struct {
	errno syscall.Errno
	cause error
}

func (e *errKernel) Error() string { return e.cause.Error() }
func (e *errKernel) Unwrap() error { return e.cause }

// errFamilyMoved is for a call that must be made again because the family has
// another number now.
var errFamilyMoved = errors.New("the kernel's IPVS was loaded again meanwhile")

// do runs fn when it is this call's turn, with a socket and the family's number
// at hand. fn is run a second time when the family turns out to have another
// number than was known, that is after ip_vs was unloaded and loaded again.
func (c *conn) do(ctx context.Context, fn func(context.Context, *session) error) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	var err error
	for range 2 {
		if err = c.once(ctx, fn); !errors.Is(err, errFamilyMoved) {
			return err
		}
	}
	return err
}

// once makes one attempt of do.
func (c *conn) once(ctx context.Context, fn func(context.Context, *session) error) error {
	nc, err := c.open()
	if err != nil {
		return err
	}
	defer interrupt(ctx, nc)()
	s := &session{conn: c, nc: nc}
	if err := s.limit(ctx); err != nil {
		return c.failed(ctx, err)
	}
	if c.family == 0 {
		if c.family, err = s.resolve(ctx); err != nil {
			return c.failed(ctx, err)
		}
	}
	if err = fn(ctx, s); err == nil {
		return nil
	}
	// To a number that no family has the kernel answers ENOENT, which commands
	// use as well: ask again for the number.
	if k := (*errKernel)(nil); errors.As(err, &k) && k.errno == syscall.ENOENT {
		known := c.family
		if c.family, err = s.resolve(ctx); err == nil {
			if c.family != known {
				return errFamilyMoved
			}
			err = k
		}
	}
	return c.failed(ctx, err)
}

// interrupt makes the end of ctx end what waits on nc. What it returns undoes
// that, and when it has returned nc's deadline is no longer touched.
func interrupt(ctx context.Context, nc *netlink.Conn) (undo func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		nc.SetDeadline(time.Unix(1, 0))
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// open gives the socket, dialling it if there is none, or none in the namespace
// that the name now means.
func (c *conn) open() (*netlink.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, fs.ErrClosed
	}
	count, err := c.ns.current()
	if err != nil {
		return nil, err
	}
	if c.nc != nil && count != c.nsCount {
		c.nc.Close()
		c.nc = nil
	}
	if c.nc == nil {
		nc, err := c.dial()
		if err != nil {
			return nil, err
		}
		c.nc, c.nsCount, c.family = nc, count, 0
	}
	return c.nc, nil
}

// failed drops the socket unless the error is the kernel's plain answer, and says
// whose time limit it was that ended the call.
func (c *conn) failed(ctx context.Context, err error) error {
	if k := (*errKernel)(nil); errors.As(err, &k) || errors.Is(err, dataplane.ErrNotSupported) {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fs.ErrClosed
	}
	if c.nc != nil {
		c.nc.Close()
		c.nc = nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// The socket has the context's deadline and may be the first to notice.
		if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
			return context.DeadlineExceeded
		}
		return fmt.Errorf("the kernel did not answer for %v: %w", c.timeout, os.ErrDeadlineExceeded)
	}
	return err
}

// close ends the call that is under way, and all later ones.
func (c *conn) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fs.ErrClosed
	}
	c.closed = true
	if c.nc == nil {
		return nil
	}
	return c.nc.Close()
}
