package agent

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

func TestSystemGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, list{}, Config{System: System{ObjectID: root, Contact: "ops", Name: strings.Repeat("n", 300), Location: "rack 7",
			ORs: []Capability{{root.Append(100, 3, 1), "one"}, {root.Append(100, 3, 2), "two"}}}})
		time.Sleep(90 * time.Second)
		var lines []string
		for _, v := range r.walk(question{version: ber.V2cVersion, typ: ber.GetNext, names: []smi.OID{{0, 0}}}) {
			text := string(v.Value.Bytes)
			switch v.Value.Type {
			case smi.ObjectID:
				text = v.Value.OID.String()
			case smi.Integer, smi.TimeTicks:
				text = time.Duration(v.Value.Int).String()
			}
			lines = append(lines, strings.TrimPrefix(v.Name.String(), systemRoot.String())+" "+v.Value.Type.String()+" "+text)
		}
		want := `.1.0 OCTET STRING a director
.2.0 OBJECT IDENTIFIER 1.3.6.1.4.1.8225.4711
.3.0 TimeTicks 9µs
.4.0 OCTET STRING ops
.5.0 OCTET STRING ` + strings.Repeat("n", 255) + `
.6.0 OCTET STRING rack 7
.7.0 INTEGER 72ns
.8.0 TimeTicks 0s
.9.1.2.1 OBJECT IDENTIFIER 1.3.6.1.4.1.8225.4711.100.3.1
.9.1.2.2 OBJECT IDENTIFIER 1.3.6.1.4.1.8225.4711.100.3.2
.9.1.3.1 OCTET STRING one
.9.1.3.2 OCTET STRING two
.9.1.4.1 TimeTicks 0s
.9.1.4.2 TimeTicks 0s`
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		for name, want := range map[string]smi.Type{
			"3": smi.NoSuchInstance, "3.1": smi.NoSuchInstance, "9.1.2": smi.NoSuchInstance, "9.1.2.3": smi.NoSuchInstance,
			"9.1.1.1": smi.NoSuchObject, "10.0": smi.NoSuchObject, "9": smi.NoSuchObject,
		} {
			name := smi.MustParseOID(systemRoot.String() + "." + name)
			if v := r.system.Get(name); v.Type != want {
				t.Errorf("%v is %v, want %v", name, v.Type, want)
			}
		}
	})
}

// TestViewShowsNothingElse: a tree that has more than its roots does not get it
// seen, whether asked for it or around it.
func TestViewShowsNothingElse(t *testing.T) {
	one := func(o smi.OID) smi.VarBind { return smi.VarBind{Name: o, Value: integer(7)} }
	tree := list{one(smi.OID{1, 3, 5}), one(smi.OID{1, 3, 6, 1, 2, 1, 1, 1, 5}), one(smi.OID{1, 3, 6, 1, 2, 1, 2}), one(root[:7]), one(root), one(root.Append(5)), one(smi.OID{1, 3, 6, 1, 4, 1, 8225, 4712}), one(smi.OID{2, 1})}
	r := newRig(t, tree, Config{})
	n := 0
	for _, v := range r.walk(question{version: ber.V2cVersion, typ: ber.GetNext, names: []smi.OID{{0, 0}}}) {
		if v.Value.Int == 7 && v.Value.Type == smi.Integer {
			if n++; !v.Name.HasPrefix(root) {
				t.Errorf("%v is seen", v.Name)
			}
		}
	}
	if n != 2 {
		t.Errorf("%d of the 2 variables below the root", n)
	}
	for _, v := range tree {
		p := r.ask(question{version: ber.V2cVersion, typ: ber.GetRequest, names: []smi.OID{v.Name}})
		if seen := p.VarBinds[0].Value.Type == smi.Integer; seen != v.Name.HasPrefix(root) {
			t.Errorf("%v: seen %v", v.Name, seen)
		}
	}
	r.Swap(nil)
	if got := r.walk(question{version: ber.V2cVersion, typ: ber.GetNext, names: []smi.OID{{0, 0}}}); len(got) != len(r.system.vars) {
		t.Errorf("%d variables of no tree", len(got))
	}
	if p := r.ask(question{version: ber.V2cVersion, typ: ber.GetRequest, names: []smi.OID{root}}); p.VarBinds[0].Value.Type != smi.NoSuchObject {
		t.Errorf("%v of no tree", p.VarBinds)
	}
	if end := behind(smi.OID{1, 4294967295}); end.String() != "2" || behind(smi.OID{4294967295}) != nil {
		t.Errorf("behind the last is %v", end)
	}
}
