package agentx

import (
	"lvs/mib/smi"
)

// bulkLimit is the size from which on a Response to GetBulk takes no further
// repetition; fewer than asked for are always allowed (RFC 3416 §4.2.3).
const bulkLimit = 48 << 10

// A generation is one of the trees a Subagent was shown.
type generation = smi.Generation[smi.Tree]

// A handler answers requests from the trees it is shown. It is for one
// goroutine, and allocates nothing once its buffers have grown.
type handler struct {
	counters *counters
	session  uint32 // requests of any other are refused
	walks    smi.Walks[smi.Tree]
	sets     sets
	recent   recent
	name     []uint32 // where a tree puts a next name
	out      encoder
}

// answer returns the whole Response to p, nil where none is due. It is valid
// until the next call. gens are the trees, newest first; now is any steady
// clock's nanoseconds, not 0; upTime is the Response's sysUpTime.
func (h *handler) answer(p *PDU, bad error, gens []*generation, now int64, upTime uint32) []byte {
	if h.recent.seen(p) {
		h.counters.duplicateRequests.Add(1) // a master sends again what took us long
	}
	e := &h.out
	e.b, e.big = e.b[:0], p.Flags&NetworkByteOrder != 0
	e.header(Response, p.Flags&NetworkByteOrder, p)
	e.uint32(upTime)
	e.uint32(0) // error and index: below
	empty := len(e.b)

	code, index := ParseError, 0
	if bad == nil {
		code, index = h.serve(p, gens, now)
	}
	if code == NoError && e.finish(0) != nil {
		code, index = TooBig, 0
	}
	h.counters.count(p.Type, code)
	if code != NoError {
		e.b = e.b[:empty]
		e.put16(empty-4, uint16(code))
		e.put16(empty-2, uint16(index))
		e.finish(0)
	}
	if p.Type == CleanupSet {
		return nil // RFC 2741 §7.2.4.4
	}
	return e.b
}

// serve appends the variables p asks for, one for each range whatever happens: a
// Response that has fewer makes snmpd give up on the request. Its error is about
// variable index, counted from 1.
func (h *handler) serve(p *PDU, gens []*generation, now int64) (code Error, index int) {
	if p.SessionID != h.session {
		return NotOpen, 0
	}
	if p.Flags&NonDefaultContext != 0 && p.Type.hasContext() {
		return UnsupportedContext, 0
	}
	switch p.Type {
	case Get:
		for i := range p.Ranges {
			v := gens[0].Tree.Get(p.Ranges[i].Start)
			if h.out.varBind(p.Ranges[i].Start, &v) != nil {
				return GenErr, i + 1
			}
		}
		h.counters.variables.Add(uint64(len(p.Ranges)))
	case GetNext:
		for i := range p.Ranges {
			if !h.next(&p.Ranges[i], gens, now) {
				return GenErr, i + 1
			}
		}
		h.counters.variables.Add(uint64(len(p.Ranges)))
	case GetBulk:
		return h.bulk(p, gens, now)
	case TestSet:
		return h.sets.test(p)
	case CommitSet:
		return h.sets.commit(p.TransactionID, gens[0]), 0
	case UndoSet:
		return h.sets.undo(p.TransactionID, gens[0]), 0
	case CleanupSet:
		h.sets.cleanup(p.TransactionID)
	case Ping:
	default:
		return ParseError, 0 // not for a subagent
	}
	return NoError, 0
}

// next appends the variable r asks for and leaves its name in h.name, which is
// empty at the end of the tree. It is false if the variable cannot be sent.
func (h *handler) next(r *Range, gens []*generation, now int64) bool {
	g := h.walks.Find(r.Start, gens, now)
	if g != gens[0] {
		h.counters.pinned.Add(1)
	}
	name, v, ok := g.Tree.Next(h.name, r.Start, r.Include, r.End)
	if !ok {
		h.name = h.name[:0]
		return h.out.varBind(r.Start, &smi.Value{Type: smi.EndOfMIBView}) == nil
	}
	h.name = name
	h.walks.Record(name, g, now)
	return h.out.varBind(name, &v) == nil
}

// bulk answers GetBulk (RFC 2741 §7.2.3.3). snmpd never sends it.
func (h *handler) bulk(p *PDU, gens []*generation, now int64) (code Error, index int) {
	once := min(int(p.NonRepeaters), len(p.Ranges))
	n := 0
	defer func() { h.counters.variables.Add(uint64(n)) }()
	for i := range p.Ranges[:once] {
		n++
		if !h.next(&p.Ranges[i], gens, now) {
			return GenErr, n
		}
	}
	repeated := p.Ranges[once:]
	more := len(repeated) > 0
	for rep := 0; more && rep < int(p.MaxRepetitions) && len(h.out.b) < bulkLimit; rep++ {
		more = false
		for i := range repeated {
			n++
			if !h.next(&repeated[i], gens, now) {
				return GenErr, n
			}
			if len(h.name) > 0 { // else the same end again, which its name tells
				from := len(p.subIDs)
				p.subIDs = append(p.subIDs, h.name...)
				repeated[i].Start, repeated[i].Include = p.subIDs[from:len(p.subIDs):len(p.subIDs)], false
				more = true
			}
		}
	}
	return NoError, 0
}

// Recent holds the last few requests.
type recent struct {
	packets [8]uint64
	i       int
}

// seen reports whether p was among the last few requests, and notes it.
func (r *recent) seen(p *PDU) bool {
	id := uint64(p.Type)<<32 | uint64(p.PacketID)
	for _, old := range r.packets {
		if old == id {
			return true
		}
	}
	r.packets[r.i%len(r.packets)] = id
	r.i++
	return false
}
