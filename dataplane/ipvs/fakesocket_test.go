package ipvs

import (
	"encoding/binary"
	"io/fs"
	"iter"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
)

// A fakeSocket is one socket of a kernel.
type fakeSocket struct {
	k      *kernel
	wake   chan struct{} // something changed for who waits
	closed chan struct{}
	once   sync.Once

	mu       sync.Mutex
	deadline time.Time
	queue    [][]byte
	dump     func() []byte // fills the next datagram; nil when none is under way
}

func (s *fakeSocket) Close() error {
	err := fs.ErrClosed
	s.once.Do(func() { close(s.closed); err = nil })
	return err
}

func (s *fakeSocket) SetDeadline(t time.Time) error {
	s.mu.Lock()
	s.deadline = t
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}
func (s *fakeSocket) SetReadDeadline(t time.Time) error      { return s.SetDeadline(t) }
func (s *fakeSocket) SetWriteDeadline(time.Time) error       { return nil }
func (s *fakeSocket) SendMessages(m []netlink.Message) error { return s.Send(m[0]) }
func (s *fakeSocket) Receive() (ms []netlink.Message, err error) {
	for m, err := range s.ReceiveIter() {
		if err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	return ms, nil
}

func (s *fakeSocket) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		b, err := s.read()
		if err != nil {
			yield(netlink.Message{}, err)
			return
		}
		for m, err := range messages(b) {
			if !yield(m, err) {
				return
			}
		}
	}
}

// read waits for a datagram. With it taken, the kernel fills the next of a dump.
func (s *fakeSocket) read() ([]byte, error) {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			b := s.queue[0]
			s.queue = s.queue[1:]
			if s.dump != nil {
				s.fillNext()
			}
			s.mu.Unlock()
			return b, nil
		}
		left := time.Until(s.deadline)
		s.mu.Unlock()
		if left <= 0 {
			return nil, os.ErrDeadlineExceeded
		}
		select {
		case <-s.closed:
			return nil, fs.ErrClosed
		case <-s.wake:
		case <-time.After(left):
		}
	}
}

func (s *fakeSocket) fillNext() {
	b := s.dump()
	s.queue = append(s.queue, b)
	if binary.NativeEndian.Uint16(b[4:]) == uint16(netlink.Done) {
		s.dump = nil
	}
}

// Send takes a request, and acts on it before it returns, as the kernel does.
func (s *fakeSocket) Send(m netlink.Message) error {
	select {
	case <-s.closed:
		return fs.ErrClosed
	default:
	}
	k := s.k
	k.mu.Lock()
	defer k.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.silent {
		return nil
	}
	if m.Header.Type == ctrlID {
		s.queue = append(s.queue, k.newFamily(m))
		return nil
	}
	if k.family == 0 || uint16(m.Header.Type) != k.family {
		s.queue = append(s.queue, errorMessage(m, syscall.ENOENT))
		return nil
	}
	if m.Header.Flags&netlink.Dump == netlink.Dump {
		k.dumps++
		s.dump = k.startDump(m)
		s.fillNext()
		return nil
	}
	k.requests = append(k.requests, append([]byte(nil), m.Data...))
	if k.refuse != nil {
		errno := k.refuse(m.Data)
		if errno == syscall.EINTR {
			return nil // as the kernel's netlink has it
		}
		if errno != 0 {
			s.queue = append(s.queue, errorMessage(m, errno))
			return nil
		}
	}
	b := k.answer(m)
	if k.spoil != nil {
		b = k.spoil(b)
	}
	s.queue = append(s.queue, b)
	return nil
}
