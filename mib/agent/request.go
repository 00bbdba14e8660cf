package agent

import (
	"lvs/mib/ber"
	"lvs/mib/smi"
)

// A request is what has to be answered, whatever message it came in.
type request struct {
	pdu   *ber.PDU
	v1    bool
	write bool   // whether it may
	who   string // for the log
	// room is how many octets the answer's variables may take.
	room int
	now  int64
	gens []*smi.Generation[*view] // newest first
}

// A column is where a GetBulk stands in one of what it repeats.
type column struct {
	name  smi.OID // its own memory
	gen   *smi.Generation[*view]
	moved bool // it handed out a name
	ended bool
}

// perform appends the variables of the answer to h.out. A status says that there
// are none, and index which variable, counted from 1, is to blame.
func (h *handler) perform(q *request) (status smi.ErrorStatus, index int) {
	switch q.pdu.Type {
	case ber.GetRequest:
		h.agent.counters.gets.Add(1)
		return h.get(q)
	case ber.GetNext:
		h.agent.counters.getNexts.Add(1)
		return h.getNext(q)
	case ber.GetBulk:
		h.agent.counters.getBulks.Add(1)
		return h.getBulk(q)
	}
	h.agent.counters.sets.Add(1)
	return h.set(q)
}

// get answers from the newest tree (RFC 3416 §4.2.1, RFC 1157 §4.1.2).
func (h *handler) get(q *request) (smi.ErrorStatus, int) {
	for i := range q.pdu.VarBinds {
		name := q.pdu.VarBinds[i].Name
		v := q.gens[0].Tree.Get(name)
		if q.v1 && (v.Type == smi.NoSuchObject || v.Type == smi.NoSuchInstance || v.Type == smi.Counter64) {
			return smi.NoSuchName, i + 1 // RFC 3584 §4.2.2.1
		}
		if status := h.append(q, name, &v); status != smi.NoError {
			return status, i + 1
		}
	}
	h.agent.counters.variables.Add(uint64(len(q.pdu.VarBinds)))
	return smi.NoError, 0
}

// append adds a variable to the answer. It leaves none of it where it fails:
// with TooBig if there is no room, or GenErr if it is none that can be sent.
func (h *handler) append(q *request, name smi.OID, v *smi.Value) smi.ErrorStatus {
	before := h.out.Len()
	if h.out.AppendVarBind(name, v) != nil {
		return smi.GenErr
	}
	if h.out.Len() > q.room {
		h.out.Truncate(before)
		return smi.TooBig
	}
	return smi.NoError
}

// getNext answers RFC 3416 §4.2.2.
func (h *handler) getNext(q *request) (smi.ErrorStatus, int) {
	for i := range q.pdu.VarBinds {
		name := q.pdu.VarBinds[i].Name
		gen := h.walks.Find(name, q.gens, q.now)
		next, status := h.next(q, name, gen)
		if status == smi.NoError && next == nil && q.v1 {
			status = smi.NoSuchName
		}
		if status != smi.NoError {
			return status, i + 1
		}
		if next != nil {
			h.walks.Record(next, gen, q.now)
		}
	}
	h.agent.counters.variables.Add(uint64(len(q.pdu.VarBinds)))
	return smi.NoError, 0
}

// next appends the variable behind name to the answer and returns its name, in
// h.spare's memory; or endOfMibView (not in v1) and nil at the end.
func (h *handler) next(q *request, name smi.OID, gen *smi.Generation[*view]) (smi.OID, smi.ErrorStatus) {
	var v smi.Value
	var ok bool
	if q.v1 {
		h.spare, v, ok = gen.Tree.nextNarrow(h.spare, name)
	} else {
		h.spare, v, ok = gen.Tree.Next(h.spare, name, false, nil)
	}
	if gen != q.gens[0] {
		h.agent.counters.pinned.Add(1)
	}
	if !ok {
		if q.v1 {
			return nil, smi.NoError
		}
		return nil, h.append(q, name, &smi.Value{Type: smi.EndOfMIBView})
	}
	return h.spare, h.append(q, h.spare, &v)
}

// getBulk answers RFC 3416 §4.2.3 with as many variables as have room, in whole
// ones. Only where there is none at all the answer is too big.
func (h *handler) getBulk(q *request) (smi.ErrorStatus, int) {
	vars := q.pdu.VarBinds
	once := min(max(int(q.pdu.Status), 0), len(vars))
	repetitions := max(int(q.pdu.Index), 0)
	h.columns = h.columns[:0]
	defer h.forget()
	n, status := 0, smi.NoError
	for i := range vars {
		c := h.column(vars[i].Name, q)
		if i >= once {
			continue
		}
		if status = h.advance(q, c); status != smi.NoError {
			break
		}
		n++
	}
	repeated := h.columns[min(once, len(h.columns)):]
	for more := len(repeated) > 0; more && status == smi.NoError && repetitions > 0; repetitions-- {
		more = false // all at their ends
		for i := range repeated {
			if status = h.advance(q, &repeated[i]); status != smi.NoError {
				break
			}
			n++
			more = more || !repeated[i].ended
		}
	}
	if status == smi.GenErr || status == smi.TooBig && n == 0 {
		if n >= once { // in the first repetition or a later one
			n = once + (n-once)%len(repeated)
		}
		return status, n + 1
	}
	h.recordColumns(q)
	h.agent.counters.variables.Add(uint64(n))
	return smi.NoError, 0
}

// column adds a column that stands at name. It is valid until the next call.
func (h *handler) column(name smi.OID, q *request) *column {
	if len(h.columns) < cap(h.columns) {
		h.columns = h.columns[:len(h.columns)+1] // its name's memory is used again
	} else {
		h.columns = append(h.columns, column{})
	}
	c := &h.columns[len(h.columns)-1]
	*c = column{name: append(c.name[:0], name...), gen: h.walks.Find(name, q.gens, q.now)}
	return c
}

// advance appends the next variable of c to the answer, or endOfMibView.
func (h *handler) advance(q *request, c *column) smi.ErrorStatus {
	next, status := h.next(q, c.name, c.gen)
	switch {
	case status != smi.NoError:
	case next == nil:
		c.ended = true
	default:
		c.moved = true
		c.name, h.spare = next, c.name
	}
	return status
}

// forget lets go of the trees that columns are in: the next request may have fewer
// columns, and a tree that is replaced is not to be held by those left over.
func (h *handler) forget() {
	for i := range h.columns {
		h.columns[i].gen = nil
	}
}

// recordColumns remembers where the next request of these walks will begin: at
// the last names handed out.
func (h *handler) recordColumns(q *request) {
	for i := range h.columns {
		if c := &h.columns[i]; c.moved {
			h.walks.Record(c.name, c.gen, q.now)
		}
	}
}
