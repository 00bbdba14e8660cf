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

	"github.com/mdlayher/genetlink"
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

// A session is a call's use of a conn.
//
// Its exchanges share a deadline, for to set one is dear where reading the clock is
// a system call, and a snapshot is a thousand exchanges: one that meets a deadline
// which was set before it began is given a new one, and goes on.
type session struct {
	*conn
	nc    *netlink.Conn
	stale bool // the deadline was set before this exchange
}

// resolve asks for the family's number. To a question for one family by name the
// kernel loads the module that has it, which somebody who only looks must not
// bring about: then all families are listed instead. Source: ctrl_getfamily and
// ctrl_dumpfamily in net/netlink/genetlink.c.
func (s *session) resolve(ctx context.Context) (id uint16, err error) {
	e, flags := encoder{s.buf[:0]}, netlink.Request|netlink.Dump
	if s.load {
		flags = netlink.Request
		e.text(ctrlFamilyName, familyName)
	}
	if err := s.limit(ctx); err != nil {
		return 0, err
	}
	m, err := genetlink.NewConn(s.nc).Send(genetlink.Message{
		Header: genetlink.Header{Command: ctrlGetFamily, Version: 1}, Data: e.b}, ctrlID, flags)
	s.buf = e.b
	if err == nil {
		err = s.receive(ctx, m.Header.Sequence, ctrlID, func(m netlink.Message) error {
			n, err := familyID(m.Data)
			id |= n // of all families one at most has a number here
			return err
		})
	}
	switch err = kernelError(err); {
	case errors.Is(err, syscall.ENOENT), err == nil && id == 0:
		return 0, errNoFamily
	case err != nil:
		return 0, fmt.Errorf("look for the kernel's IPVS: %w", err)
	}
	return id, nil
}

// familyID is the number in a NEWFAMILY message, 0 if it is about another family.
func familyID(b []byte) (id uint16, err error) {
	if len(b) < genlHeader {
		return 0, fmt.Errorf("NEWFAMILY: %d bytes are no generic netlink header", len(b))
	}
	ours := false
	a := attrs{b: b[genlHeader:], base: genlHeader, in: "NEWFAMILY"}
	for a.next() {
		switch a.typ {
		case ctrlFamilyID:
			id = a.u16()
		case ctrlFamilyName:
			ours = string(a.text()) == familyName
		}
	}
	switch {
	case a.err != nil:
		return 0, a.err
	case !ours:
		return 0, nil
	case id == 0:
		return 0, errors.New("NEWFAMILY: the kernel gave no number for its IPVS family")
	}
	return id, nil
}

// limit gives the present exchange its time.
func (s *session) limit(ctx context.Context) error {
	t := time.Now().Add(s.timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(t) {
		t = d
	}
	if err := s.nc.SetDeadline(t); err != nil {
		return err
	}
	s.stale = false
	// In this order: had ctx ended before, its deadline may just have been undone.
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// late reports whether err is a deadline's that was not meant for this exchange.
func (s *session) late(err error) bool { return s.stale && errors.Is(err, os.ErrDeadlineExceeded) }

// request begins a request in the connection's buffer.
func (s *session) request(cmd command) encoder { return request(s.buf, cmd) }

// send sends a request and gives its sequence number.
func (s *session) send(ctx context.Context, e encoder, flags netlink.HeaderFlags) (uint32, error) {
	s.buf = e.b
	req := netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(s.family), Flags: netlink.Request | flags}, Data: e.b}
	m, err := s.nc.Send(req)
	if s.late(err) {
		if err = s.limit(ctx); err == nil {
			m, err = s.nc.Send(req)
		}
	}
	if err == nil && !s.stale {
		// The kernel acts, and waits for its locks, before the system call is over.
		// However long that took, there is time to read what it says.
		err = s.limit(ctx)
	}
	return m.Header.Sequence, err
}

// receive hands those messages of the answer to fn that are of a family; fn must
// not keep them.
func (s *session) receive(ctx context.Context, seq uint32, family uint16, fn func(netlink.Message) error) error {
	err := s.receiveSome(seq, family, fn)
	if s.late(err) {
		if err = s.limit(ctx); err == nil {
			err = s.receiveSome(seq, family, fn)
		}
	}
	s.stale = err == nil
	return err
}

// receiveSome is receive up to the first fault. After a deadline it may be called
// again: nothing was lost.
func (s *session) receiveSome(seq uint32, family uint16, fn func(netlink.Message) error) error {
	for m, err := range s.nc.ReceiveIter() {
		if err != nil {
			return kernelError(err)
		}
		if m.Header.Sequence != seq {
			return fmt.Errorf("the kernel's answer is to request %d, want %d", m.Header.Sequence, seq)
		}
		switch m.Header.Type {
		case netlink.HeaderType(family):
			if err := fn(m); err != nil {
				return err
			}
		case netlink.Noop, netlink.Error: // an Error here is an acknowledgement
		default:
			return fmt.Errorf("the kernel answered with a message of type %v", m.Header.Type)
		}
	}
	return nil
}

// exchange sends a request that is answered by at most one message.
func (s *session) exchange(ctx context.Context, e encoder, flags netlink.HeaderFlags, fn func(data []byte) error) error {
	seq, err := s.send(ctx, e, flags)
	if err != nil {
		return err
	}
	return s.receive(ctx, seq, s.family, func(m netlink.Message) error { return fn(m.Data) })
}

// kernelError marks those errors that are numbers in the kernel's answer: the
// library leaves them bare, and wraps those of system calls.
func kernelError(err error) error {
	if err == nil {
		return nil
	}
	op := (*netlink.OpError)(nil)
	if !errors.As(err, &op) {
		return err
	}
	if errno, ok := op.Err.(syscall.Errno); ok {
		return &errKernel{errno, err}
	}
	return err
}

// The controller of generic netlink. Source: include/uapi/linux/genetlink.h.
const (
	ctrlID         = 16 // GENL_ID_CTRL
	ctrlGetFamily  = 3  // CTRL_CMD_GETFAMILY
	ctrlFamilyID   = 1  // CTRL_ATTR_FAMILY_ID
	ctrlFamilyName = 2  // CTRL_ATTR_FAMILY_NAME
)

var errNoFamily = fmt.Errorf("the kernel has no IPVS: load it with modprobe ip_vs, or use a kernel built with CONFIG_IP_VS: %w",
	dataplane.ErrNotSupported)
