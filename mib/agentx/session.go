package agentx

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"lvs/mib/smi"
)

// pollTick is how often a session that waits for the master, or for its time
// to ask again, looks at the clock.
const pollTick = 100 * time.Millisecond

// yieldEvery is how often a busy session lets others run; see fdLink.
const yieldEvery = 5 * time.Millisecond

// A session is one conversation with the master. One goroutine runs it: there is
// never more than one request of the master under way, and answering takes less
// than handing it to somebody else would.
type session struct {
	agent *Subagent
	link  link
	in    reader
	h     *handler
	pdu   PDU    // what came last
	buf   []byte // what goes out, other than answers

	id      uint32 // given by the master; 0 = not yet
	calls   []call // requests of ours not answered yet, without notifications
	refused []retry
	missing int       // subtrees not registered yet
	listed  []smi.OID // capabilities in the master's sysORTable

	upTime   int64 // the master's sysUpTime at upTimeAt, in nanoseconds
	upTimeAt int64
	yielded  int64 // when it last let others run

	slots   chan struct{}         // one for each notification under way
	over    chan struct{}         // closed at the end, with mu held
	failure atomic.Pointer[error] // why somebody else ended it

	mu       sync.Mutex // guards writing to link, and what follows
	packetID uint32     // of the last request of ours
	notes    []*note    // notifications not answered yet, oldest first
	disorder bool       // the master does not answer in order
}

var (
	errGone   = errors.New("agentx: the master closed the connection")
	errClosed = errors.New("agentx: the master closed the session")
)

// closed is the end of a session that the master closes in order.
func closed(why CloseReason) error { return fmt.Errorf("%w: %v", errClosed, why) }

// A call is a request of ours.
type call struct {
	packetID uint32
	t        Type
	name     smi.OID // Register, AddAgentCaps
	sent     int64
}

// A retry is a subtree somebody else had.
type retry struct {
	subtree smi.OID
	since   int64 // when it was first refused
	next    int64 // when to ask again; 0 = asked
}

func newSession(s *Subagent, l link, h *handler) *session {
	return &session{
		agent: s, link: l, in: reader{link: l}, h: h, missing: len(s.cfg.Registrations),
		slots: make(chan struct{}, notesInFlight), over: make(chan struct{}),
	}
}

// run opens the session and answers until it ends; the error says why.
func (ss *session) run() error {
	if ss.agent.counters.sessions.Add(1) > 1 {
		ss.h.recent = recent{} // packet numbers begin anew
		ss.h.sets.open = nil
	}
	err := ss.send(&PDU{
		Type: Open, Name: ss.agent.cfg.ID, Description: []byte(ss.agent.cfg.Description),
		Timeout: uint8(min((ss.agent.cfg.Timeout+time.Second-1)/time.Second, 255)),
	}, nil)
	for err == nil {
		err = ss.step()
	}
	if why := ss.failure.Load(); why != nil && !errors.Is(err, errClosed) {
		err = *why // which came before
	}
	err = ss.drain(err)
	ss.end(err)
	ss.bye(err)
	return err
}

// step waits for one PDU, or a tick of the clock, and does what is to be done.
func (ss *session) step() error {
	wait := ss.agent.cfg.PingInterval
	if len(ss.calls) > 0 || len(ss.refused) > 0 {
		wait = min(wait, pollTick)
	}
	b, err := ss.in.next(wait)
	idle := errors.Is(err, os.ErrDeadlineExceeded)
	if err != nil && !idle {
		if _, ok := errors.AsType[*DecodeError](err); ok {
			ss.agent.counters.malformed.Add(1)
		}
		if errors.Is(err, io.EOF) {
			return errGone
		}
		return fmt.Errorf("agentx: session: %w", err)
	}
	now := ss.agent.now()
	if !idle {
		if err := ss.dispatch(b, now); err != nil {
			return err
		}
		if now-ss.yielded > int64(yieldEvery) {
			ss.yielded = now
			runtime.Gosched()
		}
	}
	if len(ss.calls) > 0 || len(ss.refused) > 0 {
		return ss.tick(now)
	}
	if idle {
		ss.agent.counters.pings.Add(1)
		return ss.send(&PDU{Type: Ping}, nil)
	}
	return nil
}

// dispatch takes one PDU from the master.
func (ss *session) dispatch(b []byte, now int64) error {
	p := &ss.pdu
	bad := p.Decode(b)
	if bad != nil {
		ss.agent.counters.malformed.Add(1)
	}
	switch p.Type {
	case Response:
		if bad != nil {
			return bad
		}
		return ss.response(p, now)
	case Close:
		return closed(p.Reason)
	}
	up := (ss.upTime + now - ss.upTimeAt) / int64(10*time.Millisecond)
	answer := ss.h.answer(p, bad, *ss.agent.trees.Load(), now, uint32(up))
	if answer == nil {
		return nil
	}
	return ss.write(answer)
}

func (ss *session) write(b []byte) error {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if err := ss.link.write(b); err != nil {
		return fmt.Errorf("agentx: write to the master: %w", err)
	}
	return nil
}

// send makes a request of ours, about name if it is about one.
func (ss *session) send(p *PDU, name smi.OID) error {
	p.Flags |= NetworkByteOrder
	p.SessionID, p.PacketID = ss.id, ss.number()
	b, err := p.Append(ss.buf[:0])
	if err != nil {
		return err
	}
	ss.buf = b
	ss.calls = append(ss.calls, call{packetID: p.PacketID, t: p.Type, name: name, sent: ss.agent.now()})
	return ss.write(b)
}

// number gives the next request of ours its packetID.
func (ss *session) number() uint32 {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.packetID++
	return ss.packetID
}

// response takes the answer to a request of ours.
func (ss *session) response(p *PDU, now int64) error {
	for i, c := range ss.calls {
		if c.packetID != p.PacketID {
			continue
		}
		ss.calls = append(ss.calls[:i], ss.calls[i+1:]...)
		return ss.answered(c, p, now)
	}
	return ss.acknowledged(p)
}

func (ss *session) answered(c call, p *PDU, now int64) error {
	switch {
	case c.t == Open && p.Error == NoError:
		return ss.opened(p, now)
	case c.t == Register && p.Error == NoError:
		ss.registered(c.name)
		return nil
	case c.t == Register && p.Error == DuplicateRegistration:
		ss.duplicate(c.name, now)
		return nil
	case c.t == AddAgentCaps:
		if p.Error == NoError { // else it is a row in sysORTable less
			ss.listed = append(ss.listed, c.name)
		}
		return nil
	case p.Error == NoError:
		return nil
	case c.t == Register:
		return fmt.Errorf("agentx: register %v: %w", c.name, p.Error)
	}
	return fmt.Errorf("agentx: %v: %w", c.t, p.Error)
}

// tick looks for requests that got no answer and for subtrees to ask for again.
func (ss *session) tick(now int64) error {
	for _, c := range ss.calls {
		if now-c.sent < int64(ss.agent.cfg.Timeout) {
			continue
		}
		if c.t == Ping {
			ss.agent.counters.pingTimeouts.Add(1)
		}
		return fmt.Errorf("agentx: the master did not answer %v: %w", c.t, os.ErrDeadlineExceeded)
	}
	for i := range ss.refused {
		if r := &ss.refused[i]; r.next != 0 && now >= r.next {
			r.next = 0
			if err := ss.register(r.subtree); err != nil {
				return err
			}
		}
	}
	return nil
}
