package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gosnmp/gosnmp"
)

// A link is a socket to a manager and what is known of its SNMPv3 engine.
//
// gosnmp makes and reads the messages. What it does otherwise than we need it, a
// link makes up for: every transmission gets a new request-id, so the id is set
// back after each; unauthenticated reports, which tell of wrong users and
// passphrases, are thrown away as not authentic, so datagrams looks at them; the
// manager's engine time stands still between messages; any PDU with the right
// request-id, or with zero, passes for an answer; cancelling its context does
// not interrupt it.
type link struct {
	snmp   *gosnmp.GoSNMP
	conn   *datagrams
	opened time.Time
	resent func() // is called for each retransmission
	again  bool   // what is sent next is one

	inform bool
	usm    *gosnmp.UsmSecurityParameters // nil for v2c
	engine func() Engine                 // of v3 traps
	synced time.Time                     // when usm's engine time was right
}

// open opens a socket. Names are resolved here.
func (m *Manager) open(ctx context.Context) (*link, error) {
	x := &gosnmp.GoSNMP{Target: m.host, Port: m.port, Transport: "udp", Context: ctx, Timeout: m.c.Timeout,
		Version: gosnmp.Version2c, Community: m.c.Community}
	l := &link{snmp: x, inform: m.c.Inform, resent: func() { m.again.Add(1) }}
	if l.inform {
		x.Retries = m.c.Retries
		x.OnRetry = func(*gosnmp.GoSNMP) { l.again = true } // also where none is left
	}
	if m.c.User != nil {
		l.usm = m.c.User.parameters()
		x.Version, x.SecurityModel, x.SecurityParameters = gosnmp.Version3, gosnmp.UserSecurityModel, l.usm
		x.MsgFlags = m.c.User.level()
		if !l.inform {
			l.engine = m.c.Engine
			l.usm.AuthoritativeEngineID = string(l.engine().ID)
			x.ContextEngineID = l.usm.AuthoritativeEngineID
		}
	}
	if err := x.Connect(); err != nil {
		return nil, err
	}
	l.conn = &datagrams{Conn: x.Conn, v3: l.usm != nil}
	x.Conn = l.conn
	l.opened = time.Now()
	return l, nil
}

// stale reports whether the socket is too old to be used, or we are somebody else.
func (l *link) stale(c ManagerConfig) bool {
	return time.Since(l.opened) > redial ||
		l.engine != nil && string(c.Engine().ID) != l.usm.AuthoritativeEngineID
}

func (l *link) close() { l.conn.Close() }

// send sends a notification and returns when it is delivered, as Manager has it.
func (l *link) send(ctx context.Context, vars []variable, id uint32) error {
	// gosnmp waits for answers however long: a closed socket ends that.
	defer context.AfterFunc(ctx, l.close)()
	l.snmp.Context = ctx
	l.setTime()
	// What gosnmp sends, be it discovery or the same again, has id then.
	l.snmp.SetRequestID(id - 1)
	l.again = false
	l.snmp.OnSent = func(x *gosnmp.GoSNMP) {
		x.SetRequestID(id - 1)
		if l.again {
			l.again = false
			l.resent()
		}
	}
	l.conn.verdict, l.conn.strange = nil, false
	known := l.usm != nil && l.usm.AuthoritativeEngineID != ""
	answer, err := l.snmp.SendTrap(gosnmp.SnmpTrap{Variables: slices.Clone(vars), IsInform: l.inform})
	switch {
	case l.conn.verdict != nil:
		return l.conn.verdict
	case err != nil && l.inform && known && l.conn.strange:
		return errEngineChanged
	case err != nil:
		return tidy(err)
	case !l.inform:
		return l.conn.refused()
	}
	return l.acknowledged(answer, id)
}

// setTime brings the engine time to now that messages are sent with: ours in
// traps, the manager's in informs, where it went on since it was told.
func (l *link) setTime() {
	switch {
	case l.engine != nil:
		e := l.engine()
		l.usm.AuthoritativeEngineBoots, l.usm.AuthoritativeEngineTime = e.Boots, e.Time
	case l.usm != nil && l.usm.AuthoritativeEngineID != "":
		s := time.Since(l.synced) / time.Second
		l.usm.AuthoritativeEngineTime += uint32(s)
		l.synced = l.synced.Add(s * time.Second)
	}
}

// acknowledged checks that an answer to an inform is its acknowledgement.
func (l *link) acknowledged(p *gosnmp.SnmpPacket, id uint32) error {
	l.synced = time.Now()
	switch {
	case p.PDUType == gosnmp.Report:
		return errors.New("the manager answers with a report")
	case p.PDUType != gosnmp.GetResponse || p.RequestID != id:
		return fmt.Errorf("the answer is %v %d, want %v %d", p.PDUType, p.RequestID, gosnmp.GetResponse, id)
	case p.Error != gosnmp.NoError:
		return &refusal{fmt.Sprintf("the manager answers %v", p.Error)}
	}
	return nil
}

// A refusal is an error after which the same notification need not be tried again.
type refusal struct{ text string }

func (r *refusal) Error() string { return r.text }

// errEngineChanged says that the manager's engine is another one than it was.
var errEngineChanged = errors.New("the manager's SNMPv3 engine is a new one")

// isFinal reports whether a failure will be the same at every try.
func isFinal(err error) bool {
	var r *refusal
	// gosnmp has no error of its own for what it cannot put into a message.
	return errors.As(err, &r) || strings.HasPrefix(err.Error(), "marshal:")
}

// tidy makes gosnmp's errors readable.
func tidy(err error) error {
	text, _, panicked := strings.Cut(err.Error(), " Stack:") // all of every goroutine's
	switch {
	case panicked:
		return errors.New("an answer cannot be read: " + text)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errNobody
	case errors.Is(err, gosnmp.ErrMaxRetriesExceeded):
		return errors.New("no answer")
	}
	return err
}
