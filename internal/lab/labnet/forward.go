package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
)

// forward carries TCP connections and UDP datagrams between the host and the
// guest over one line of bytes, for the guest has no network to the outside.
// The host's end listens and opens streams, the guest's end dials.
//
//	labnet forward -host  IN OUT tcp:127.0.0.1:10587 udp:127.0.0.1:16161 …
//	labnet forward -guest IN OUT tcp:127.0.0.1:10587 udp:127.0.0.1:16161 …
//
// Both ends are given the same list; a stream names its target by place. A
// frame is kind, target, stream, length (1, 1, 4, 2 bytes) and the payload. The
// guest's end acknowledges each, with its size in the place of the stream.
func forward(args []string) {
	if len(args) < 4 || args[0] != "-host" && args[0] != "-guest" {
		fail("labnet forward -host|-guest IN OUT tcp:ADDRESS:PORT|udp:ADDRESS:PORT ...")
	}
	// The order of opening is the same at both ends, so that FIFOs do not wait
	// for each other.
	in, err := os.OpenFile(args[1], os.O_RDWR, 0)
	check(err)
	out, err := os.OpenFile(args[2], os.O_RDWR, 0)
	check(err)
	l := newLine(args[0] == "-host", out, args[3:])
	if l.host {
		for i, t := range l.targets {
			check(l.listen(byte(i), t))
		}
	}
	check(l.read(bufio.NewReader(in)))
}

const (
	frameData  = 'd'
	frameClose = 'c'
	frameAck   = 'a'
	headLen    = 8
	maxPayload = 1 << 15

	// How many bytes may be on their way to the guest. Its terminal holds 4096;
	// user-mode Linux that once had to leave more than that in the FIFO does not
	// always come back for it.
	window = 2048
)

// A line multiplexes streams. Nothing that may wait for the other end is done
// with mu held, for both ends' readers need it.
type line struct {
	host    bool
	targets []string

	write sync.Mutex // held while a frame is written, so frames stay whole
	out   io.Writer
	room  int       // what the window has left, at the host's end
	freed sync.Cond // told when room grows

	mu      sync.Mutex
	streams map[uint32]io.WriteCloser
	next    uint32
}

func newLine(host bool, out io.Writer, targets []string) *line {
	l := &line{host: host, out: out, targets: targets, room: window, streams: map[uint32]io.WriteCloser{}}
	l.freed.L = &l.write
	return l
}

// send writes a frame, at the host's end when the window has room for it.
func (l *line) send(kind, target byte, stream uint32, payload []byte) {
	frame := make([]byte, headLen, headLen+len(payload))
	frame[0], frame[1] = kind, target
	binary.BigEndian.PutUint32(frame[2:], stream)
	binary.BigEndian.PutUint16(frame[6:], uint16(len(payload)))
	frame = append(frame, payload...)
	l.write.Lock()
	defer l.write.Unlock()
	if l.host {
		for l.room < len(frame) {
			l.freed.Wait()
		}
		l.room -= len(frame)
	}
	_, err := l.out.Write(frame)
	check(err)
}

// acknowledged takes back n bytes that the guest's end has read.
func (l *line) acknowledged(n int) {
	l.write.Lock()
	defer l.write.Unlock()
	l.room += n
	l.freed.Broadcast()
}

func (l *line) add(w io.WriteCloser) uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	l.streams[l.next] = w
	return l.next
}

func (l *line) remove(stream uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := l.streams[stream]; w != nil {
		w.Close()
		delete(l.streams, stream)
	}
}

// listen serves one target at the host's end.
func (l *line) listen(target byte, address string) error {
	network, address, _ := strings.Cut(address, ":")
	if network == "tcp" {
		lis, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		go func() {
			for {
				c, err := lis.Accept()
				check(err)
				go l.pump(target, l.add(c), c)
			}
		}()
		return nil
	}
	pc, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	go l.datagrams(target, pc)
	return nil
}

// datagrams gives every client address a stream of its own.
func (l *line) datagrams(target byte, pc net.PacketConn) {
	clients := map[string]uint32{}
	buf := make([]byte, maxPayload)
	for {
		n, from, err := pc.ReadFrom(buf)
		check(err)
		if headLen+n > window {
			continue // lost, as on any network that is too narrow
		}
		stream, ok := clients[from.String()]
		if !ok {
			if len(clients) >= 1024 { // long-lived runs see many short clients
				for a, s := range clients {
					l.send(frameClose, target, s, nil)
					l.remove(s)
					delete(clients, a)
				}
			}
			stream = l.add(reply{pc, from})
			clients[from.String()] = stream
		}
		l.send(frameData, target, stream, buf[:n])
	}
}

// A reply writes datagrams back to one client.
type reply struct {
	net.PacketConn
	to net.Addr
}

func (r reply) Write(b []byte) (int, error) { return r.WriteTo(b, r.to) }
func (r reply) Close() error                { return nil }

// pump sends what arrives on c until it ends.
func (l *line) pump(target byte, stream uint32, c io.Reader) {
	buf := make([]byte, maxPayload)
	if l.host {
		buf = buf[:window/2-headLen]
	}
	for {
		n, err := c.Read(buf)
		if n > 0 {
			l.send(frameData, target, stream, buf[:n])
		}
		if err != nil {
			l.send(frameClose, target, stream, nil)
			l.remove(stream)
			return
		}
	}
}

// read hands frames to their streams; the guest's end dials for new ones.
func (l *line) read(in io.Reader) error {
	head := make([]byte, headLen)
	for {
		if _, err := io.ReadFull(in, head); err != nil {
			return err
		}
		target, stream := head[1], binary.BigEndian.Uint32(head[2:])
		payload := make([]byte, binary.BigEndian.Uint16(head[6:]))
		if _, err := io.ReadFull(in, payload); err != nil {
			return err
		}
		if !l.host {
			l.send(frameAck, target, uint32(headLen+len(payload)), nil)
		}
		switch head[0] {
		case frameAck:
			l.acknowledged(int(stream))
			continue
		case frameClose:
			l.remove(stream)
			continue
		}
		l.mu.Lock()
		w := l.streams[stream]
		l.mu.Unlock()
		if w == nil {
			// At the host's end its client has gone, which the guest was told; to
			// send here would be to wait for what only this loop can read.
			if l.host {
				continue
			}
			var err error
			if w, err = l.dial(target, stream); err != nil {
				l.send(frameClose, target, stream, nil)
				continue
			}
		}
		if _, err := w.Write(payload); err != nil {
			l.remove(stream)
		}
	}
}

func (l *line) dial(target byte, stream uint32) (io.WriteCloser, error) {
	if int(target) >= len(l.targets) {
		return nil, fmt.Errorf("no target %s", strconv.Itoa(int(target)))
	}
	network, address, _ := strings.Cut(l.targets[target], ":")
	c, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.streams[stream] = c
	l.mu.Unlock()
	go l.pump(target, stream, c)
	return c, nil
}
