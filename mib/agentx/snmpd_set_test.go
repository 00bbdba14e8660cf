package agentx

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lvs/internal/lab"
	"lvs/mib/smi"
)

// TestSNMPDSets has all variables in one subtree, and each in one of its own.
func TestSNMPDSets(t *testing.T) {
	t.Run("one subtree", func(t *testing.T) { snmpdSets(t, gridRoot) })
	t.Run("many subtrees", func(t *testing.T) {
		snmpdSets(t, gridRoot.Append(1), gridRoot.Append(2), gridRoot.Append(3), gridRoot.Append(4))
	})
}

func snmpdSets(t *testing.T, subtrees ...smi.OID) {
	m := lab.SNMPD(t)
	b := newBoard()
	s, _ := start(t, m.Unix, b.tree(), func(c *Config) { c.Setter, c.Registrations = b, subtrees })
	registered(t, s)
	private := []string{"-On", "-c", lab.WriteCommunity}
	set := func(want string, args ...string) {
		t.Helper()
		out, err := m.Ask("snmpset", "2c", private, args...)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("set %v: %q, %v, want %q", args, out, err, want)
		}
		s.Swap(b.tree())
	}
	lamp, dial, note, serial := lampOID.String(), dialOID.String(), noteOID.String(), serialOID.String()
	set("", lamp, "i", "1", dial, "i", "99", note, "s", "hello")
	if got := b.did(); got != "1.0=1 2.0=9 3.0=hello" {
		t.Errorf("set %q", got)
	}
	if n := s.Stats().Requests[Request{TestSet, NoError}]; n != 1 {
		t.Errorf("asked in %d packets, want one", n)
	}
	var want bytes.Buffer
	want.WriteString("." + lamp + " = INTEGER: 1\n." + dial + " = INTEGER: 99\n." + note + " = STRING: \"hello\"\n." + serial + " = STRING: \"A1\"\n")
	show := func() {
		t.Helper()
		out, err := m.Ask("snmpwalk", "2c", []string{"-On"}, gridRoot.String())
		if diff := cmp.Diff(want.String(), out); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
	}
	show()
	set("wrongType", lamp, "s", "on")
	set("wrongLength", note, "s", strings.Repeat("x", 21))
	set("wrongValue", dial, "i", "101")
	set("notWritable", lamp, "i", "0", dial, "i", "5", serial, "s", "B2", note, "s", "lost")
	set("wrongValue", dial, "i", "5", gridRoot.String()+".2.0", "i", "500", note, "s", "lost")
	if got := b.did(); got != "" {
		t.Errorf("set %q though one variable was bad", got)
	}
	show()
	if _, err := m.Ask("snmpset", "2c", []string{"-On"}, lamp, "i", "0"); err == nil || !strings.Contains(err.Error(), "noAccess") {
		t.Errorf("set by a community that may only read: %v", err)
	}
	// One SET of ours and of snmpd's own: snmpd refuses its part, after ours passed.
	set("notWritable", lamp, "i", "0", "1.3.6.1.2.1.1.3.0", "t", "1")
	show()
	if st := s.Stats(); st.Requests[Request{CleanupSet, NoError}] == 0 || st.Malformed != 0 || st.Reconnects != 0 {
		t.Errorf("%+v", st)
	}
}
