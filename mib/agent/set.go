package agent

import "lvs/mib/smi"

// set writes all variables or none (RFC 3416 §4.2.5): what could keep one from
// being written is found by a test of each before the first is.
func (h *handler) set(q *request) (smi.ErrorStatus, int) {
	if !q.write {
		return smi.AuthorizationError, 0 // RFC 3413 §3.2 4)
	}
	for i := range q.pdu.VarBinds {
		if status := h.test(q, &q.pdu.VarBinds[i]); status != smi.NoError {
			return status, i + 1
		}
	}
	if len(q.pdu.List) > q.room {
		return smi.TooBig, 0 // while nothing is written
	}
	for i := range q.pdu.VarBinds {
		v := q.pdu.VarBinds[i]
		v.Name, v.Value.OID = v.Name.Append(), v.Value.OID.Append() // the request's memory is used again
		v.Value.Bytes = append([]byte(nil), v.Value.Bytes...)
		h.agent.cfg.Setter.Set(v.Name, v.Value)
		h.agent.cfg.Logger.Info("variable written over SNMP", "by", q.who, "oid", v.Name.String(), "type", v.Value.Type.String())
	}
	h.agent.counters.written.Add(uint64(len(q.pdu.VarBinds)))
	h.out.Append(q.pdu.List)
	return smi.NoError, 0
}

// test says why v cannot be written.
func (h *handler) test(q *request, v *smi.VarBind) smi.ErrorStatus {
	if !q.gens[0].Tree.inside(v.Name) {
		return smi.NoAccess
	}
	if h.agent.cfg.Setter == nil || v.Name.HasPrefix(systemRoot) {
		return smi.NotWritable
	}
	return h.agent.cfg.Setter.Test(v.Name, v.Value)
}

// narrowStatus is what SNMPv1 has in the place of a later error (RFC 3584 §4.4).
func narrowStatus(s smi.ErrorStatus) smi.ErrorStatus {
	switch s {
	case smi.WrongType, smi.WrongLength, smi.WrongEncoding, smi.WrongValue, smi.InconsistentValue:
		return smi.BadValue
	case smi.NoAccess, smi.NoCreation, smi.AuthorizationError, smi.NotWritable, smi.InconsistentName:
		return smi.NoSuchName
	case smi.ResourceUnavailable, smi.CommitFailed, smi.UndoFailed:
		return smi.GenErr
	}
	return s
}
