package snmptest

import (
	"slices"

	"lvs/mib/smi"
)

// Vars is a tree of variables that were written down one by one, in any order: a
// smi.Tree for what the MIB's own tree never has. It is safe for concurrent use
// while nobody changes it.
type Vars []smi.VarBind

// NewVars sorts variables into a tree.
func NewVars(list []smi.VarBind) Vars {
	v := Vars(slices.Clone(list))
	slices.SortStableFunc(v, func(a, b smi.VarBind) int { return a.Name.Compare(b.Name) })
	return v
}

func (v Vars) find(name smi.OID) (int, bool) {
	return slices.BinarySearchFunc(v, name, func(b smi.VarBind, name smi.OID) int { return b.Name.Compare(name) })
}

// Get is the variable called name, or noSuchInstance.
func (v Vars) Get(name smi.OID) smi.Value {
	if i, ok := v.find(name); ok {
		return v[i].Value
	}
	return smi.Value{Type: smi.NoSuchInstance}
}

// Next is the first variable behind name; see smi.Tree.
func (v Vars) Next(dst, name smi.OID, include bool, end smi.OID) (smi.OID, smi.Value, bool) {
	i, found := v.find(name)
	if found && !include {
		i++
	}
	if i >= len(v) || end != nil && v[i].Name.Compare(end) >= 0 {
		return dst[:0], smi.Value{Type: smi.EndOfMIBView}, false
	}
	return append(dst[:0], v[i].Name...), v[i].Value, true
}
