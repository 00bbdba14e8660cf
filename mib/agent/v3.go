package agent

import (
	"bytes"
	"net/netip"
	"sync/atomic"

	"lvs/mib/ber"
	"lvs/mib/smi"
	"lvs/mib/usm"
)

// The counters that a manager is told whose message was in order and whose
// context is not here.
var (
	snmpUnknownPDUHandlers = smi.OID{1, 3, 6, 1, 6, 3, 11, 2, 1, 3, 0} // RFC 3412 §5
	snmpUnknownContexts    = smi.OID{1, 3, 6, 1, 6, 3, 12, 1, 5, 0}    // RFC 3413 §4.1.2
)

// answerV3 answers v3.
func (h *handler) answerV3(datagram []byte, from netip.Addr, most int, now int64) []byte {
	c, m, engine := &h.agent.counters, &h.v3, h.access.engine
	if engine == nil {
		c.badSecurity.Add(1)
		return nil
	}
	if m.Decode(datagram) != nil {
		c.malformed.Add(1)
		return nil
	}
	p, plain, err := engine.Incoming(datagram, m)
	if err != nil {
		if !engine.Report(&h.out, m, maxDatagram, err) {
			c.badSecurity.Add(1)
			return nil
		}
		c.reports.Add(1)
		return h.out.Bytes()
	}
	s := &h.scoped
	if s.Decode(plain) != nil {
		c.malformed.Add(1)
		return nil
	}
	switch {
	case !answerable(s.PDU.Type):
		c.notRequests.Add(1)
		return nil
	case !bytes.Equal(s.EngineID, engine.ID()):
		return h.report(snmpUnknownPDUHandlers, &h.agent.unknownHandlers, p)
	case len(s.ContextName) > 0:
		return h.report(snmpUnknownContexts, &h.agent.unknownContexts, p)
	}
	return h.respondV3(p, most, from, now)
}

// respondV3 answers the request in h.scoped.
func (h *handler) respondV3(p usm.Principal, most int, from netip.Addr, now int64) []byte {
	c, m := &h.agent.counters, &h.v3
	c.v3.Add(1)
	q := request{pdu: &h.scoped.PDU, write: h.access.writers[p.Name], now: now}
	if q.write && q.pdu.Type == ber.SetRequest {
		if !h.access.engine.First(p) {
			c.replays.Add(1)
			return nil
		}
		q.who = p.Name + " at " + from.String()
	}
	scope := 4 + 2 + len(h.access.engine.ID()) + 2
	overhead := usm.Overhead + scope + headers
	most = min(most, int(m.MaxSize))
	q.room = most - overhead
	h.respond(&q, overhead)
	h.out.PrependScope(h.access.engine.ID(), nil)
	h.access.engine.Seal(&h.out, m.ID, maxDatagram, p)
	if h.out.Len() > most {
		c.silentDrops.Add(1)
		return nil
	}
	return h.out.Bytes()
}

// report tells a manager, as protected as it asked, about a counter that its
// message made grow (RFC 3412 §7.2.13).
func (h *handler) report(oid smi.OID, count *atomic.Uint32, p usm.Principal) []byte {
	h.agent.counters.reports.Add(1)
	h.out.Reset(usm.Overhead + headers + 64)
	if h.out.AppendVarBind(oid, &smi.Value{Type: smi.Counter32, Int: uint64(count.Add(1))}) != nil {
		return nil // no name of ours
	}
	h.out.PrependPDU(ber.Report, h.scoped.PDU.RequestID, 0, 0)
	h.out.PrependScope(h.access.engine.ID(), nil)
	h.access.engine.Seal(&h.out, h.v3.ID, maxDatagram, p)
	return h.out.Bytes()
}
