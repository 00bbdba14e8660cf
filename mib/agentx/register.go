package agentx

import (
	"errors"
	"fmt"
	"os"
	"time"

	"lvs/mib/smi"
)

// opened registers everything. Notifications need none of that.
func (ss *session) opened(p *PDU, now int64) error {
	ss.id, ss.h.session = p.SessionID, p.SessionID
	ss.upTime, ss.upTimeAt = int64(p.SysUpTime)*int64(10*time.Millisecond), now
	ss.agent.mu.Lock()
	ss.agent.masterStart = time.Now().Add(-time.Duration(ss.upTime))
	ss.agent.mu.Unlock()
	ss.agent.open(ss)
	for _, o := range ss.agent.cfg.Registrations {
		if err := ss.register(o); err != nil {
			return err
		}
	}
	for _, c := range ss.agent.cfg.Capabilities {
		if err := ss.send(&PDU{Type: AddAgentCaps, Name: c.OID, Description: []byte(c.Description)}, c.OID); err != nil {
			return err
		}
	}
	return nil
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

// bye tells the master why the session ends, where it can still listen, and takes
// back in order what an orderly end leaves behind.
func (ss *session) bye(why error) {
	if ss.id == 0 {
		return
	}
	p := PDU{Type: Close, Flags: NetworkByteOrder, SessionID: ss.id, Reason: ReasonOther}
	_, malformed := errors.AsType[*DecodeError](why)
	out := ss.buf[:0]
	switch {
	case errors.Is(why, errInterrupted):
		p.Reason = ReasonShutdown
		for _, o := range ss.listed {
			c := PDU{Type: RemoveAgentCaps, Flags: NetworkByteOrder, SessionID: ss.id, PacketID: ss.number(), Name: o}
			out, _ = c.Append(out) // its name went out before
		}
	case errors.Is(why, os.ErrDeadlineExceeded):
		p.Reason = ReasonTimeouts
	case malformed:
		p.Reason = ReasonParseError
	}
	p.PacketID = ss.number()
	if b, err := p.Append(out); err == nil {
		ss.write(b) // the session is over either way
	}
}
