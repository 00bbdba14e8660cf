package mib

import (
	"testing"

	"lvs/mib/smi"
)

func TestSetterTakesTheSwitchAlone(t *testing.T) {
	on := smi.Value{Type: smi.Integer, Int: 1}
	for _, tt := range []struct {
		name string
		v    smi.Value
		want smi.ErrorStatus
	}{
		{"100.1.7.1.0", on, smi.NoError},
		{"100.1.7.1.0", smi.Value{Type: smi.Integer, Int: 2}, smi.NoError},
		{"100.1.7.1.0", smi.Value{Type: smi.Integer}, smi.WrongValue},
		{"100.1.7.1.0", smi.Value{Type: smi.Integer, Int: 3}, smi.WrongValue},
		{"100.1.7.1.0", smi.Value{Type: smi.Integer, Int: 1<<64 - 1}, smi.WrongValue},
		{"100.1.7.1.0", smi.Value{Type: smi.Gauge32, Int: 1}, smi.WrongType},
		{"100.1.7.1.0", smi.Value{Type: smi.OctetString, Bytes: []byte("1")}, smi.WrongType},
		{"100.1.7.1.0", smi.Value{}, smi.WrongType},
		{"100.1.7.1", on, smi.NoCreation},
		{"100.1.7.1.1", on, smi.NoCreation},
		{"100.1.7.1.0.0", on, smi.NoCreation},
		{"100.1.7.2.0", on, smi.NotWritable},
		{"100.1.7", on, smi.NotWritable},
		{"17.1.1.1", on, smi.NotWritable},
		{"99.0", on, smi.NotWritable},
	} {
		var told []bool
		s := NewSetter(func(on bool) { told = append(told, on) })
		name := smi.MustParseOID(root.String() + "." + tt.name)
		if got := s.Test(name, tt.v); got != tt.want {
			t.Errorf("lvs.%s to %v: %v, want %v", tt.name, tt.v, got, tt.want)
		}
		s.Set(name, tt.v)
		switch {
		case tt.want != smi.NoError && told != nil:
			t.Errorf("lvs.%s to %v switched notifications to %v", tt.name, tt.v, told)
		case tt.want == smi.NoError && (len(told) != 1 || told[0] != (tt.v.Int == 1)):
			t.Errorf("lvs.%s to %v switched notifications to %v", tt.name, tt.v, told)
		}
	}
	if got := NewSetter(nil).Test(smi.MustParseOID("1.3.6.1.2.1.1.5.0"), on); got != smi.NotWritable {
		t.Errorf("sysName.0: %v", got)
	}
}

// TestWhatIsWritableIsWhatTheTextSays compares the setter with MAX-ACCESS.
func TestWhatIsWritableIsWhatTheTextSays(t *testing.T) {
	s := NewSetter(nil)
	for _, o := range Objects() {
		if got := s.Test(o.OID.Append(0), smi.Value{Type: smi.Integer, Int: 1}) == smi.NoError; got != o.Writable {
			t.Errorf("%s can be written: %v, the text says %v", o.Name, got, o.Writable)
		}
	}
}
