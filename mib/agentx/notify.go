package agentx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"lvs/mib/smi"
)

var (
	// ErrNoSession is in Notify's error where the master did not send the
	// notification on: there is no session, or it ended before the master came to
	// it. It may be given again after [Subagent.Up].
	ErrNoSession = errors.New("agentx: no session with the master")
	// ErrUnacknowledged is in Notify's error where the master may have sent the
	// notification on, but did not say so. The cause beside it tells what is
	// likelier. If it is os.ErrDeadlineExceeded, or the caller's context ended, the
	// master is slow or hangs and will send it on when it comes to it. Otherwise
	// the master died over it: of 120 snmpds killed amid notifications without
	// pause 12 left one unknown, and of these 2 had been sent on. To give it again
	// is to risk that managers see it twice.
	ErrUnacknowledged = errors.New("agentx: the master did not acknowledge the notification")
)

// notesInFlight is how many notifications may wait for the master's answer.
const notesInFlight = 16

// Names of the variables every notification begins with (RFC 3416 §4.2.6).
var (
	sysUpTime   = smi.MustParseOID("1.3.6.1.2.1.1.3.0")
	snmpTrapOID = smi.MustParseOID("1.3.6.1.6.3.1.1.4.1.0")
)

// A note is a notification that waits for the master's answer.
type note struct {
	session  *session
	packetID uint32
	done     chan error // takes one: a session never waits for its callers
}

// Notify has the master send a notification to its managers and returns when it
// has acknowledged that (agentx-Notify-PDU, RFC 2741 §6.2.10). Its sysUpTime.0 is
// the master's at n.Time: 0, the first there is, for what happened before the
// master started, and the present where n.Time is zero or to come.
//
// Calls may overlap. Up to 16 notifications wait for their answers, and
// they are sent in the order in which the calls began. The errors are
// [ErrNoSession], [ErrUnacknowledged], ctx's own if it ended before anything was
// sent, and otherwise one that would come again: the notification cannot be
// encoded, or the master refused it ([ProcessingError], …). A master that does
// not answer for Config.Timeout ends the session.
func (s *Subagent) Notify(ctx context.Context, n smi.Notification) error {
	err := s.notify(ctx, &n)
	if err != nil {
		s.counters.notifyErrors.Add(1)
		return err
	}
	s.counters.notifications.Add(1)
	return nil
}

func (s *Subagent) notify(ctx context.Context, n *smi.Notification) error {
	w, err := s.beginNotify(ctx, n)
	if err != nil {
		return err
	}
	t := time.NewTimer(s.cfg.Timeout)
	defer t.Stop()
	for {
		select {
		case err := <-w.done:
			return err
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrUnacknowledged, ctx.Err())
		case <-t.C: // the session's end answers
			w.session.fail(fmt.Errorf("agentx: the master did not answer %v: %w", Notify, os.ErrDeadlineExceeded))
		}
	}
}

// beginNotify sends n when its turn has come: those who wait for a channel get
// it in the order in which they came.
func (s *Subagent) beginNotify(ctx context.Context, n *smi.Notification) (*note, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("agentx: notify: %w", err)
	}
	s.mu.Lock()
	ss := s.session
	s.mu.Unlock()
	if ss == nil {
		return nil, ErrNoSession
	}
	select {
	case ss.slots <- struct{}{}:
	case <-ss.over:
		return nil, ErrNoSession
	case <-ctx.Done():
		return nil, fmt.Errorf("agentx: notify: %w", ctx.Err())
	}
	w, err := ss.notify(n)
	if err != nil {
		<-ss.slots
	}
	return w, err
}

// Up returns a channel that is closed when there is a session to notify through,
// and at once if there is one. After a session's end it returns another.
func (s *Subagent) Up() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.up
}

// open makes ss the session that notifications go through.
func (s *Subagent) open(ss *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.session = ss
	close(s.up)
}

// leave takes ss away from notifications, if it is still theirs.
func (s *Subagent) leave(ss *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == ss {
		s.session, s.up = nil, make(chan struct{})
	}
}

// notify writes n, from its caller's goroutine: to wake the session's would cost
// more, and every request besides.
func (ss *session) notify(n *smi.Notification) (*note, error) {
	p := PDU{Type: Notify, Flags: NetworkByteOrder, SessionID: ss.id, VarBinds: append([]smi.VarBind{
		{Name: sysUpTime, Value: smi.Value{Type: smi.TimeTicks, Int: uint64(ss.ticksAt(n.Time))}},
		{Name: snmpTrapOID, Value: smi.Value{Type: smi.ObjectID, OID: n.OID}},
	}, n.Vars...)}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	select {
	case <-ss.over:
		return nil, ErrNoSession
	default:
	}
	ss.packetID++
	p.PacketID = ss.packetID
	b, err := p.Append(nil)
	if err != nil {
		return nil, err
	}
	if err := ss.link.write(b); err != nil { // the master has less than all of it, and will not act on that
		err = fmt.Errorf("agentx: write to the master: %w", err)
		ss.fail(err)
		return nil, fmt.Errorf("%w: %w", ErrNoSession, err)
	}
	w := &note{session: ss, packetID: p.PacketID, done: make(chan error, 1)}
	ss.notes = append(ss.notes, w)
	return w, nil
}

// ticksAt is the master's sysUpTime at a time, in hundredths of a second.
func (ss *session) ticksAt(t time.Time) uint32 {
	up := ss.upTime + ss.agent.now() - ss.upTimeAt
	if !t.IsZero() {
		up -= max(0, int64(time.Since(t)))
	}
	return uint32(max(0, up) / int64(10*time.Millisecond))
}

// acknowledged takes the master's answer to a notification. Its error ends the
// session.
func (ss *session) acknowledged(p *PDU) error {
	ss.mu.Lock()
	i := slices.IndexFunc(ss.notes, func(w *note) bool { return w.packetID == p.PacketID })
	if i < 0 {
		ss.mu.Unlock()
		return nil // an answer to nothing is ignored
	}
	w := ss.notes[i]
	ss.notes = slices.Delete(ss.notes, i, i+1)
	ss.disorder = ss.disorder || i > 0
	ss.mu.Unlock()
	<-ss.slots
	switch p.Error {
	case NoError:
		w.done <- nil
	case NotOpen: // the master has forgotten us
		err := fmt.Errorf("agentx: %v: %w", Notify, p.Error)
		ss.agent.leave(ss)
		w.done <- fmt.Errorf("%w: %w", ErrNoSession, err)
		return err
	default:
		w.done <- fmt.Errorf("agentx: %v: %w", Notify, p.Error)
	}
	return nil
}

// fail ends the session from another goroutine than its own. Its first cause
// counts.
func (ss *session) fail(why error) {
	ss.agent.leave(ss)
	ss.failure.CompareAndSwap(nil, &why)
	ss.link.interrupt()
}

// drain takes the answers to notifications that are still to be read when the
// session is over: the master may have given them before it went. It returns
// why the session ended, which the master may tell there too.
func (ss *session) drain(why error) error {
	for range 2 * notesInFlight {
		b, err := ss.in.next(time.Millisecond)
		if errors.Is(err, syscall.ECONNRESET) {
			return fmt.Errorf("%w: %w", why, err)
		}
		if err != nil {
			break
		}
		switch err := ss.pdu.Decode(b); {
		case err == nil && ss.pdu.Type == Response:
			ss.acknowledged(&ss.pdu) // the session ends either way
		case ss.pdu.Type == Close:
			return closed(ss.pdu.Reason)
		}
	}
	return why
}

// end tells those who wait for an answer that none will come.
func (ss *session) end(why error) {
	ss.agent.leave(ss)
	ss.mu.Lock()
	defer ss.mu.Unlock()
	close(ss.over)
	if errors.Is(why, errGone) && ss.link.wasReset() {
		why = fmt.Errorf("%w: %w", why, syscall.ECONNRESET)
	}
	for i, w := range ss.notes {
		w.done <- ss.fate(i, why)
	}
	ss.notes = nil
}

// fate is the error of the i-th of those notifications that got no answer.
//
// A master takes a session's PDUs one after the other, and snmpd answers each
// before it looks at the next, also when it is told to end. So one that closes
// the session in order did not come to any of them, and one that goes without
// that, as snmpd does, can have sent on no more than the first. It did not even
// that if it was the only one, and the master left bytes of ours unread
// (ECONNRESET): those are the notification's. Just where an answer of ours went
// out after it may they be that answer's, and a master that was killed within
// the microseconds between sending on and telling us be wronged.
//
// Whatever is left unread for other reasons may still be read.
func (ss *session) fate(i int, why error) error {
	reset := errors.Is(why, syscall.ECONNRESET)
	gone := reset || errors.Is(why, errGone) || errors.Is(why, syscall.EPIPE)
	if errors.Is(why, errClosed) || gone && i > 0 && !ss.disorder || reset && len(ss.notes) == 1 {
		return fmt.Errorf("%w: %w", ErrNoSession, why)
	}
	return fmt.Errorf("%w: %w", ErrUnacknowledged, why)
}
