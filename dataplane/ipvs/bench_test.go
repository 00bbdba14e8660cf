package ipvs

import (
	"fmt"
	"io"
	"io/fs"
	"iter"
	"testing"
	"time"

	"github.com/mdlayher/netlink"

	"lvs/dataplane"
)

// A canned socket answers from memory, so that what is measured is our side alone:
// requests, the walk through datagrams, decoding and putting the snapshot together.
type canned struct {
	services, reals []byte   // the rows of a dump
	one             [][]byte // the answers to what is no dump, by command
	queue           [2][]byte
	seq             uint32
	done            []byte
}

func newCanned(services, reals int) *canned {
	k := newKernel()
	k.fillTable(services, reals)
	c := &canned{one: make([][]byte, cmdFlush+1)}
	req := netlink.Message{Header: netlink.Header{Type: 28}}
	for _, s := range k.table {
		c.services = append(c.services, wire(req, netlink.Multi, k.serviceRow(s))...)
	}
	for _, r := range k.table[0].reals {
		c.reals = append(c.reals, wire(req, netlink.Multi, k.realRow(r))...)
	}
	for _, cmd := range []command{cmdGetInfo, cmdGetConfig} {
		c.one[cmd] = k.answer(netlink.Message{Header: req.Header, Data: []byte{byte(cmd), 1, 0, 0}})
	}
	c.one[0] = k.newFamily(netlink.Message{Header: netlink.Header{Type: ctrlID, Flags: netlink.Dump}})
	done := req
	done.Header.Type = netlink.Done
	c.done = wire(done, netlink.Multi, make([]byte, 4))
	return c
}

func (c *canned) Send(m netlink.Message) error {
	c.seq = m.Header.Sequence
	switch {
	case m.Header.Type == ctrlID:
		c.queue[0] = c.one[0]
	case command(m.Data[0]) == cmdGetService:
		c.queue = [2][]byte{c.services, c.done}
	case command(m.Data[0]) == cmdGetDest:
		c.queue = [2][]byte{c.reals, c.done}
	case command(m.Data[0]) == cmdGetDaemon:
		c.queue = [2][]byte{c.done}
	default:
		c.queue[0] = c.one[m.Data[0]]
	}
	return nil
}

func (c *canned) ReceiveIter() iter.Seq2[netlink.Message, error] {
	return func(yield func(netlink.Message, error) bool) {
		b := c.queue[0]
		c.queue[0], c.queue[1] = c.queue[1], nil
		if b == nil {
			yield(netlink.Message{}, io.ErrUnexpectedEOF)
			return
		}
		for m, err := range messages(b) {
			m.Header.Sequence = c.seq
			if !yield(m, err) {
				return
			}
		}
	}
}

func (c *canned) Receive() (ms []netlink.Message, err error) {
	for m, err := range c.ReceiveIter() {
		if err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	return ms, nil
}

func (c *canned) SendMessages([]netlink.Message) error { return fs.ErrInvalid }
func (c *canned) Close() error                         { return nil }
func (c *canned) SetDeadline(time.Time) error          { return nil }
func (c *canned) SetReadDeadline(time.Time) error      { return nil }
func (c *canned) SetWriteDeadline(time.Time) error     { return nil }

func cannedClient(t testing.TB, services, reals int) *Client {
	sock := newCanned(services, reals)
	ns, err := openNamespace("")
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(ns, func() (*netlink.Conn, error) { return netlink.NewConn(sock, 4242), nil }, defaultTimeout)
	t.Cleanup(func() { c.Close() })
	return c
}

// BenchmarkSnapshotDecode reads whole tables of ten real servers a service. Beside
// time it tells allocations for each real server.
func BenchmarkSnapshotDecode(b *testing.B) {
	for _, services := range []int{100, 1000} {
		b.Run(fmt.Sprintf("services=%d", services), func(b *testing.B) {
			c := cannedClient(b, services, 10)
			b.ReportAllocs()
			reals := 0
			for b.Loop() {
				s, err := c.Snapshot(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				reals = s.RealServers()
				c.Recycle(s) // as the agent does
			}
			if reals != services*10 {
				b.Fatalf("%d real servers", reals)
			}
			allocs := testing.AllocsPerRun(1, func() { c.Snapshot(b.Context()) })
			b.ReportMetric(allocs/float64(reals), "allocs/real")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(reals), "ns/real")
		})
	}
}

// BenchmarkDecodeReal decodes one real server, as a recording has it.
func BenchmarkDecodeReal(b *testing.B) {
	data := recordedRow(b, tunnelsFile, 2)
	b.ReportAllocs()
	for b.Loop() {
		var r dataplane.RealState
		if _, err := decodeReal(data, dataplane.INET, &r); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAllocationsForARealServer(t *testing.T) {
	data := recordedRow(t, tunnelsFile, 2)
	if n := testing.AllocsPerRun(100, func() {
		var r dataplane.RealState
		if _, err := decodeReal(data, dataplane.INET, &r); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("decoding one allocates %v times, want 0", n)
	}
	const services, reals = 100, 10
	c := cannedClient(t, services, reals)
	snapshot(t, c)
	n := testing.AllocsPerRun(5, func() { snapshot(t, c) }) / (services * reals)
	if n > 2 {
		t.Errorf("a snapshot allocates %.2f times for each real server, want 2 at most", n)
	}
}
