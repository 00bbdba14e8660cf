package mib

import "lvs/mib/smi"

// A Setter takes what managers write: lvsdNotifyEnable, and nothing else. It
// implements [smi.Setter].
type Setter struct{ enable func(bool) }

var _ smi.Setter = (*Setter)(nil)

// NewSetter makes a setter that hands the value on to enable, which has to be
// safe for concurrent use.
func NewSetter(enable func(bool)) *Setter { return &Setter{enable} }

// notifyEnable is the object type that may be written.
var notifyEnable = root.Append(notifyArc...).Append(1)

// Test reports whether v may be written; see RFC 3416 §4.2.5 for what is told of
// what may not. The value of a TruthValue is true(1) or false(2).
func (s *Setter) Test(name smi.OID, v smi.Value) smi.ErrorStatus {
	switch {
	case !name.HasPrefix(notifyEnable):
		return smi.NotWritable
	case v.Type != smi.Integer:
		return smi.WrongType
	case v.Int != 1 && v.Int != 2:
		return smi.WrongValue
	case len(name) != len(notifyEnable)+1 || name[len(notifyEnable)] != 0:
		return smi.NoCreation
	}
	return smi.NoError
}

// Set writes what Test has passed. The next tree shows it.
func (s *Setter) Set(name smi.OID, v smi.Value) {
	if s.Test(name, v) == smi.NoError {
		s.enable(v.Int == 1)
	}
}
