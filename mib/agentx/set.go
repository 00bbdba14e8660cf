package agentx

import (
	"bytes"
	"slices"

	"lvs/mib/smi"
)

const (
	// maxSets is how many SETs may be under way at once; snmpd makes one after the
	// other. The oldest gives way, and cannot be committed any more.
	maxSets = 4
	// maxSetVars is how many variables one SET may write.
	maxSetVars = 1024
)

// Sets are the SETs of managers under way (RFC 2741 §7.2.4), oldest first. They
// end with the session: what was not committed until then never is.
type sets struct {
	setter smi.Setter // nil: nothing is writable
	open   []*set

	// What was committed since tree seq came, which does not show it.
	written []smi.VarBind
	seq     uint64
}

// A set is one manager's SET. snmpd tests all its variables in one packet; a master
// may also take several, for instance one for each subtree, and then commits as
// often, or undoes. What took us long is repeated.
type set struct {
	transaction uint32
	packets     []uint32 // tested so far
	vars, old   []smi.VarBind
	committed   bool
}

// find returns the set of a transaction; nil if there is none.
func (s *sets) find(transaction uint32) *set {
	for _, t := range s.open {
		if t.transaction == transaction {
			return t
		}
	}
	return nil
}

// test asks the setter about every variable of p and keeps them if it takes all
// of them. index is the first it does not take, counted from 1.
func (s *sets) test(p *PDU) (code Error, index int) {
	if s.setter == nil {
		if len(p.VarBinds) > 0 {
			return NotWritable, 1
		}
		return NoError, 0
	}
	t := s.find(p.TransactionID)
	if t == nil {
		t = &set{transaction: p.TransactionID}
	}
	if slices.Contains(t.packets, p.PacketID) {
		return NoError, 0
	}
	var vars []smi.VarBind
	for i := range p.VarBinds {
		if len(t.vars)+i >= maxSetVars || t.committed {
			return ResourceUnavailable, i + 1
		}
		v := clone(&p.VarBinds[i])
		if status := s.setter.Test(v.Name, v.Value); status != smi.NoError {
			return Error(status), i + 1
		}
		vars = append(vars, v)
	}
	t.vars, t.packets = append(t.vars, vars...), append(t.packets, p.PacketID)
	if s.find(t.transaction) == nil {
		if len(s.open) == maxSets {
			s.open = slices.Delete(s.open, 0, 1)
		}
		s.open = append(s.open, t)
	}
	return NoError, 0
}

// commit writes what was tested; g is the newest tree.
func (s *sets) commit(transaction uint32, g *generation) Error {
	t := s.find(transaction)
	if t == nil {
		return CommitFailed // nothing passed a TestSet
	}
	if t.committed {
		return NoError // once for each packet tested, and again if it took us long
	}
	t.committed = true
	for _, v := range t.vars {
		t.old = append(t.old, smi.VarBind{Name: v.Name, Value: s.present(v.Name, g)})
		s.write(v, g)
	}
	return NoError
}

// undo gives back, last first, what the variables were before commit.
func (s *sets) undo(transaction uint32, g *generation) (code Error) {
	t := s.find(transaction)
	if t == nil {
		return NoError
	}
	for _, v := range slices.Backward(t.old) {
		if v.Value.Type >= smi.NoSuchObject {
			code = UndoFailed // it was made, and a Setter cannot take it away
			continue
		}
		s.write(v, g)
	}
	s.cleanup(transaction)
	return code
}

// cleanup forgets a transaction.
func (s *sets) cleanup(transaction uint32) {
	s.open = slices.DeleteFunc(s.open, func(t *set) bool { return t.transaction == transaction })
}

// present is what a variable holds now: what was last written to it, where the
// tree is older than that.
func (s *sets) present(name smi.OID, g *generation) smi.Value {
	if s.seq == g.Seq() {
		for _, v := range s.written {
			if v.Name.Compare(name) == 0 {
				return v.Value
			}
		}
	}
	v := smi.VarBind{Name: name, Value: g.Tree.Get(name)}
	return clone(&v).Value
}

func (s *sets) write(v smi.VarBind, g *generation) {
	if s.seq != g.Seq() {
		s.seq, s.written = g.Seq(), nil
	}
	s.written = slices.DeleteFunc(s.written, func(w smi.VarBind) bool { return w.Name.Compare(v.Name) == 0 })
	s.written = append(s.written, v)
	s.setter.Set(v.Name, v.Value)
}

// clone copies a variable out of the PDU, or the tree, it is part of.
func clone(v *smi.VarBind) smi.VarBind {
	c := smi.VarBind{Name: slices.Clone(v.Name), Value: v.Value}
	c.Value.Bytes, c.Value.OID = bytes.Clone(v.Value.Bytes), slices.Clone(v.Value.OID)
	return c
}
