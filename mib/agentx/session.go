package agentx

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"lvs/mib/smi"
)

// pollTick is how often a session that waits for the master, or for its time
// to ask again, looks at the clock.
const pollTick = 100 * time.Millisecond

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

	id       uint32 // given by the master; 0 = not yet
	packetID uint32 // of the last request of ours
	calls    []call // requests of ours not answered yet
	refused  []retry
	missing  int // subtrees not registered yet

	upTime   int64 // the master's sysUpTime at upTimeAt, in nanoseconds
	upTimeAt int64
}

var errGone = errors.New("agentx: the master closed the connection")

// A call is a request of ours.
type call struct {
	packetID uint32
	t        Type
	subtree  smi.OID // Register
	sent     int64
}

// A retry is a subtree somebody else had.
type retry struct {
	subtree smi.OID
	since   int64 // when it was first refused
	next    int64 // when to ask again; 0 = asked
}

func newSession(s *Subagent, l link, h *handler) *session {
	return &session{agent: s, link: l, in: reader{link: l}, h: h, missing: len(s.cfg.Registrations)}
}

// run opens the session and answers until it ends; the error says why.
func (ss *session) run() error {
	if ss.agent.counters.sessions.Add(1) > 1 {
		ss.h.recent = recent{} // packet numbers begin anew
	}
	err := ss.send(&PDU{
		Type: Open, Name: ss.agent.cfg.SysORID, Description: []byte(ss.agent.cfg.Description),
		Timeout: uint8(min((ss.agent.cfg.Timeout+time.Second-1)/time.Second, 255)),
	}, nil)
	for err == nil {
		err = ss.step()
	}
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
		return fmt.Errorf("agentx: the master closed the session: %v", p.Reason)
	}
	up := (ss.upTime + now - ss.upTimeAt) / int64(10*time.Millisecond)
	answer := ss.h.answer(p, bad, *ss.agent.trees.Load(), now, uint32(up))
	if answer == nil {
		return nil
	}
	return ss.write(answer)
}

func (ss *session) write(b []byte) error {
	if err := ss.link.write(b); err != nil {
		return fmt.Errorf("agentx: answer the master: %w", err)
	}
	return nil
}

// send makes a request of ours.
func (ss *session) send(p *PDU, subtree smi.OID) error {
	ss.packetID++
	p.Flags |= NetworkByteOrder
	p.SessionID, p.PacketID = ss.id, ss.packetID
	b, err := p.Append(ss.buf[:0])
	if err != nil {
		return err
	}
	ss.buf = b
	ss.calls = append(ss.calls, call{packetID: p.PacketID, t: p.Type, subtree: subtree, sent: ss.agent.now()})
	return ss.write(b)
}

// response takes the answer to a request of ours; one to none is ignored.
func (ss *session) response(p *PDU, now int64) error {
	for i, c := range ss.calls {
		if c.packetID != p.PacketID {
			continue
		}
		ss.calls = append(ss.calls[:i], ss.calls[i+1:]...)
		return ss.answered(c, p, now)
	}
	return nil
}

func (ss *session) answered(c call, p *PDU, now int64) error {
	switch {
	case c.t == Open && p.Error == NoError:
		return ss.opened(p, now)
	case c.t == Register && p.Error == NoError:
		ss.registered(c.subtree)
		return nil
	case c.t == Register && p.Error == DuplicateRegistration:
		ss.duplicate(c.subtree, now)
		return nil
	case p.Error == NoError, c.t == AddAgentCaps: // a row in sysORTable is nice to have
		return nil
	case c.t == Register:
		return fmt.Errorf("agentx: register %v: %w", c.subtree, p.Error)
	}
	return fmt.Errorf("agentx: %v: %w", c.t, p.Error)
}

// opened registers everything.
func (ss *session) opened(p *PDU, now int64) error {
	ss.id, ss.h.session = p.SessionID, p.SessionID
	ss.upTime, ss.upTimeAt = int64(p.SysUpTime)*int64(10*time.Millisecond), now
	ss.agent.mu.Lock()
	ss.agent.masterStart = time.Now().Add(-time.Duration(ss.upTime))
	ss.agent.mu.Unlock()
	for _, o := range ss.agent.cfg.Registrations {
		if err := ss.register(o); err != nil {
			return err
		}
	}
	if len(ss.agent.cfg.SysORID) == 0 {
		return nil
	}
	return ss.send(&PDU{Type: AddAgentCaps, Name: ss.agent.cfg.SysORID, Description: []byte(ss.agent.cfg.SysORDescr)}, nil)
}

func (ss *session) register(o smi.OID) error {
	return ss.send(&PDU{Type: Register, Priority: 127, Name: o}, o)
}

func (ss *session) registered(o smi.OID) {
	for i, r := range ss.refused {
		if r.subtree.Compare(o) == 0 {
			ss.refused = append(ss.refused[:i], ss.refused[i+1:]...)
			break
		}
	}
	if ss.missing--; ss.missing == 0 {
		ss.agent.enter(stateUp, nil)
	}
}

// duplicate notes that somebody else has a subtree. After a restart of ours it
// may be our former self, whom the master has not missed yet.
func (ss *session) duplicate(o smi.OID, now int64) {
	ss.agent.counters.duplicateRegistration.Add(1)
	ss.agent.enter(stateDuplicate, fmt.Errorf("agentx: register %v: %w", o, DuplicateRegistration))
	for i := range ss.refused {
		if r := &ss.refused[i]; r.subtree.Compare(o) == 0 {
			r.next = now + int64(retryDelay(time.Duration(now-r.since)))
			return
		}
	}
	ss.refused = append(ss.refused, retry{subtree: o, since: now, next: now + int64(retryDelay(0))})
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

// bye tells the master why the session ends, where it can still listen.
func (ss *session) bye(why error) {
	p := PDU{Type: Close, Flags: NetworkByteOrder, SessionID: ss.id, PacketID: ss.packetID + 1, Reason: ReasonOther}
	_, malformed := errors.AsType[*DecodeError](why)
	switch {
	case errors.Is(why, errInterrupted):
		p.Reason = ReasonShutdown
	case errors.Is(why, os.ErrDeadlineExceeded):
		p.Reason = ReasonTimeouts
	case malformed:
		p.Reason = ReasonParseError
	}
	if b, err := p.Append(ss.buf[:0]); err == nil && ss.id != 0 {
		ss.link.write(b) // the session is over either way
	}
}
