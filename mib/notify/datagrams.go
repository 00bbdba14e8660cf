package notify

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"time"
)

// errNobody says that the manager's host has no manager at the port.
var errNobody = errors.New("nobody listens there")

// grace is how long a trap's sender waits for a host to say that nobody listens.
// Hosts in the same data centre answer within it.
const grace = 5 * time.Millisecond

// A datagrams is the connected UDP socket of a link, in which gosnmp's packets are
// looked at as they pass. It hides that it is a net.PacketConn.
type datagrams struct {
	net.Conn
	v3 bool

	answers int   // since the latest Write
	verdict error // why the manager takes nothing, once it has said so
	strange bool  // the manager said that it is not the engine we wrote to
}

// maxAnswers is how many datagrams are looked at after each that is sent; more
// are somebody's flood.
const maxAnswers = 16

func (d *datagrams) Write(b []byte) (int, error) {
	if d.verdict != nil {
		return 0, d.verdict // the same again would be answered the same
	}
	d.answers = 0
	n, err := d.Conn.Write(b)
	if errors.Is(err, syscall.EMSGSIZE) {
		d.verdict = &refusal{fmt.Sprintf("the message has %d octets, more than a datagram carries", len(b))}
		return n, d.verdict
	}
	return n, err
}

func (d *datagrams) Read(b []byte) (int, error) {
	if d.answers++; d.answers > maxAnswers {
		return 0, errors.New("too many answers that are none")
	}
	n, err := d.Conn.Read(b)
	if d.v3 && err == nil {
		d.look(slices.Clone(b[:n]))
	}
	return n, err
}

// refused says whether the host tells, soon after a trap was sent, that it did not
// get to anybody.
func (d *datagrams) refused() error {
	if err := d.SetReadDeadline(time.Now().Add(grace)); err != nil {
		return err
	}
	_, err := d.Conn.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = d.pending() // a Read that begins late does not look
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return errNobody
	}
	return nil
}

// pending is the error that the kernel keeps for the socket.
func (d *datagrams) pending() error {
	raw, err := d.Conn.(syscall.Conn).SyscallConn() // every UDP socket has one
	if err != nil {
		return err
	}
	var errno int
	cerr := raw.Control(func(fd uintptr) {
		errno, err = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR)
	})
	if cerr != nil || err != nil || errno == 0 {
		return errors.Join(cerr, err)
	}
	return syscall.Errno(errno)
}
