package mib

import "lvs/mib/smi"

// A named is an object type: what its instances' names begin with, and how their
// values are sent.
type named struct {
	oid smi.OID
	typ smi.Type
}

// byName finds the object types of the LVS-DIRECTOR-MIB, those included that only
// notifications have.
var byName = func() map[string]named {
	names := map[string]named{
		"lvsdNotifySyncRole":      {root.Append(notifyArc...).Append(8), smi.Integer},
		"lvsdNotifySyncInterface": {root.Append(notifyArc...).Append(9), smi.OctetString},
		"lvsdNotifySyncId":        {root.Append(notifyArc...).Append(10), smi.Gauge32},
	}
	addNames(names, directorArc, directorScalars)
	addNames(names, agentArc, agentScalars)
	addNames(names, notifyArc, notifyScalars)
	addNames(names, directorServiceEntry, directorServiceColumns)
	addNames(names, directorRealEntry, directorRealColumns)
	return names
}()

func addNames[R any](names map[string]named, entry smi.OID, columns []column[R]) {
	for i := range columns {
		names[columns[i].name] = named{root.Append(entry...).Append(columns[i].sub), columns[i].typ}
	}
}

// A varList collects the variables of a notification by name and index.
type varList []smi.VarBind

func (l *varList) num(name string, n uint64, index ...uint32) {
	o := byName[name]
	*l = append(*l, smi.VarBind{Name: o.oid.Append(index...), Value: smi.Value{Type: o.typ, Int: n}})
}

func (l *varList) octets(name string, octets []byte, index ...uint32) {
	o := byName[name]
	*l = append(*l, smi.VarBind{Name: o.oid.Append(index...), Value: smi.Value{Type: o.typ, Bytes: octets}})
}

func (l *varList) text(name, text string, index ...uint32) {
	l.octets(name, appendText(nil, text), index...)
}
