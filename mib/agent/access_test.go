package agent

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"lvs/mib/ber"
	"lvs/mib/smi"
	"lvs/mib/usm"
)

// A switches is a Setter with two variables, root.3.0 and root.4.0, that take 1 and
// 2. It remembers what was written.
type switches struct {
	mu  sync.Mutex
	set []smi.VarBind
}

func (s *switches) Test(name smi.OID, v smi.Value) smi.ErrorStatus {
	switch {
	case !slices.Equal(name, root.Append(3, 0)) && !slices.Equal(name, root.Append(4, 0)):
		return smi.NotWritable
	case v.Type != smi.Integer:
		return smi.WrongType
	case v.Int != 1 && v.Int != 2:
		return smi.WrongValue
	}
	return smi.NoError
}

func (s *switches) Set(name smi.OID, v smi.Value) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set = append(s.set, smi.VarBind{Name: name, Value: v})
}

// written is what was written so far.
func (s *switches) written() []smi.VarBind {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.set)
}

func integer(n uint64) smi.Value { return smi.Value{Type: smi.Integer, Int: n} }

func TestSet(t *testing.T) {
	first, second := root.Append(3, 0), root.Append(4, 0)
	good := smi.VarBind{Name: first, Value: integer(1)}
	for _, c := range []struct {
		name      string
		community string
		vars      []smi.VarBind
		v1        smi.ErrorStatus
		at1       int32
		v2        smi.ErrorStatus
		at2       int32
	}{
		{"none", "private", nil, smi.NoError, 0, smi.NoError, 0},
		{"one", "private", []smi.VarBind{good}, smi.NoError, 0, smi.NoError, 0},
		{"two", "private", []smi.VarBind{good, {Name: second, Value: integer(2)}}, smi.NoError, 0, smi.NoError, 0},
		{"who may only read", "public", []smi.VarBind{good}, smi.NoSuchName, 1, smi.AuthorizationError, 0},
		{"the second is bad", "private", []smi.VarBind{good, {Name: second, Value: integer(3)}}, smi.BadValue, 2, smi.WrongValue, 2},
		{"type", "private", []smi.VarBind{good, {Name: second, Value: smi.Value{Type: smi.Null}}}, smi.BadValue, 2, smi.WrongType, 2},
		{"one that cannot be", "private", []smi.VarBind{good, {Name: cell(1, 1, 1), Value: integer(1)}}, smi.NoSuchName, 2, smi.NotWritable, 2},
		{"the system group", "private", []smi.VarBind{{Name: smi.OID{1, 3, 6, 1, 2, 1, 1, 5, 0}, Value: integer(1)}}, smi.NoSuchName, 1, smi.NotWritable, 1},
		{"out of view", "private", []smi.VarBind{{Name: smi.OID{1, 3, 6, 1, 2, 1, 11, 30, 0}, Value: integer(1)}}, smi.NoSuchName, 1, smi.NoAccess, 1},
	} {
		for _, v := range []ber.Version{ber.V1Version, ber.V2cVersion} {
			s := &switches{}
			r := newRig(t, table(1, 10, 1), Config{Setter: s})
			status, at := c.v1, c.at1
			if v == ber.V2cVersion {
				status, at = c.v2, c.at2
			}
			p := r.wantError(c.name, question{version: v, typ: ber.SetRequest, community: c.community, vars: c.vars}, status, at)
			if len(p.VarBinds) != len(c.vars) {
				t.Errorf("%s: answered with %v", c.name, p.VarBinds)
			}
			for i := range p.VarBinds {
				if !reflect.DeepEqual(p.VarBinds[i].Name, c.vars[i].Name) || p.VarBinds[i].Value.Int != c.vars[i].Value.Int {
					t.Errorf("%s: answered with %v", c.name, p.VarBinds)
				}
			}
			var want []smi.VarBind
			if status == smi.NoError {
				want = c.vars
			}
			r.ask(question{version: v, typ: ber.GetRequest, names: []smi.OID{cell(1, 1, 1)}}) // the request's memory is used again
			if !slices.EqualFunc(s.written(), want, func(a, b smi.VarBind) bool { return slices.Equal(a.Name, b.Name) && a.Value.Int == b.Value.Int }) {
				t.Errorf("%s: set %v, want %v", c.name, s.written(), want)
			}
		}
	}
	r := newRig(t, table(1, 10, 1), Config{})
	r.wantError("nothing to write to", question{version: ber.V2cVersion, typ: ber.SetRequest, community: "private", vars: []smi.VarBind{good}}, smi.NotWritable, 1)
}

// A recorder is a Setter that takes everything.
type recorder struct{ set []smi.VarBind }

func (r *recorder) Test(smi.OID, smi.Value) smi.ErrorStatus { return smi.NoError }
func (r *recorder) Set(name smi.OID, v smi.Value) {
	r.set = append(r.set, smi.VarBind{Name: name, Value: v})
}

// TestSetterIsGuarded: it is not asked about what is not its own, keeps what it
// was given, and is given nothing where that could not be said.
func TestSetterIsGuarded(t *testing.T) {
	s := &recorder{}
	r := newRig(t, table(1, 10, 1), Config{Setter: s})
	q := question{version: ber.V2cVersion, typ: ber.SetRequest, community: "private"}
	q.vars = []smi.VarBind{{Name: smi.OID{1, 3, 6, 1, 2, 1, 1, 5, 0}, Value: integer(1)}}
	r.wantError("the system group", q, smi.NotWritable, 1)
	q.vars = []smi.VarBind{{Name: smi.OID{1, 3, 6, 1, 2, 1, 2, 1, 0}, Value: integer(1)}}
	r.wantError("out of view", q, smi.NoAccess, 1)

	q.vars = slices.Repeat([]smi.VarBind{{Name: root.Append(1), Value: integer(1)}}, 500)
	q.from = elsewhere
	r.wantError("too much", q, smi.TooBig, 0)
	q.version = ber.V1Version
	if out := r.raw(q); out != nil || len(s.set) != 0 {
		t.Errorf("too much: answered %x, written %v", out, s.set)
	}

	q.vars = []smi.VarBind{
		{Name: root.Append(1), Value: smi.Value{Type: smi.OctetString, Bytes: []byte("text")}},
		{Name: root.Append(2), Value: smi.Value{Type: smi.ObjectID, OID: smi.OID{1, 3, 6}}},
	}
	datagram := q.datagram(t)
	r.h.answer(datagram, here, r.now())
	clear(datagram)
	r.ask(question{version: ber.V2cVersion, typ: ber.GetRequest, names: []smi.OID{cell(9, 9, 9), cell(8, 8, 8), cell(7, 7, 7)}})
	if !reflect.DeepEqual(s.set, q.vars) {
		t.Errorf("%v became %v", q.vars, s.set)
	}
}

// TestNarrowStatus goes through RFC 3584 §4.4's table.
func TestNarrowStatus(t *testing.T) {
	want := []smi.ErrorStatus{0, 1, 2, 3, 4, 5, 2, 3, 3, 3, 3, 2, 3, 5, 5, 5, 2, 2, 2}
	for s, w := range want {
		if got := narrowStatus(smi.ErrorStatus(s)); got != w {
			t.Errorf("%d is %d, want %d", s, got, w)
		}
	}
}

func TestCommunities(t *testing.T) {
	net := func(s ...string) (p []netip.Prefix) {
		for _, s := range s {
			p = append(p, netip.MustParsePrefix(s))
		}
		return p
	}
	some := []Community{
		{Name: "open"},
		{Name: "near", Sources: net("192.0.2.0/24", "2001:db8::/32")},
		{Name: "near", Sources: net("192.0.2.1/32"), Write: true},
		{Name: "link", Sources: net("fe80::/10")},
		{Name: "nobody", Sources: []netip.Prefix{}},
	}
	user := []User{{User: usm.User{Name: "someone", Auth: usm.SHA256, AuthSecret: "a long secret"}}}
	for _, c := range []struct {
		cfg             Config
		community, from string
		read, write     bool
	}{
		{Config{Communities: some}, "open", "198.51.100.1", true, false},
		{Config{Communities: some}, "opens", "198.51.100.1", false, false},
		{Config{Communities: some}, "ope", "127.0.0.1", false, false},
		{Config{Communities: some}, "public", "127.0.0.1", false, false},
		{Config{Communities: some}, "near", "192.0.2.77", true, false},
		{Config{Communities: some}, "near", "192.0.2.1", true, true},
		{Config{Communities: some}, "near", "192.0.3.1", false, false},
		{Config{Communities: some}, "near", "2001:db8:1::1", true, false},
		{Config{Communities: some}, "near", "fe80::1%eth0", false, false},
		{Config{Communities: some}, "link", "fe80::1%eth0", true, false},
		{Config{Communities: some}, "nobody", "127.0.0.1", false, false},
		{Config{}, "public", "127.0.0.1", true, false},
		{Config{}, "public", "127.9.9.9", true, false},
		{Config{}, "public", "::1", true, false},
		{Config{}, "public", "192.0.2.1", false, false},
		{Config{}, "public", "2001:db8::1", false, false},
		{Config{}, "private", "127.0.0.1", false, false},
		{Config{Users: user}, "public", "127.0.0.1", false, false},
	} {
		c.cfg.Listen, c.cfg.Roots = []string{":0"}, []smi.OID{root}
		a, err := newAgent(c.cfg, table(1, 10, 1))
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{Agent: a, t: t, h: &handler{agent: a}}
		from := netip.MustParseAddr(c.from)
		if read, write := a.access.Load().mayAsk([]byte(c.community), from); read != c.read || write != c.write {
			t.Errorf("%q at %s may read %v, write %v", c.community, c.from, read, write)
		}
		out := r.raw(question{version: ber.V2cVersion, community: c.community, from: from, typ: ber.GetNext, names: []smi.OID{root}})
		if st := r.Stats(); (out != nil) != c.read || st.BadCommunities+st.Answers != 1 || (st.Answers == 1) != c.read {
			t.Errorf("%q at %s was answered %x, %+v", c.community, c.from, out, st)
		}
	}
}

// TestOnlyRequestsAreAnswered, or two agents could be made to talk to one another.
func TestOnlyRequestsAreAnswered(t *testing.T) {
	r := newRig(t, table(1, 10, 1), Config{})
	n := uint64(0)
	for _, c := range []question{
		{version: ber.V1Version, typ: ber.GetBulk}, {version: ber.V1Version, typ: ber.Response}, {version: ber.V2cVersion, typ: ber.Response},
		{version: ber.V2cVersion, typ: ber.Inform}, {version: ber.V2cVersion, typ: ber.Trap}, {version: ber.V2cVersion, typ: ber.Report},
	} {
		n++
		if out := r.raw(c); out != nil || r.Stats().NotRequests != n {
			t.Errorf("v%v %v was answered %x", c.version, c.typ, out)
		}
	}
	var b ber.Builder
	b.Reset(50)
	b.PrependPDU(ber.GetRequest, 1, 0, 0)
	b.PrependCommunity(2, []byte("public"))
	if out := r.h.answer(b.Bytes(), here, 1); out != nil || r.Stats().BadVersions != 1 {
		t.Errorf("version 2 was answered %x", out)
	}
}

func TestConfig(t *testing.T) {
	good := Config{Listen: []string{"127.0.0.1:0"}, Roots: []smi.OID{root}}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Listen = nil }, "no address"},
		{func(c *Config) { c.Roots = nil }, "no subtree"},
		{func(c *Config) { c.Roots = []smi.OID{root, root.Append(1)} }, "inside"},
		{func(c *Config) { c.Roots = []smi.OID{{1, 3, 6, 1, 2, 1}} }, "inside"},
		{func(c *Config) { c.MaxMessageSize = 483 }, "483"},
		{func(c *Config) { c.MaxMessageSize = 65508 }, "65508"},
		{func(c *Config) { c.Communities = []Community{{}} }, "without a name"},
		{func(c *Config) { c.System.Services = 128 }, "sysServices"},
		{func(c *Config) { c.Users = []User{{User: usm.User{Name: "x", Auth: usm.SHA1, AuthSecret: "short"}}} }, "x"},
		{func(c *Config) { c.Listen = []string{"localhost:0"} }, "want an IP address"},
		{func(c *Config) { c.Listen = []string{"127.0.0.1"} }, "missing port"},
	} {
		cfg := good
		c.change(&cfg)
		a, err := New(cfg, table(1, 10, 1))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "agent: ") {
			t.Errorf("want an error about %q: %v", c.want, err)
		}
		if a != nil {
			t.Errorf("%q: an agent all the same", c.want)
		}
	}
}

// TestSetAccess: who may ask changes while the agent runs, all at once or not at
// all.
func TestSetAccess(t *testing.T) {
	r := newRig(t, table(1, 10, 1), Config{})
	asks := func(community string) bool {
		return r.raw(question{version: ber.V2cVersion, community: community, typ: ber.GetNext, names: []smi.OID{root}}) != nil
	}
	if r.Engine() != nil {
		t.Error("an engine without users")
	}
	good := []User{{User: usm.User{Name: "someone", Auth: usm.SHA256, AuthSecret: "a long secret"}, Write: true}}
	bad := []User{{User: usm.User{Name: "someone", Auth: usm.SHA256, AuthSecret: "short"}}}
	if err := r.SetAccess([]Community{{Name: "new"}}, good); err != nil || asks("public") || !asks("new") {
		t.Errorf("%v, old %v, new %v", err, asks("public"), asks("new"))
	}
	id, boots := r.EngineID(), r.Engine().Boots()
	for _, c := range []struct {
		communities []Community
		users       []User
	}{{[]Community{{Name: "newer"}}, bad}, {[]Community{{Name: "newer"}, {}}, good}} {
		if err := r.SetAccess(c.communities, c.users); err == nil || !strings.HasPrefix(err.Error(), "agent: ") || asks("newer") || !asks("new") {
			t.Errorf("%v, old %v, new %v", err, asks("new"), asks("newer"))
		}
	}
	if err := r.SetAccess(nil, nil); err != nil || asks("new") || !asks("public") {
		t.Errorf("%v, old %v, new %v", err, asks("new"), asks("public"))
	}
	if e := r.Engine(); string(e.ID()) != string(id) || e.Boots() != boots {
		t.Error("another engine")
	}
}
