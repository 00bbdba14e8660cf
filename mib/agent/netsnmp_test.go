package agent

import (
	"fmt"
	"strings"
	"testing"

	"lvs/internal/lab"
	"lvs/mib/smi"
	"lvs/mib/usm"
)

// listing is what snmpwalk -On -Oe prints of variables.
func listing(vars []smi.VarBind) string {
	var b strings.Builder
	for _, v := range vars {
		fmt.Fprintf(&b, ".%v = ", v.Name)
		switch v.Value.Type {
		case smi.Integer:
			fmt.Fprintf(&b, "INTEGER: %d\n", int32(v.Value.Int))
		case smi.OctetString:
			fmt.Fprintf(&b, "STRING: %q\n", v.Value.Bytes)
		case smi.IPAddress:
			fmt.Fprintf(&b, "IpAddress: %d.%d.%d.%d\n", v.Value.Bytes[0], v.Value.Bytes[1], v.Value.Bytes[2], v.Value.Bytes[3])
		default:
			fmt.Fprintf(&b, "%v: %d\n", v.Value.Type, v.Value.Int)
		}
	}
	return b.String()
}

// at is an agent's address for Net-SNMP.
func at(a *Agent, i int) string {
	addr := a.Addrs()[i]
	if addr.Addr().Is6() {
		return "udp6:" + addr.String()
	}
	return "udp:" + addr.String()
}

// everyone is a configuration with who asks in the tests.
func everyone(setter smi.Setter) Config {
	return Config{
		Listen:      []string{"127.0.0.1:0", "[::1]:0"},
		Communities: []Community{{Name: lab.Community}, {Name: lab.WriteCommunity, Write: true}},
		Users: []User{
			{User: usm.User{Name: lab.User, Auth: usm.SHA256, Priv: usm.AES128, AuthSecret: lab.AuthPassword, PrivSecret: lab.PrivPassword}, Write: true},
			{User: usm.User{Name: "reader", Auth: usm.SHA1, Priv: usm.AES128, AuthSecret: lab.AuthPassword, PrivSecret: lab.PrivPassword, Level: usm.AuthNoPriv}},
			{User: usm.User{Name: "anybody"}},
		},
		Setter: setter,
	}
}

// v3 are the flags of lab.User.
var v3 = []string{"-v3", "-u", lab.User, "-l", "authPriv", "-a", "SHA-256", "-A", lab.AuthPassword, "-x", "AES", "-X", lab.PrivPassword}

// TestNetSNMPWalks: every tool and version sees every variable, over IPv4 and IPv6.
func TestNetSNMPWalks(t *testing.T) {
	t.Parallel()
	tree := table(17, 30, 5)
	a := start(t, tree, everyone(nil))
	all := listing(tree)
	var seen list
	for _, v := range tree {
		if v.Value.Type != smi.Counter64 {
			seen = append(seen, v)
		}
	}
	for _, c := range []struct {
		tool  string
		flags []string
		want  string
	}{
		{"snmpwalk", []string{"-v1", "-c", "public"}, listing(seen)},
		{"snmpwalk", []string{"-v2c", "-c", "public"}, all},
		{"snmpbulkwalk", []string{"-v2c", "-c", "public", "-Cr50"}, all},
		{"snmpbulkwalk", []string{"-v2c", "-c", "public", "-Cr100000"}, all},
		{"snmpwalk", v3, all},
		{"snmpbulkwalk", append(v3[:len(v3):len(v3)], "-Cr50"), all},
	} {
		for i := range 2 {
			out, err := lab.Tool(t, c.tool, append(c.flags[:len(c.flags):len(c.flags)], "-On", "-Oe", at(a, i), root.String())...)
			out = strings.TrimSuffix(out, "End of MIB\n")               // v1
			if i := strings.Index(out, " = No more variables"); i > 0 { // v2c and v3
				out = out[:strings.LastIndex(out[:i], "\n")+1]
			}
			if err != nil || out != c.want {
				t.Errorf("%s %v at %s: %d octets, want %d; %v", c.tool, c.flags, at(a, i), len(out), len(c.want), err)
			}
		}
	}
	if st := a.Stats(); st.GenErrs+st.TooBigs+st.Malformed+st.SilentDrops+st.SendErrors != 0 {
		t.Errorf("%+v", st)
	}
}

// TestNetSNMPPairs reads as users with each pair of protocols that Net-SNMP has.
func TestNetSNMPPairs(t *testing.T) {
	t.Parallel()
	auths := map[string]usm.AuthProtocol{"SHA": usm.SHA1, "SHA-224": usm.SHA224, "SHA-256": usm.SHA256, "SHA-384": usm.SHA384, "SHA-512": usm.SHA512}
	privs := map[string]usm.PrivProtocol{"": usm.NoPriv, "AES": usm.AES128, "AES-192": usm.AES192, "AES-256": usm.AES256}
	cfg := Config{Listen: []string{"127.0.0.1:0"}}
	for an, auth := range auths {
		for pn, priv := range privs {
			u := usm.User{Name: an + pn, Auth: auth, Priv: priv, AuthSecret: lab.AuthPassword}
			if priv != usm.NoPriv {
				u.PrivSecret = lab.PrivPassword
			}
			cfg.Users = append(cfg.Users, User{User: u})
		}
	}
	a := start(t, table(8, 100, 5), cfg)
	for an := range auths {
		for pn := range privs {
			flags := []string{"-v3", "-u", an + pn, "-l", "authNoPriv", "-a", an, "-A", lab.AuthPassword}
			if pn != "" {
				flags = append(flags, "-l", "authPriv", "-x", pn, "-X", lab.PrivPassword)
			}
			out, err := lab.Tool(t, "snmpbulkget", append(flags, "-On", "-Oe", "-Cr200", at(a, 0), root.String())...)
			if want := listing(table(8, 100, 5)[:200]); err != nil || !strings.HasPrefix(want, out) || strings.Count(out, "\n") < 30 {
				t.Errorf("%s with %q: %d lines, %v", an, pn, strings.Count(out, "\n"), err)
			}
		}
	}
}

// TestNetSNMPRefusals: what a wrong question gets, in Net-SNMP's words.
func TestNetSNMPRefusals(t *testing.T) {
	t.Parallel()
	s := &switches{}
	a := start(t, table(8, 30, 5), everyone(s))
	descr, first := "1.3.6.1.2.1.1.1.0", root.String()+".3.0"
	with := func(more ...string) []string { return append(v3[:len(v3):len(v3)], more...) }
	for _, c := range []struct {
		tool  string
		flags []string
		args  []string
		want  string // in what was printed
	}{
		{"snmpget", with(), []string{descr}, "a director"},
		{"snmpget", with("-A", "another password"), []string{descr}, "Authentication failure"},
		{"snmpget", with("-X", "another password"), []string{descr}, "Decryption error"},
		{"snmpget", with("-u", "nobody"), []string{descr}, "Unknown user name"},
		{"snmpget", with("-l", "authNoPriv"), []string{descr}, "Unsupported security level"},
		{"snmpget", with("-l", "noAuthNoPriv"), []string{descr}, "Unsupported security level"},
		{"snmpget", with("-a", "SHA-512"), []string{descr}, "Authentication failure"},
		{"snmpget", with("-n", "elsewhere"), []string{descr}, "Bad context specified"},
		{"snmpget", with("-E", "0x8000202105abcdef"), []string{descr}, "Bad version specified"},
		{"snmpget", []string{"-v3", "-u", "reader", "-l", "authNoPriv", "-a", "SHA", "-A", lab.AuthPassword}, []string{descr}, "a director"},
		{"snmpget", []string{"-v3", "-u", "anybody", "-l", "noAuthNoPriv"}, []string{descr}, "a director"},
		{"snmpget", []string{"-v3", "-u", "anybody", "-l", "authNoPriv", "-a", "SHA", "-A", lab.AuthPassword}, []string{descr}, "Unsupported security level"},
		{"snmpset", []string{"-v3", "-u", "anybody", "-l", "noAuthNoPriv"}, []string{first, "i", "1"}, "authorizationError"},
		{"snmpset", []string{"-v2c", "-c", "public"}, []string{first, "i", "1"}, "authorizationError"},
		{"snmpset", []string{"-v1", "-c", "public"}, []string{first, "i", "1"}, "noSuchName"},
		{"snmpset", []string{"-v2c", "-c", "private"}, []string{first, "i", "3"}, "wrongValue"},
		{"snmpset", []string{"-v2c", "-c", "private"}, []string{descr, "s", "mine"}, "notWritable"},
		{"snmpset", []string{"-v1", "-c", "private"}, []string{first, "i", "3"}, "badValue"},
		{"snmpget", []string{"-v2c", "-c", "wrong", "-t", "0.2"}, []string{descr}, "Timeout"},
		{"snmpget", []string{"-v2c", "-c", "public"}, []string{root.String() + ".99.0"}, "No Such Object"},
		{"snmpget", []string{"-v1", "-c", "public"}, []string{root.String() + ".99.0"}, "noSuchName"},
	} {
		flags := append([]string{"-r0", "-t30", "-On"}, c.flags...)
		out, err := lab.Tool(t, c.tool, append(append(flags, at(a, 0)), c.args...)...)
		if said := fmt.Sprint(out, err); !strings.Contains(said, c.want) {
			t.Errorf("%s %v %v: %s\nwant %q", c.tool, c.flags, c.args, said, c.want)
		}
	}
	if len(s.written()) != 0 {
		t.Errorf("%v was written", s.written())
	}
	for i, flags := range [][]string{{"-v1", "-c", "private"}, {"-v2c", "-c", "private"}, v3} {
		if out, err := lab.Tool(t, "snmpset", append(flags[:len(flags):len(flags)], "-On", at(a, 1), first, "i", "2", root.String()+".4.0", "i", "1")...); err != nil || strings.Count(out, "INTEGER") != 2 {
			t.Errorf("snmpset %v: %s %v", flags, out, err)
		}
		if len(s.written()) != 2*(i+1) {
			t.Errorf("snmpset %v has written %v", flags, s.written())
		}
	}
}
