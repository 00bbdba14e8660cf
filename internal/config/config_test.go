package config

import (
	"bytes"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"

	"lvs/dataplane"
	"lvs/internal/director"
)

var update = flag.Bool("update", false, "rewrite golden files")

func parse(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse(strings.NewReader(text), "lvs-agent.yml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func key(t *testing.T, s string) dataplane.ServiceKey {
	t.Helper()
	k, err := dataplane.ParseServiceKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestNothingGivenObserves(t *testing.T) {
	for _, text := range []string{"", "# all comments\n", "---\n", "sample:\nstore:\nprometheus: {}\nnames:\n"} {
		c := parse(t, text)
		if diff := cmp.Diff(&Config{}, c, cmp.Comparer(func(a, b Names) bool { return a.Len() == b.Len() })); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

// The reference file is valid, and gives every key there is.
func TestReferenceShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile("reference.yml")
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]bool{}
	d := &decoder{file: "reference.yml", trace: func(path string, is bool) {
		path = alike.Replace(anyElement(path))
		given[path] = given[path] || is
	}}
	d.config(d.document(text), &Config{})
	if err := d.err(); err != nil {
		t.Fatal(err)
	}
	var missing []string
	for path, is := range given {
		if !is {
			missing = append(missing, path)
		}
	}
	slices.Sort(missing)
	if len(missing) > 0 {
		t.Errorf("reference.yml does not show %s", strings.Join(missing, ", "))
	}
	if len(given) < 55 {
		t.Errorf("only %d keys were seen: %v", len(given), given)
	}
}

// alike are sections that have the same keys, of which one may show them.
var alike = strings.NewReplacer("sync.backup", "sync.master", "real_server_defaults.tunnel", "real_servers[].tunnel")

// anyElement makes "services[3].name" "services[].name".
func anyElement(path string) string {
	var b strings.Builder
	in := false
	for _, r := range path {
		if r == ']' {
			in = false
		}
		if !in {
			b.WriteRune(r)
		}
		if r == '[' {
			in = true
		}
	}
	return b.String()
}

func TestReferenceIsUnderstood(t *testing.T) {
	c, err := Load("reference.yml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Sample.Interval != 10*time.Second || c.Store.Retention != 30*24*time.Hour || c.Store.MaxSize != 2<<30 ||
		c.SNMP.AgentX != "unix:/var/agentx/master" || c.NetNS != "director" || c.Prometheus.RealsLimit != 2000 || len(c.Prometheus.BackendLabels) != 6 {
		t.Errorf("observing half is %+v", c)
	}
	rip := func(n byte, port uint16) dataplane.RealServer {
		return dataplane.RealServer{RIP: addr(n, port), Weight: 1}
	}
	web := director.Service{Quiesce: director.Quiesce{Enabled: true, Limit: 2 * time.Minute}}
	web.Service = dataplane.Service{Key: key(t, "tcp/192.0.2.10:443"), Scheduler: "sh", Timeout: 300 * time.Second, Netmask: dataplane.Mask4(0xffffff00),
		Flags: dataplane.FlagPersistent | dataplane.FlagSched1 | dataplane.FlagSched2}
	web1, web2 := rip(1, 8443), rip(2, 9443)
	web1.Weight, web1.UpperThreshold, web1.LowerThreshold = 10, 1000, 800
	web2.Weight, web2.UpperThreshold, web2.LowerThreshold = 20, 2000, 1500
	web.Reals = []dataplane.RealServer{web1, web2}
	dns := director.Service{Quiesce: director.Quiesce{Enabled: true, Limit: 10 * time.Minute}}
	dns.Service = dataplane.Service{Key: key(t, "udp/192.0.2.10:53"), Scheduler: "wlc", Flags: dataplane.FlagOnePacket}
	gre, gue, route := rip(1, 53), rip(2, 53), rip(3, 53)
	gre.Method, gre.Encap = dataplane.Tunnel, dataplane.Encap{Type: dataplane.GRE, Flags: dataplane.EncapChecksum}
	gue.Method, gue.Encap = dataplane.Tunnel, dataplane.Encap{Type: dataplane.GUE, Port: 6080, Flags: dataplane.EncapRemoteChecksum}
	route.Method = dataplane.Route
	dns.Reals = []dataplane.RealServer{gre, gue, route}
	want := []director.Service{web, dns}
	if diff := cmp.Diff(want, c.Director.Services[:2], cmpopts.EquateComparable(dataplane.Service{}, dataplane.RealServer{})); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	if d := c.Director; d.Enforce || d.Exclusive || d.Timeouts.TCP != 15*time.Minute || len(d.Daemons) != 2 || d.Daemons[0].SyncID != 7 || d.Daemons[1].Role != dataplane.Backup {
		t.Errorf("director is %+v", d)
	}
}

func TestSNMPIsUnderstood(t *testing.T) {
	c, err := Load("reference.yml")
	if err != nil {
		t.Fatal(err)
	}
	want := SNMP{
		AgentX: "unix:/var/agentx/master", Listen: []string{"127.0.0.1:161", "[::1]:161"},
		Contact: "ops@example.net", Name: "lvs1.example.net", Location: "rack 7",
		Communities: []Community{
			{Name: "public", Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}},
			{Name: "private", Write: true, Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32")}},
		},
		Users: []User{{Name: "cacti", Auth: Secret{"sha256", "change me please"}, Priv: Secret{"aes128", "and me as well"}}},
		Notifications: Notifications{Rate: 20, Burst: 200, Managers: []Manager{
			{Address: "192.0.2.99:162", Community: "public"},
			{Address: "[2001:db8::99]:162", User: "cacti", Inform: true, Timeout: 5 * time.Second},
		}},
	}
	if diff := cmp.Diff(want, c.SNMP, cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	off := parse(t, "snmp: {listen: off, notifications: {enabled: false, agentx: false}}").SNMP
	if off.Listen == nil || len(off.Listen) != 0 || !off.Notifications.Disabled || !off.Notifications.NoAgentX {
		t.Errorf("what is off is %+v", off)
	}
	one := parse(t, "snmp: {listen: ':1161', notifications: {managers: [{address: '2001:db8::1', community: c}]}}").SNMP
	if one.Listen[0] != ":1161" || one.Notifications.Managers[0].Address != "[2001:db8::1]:162" {
		t.Errorf("one address is %+v", one)
	}
}

func TestNamesComeFromBothSections(t *testing.T) {
	c, err := Load("reference.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ service, rip, wantService, wantReal string }{
		{"tcp/192.0.2.10:443", "10.0.0.2:9443", "web", "web2"},
		{"udp/192.0.2.10:53", "10.0.0.1:53", "dns", ""},
		{"tcp/192.0.2.20:25", "10.0.0.1:25", "mail", ""},
		{"tcp/[2001:db8::20]:25", "[2001:db8:1::2]:25", "mail-v6", "mx2"},
		{"fwm6/257", "[2001:db8:1::1]:0", "marked", ""},
		{"fwm4/257", "10.0.0.1:0", "", ""},
	} {
		rip, err := dataplane.ParseRIP(test.rip)
		if err != nil {
			t.Fatal(err)
		}
		service, real := c.Names.Name(key(t, test.service), rip)
		if service != test.wantService || real != test.wantReal {
			t.Errorf("%s, %s is called %q, %q; want %q, %q", test.service, test.rip, service, real, test.wantService, test.wantReal)
		}
	}
	if service, _ := (Names{}).Name(key(t, "fwm4/1"), addr(1, 1)); service != "" {
		t.Errorf("the zero Names calls something %q", service)
	}
}

// Each file of testdata has configurations and what is wrong in them.
func TestErrorsSayPlaceValueAndWhatIsWanted(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var out []txtar.File
		for _, f := range archive.Files {
			if strings.HasSuffix(f.Name, ".errors") {
				continue
			}
			t.Run(f.Name, func(t *testing.T) {
				_, err := Parse(bytes.NewReader(f.Data), f.Name)
				if err == nil {
					t.Fatal("no error")
				}
				golden := []byte(err.Error() + "\n")
				out = append(out, f, txtar.File{Name: f.Name + ".errors", Data: golden})
				for _, g := range archive.Files {
					if g.Name == f.Name+".errors" && !*update {
						if diff := cmp.Diff(string(g.Data), string(golden)); diff != "" {
							t.Errorf("(-want +got):\n%s", diff)
						}
						return
					}
				}
				if !*update {
					t.Errorf("no errors are written down; got:\n%s", golden)
				}
			})
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(&txtar.Archive{Comment: archive.Comment, Files: out}), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestErrorsAreMatched(t *testing.T) {
	_, err := Parse(strings.NewReader("sample: {interval: 5}\nstore: {path: 7}\n"), "a.yml")
	var one Error
	if !errors.As(err, &one) || one.File != "a.yml" || one.Line != 1 || one.Column != 20 || one.Key != "sample.interval" {
		t.Errorf("first error is %+v of %v", one, err)
	}
	var all Errors
	if !errors.As(err, &all) || len(all) != 2 || all[1].Line != 2 {
		t.Errorf("errors are %+v", all)
	}
}

func TestManyErrorsAreCutShort(t *testing.T) {
	_, err := Parse(strings.NewReader(strings.Repeat("x: 1\n", 1)+"services:\n"+strings.Repeat("  - {}\n", 100)), "a.yml")
	if err == nil || strings.Count(err.Error(), "\n") != maxErrors || !strings.HasSuffix(err.Error(), "and 81 more") {
		t.Errorf("error is %v", err)
	}
}

func TestHostileFilesAreRefused(t *testing.T) {
	lines := func(line string, n int) string { return strings.Repeat(line+"\n", n) }
	stairs := func(step string, n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.Repeat(" ", i) + step + "\n")
		}
		return b.String()
	}
	for name, test := range map[string]struct{ text, want string }{
		"too large":     {lines("# comment", maxFile/10+1), "larger than 4 MiB"},
		"long line":     {"sample:\n" + strings.Repeat("[", maxLine+1), "2:4096: the line is longer"},
		"deep flow":     {lines("[", 1<<16), "33:1: nested too deep"},
		"deep braces":   {lines("{a:", 1<<15), "33:1: nested too deep"},
		"deep list":     {strings.Repeat("- ", maxLine/2-1), "1:257: nested too deep"},
		"deep stairs":   {stairs("-", 300), "nested too deep"},
		"deep mappings": {stairs("a:", 300), `unknown key "a"`},
	} {
		if _, err := Parse(strings.NewReader(test.text), "a.yml"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error is %v, want %s", name, err, test.want)
		}
	}
}

func TestFilesThatAreNotThereSaySo(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "none.yml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v, want %v", err, os.ErrNotExist)
	}
}
