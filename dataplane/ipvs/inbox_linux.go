package ipvs

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An inbox receives datagrams, as many as are there and it has room for, by one
// system call. Receiving one is what makes the kernel fill the next of a dump, so
// that a short dump and its end come together.
type inbox struct {
	slots   [2]mmsghdr
	vectors [2]unix.Iovec
	buffers [2][]byte
	from    int // the next to be taken
	to      int // behind the last received
	err     error
}

// mmsghdr is struct mmsghdr of include/linux/socket.h.
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32
}

// messageBuffer is more than the 32 KiB of the largest datagram the kernel makes;
// that it is given with every receive makes the kernel use them.
const messageBuffer = 64 << 10

func (in *inbox) init() {
	for i := range in.slots {
		in.buffers[i] = make([]byte, messageBuffer)
		in.vectors[i].Base = &in.buffers[i][0]
		in.vectors[i].SetLen(messageBuffer)
		in.slots[i].hdr.Iov = &in.vectors[i]
		in.slots[i].hdr.SetIovlen(1)
	}
}

// receive is for syscall.RawConn.Read: false is to wait and try again.
func (in *inbox) receive(fd uintptr) bool {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&in.slots[0])),
			uintptr(len(in.slots)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		case 0:
			in.from, in.to, in.err = 0, int(n), nil
		default:
			in.from, in.to, in.err = 0, 0, os.NewSyscallError("recvmmsg", syscall.Errno(errno))
		}
		return true
	}
}

func (in *inbox) empty() bool { return in.from == in.to }

// take gives the next datagram, which is valid until the next is received.
func (in *inbox) take() ([]byte, error) {
	if in.err != nil {
		return nil, in.err
	}
	i := in.from
	in.from++
	if in.slots[i].hdr.Flags&unix.MSG_TRUNC != 0 {
		return nil, errDatagram
	}
	return in.buffers[i][:in.slots[i].len], nil
}
