package agentx

import (
	"sync/atomic"
	"time"
)

// A Request is a kind of request and its outcome.
type Request struct {
	Type  Type
	Error Error
}

// Stats is the state of a Subagent and what it did since New.
type Stats struct {
	Connected   bool      // all subtrees are registered now
	Since       time.Time // when Connected last changed; the zero Time if it never did
	MasterStart time.Time // when the master's sysUpTime was 0, as told at the last Open; the zero Time before the first

	Requests  map[Request]uint64 // requests the master made
	Variables uint64             // variables answered
	Pinned    uint64             // of these: from a replaced tree, for a walk under way

	Notifications      uint64 // acknowledged by the master
	NotificationErrors uint64 // calls of Notify that were not, each try of its own

	DuplicateRequests      uint64 // requests the master sent again
	DuplicateRegistrations uint64 // times the master said that somebody else has a subtree
	Reconnects             uint64 // sessions begun after the first
	Pings, PingTimeouts    uint64 // sent; not answered in time
	Malformed              uint64 // PDUs, or streams of bytes, that made no sense

	LastError     error     // why the session ended or could not begin, last time; nil = never
	LastErrorTime time.Time // when
}

// outcomes are the errors a handler answers with.
// A Setter may choose among those of smi.ErrorStatus, which come first and are at
// their own index.
var outcomes = [...]Error{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, NotOpen, UnsupportedContext, ParseError}

// Counters are the part of Stats that every request touches.
type counters struct {
	requests                                 [Response + 1][len(outcomes)]atomic.Uint64 // type 0: those RFC 2741 does not know
	variables, pinned                        atomic.Uint64
	notifications, notifyErrors              atomic.Uint64
	duplicateRequests, duplicateRegistration atomic.Uint64
	sessions, pings, pingTimeouts, malformed atomic.Uint64
}

func (c *counters) count(t Type, code Error) {
	if !t.valid() {
		t = 0
	}
	for i, o := range outcomes {
		if o == code {
			c.requests[t][i].Add(1)
			return
		}
	}
}

// Stats returns the present figures. It is safe for concurrent use.
func (s *Subagent) Stats() Stats {
	c := &s.counters
	st := Stats{
		Requests:               map[Request]uint64{},
		Variables:              c.variables.Load(),
		Pinned:                 c.pinned.Load(),
		Notifications:          c.notifications.Load(),
		NotificationErrors:     c.notifyErrors.Load(),
		DuplicateRequests:      c.duplicateRequests.Load(),
		DuplicateRegistrations: c.duplicateRegistration.Load(),
		Reconnects:             max(c.sessions.Load(), 1) - 1,
		Pings:                  c.pings.Load(),
		PingTimeouts:           c.pingTimeouts.Load(),
		Malformed:              c.malformed.Load(),
	}
	for t := range c.requests {
		for i := range c.requests[t] {
			if n := c.requests[t][i].Load(); n > 0 {
				st.Requests[Request{Type(t), outcomes[i]}] = n
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Connected, st.Since = s.state == stateUp, s.since
	st.MasterStart = s.masterStart
	st.LastError, st.LastErrorTime = s.lastErr, s.lastErrTime
	return st
}
