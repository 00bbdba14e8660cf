package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
)

// However much clients send at once, what is on its way to the guest fits its
// terminal; what was acknowledged makes room for the rest.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := newLine(true, &out, nil)
		const senders, size = 20, 700
		var wg sync.WaitGroup
		for i := range senders {
			wg.Go(func() { l.send(frameData, 0, uint32(i), make([]byte, size)) })
		}
		total := 0
		for total < senders*(headLen+size) {
			synctest.Wait()
			n := out.Len()
			if n == 0 || n > window {
				t.Fatalf("%d bytes are on their way, want 1 to %d", n, window)
			}
			out.Reset()
			total += n
			ack := make([]byte, headLen)
			ack[0] = frameAck
			binary.BigEndian.PutUint32(ack[2:], uint32(n))
			if err := l.read(bytes.NewReader(ack)); err != io.EOF {
				t.Fatal(err)
			}
		}
		wg.Wait()
	})
}

// Two ends carry many streams at once, both ways, whole.
func TestForwardMany(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer echo.Close()
	go func() {
		for {
			c, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	down, toGuest, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	up, toHost, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	targets := []string{"tcp:" + echo.Addr().String()}
	host, guest := newLine(true, toGuest, targets), newLine(false, toHost, targets)
	go host.read(bufio.NewReader(up))
	go guest.read(bufio.NewReader(down))

	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			client, end := net.Pipe()
			go host.pump(0, host.add(end), end)
			want := bytes.Repeat([]byte{byte(i)}, 20_000)
			go client.Write(want)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, want) {
				t.Errorf("stream %d: %v, or its bytes are not what was sent", i, err)
			}
			client.Close()
		})
	}
	wg.Wait()
}
