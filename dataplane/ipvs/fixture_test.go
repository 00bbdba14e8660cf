package ipvs

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
)

// fixtures is where what real kernels said is kept; see the README there.
const fixtures = "../../internal/lab/fixtures"

// A recorded message, with what another decoder made of it.
type recorded struct {
	What      string
	Direction string
	Hex       string
	Command   string
	Attrs     []recordedAttr

	// Of netlink-errors.jsonl.
	RequestHex string `json:"request_hex"`
	Errno      int
}

// A recordedAttr is an attribute: a name and either a value or more attributes.
type recordedAttr struct {
	N string
	V any
	A []recordedAttr
}

// wire is the message as it was on the wire.
func (r recorded) wire(t testing.TB) []byte {
	t.Helper()
	h := r.Hex
	if h == "" {
		h = r.RequestHex
	}
	b, err := hex.DecodeString(h)
	if err != nil || len(b) < nlHeader+genlHeader {
		t.Fatalf("%s: %q: %v", r.What, h, err)
	}
	return b
}

func readRecorded(t testing.TB, path string) (list []recorded) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var r recorded
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		list = append(list, r)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatalf("%s is empty", path)
	}
	return list
}

// recordings are all files of recorded answers.
func recordings(t testing.TB) []string {
	t.Helper()
	var paths []string
	for _, pattern := range []string{"*/netlink/*.jsonl", "*/netlink/dests/*.jsonl", "sync/netlink-*.jsonl"} {
		found, err := filepath.Glob(filepath.Join(fixtures, pattern))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	if len(paths) < 60 {
		t.Fatalf("%d recordings below %s, want 60 or more", len(paths), fixtures)
	}
	return paths
}

// A replay is a netlink.Socket that answers requests as was recorded, and the
// request for the family as the kernel of the recordings did.
type replay struct {
	t       testing.TB
	answers map[string][][]byte // by the request behind its netlink header
	queue   []byte
}

func newReplay(t testing.TB, dir string) *replay {
	r := &replay{t: t, answers: make(map[string][][]byte)}
	for _, pattern := range []string{"*.jsonl", "dests/*.jsonl"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			var key string
			for _, m := range readRecorded(t, path) {
				if b := m.wire(t); m.Direction == "request" {
					key = string(b[nlHeader:])
					r.answers[key] = nil
				} else {
					r.answers[key] = append(r.answers[key], b)
				}
			}
		}
	}
	return r
}

func (r *replay) dial() (*netlink.Conn, error) { return netlink.NewConn(r, 4242), nil }

// Send queues the answer: the recorded messages with the request's number.
func (r *replay) Send(m netlink.Message) error {
	if m.Header.Type == ctrlID {
		r.queue = append(r.queue, newKernel().newFamily(m)...)
		return nil
	}
	answers, ok := r.answers[string(m.Data)]
	if !ok {
		r.t.Errorf("request that was never recorded: %x", m.Data)
	}
	for _, b := range answers {
		b = bytes.Clone(b)
		binary.NativeEndian.PutUint32(b[8:], m.Header.Sequence)
		r.queue = append(r.queue, b...)
	}
	if m.Header.Flags&netlink.Dump == netlink.Dump {
		done := m
		done.Header.Type = netlink.Done
		r.queue = append(r.queue, wire(done, netlink.Multi, make([]byte, 4))...)
	}
	return nil
}

func (r *replay) ReceiveIter() iter.Seq2[netlink.Message, error] {
	if len(r.queue) == 0 {
		return func(yield func(netlink.Message, error) bool) { yield(netlink.Message{}, io.ErrUnexpectedEOF) }
	}
	b := r.queue
	r.queue = nil
	return messages(b)
}

func (r *replay) Receive() (ms []netlink.Message, err error) {
	for m, err := range r.ReceiveIter() {
		if err != nil {
			return nil, err
		}
		ms = append(ms, m)
	}
	return ms, nil
}

func (r *replay) SendMessages([]netlink.Message) error { return fs.ErrInvalid }
func (r *replay) Close() error                         { return nil }
func (r *replay) SetDeadline(time.Time) error          { return nil }
func (r *replay) SetReadDeadline(time.Time) error      { return nil }
func (r *replay) SetWriteDeadline(time.Time) error     { return nil }

// replayClient is a Client of a recorded kernel.
func replayClient(t testing.TB, dir string) *Client {
	ns, err := openNamespace("")
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(ns, newReplay(t, dir).dial, defaultTimeout)
	t.Cleanup(func() { c.Close() })
	return c
}
