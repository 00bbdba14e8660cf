package ipvs

import (
	"encoding/binary"
	"errors"
	"iter"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A socket is a netlink socket for [netlink.NewConn] that reads datagrams into
// buffers of its own: what it receives is valid until it receives again.
// The library's own socket starts a goroutine for each system call and copies
// each datagram, which a thousand dumps for one snapshot make dear.
type socket struct {
	f    *os.File
	rc   syscall.RawConn
	out  []byte
	in   inbox
	poll func(fd uintptr) bool // in.receive, made a func value once
}

// openSocket opens a generic netlink socket in the network namespace ns is open
// on, or in the caller's if that is nil, and gives its port.
func openSocket(ns *os.File) (s *socket, port uint32, err error) {
	var fd int
	err = within(ns, func() (err error) {
		fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_GENERIC)
		return os.NewSyscallError("socket", err)
	})
	if err != nil {
		return nil, 0, err
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, 0, errors.Join(os.NewSyscallError("bind", err), unix.Close(fd))
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return nil, 0, errors.Join(os.NewSyscallError("getsockname", err), unix.Close(fd))
	}
	// As the descriptor does not block, the runtime's poller takes it, and
	// deadlines work.
	s = &socket{f: os.NewFile(uintptr(fd), "netlink")}
	s.in.init()
	s.poll = s.in.receive
	if s.rc, err = s.f.SyscallConn(); err != nil {
		return nil, 0, errors.Join(err, s.f.Close())
	}
	return s, sa.(*unix.SockaddrNetlink).Pid, nil
}

// within runs fn in the network namespace ns is open on: not on the main thread,
// whose namespace is what /proc/net shows to everybody. A thread that cannot
// return to where it was is not given back but ends with its goroutine.
func within(ns *os.File, fn func() error) error {
	if ns == nil {
		return fn()
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			// Held here, the main thread cannot be the next goroutine's.
			defer runtime.UnlockOSThread()
			done <- within(ns, fn)
			return
		}
		own, err := os.Open(ownNamespace)
		if err != nil {
			runtime.UnlockOSThread()
			done <- err
			return
		}
		defer own.Close()
		if err = os.NewSyscallError("setns", unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)); err == nil {
			err = fn()
			if unix.Setns(int(own.Fd()), unix.CLONE_NEWNET) == nil {
				runtime.UnlockOSThread()
			}
		} else {
			runtime.UnlockOSThread()
		}
		done <- err
	}()
	return <-done
}

// Send implements netlink.Socket.
func (s *socket) Send(m netlink.Message) error {
	b := append(s.out[:0], make([]byte, unix.SizeofNlMsghdr)...)
	binary.NativeEndian.PutUint32(b[0:], m.Header.Length)
	binary.NativeEndian.PutUint16(b[4:], uint16(m.Header.Type))
	binary.NativeEndian.PutUint16(b[6:], uint16(m.Header.Flags))
	binary.NativeEndian.PutUint32(b[8:], m.Header.Sequence)
	binary.NativeEndian.PutUint32(b[12:], m.Header.PID)
	b = append(b, m.Data...)
	for len(b) < int(m.Header.Length) {
		b = append(b, 0)
	}
	s.out = b
	// A socket that is not connected sends to the kernel.
	_, err := s.f.Write(b)
	return err
}

// SendMessages implements netlink.Socket.
func (s *socket) SendMessages(ms []netlink.Message) error {
	for _, m := range ms {
		if err := s.Send(m); err != nil {
			return err
		}
	}
	return nil
}

// Receive implements netlink.Socket.
func (s *socket) Receive() (ms []netlink.Message, err error) {
	for m, err := range s.ReceiveIter() {
		if err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	return ms, nil
}

// ReceiveIter implements netlink.Socket: the messages of one datagram. The
// capacity of a message's data ends with the datagram.
func (s *socket) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		if s.in.empty() {
			if err := s.rc.Read(s.poll); err != nil {
				yield(netlink.Message{}, err)
				return
			}
		}
		b, err := s.in.take()
		if err != nil {
			yield(netlink.Message{}, err)
			return
		}
		for m, err := range messages(b) {
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// Close implements netlink.Socket.
func (s *socket) Close() error { return s.f.Close() }

// SetDeadline is what netlink.Conn asks for under that name, as are the others.
func (s *socket) SetDeadline(t time.Time) error { return s.f.SetDeadline(t) }

func (s *socket) SetReadDeadline(t time.Time) error  { return s.f.SetReadDeadline(t) }
func (s *socket) SetWriteDeadline(t time.Time) error { return s.f.SetWriteDeadline(t) }

// SyscallConn implements syscall.Conn.
func (s *socket) SyscallConn() (syscall.RawConn, error) { return s.rc, nil }

// setOptions asks for the kernel's own words with an error, for its strictness
// about requests, and for room for the next datagram while one is decoded. Kernels
// before Linux 4.12 and 4.20 do not know the first two; nothing else is amiss then.
func (s *socket) setOptions() error {
	var err error
	cerr := s.rc.Control(func(fd uintptr) {
		for _, o := range []int{unix.NETLINK_EXT_ACK, unix.NETLINK_GET_STRICT_CHK} {
			if e := unix.SetsockoptInt(int(fd), unix.SOL_NETLINK, o, 1); e != nil && e != unix.ENOPROTOOPT {
				err = os.NewSyscallError("setsockopt", e)
			}
		}
		if e := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, readBuffer); e != nil {
			err = os.NewSyscallError("setsockopt", e)
		}
	})
	return errors.Join(err, cerr)
}

const readBuffer = 256 << 10
