package agent

import (
	"fmt"
	"slices"
	"time"

	"lvs/mib/smi"
)

// systemRoot is the system group of SNMPv2-MIB (RFC 3418 §2).
var systemRoot = smi.OID{1, 3, 6, 1, 2, 1, 1}

// A System is what the system group tells about the machine and the agent.
// None of it can be written over SNMP.
type System struct {
	Descr                   string  // sysDescr
	ObjectID                smi.OID // sysObjectID: what kind of agent this is; nil is 0.0
	Contact, Name, Location string
	// Services is sysServices; zero is 72, a host that serves applications.
	Services int32
	// ORs are the rows of sysORTable, numbered from 1.
	ORs []Capability
}

// A Capability is a MIB that the agent implements: one row of sysORTable.
type Capability struct {
	OID         smi.OID // of an AGENT-CAPABILITIES or a MODULE-IDENTITY
	Description string
}

// A systemTree answers for the system group. Its only variable that changes is
// sysUpTime.
type systemTree struct {
	began time.Time
	vars  []smi.VarBind // in the order of names
}

// sysUpTime is where the time since the agent began is.
var sysUpTime = systemRoot.Append(3, 0)

func newSystemTree(s System, began time.Time) (*systemTree, error) {
	t := &systemTree{began: began}
	add := func(v smi.Value, sub ...uint32) {
		t.vars = append(t.vars, smi.VarBind{Name: systemRoot.Append(sub...), Value: v})
	}
	text := func(s string) smi.Value { // a DisplayString has at most 255 octets (RFC 2579)
		return smi.Value{Type: smi.OctetString, Bytes: []byte(s[:min(len(s), 255)])}
	}
	if len(s.ObjectID) == 0 {
		s.ObjectID = smi.OID{0, 0}
	}
	if s.Services == 0 {
		s.Services = 72
	}
	if s.Services < 0 || s.Services > 127 {
		return nil, fmt.Errorf("agent: sysServices is %d, want 1 to 127", s.Services)
	}
	add(text(s.Descr), 1, 0)
	add(smi.Value{Type: smi.ObjectID, OID: s.ObjectID}, 2, 0)
	add(smi.Value{Type: smi.TimeTicks}, 3, 0)
	add(text(s.Contact), 4, 0)
	add(text(s.Name), 5, 0)
	add(text(s.Location), 6, 0)
	add(smi.Value{Type: smi.Integer, Int: uint64(s.Services)}, 7, 0)
	add(smi.Value{Type: smi.TimeTicks}, 8, 0) // sysORLastChange: never since the start
	for i, or := range s.ORs {
		row := uint32(i + 1)
		add(smi.Value{Type: smi.ObjectID, OID: or.OID}, 9, 1, 2, row)
		add(text(or.Description), 9, 1, 3, row)
		add(smi.Value{Type: smi.TimeTicks}, 9, 1, 4, row)
	}
	slices.SortFunc(t.vars, func(a, b smi.VarBind) int { return a.Name.Compare(b.Name) })
	return t, nil
}

// find returns the place of name, or of the first behind it.
func (t *systemTree) find(name smi.OID) (int, bool) {
	return slices.BinarySearchFunc(t.vars, name, func(v smi.VarBind, o smi.OID) int { return v.Name.Compare(o) })
}

// value is that of variable i.
func (t *systemTree) value(i int) smi.Value {
	if v := &t.vars[i]; !slices.Equal(v.Name, sysUpTime) {
		return v.Value
	}
	return smi.Value{Type: smi.TimeTicks, Int: uint64(time.Since(t.began) / (10 * time.Millisecond))}
}

// Get implements [smi.Tree].
func (t *systemTree) Get(name smi.OID) smi.Value {
	if i, ok := t.find(name); ok {
		return t.value(i)
	}
	// An object type is there if any of its instances is: the name up to and
	// with the column for a table, up to the object for a scalar.
	width := len(systemRoot) + 1
	if len(name) >= width && name[width-1] == 9 {
		width += 2
	}
	if len(name) >= width {
		if i, _ := t.find(name[:width]); i < len(t.vars) && t.vars[i].Name.HasPrefix(name[:width]) {
			return smi.Value{Type: smi.NoSuchInstance}
		}
	}
	return smi.Value{Type: smi.NoSuchObject}
}

// Next implements [smi.Tree].
func (t *systemTree) Next(dst, name smi.OID, include bool, end smi.OID) (smi.OID, smi.Value, bool) {
	i, exact := t.find(name)
	if exact && !include {
		i++
	}
	if i >= len(t.vars) || end != nil && t.vars[i].Name.Compare(end) >= 0 {
		return dst[:0], smi.Value{Type: smi.EndOfMIBView}, false
	}
	return append(dst[:0], t.vars[i].Name...), t.value(i), true
}
