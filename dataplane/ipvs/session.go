package ipvs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
)

// A session is a call's use of a conn.
//
// Its exchanges share a deadline, for to set one is dear where reading the clock is
// a system call, and a snapshot is a thousand exchanges: one that meets a deadline
// which was set before it began is given a new one, and goes on.
type session struct {
	*conn
	nc    *netlink.Conn
	stale bool // the deadline was set before this exchange

	// Of the dump under way. They are here, and onRow is made once, so that a
	// thousand dumps do not each allocate them.
	fill  fill
	row   func(data []byte) error
	onRow func(netlink.Message) error // countRow
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
