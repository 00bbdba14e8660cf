package agentx

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/mib/smi"
)

// chunks is a link that gives its bytes out in pieces.
type chunks struct {
	b    []byte
	size int
}

func (c *chunks) read(b []byte, _ time.Duration) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.b[:min(c.size, len(c.b))])
	c.b = c.b[n:]
	return n, nil
}

func (*chunks) write([]byte) error { return nil }
func (*chunks) interrupt()         {}
func (*chunks) wasReset() bool     { return false }
func (*chunks) close()             {}

// TestChunksDoNotMatter sends requests in pieces of every size from 1 byte up to
// all at once.
func TestChunksDoNotMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newRig(t, testGrid).join()
		var stream []byte
		var want [][]smi.VarBind
		for k := range testGrid.cells() {
			p := &PDU{Type: Get, Ranges: []Range{{Start: testGrid.name(nil, k)}, {Start: gridRoot}}}
			m.order ^= NetworkByteOrder // each PDU has its own
			stream = append(stream, m.encode(m.request(p))...)
			want = append(want, []smi.VarBind{bind(p.Ranges[0].Start, testGrid.value(k)), bind(gridRoot, smi.Value{Type: smi.NoSuchObject})})
		}
		first := uint32(1)
		for size := 1; size < 2*len(stream); size = size*3/2 + 1 {
			go func() {
				for rest := stream; len(rest) > 0; {
					n := min(size, len(rest))
					m.conn.Write(rest[:n])
					rest = rest[n:]
				}
			}()
			for i := range want {
				p := m.expect(Response)
				if p.PacketID != first+uint32(i) || !cmp.Equal(want[i], p.VarBinds) {
					t.Fatalf("chunks of %d bytes: response %d to packet %d holds %v, want %v", size, i, p.PacketID, p.VarBinds, want[i])
				}
			}
		}
	})
}

// TestSlowRequestSurvivesTimeouts has a request arrive byte by byte over more
// time than a silent session is allowed.
func TestSlowRequestSurvivesTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newRig(t, testGrid, func(c *Config) { c.PingInterval = time.Second }).join()
		for _, b := range m.encode(m.request(&PDU{Type: Get, Ranges: []Range{{Start: cell(2, 1, 1)}}})) {
			m.conn.Write([]byte{b})
			time.Sleep(900 * time.Millisecond)
		}
		if p := m.expect(Response); p.Error != NoError {
			t.Errorf("%+v", p)
		}
	})
}

// TestLongStream is longer than the reader's buffer, and so are some PDUs in it.
func TestLongStream(t *testing.T) {
	var stream []byte
	var want [][]byte
	for i := range 3000 {
		p := PDU{Type: Open, PacketID: uint32(i), Description: make([]byte, i%97)}
		if i%1000 == 999 {
			p.Description = make([]byte, 20000+i)
		}
		b, err := p.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		want, stream = append(want, b), append(stream, b...)
	}
	for _, size := range []int{1, 19, 20, 21, 1000, 16 << 10, 1 << 20} {
		r := reader{link: &chunks{b: stream, size: size}}
		for i := range want {
			if b, err := r.next(time.Second); err != nil || !bytes.Equal(b, want[i]) {
				t.Fatalf("chunks of %d bytes: PDU %d is %.60x, %v", size, i, b, err)
			}
		}
		if _, err := r.next(time.Second); err != io.EOF || len(r.buf) > 32<<10 {
			t.Errorf("chunks of %d bytes: %v at the end, with a buffer of %d bytes", size, err, len(r.buf))
		}
	}
}
