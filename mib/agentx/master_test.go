package agentx

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lvs/mib/smi"
)

// A fakeMaster is the other end of a session, driven step by step by a test.
type fakeMaster struct {
	t     *testing.T
	conn  net.Conn
	in    reader
	order Flags // of what it sends

	session, packet uint32
	upTime          uint32
}

func newFakeMaster(t *testing.T, conn net.Conn) *fakeMaster {
	l := &connLink{conn: conn, timeout: time.Minute}
	return &fakeMaster{t: t, conn: conn, in: reader{link: l}, session: 7, upTime: 1234}
}

// receive returns the next PDU; nil if the subagent hung up.
func (m *fakeMaster) receive() *PDU {
	m.t.Helper()
	b, err := m.in.next(time.Hour)
	if err != nil {
		return nil
	}
	p := new(PDU)
	if err := p.Decode(bytes.Clone(b)); err != nil {
		m.t.Fatalf("subagent sent nonsense: %v", err)
	}
	return p
}

// expect receives a PDU of type want.
func (m *fakeMaster) expect(want Type) *PDU {
	m.t.Helper()
	p := m.receive()
	if p == nil {
		m.t.Fatalf("the subagent hung up, want %v", want)
	}
	if p.Type != want {
		m.t.Fatalf("received %v, want %v", p.Type, want)
	}
	return p
}

func (m *fakeMaster) encode(p *PDU) []byte {
	m.t.Helper()
	p.Flags |= m.order
	b, err := p.Append(nil)
	if err != nil {
		m.t.Fatal(err)
	}
	return b
}

func (m *fakeMaster) send(p *PDU) {
	m.t.Helper()
	if _, err := m.conn.Write(m.encode(p)); err != nil {
		m.t.Fatalf("send %v: %v", p.Type, err)
	}
}

// request numbers p as a request of this master.
func (m *fakeMaster) request(p *PDU) *PDU {
	m.packet++
	p.SessionID, p.TransactionID, p.PacketID = m.session, m.packet+100, m.packet
	return p
}

// ask sends a request and returns its Response.
func (m *fakeMaster) ask(p *PDU) *PDU {
	m.t.Helper()
	m.send(m.request(p))
	r := m.expect(Response)
	if r.SessionID != p.SessionID || r.TransactionID != p.TransactionID || r.PacketID != p.PacketID {
		m.t.Fatalf("response to %d/%d/%d, want %d/%d/%d", r.SessionID, r.TransactionID, r.PacketID, p.SessionID, p.TransactionID, p.PacketID)
	}
	return r
}

// answer replies to a request of the subagent.
func (m *fakeMaster) answer(p *PDU, e Error) {
	m.t.Helper()
	m.send(&PDU{Type: Response, SessionID: m.session, TransactionID: p.TransactionID, PacketID: p.PacketID, SysUpTime: m.upTime, Error: e})
}

// welcome takes a new subagent in: Open, Register and AddAgentCaps.
func (m *fakeMaster) welcome() {
	m.t.Helper()
	m.answer(m.expect(Open), NoError)
	reg, caps := m.expect(Register), m.expect(AddAgentCaps)
	m.answer(reg, NoError)
	m.answer(caps, NoError)
}

// listen returns a listener for masters of a test.
func listen(t *testing.T, network string) net.Listener {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	server, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server
}

// A rig is a running subagent whose connections a test accepts.
type rig struct {
	*Subagent
	t     *testing.T
	conns chan net.Conn
	log   *syncBuffer
	stop  func() // ends Run and waits for it
}

// newRig runs a subagent over net.Pipe until the test ends. In a synctest
// bubble its clock is the bubble's.
func newRig(t *testing.T, tree smi.Tree, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, conns: make(chan net.Conn), log: new(syncBuffer)}
	cfg := Config{
		Address: "tcp:pipe:0", Registrations: []smi.OID{gridRoot}, Description: "test", ID: gridRoot, Capabilities: []Capability{{gridRoot, "a table"}},
		Logger: slog.New(slog.NewTextHandler(r.log, nil)),
	}
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(cfg, tree)
	if err != nil {
		t.Fatal(err)
	}
	s.dial = r.dial
	r.Subagent = s
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	r.stop = func() { cancel(); wg.Wait() }
	t.Cleanup(r.stop)
	return r
}

func (r *rig) dial(ctx context.Context) (link, error) {
	ours, theirs := net.Pipe()
	select {
	case r.conns <- theirs:
		return &connLink{conn: ours, timeout: r.cfg.Timeout}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// accept waits for the subagent to connect.
func (r *rig) accept() *fakeMaster { return newFakeMaster(r.t, <-r.conns) }

// join accepts and welcomes the subagent.
func (r *rig) join() *fakeMaster {
	r.t.Helper()
	m := r.accept()
	m.welcome()
	return m
}

// logged counts the log's lines.
func (r *rig) logged() int { return bytes.Count([]byte(r.log.String()), []byte("\n")) }

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newTestSubagent makes one that is not run yet.
func newTestSubagent(t *testing.T, address string, log *syncBuffer) *Subagent {
	t.Helper()
	s, err := New(Config{Address: address, Registrations: []smi.OID{gridRoot}, Logger: slog.New(slog.NewTextHandler(log, nil))}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
