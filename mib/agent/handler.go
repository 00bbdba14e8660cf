package agent

import (
	"net/netip"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

// A handler answers datagrams. It is for one goroutine, and allocates nothing
// once its buffers have grown, but for what is written and what is refused.
type handler struct {
	agent   *Agent
	access  *access // of the datagram being answered
	out     ber.Builder
	message ber.Message
	v3      ber.V3
	scoped  ber.Scoped
	pdu     ber.PDU
	walks   smi.Walks[*view]
	columns []column
	spare   smi.OID // where trees put names
}

// answer returns what is due to a datagram, nil for nothing. It is valid until the
// next call; the datagram is changed. from is no IPv4 address in IPv6; now is the
// agent's steady clock.
func (h *handler) answer(datagram []byte, from netip.Addr, now int64) []byte {
	c := &h.agent.counters
	c.datagrams.Add(1)
	c.bytesIn.Add(uint64(len(datagram)))
	local := from.IsLoopback()
	if !local && !h.agent.limiter.admit(from, len(datagram), now) {
		c.rateLimited.Add(1)
		return nil
	}
	most := h.agent.cfg.mostTo(from)
	h.access = h.agent.access.Load()
	version, err := ber.VersionOf(datagram)
	var out []byte
	switch {
	case err != nil:
		c.malformed.Add(1)
	case version == ber.V1Version || version == ber.V2cVersion:
		out = h.answerCommunity(datagram, from, most, now)
	case version == ber.V3Version:
		out = h.answerV3(datagram, from, most, now)
	default:
		c.badVersions.Add(1)
	}
	if out == nil {
		return nil
	}
	if len(out) > most {
		c.silentDrops.Add(1) // RFC 3416 §4.2.1, the last paragraph
		return nil
	}
	if !local {
		h.agent.limiter.sent(from, len(out), now)
	}
	c.answers.Add(1)
	c.bytesOut.Add(uint64(len(out)))
	return out
}

// headers is the most that a PDU has beside its variables: the PDU's own header and
// the list's with 4 octets each, request-id 6, error-status and error-index 6 each.
const headers = 4 + 4 + 6 + 6 + 6

// answerCommunity answers v1 and v2c.
func (h *handler) answerCommunity(datagram []byte, from netip.Addr, most int, now int64) []byte {
	c, m := &h.agent.counters, &h.message
	if m.Decode(datagram) != nil {
		c.malformed.Add(1)
		return nil
	}
	read, write := h.access.mayAsk(m.Community, from)
	if !read {
		c.badCommunities.Add(1)
		return nil
	}
	if h.pdu.Decode(m.Data) != nil {
		c.malformed.Add(1)
		return nil
	}
	q := request{pdu: &h.pdu, v1: m.Version == ber.V1Version, write: write, now: now}
	if !answerable(h.pdu.Type) || q.v1 && h.pdu.Type == ber.GetBulk {
		c.notRequests.Add(1)
		return nil
	}
	if q.v1 {
		c.v1.Add(1)
	} else {
		c.v2c.Add(1)
	}
	if write && h.pdu.Type == ber.SetRequest {
		q.who = from.String()
	}
	overhead := 4 + 3 + 4 + len(m.Community) // message, version, community
	q.room = most - overhead - headers
	h.respond(&q, overhead+headers)
	h.out.PrependCommunity(m.Version, m.Community)
	return h.out.Bytes()
}

// answerable reports whether t asks something that an agent knows.
func answerable(t ber.PDUType) bool { return t.Confirmed() && t != ber.Inform }

// respond makes the Response PDU to q in h.out, with headroom octets left before
// the variables.
func (h *handler) respond(q *request, headroom int) {
	c := &h.agent.counters
	q.gens = *h.agent.gens.Load()
	h.out.Reset(headroom)
	status, index := h.perform(q)
	if status != smi.NoError {
		h.out.Truncate(0)
		if q.v1 {
			if status = narrowStatus(status); status == smi.NoSuchName {
				index = max(index, 1)
			}
		} else if len(q.pdu.List) > q.room {
			status = smi.TooBig // it cannot be said what else was wrong
		}
		if status == smi.TooBig {
			index = 0
		}
		// Only the later versions' tooBig has no variables (RFC 3416 §4.2.1).
		if q.v1 || status != smi.TooBig {
			h.out.Append(q.pdu.List)
		}
	}
	switch status {
	case smi.NoError:
	case smi.TooBig:
		c.tooBigs.Add(1)
	case smi.NoSuchName:
		c.noSuchNames.Add(1)
	case smi.GenErr:
		c.genErrs.Add(1)
	default:
		c.refusals.Add(1)
	}
	h.out.PrependPDU(ber.Response, q.pdu.RequestID, int32(status), int32(index))
}
