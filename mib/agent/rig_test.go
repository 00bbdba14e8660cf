package agent

import (
	"net/netip"
	"slices"
	"testing"

	"lvs/mib/ber"
	"lvs/mib/smi"
)

// root is where tests keep their variables.
var root = smi.MustParseOID("1.3.6.1.4.1.8225.4711")

// A list is a tree that holds its variables in their order.
type list []smi.VarBind

func (l list) find(name smi.OID) (int, bool) {
	return slices.BinarySearchFunc(l, name, func(v smi.VarBind, o smi.OID) int { return v.Name.Compare(o) })
}

// Get takes all but the last two sub-identifiers of a name for its object type.
func (l list) Get(name smi.OID) smi.Value {
	i, ok := l.find(name)
	if ok {
		return l[i].Value
	}
	if i, _ = l.find(name[:max(len(name)-2, 0)]); i < len(l) && len(name) > len(root)+2 && l[i].Name.HasPrefix(name[:len(name)-2]) {
		return smi.Value{Type: smi.NoSuchInstance}
	}
	return smi.Value{Type: smi.NoSuchObject}
}

func (l list) Next(dst, name smi.OID, include bool, end smi.OID) (smi.OID, smi.Value, bool) {
	i, exact := l.find(name)
	if exact && !include {
		i++
	}
	if i >= len(l) || end != nil && l[i].Name.Compare(end) >= 0 {
		return nil, smi.Value{}, false
	}
	return append(dst[:0], l[i].Name...), l[i].Value, true
}

// columnTypes are those of the columns of a table, again and again.
var columnTypes = []smi.Type{smi.Integer, smi.Counter64, smi.Counter64, smi.Gauge32, smi.OctetString, smi.IPAddress, smi.Counter32, smi.Counter64}

// table has columns 1.c of rows s.r, ten r for each s: root.1.c.s.r. Every value
// tells salt.
func table(columns, rows int, salt uint64) list {
	l := make(list, 0, columns*rows)
	for c := range columns {
		for r := range rows {
			v := smi.Value{Type: columnTypes[c%len(columnTypes)], Int: salt}
			switch v.Type {
			case smi.Counter64:
				v.Int += 1 << 40
			case smi.OctetString:
				v = smi.Value{Type: v.Type, Bytes: []byte("octets")}
			case smi.IPAddress:
				v = smi.Value{Type: v.Type, Bytes: []byte{192, 0, 2, byte(salt)}}
			}
			l = append(l, smi.VarBind{Name: root.Append(18, 1, uint32(c+1), uint32(r/10+1), uint32(r%10+1)), Value: v})
		}
	}
	return l
}

// cell is the name of a table's cell.
func cell(column, s, r uint32) smi.OID { return root.Append(18, 1, column, s, r) }

// Where requests come from.
var (
	here      = netip.MustParseAddr("127.0.0.1")
	elsewhere = netip.MustParseAddr("192.0.2.9")
)

// A rig is an agent without sockets.
type rig struct {
	*Agent
	t testing.TB
	h *handler
}

// newAgent is New without sockets.
func newAgent(cfg Config, tree smi.Tree) (*Agent, error) {
	a, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	return a, a.begin(tree)
}

// newRig has an agent for the communities "public" and "private", which may
// write, unless cfg says otherwise.
func newRig(t testing.TB, tree smi.Tree, cfg Config) *rig {
	t.Helper()
	cfg.Listen, cfg.Roots = []string{"127.0.0.1:0"}, []smi.OID{root}
	if cfg.Communities == nil && cfg.Users == nil {
		cfg.Communities = []Community{{Name: "public"}, {Name: "private", Write: true}}
	}
	cfg.System.Descr = "a director"
	a, err := newAgent(cfg, tree)
	if err != nil {
		t.Fatal(err)
	}
	return &rig{Agent: a, t: t, h: &handler{agent: a}}
}

// A question is a request in the making.
type question struct {
	version       ber.Version
	community     string
	from          netip.Addr
	typ           ber.PDUType
	status, index int32
	names         []smi.OID
	vars          []smi.VarBind // in the place of names
}

func (q question) datagram(t testing.TB) []byte {
	t.Helper()
	p := ber.PDU{Type: q.typ, RequestID: 42, Status: q.status, Index: q.index, VarBinds: q.vars}
	for _, name := range q.names {
		p.VarBinds = append(p.VarBinds, smi.VarBind{Name: name, Value: smi.Value{Type: smi.Null}})
	}
	var b ber.Builder
	b.Reset(64)
	if err := p.Append(&b); err != nil {
		t.Fatal(err)
	}
	if q.community == "" {
		q.community = "public"
	}
	b.PrependCommunity(q.version, []byte(q.community))
	return b.Bytes()
}

// raw is the answer's octets, nil for none.
func (r *rig) raw(q question) []byte {
	r.t.Helper()
	if !q.from.IsValid() {
		q.from = here
	}
	return r.h.answer(q.datagram(r.t), q.from, r.now())
}

// ask is the answer, which must be one.
func (r *rig) ask(q question) *ber.PDU {
	r.t.Helper()
	return r.decode(q, r.raw(q))
}

func (r *rig) decode(q question, out []byte) *ber.PDU {
	r.t.Helper()
	if out == nil {
		r.t.Fatalf("no answer to %+v: %+v", q, r.Stats())
	}
	out = slices.Clone(out)
	var m ber.Message
	p := new(ber.PDU)
	if err := m.Decode(out); err != nil {
		r.t.Fatal(err)
	}
	if err := p.Decode(m.Data); err != nil {
		r.t.Fatal(err)
	}
	if m.Version != q.version || p.Type != ber.Response || p.RequestID != 42 {
		r.t.Fatalf("answer %v %v %d to %+v", m.Version, p.Type, p.RequestID, q)
	}
	return p
}

// wantError fails unless the answer to q is an error about a variable.
func (r *rig) wantError(what string, q question, status smi.ErrorStatus, index int32) *ber.PDU {
	r.t.Helper()
	p := r.ask(q)
	if p.Status != int32(status) || p.Index != index {
		r.t.Errorf("%s: error %d at %d, want %d at %d", what, p.Status, p.Index, status, index)
	}
	return p
}

// walk asks with q for all that is behind names[0] and returns it. Every answer
// may have several variables.
func (r *rig) walk(q question) (vars []smi.VarBind) {
	r.t.Helper()
	for range 100_000 {
		p := r.ask(q)
		if p.Status == int32(smi.NoSuchName) && q.version == ber.V1Version {
			return vars
		}
		if p.Status != 0 || len(p.VarBinds) == 0 {
			r.t.Fatalf("walk at %v: error %d, %d variables", q.names[0], p.Status, len(p.VarBinds))
		}
		for _, v := range p.VarBinds {
			if v.Value.Type == smi.EndOfMIBView {
				return vars
			}
			if n := len(vars); n > 0 && vars[n-1].Name.Compare(v.Name) >= 0 {
				r.t.Fatalf("%v behind %v", v.Name, vars[n-1].Name)
			}
			vars = append(vars, v)
		}
		q.names = []smi.OID{vars[len(vars)-1].Name}
	}
	r.t.Fatal("the walk does not end")
	return nil
}
