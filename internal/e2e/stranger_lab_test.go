//go:build lab

package e2e

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"
)

// notifySwitch is what managers may write: lvsdNotifyEnable.0.
const notifySwitch = lvsMIB + ".100.1.7.1.0"

// A stranger sends the agent in the box datagrams of any kind, and judges what
// comes back.
type stranger struct {
	t      *testing.T
	conn   *net.UDPConn
	port   string
	asked  uint32               // barriers so far
	keys   map[string]localized // by password
	reader *gosnmp.GoSNMP       // reads what the keeper is answered
	engine struct {
		id         string
		boots, now uint32
	}
	pending [][]byte

	sent, got, octetsIn, octetsOut, largest int // of datagrams and their answers
}

// localized are the keys of a password.
type localized struct{ auth, priv []byte }

func newStranger(t *testing.T, from, to, port string) *stranger {
	t.Helper()
	address, err := net.ResolveUDPAddr("udp4", net.JoinHostPort(to, port))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(from)}, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &stranger{t: t, conn: conn, port: port}
}

// in is the stranger in a test of its own, with its own counts.
func (s *stranger) in(t *testing.T) *stranger {
	own := *s
	own.t, own.sent, own.got, own.octetsIn, own.octetsOut, own.largest = t, 0, 0, 0, 0, 0
	own.discover()
	return &own
}

func (s *stranger) String() string {
	return fmt.Sprintf("%d datagrams of %d octets, %d answers of %d, the largest %d", s.sent, s.octetsIn, s.got, s.octetsOut, s.largest)
}

func (s *stranger) count(octets int) {
	s.got, s.octetsOut, s.largest = s.got+1, s.octetsOut+octets, max(s.largest, octets)
}

// give sends datagrams and returns the answers to them. Behind them goes a
// question that must be answered: then the agent is done with what was before.
func (s *stranger) give(datagrams ...[]byte) (answers [][]byte) {
	s.t.Helper()
	for _, d := range datagrams {
		s.sent, s.octetsIn = s.sent+1, s.octetsIn+len(d)
		if _, err := s.conn.Write(d); err != nil {
			s.t.Fatal(err)
		}
	}
	s.asked++
	p := community(secretCommunity, gosnmp.GetRequest, ".1.3.6.1.2.1.1.3.0")
	p.RequestID = barrier | s.asked
	mark := binary.BigEndian.AppendUint32([]byte{2, 4}, p.RequestID)
	question, buf := s.marshal(p), make([]byte, 1<<16)
	for range 5 {
		if _, err := s.conn.Write(question); err != nil {
			s.t.Fatal(err)
		}
		for {
			s.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			n, err := s.conn.Read(buf)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break // on a busy machine it may be late
			}
			switch {
			case err != nil:
				s.t.Fatal(err)
			case bytes.Contains(buf[:n], mark):
				return answers
			case bytes.Contains(buf[:n], mark[:4]): // a late one
			default:
				s.count(n)
				answers = append(answers, bytes.Clone(buf[:n]))
			}
		}
	}
	s.t.Fatal("the agent does not answer any more")
	return nil
}

// barrier is in the request IDs of give's own questions, and in no others.
const barrier = 0x705a0000

// flush gives what is pending once it is a batch, which the agent's socket has
// room for.
func (s *stranger) flush(what string) {
	if len(s.pending) >= 50 {
		s.flushAll(what)
	}
}

// flushAll gives what is pending. It is not to be answered with anything that
// strangers may not know.
func (s *stranger) flushAll(what string) {
	s.t.Helper()
	s.mustTellNothing(what, s.give(s.pending...))
	s.pending = s.pending[:0]
}

// leaks reports whether an answer has a secret in it.
func (s *stranger) leaks(answer []byte) bool {
	return bytes.Contains(answer, []byte(secretWord)) || bytes.Contains(answer, []byte(authPassphrase)) || bytes.Contains(answer, []byte(privPassphrase))
}

// anybody reads what needs no password.
func anybody() *gosnmp.GoSNMP {
	return &gosnmp.GoSNMP{Version: gosnmp.Version3, SecurityModel: gosnmp.UserSecurityModel, SecurityParameters: &gosnmp.UsmSecurityParameters{UserName: "nobody"}}
}

// mustTellNothing fails unless all answers are reports of v3: one counter of what
// was wrong.
func (s *stranger) mustTellNothing(what string, answers [][]byte) {
	s.t.Helper()
	for _, b := range answers {
		reader := s.reader
		if reader == nil {
			reader = anybody()
		}
		p, err := reader.SnmpDecodePacket(bytes.Clone(b))
		if err != nil || p.Version != gosnmp.Version3 || p.PDUType != gosnmp.Report || len(p.Variables) != 1 || p.Variables[0].Type != gosnmp.Counter32 ||
			!strings.HasPrefix(p.Variables[0].Name, ".1.3.6.1.6.3.") || s.leaks(b) || len(b) > 200 {
			s.t.Fatalf("%s: answered %x: %+v, %v", what, b, p, err)
		}
	}
}

// mustReport fails unless each datagram is told what is wrong with it.
func (s *stranger) mustReport(what string, datagrams ...[]byte) {
	s.t.Helper()
	for _, d := range datagrams {
		answers := s.give(d)
		if len(answers) != 1 {
			s.t.Errorf("%s: %d answers to %x", what, len(answers), d)
		}
		s.mustTellNothing(what, answers)
	}
}

// awaitEnabled waits for a tree that shows what was written last: notifications
// on.
func (s *stranger) awaitEnabled() {
	s.t.Helper()
	// Trees are made with each sample, once a second, and when something is
	// written: what was written wrongly would show by then.
	time.Sleep(1500 * time.Millisecond)
	answers := s.give(s.marshal(community(secretCommunity, gosnmp.GetRequest, notifySwitch)))
	if len(answers) != 1 {
		s.t.Fatalf("%d answers", len(answers))
	}
	reader := gosnmp.GoSNMP{Version: gosnmp.Version2c}
	p, err := reader.SnmpDecodePacket(answers[0])
	if err != nil || len(p.Variables) != 1 || p.Variables[0].Value != 1 {
		s.t.Errorf("%+v, %v: want notifications enabled", p, err)
	}
}

// discover asks the agent, as every manager does first, which engine it is.
func (s *stranger) discover() {
	s.t.Helper()
	p := s.packet(gosnmp.GetRequest)
	p.SecurityParameters = &gosnmp.UsmSecurityParameters{}
	p.ContextEngineID = ""
	p.MsgFlags = gosnmp.NoAuthNoPriv | gosnmp.Reportable
	answers := s.give(s.marshal(p))
	if len(answers) != 1 {
		s.t.Fatalf("%d answers to a discovery", len(answers))
	}
	s.mustTellNothing("discovery", answers)
	answer, err := anybody().SnmpDecodePacket(answers[0])
	if err != nil {
		s.t.Fatal(err)
	}
	params := answer.SecurityParameters.(*gosnmp.UsmSecurityParameters)
	if s.engine.id != params.AuthoritativeEngineID {
		s.keys = map[string]localized{}
	}
	s.engine.id, s.engine.boots, s.engine.now = params.AuthoritativeEngineID, params.AuthoritativeEngineBoots, params.AuthoritativeEngineTime
}
