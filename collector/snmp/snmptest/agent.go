// Package snmptest is an SNMP agent for tests and benchmarks of managers: it
// answers v1 and v2c over UDP from a tree, to any community, and can be made to
// answer badly. It has none of what an agent in earnest needs: no access control,
// no limits. Source of the rules: RFC 3416 §4.2, RFC 1157 §4.1.
package snmptest

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

// maxDatagram is the largest of UDP over IPv4.
const maxDatagram = 65507

// A Fault is asked for what to send in place of the n-th answer, counted from 1.
// It may change the answer, and returns the datagrams to be sent: none at all
// where that is empty, and the answer as it now is where it is nil. It is called
// from one goroutine.
type Fault func(n int, q, answer *ber.PDU) [][]byte

// An Agent answers at an address of its own. Its methods are safe for concurrent
// use.
type Agent struct {
	conn  *net.UDPConn
	tree  atomic.Pointer[smi.Tree]
	fault atomic.Pointer[Fault]
	// Requests counts what was asked so far, answered or not.
	Requests atomic.Int64
	// MaxVariables cuts off answers of GETBULK, as snmpd does; zero is no limit.
	MaxVariables atomic.Int64

	serving sync.WaitGroup
}

// New listens at an address, "127.0.0.1:0" for any port, and answers from tree.
func New(address string, tree smi.Tree) (*Agent, error) {
	at, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, err
	}
	a := &Agent{conn: conn}
	a.Serve(tree)
	a.serving.Go(a.run)
	return a, nil
}

// Addr is where the agent listens.
func (a *Agent) Addr() string { return a.conn.LocalAddr().String() }

// Serve has the agent answer from another tree.
func (a *Agent) Serve(tree smi.Tree) { a.tree.Store(&tree) }

// SetFault has the agent answer as f wants; nil is as it should.
func (a *Agent) SetFault(f Fault) { a.fault.Store(&f) }

// Close ends the agent.
func (a *Agent) Close() error {
	err := a.conn.Close()
	a.serving.Wait()
	return err
}

func (a *Agent) run() {
	buf := make([]byte, maxDatagram)
	s := &session{agent: a}
	for {
		n, from, err := a.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return // closed
		}
		if !s.decode(buf[:n]) {
			continue
		}
		count := int(a.Requests.Add(1))
		s.answer(*a.tree.Load())
		var datagrams [][]byte
		if f := a.fault.Load(); f != nil && *f != nil {
			if datagrams = (*f)(count, &s.pdu, &s.out); datagrams != nil {
				for _, d := range datagrams {
					_, _ = a.conn.WriteToUDPAddrPort(d, from) // who does not get it asks again
				}
				continue
			}
		}
		_, _ = a.conn.WriteToUDPAddrPort(s.encode(&s.out), from)
	}
}

// A session is the memory of an agent's loop.
type session struct {
	agent   *Agent
	message ber.Message
	pdu     ber.PDU
	out     ber.PDU
	names   smi.OID // of the answer's variables, one behind the other
	builder ber.Builder
}

func (s *session) decode(datagram []byte) bool {
	return s.message.Decode(datagram) == nil && s.pdu.Decode(s.message.Data) == nil
}

// Encode is a message with that PDU, in memory of its own.
func Encode(v ber.Version, community string, p *ber.PDU) []byte {
	var b ber.Builder
	b.Reset(64)
	appendPDU(&b, p)
	b.PrependCommunity(v, []byte(community))
	return slices.Clone(b.Bytes())
}

// appendPDU also has a form for what SNMP has none for: an IpAddress of any
// length, which some agents send.
func appendPDU(b *ber.Builder, p *ber.PDU) {
	for i := range p.VarBinds {
		v := p.VarBinds[i].Value
		odd := v.Type == smi.IPAddress && len(v.Bytes) != 4
		if odd {
			v.Type = smi.OctetString
		}
		if b.AppendVarBind(p.VarBinds[i].Name, &v) == nil && odd {
			b.Bytes()[b.Len()-len(v.Bytes)-2] = byte(smi.IPAddress)
		}
	}
	b.PrependPDU(p.Type, p.RequestID, p.Status, p.Index)
}

func (s *session) encode(p *ber.PDU) []byte {
	s.builder.Reset(64)
	appendPDU(&s.builder, p)
	s.builder.PrependCommunity(s.message.Version, s.message.Community)
	if len(s.builder.Bytes()) > maxDatagram {
		p.Status, p.Index, p.VarBinds = int32(smi.TooBig), 0, nil
		return s.encode(p)
	}
	return s.builder.Bytes()
}

// answer makes s.out the answer to s.pdu.
func (s *session) answer(tree smi.Tree) {
	s.out.Type, s.out.RequestID, s.out.Status, s.out.Index = ber.Response, s.pdu.RequestID, 0, 0
	s.out.VarBinds, s.names = s.out.VarBinds[:0], s.names[:0]
	switch s.pdu.Type {
	case ber.GetRequest:
		for i := range s.pdu.VarBinds {
			name := s.pdu.VarBinds[i].Name
			s.add(name, tree.Get(name))
		}
	case ber.GetNext:
		for i := range s.pdu.VarBinds {
			s.next(tree, s.pdu.VarBinds[i].Name)
		}
	case ber.GetBulk:
		s.bulk(tree)
	default:
		s.out.Status = int32(smi.GenErr)
	}
	s.v1()
}

func (s *session) add(name smi.OID, v smi.Value) {
	s.out.VarBinds = append(s.out.VarBinds, smi.VarBind{Name: name, Value: v})
}

// next adds the variable behind name. In v1 those of 64 bits are not there.
func (s *session) next(tree smi.Tree, name smi.OID) {
	for from := name; ; {
		at := len(s.names)
		dst, v, ok := tree.Next(s.names[at:at], from, false, nil)
		if !ok {
			s.add(name, smi.Value{Type: smi.EndOfMIBView})
			return
		}
		if s.message.Version == 0 && v.Type == smi.Counter64 {
			from = slices.Clone(dst)
			continue
		}
		s.names = append(s.names, dst...)
		s.add(s.names[at:len(s.names):len(s.names)], v)
		return
	}
}

// bulk answers a GETBULK whose variables all repeat.
func (s *session) bulk(tree smi.Tree) {
	columns, most := len(s.pdu.VarBinds), int(s.agent.MaxVariables.Load())
	repetitions := max(0, int(s.pdu.Index))
	if most > 0 && columns > 0 {
		repetitions = min(repetitions, max(1, most/columns))
	}
	for r := range repetitions {
		for i := range columns {
			name := s.pdu.VarBinds[i].Name
			if r > 0 {
				name = s.out.VarBinds[len(s.out.VarBinds)-columns].Name
			}
			s.next(tree, name)
		}
	}
}

// v1 tells in the way of SNMPv1 what is not there.
func (s *session) v1() {
	if s.message.Version != 0 {
		return
	}
	for i := range s.out.VarBinds {
		switch s.out.VarBinds[i].Value.Type {
		case smi.NoSuchObject, smi.NoSuchInstance, smi.EndOfMIBView, smi.Counter64:
			s.out.Status, s.out.Index = int32(smi.NoSuchName), int32(i+1)
			s.out.VarBinds = append(s.out.VarBinds[:0], s.pdu.VarBinds...)
			return
		}
	}
}
