//go:build lab

package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
)

// snmpFile is the configuration of the agent that SNMP's managers ask: who may
// ask, and names for some rows. It is read every two seconds until nothing should
// move any more.
const snmpFile = `sample: {interval: %s}
snmp:
  agentx: %s
  listen: [%q, %q]
  name: lvs1.example.net
  communities:
    - name: public
    - {name: private, write: true}
  users:
    - {name: reader, auth: {protocol: sha256, passphrase: authentication}, priv: {protocol: aes128, passphrase: privacy-privacy}}
    - {name: signer, auth: {protocol: sha256, passphrase: authentication}}
    - {name: writer, write: true, auth: {protocol: sha256, passphrase: authentication}, priv: {protocol: aes128, passphrase: privacy-privacy}}
names:
  tcp/10.1.0.100:80: {name: web, real_servers: {"10.2.0.13:8080": web3}}
  tcp/[fd10:1::100]:443: secure
  fwm4/1: marked
`

// snmpdUsers are the same users for snmpd.
var snmpdUsers = []string{
	"createUser reader SHA-256 authentication AES privacy-privacy", "rouser reader authpriv",
	"createUser signer SHA-256 authentication", "rouser signer auth",
	"createUser writer SHA-256 authentication AES privacy-privacy", "rwuser writer authpriv",
}

// A way is how a manager asks: whom, and as whom by which version.
type way struct {
	name string
	args []string // of Net-SNMP's tools, the address last
}

// Managers, as Net-SNMP's tools are told.
var (
	v1     = []string{"-v1", "-c", "public"}
	v2c    = []string{"-v2c", "-c", "public"}
	reader = []string{"-v3", "-u", "reader", "-l", "authPriv", "-a", "SHA-256", "-A", "authentication", "-x", "AES", "-X", "privacy-privacy"}
	signer = []string{"-v3", "-u", "signer", "-l", "authNoPriv", "-a", "SHA-256", "-A", "authentication"}
	writer = slices.Concat([]string{"-v3", "-u", "writer"}, reader[3:])
)

// A managed is the rich configuration with an agent that answers SNMP in both
// ways, and whose table stands still.
type managed struct {
	*agent
	master  *lab.MasterAgent
	file    string
	four    string // UDP addresses of the agent in the box
	six     string
	servers []way // who can be asked, without a manager
}

// TestLabManagers asks the agent for all it knows in every way that managers
// have, and holds each variable against the document.
func TestLabManagers(t *testing.T) {
	m := startManaged(t)
	testBetweenReadings(t, m)
	m.stand(t)
	for _, step := range []struct {
		name string
		run  func(*testing.T, *managed)
	}{
		{"walks", testWalks},
		{"60 variables", testSixtyVariables},
		{"tables", testSNMPTables},
		{"MRTG", testMRTG},
		{"collectd", testCollectd},
		{"six at once", testSixAtOnce},
		{"sets", testSets},
	} {
		t.Run(step.name, func(t *testing.T) { m.agent.t = t; step.run(t, m) })
	}
	m.agent.t = t
	agentX := m.metrics("?scope=agent")
	for _, name := range []string{"lvs_agent_agentx_malformed_total", "lvs_agent_agentx_reconnects_total"} {
		if n := agentX.sample(name); n != 0 {
			t.Errorf("%s is %v", name, n)
		}
	}
}

func startManaged(t *testing.T) *managed {
	t.Helper()
	lab.Rich(t)
	// The kernel has no daemon beside a real server of another family than its
	// service (ip_vs_genl_new_daemon).
	lab.Run(t, "ipvsadm", "-d", "-t", "10.1.0.102:81", "-r", "[fd10:2::11]:81")
	lab.Run(t, "ipvsadm", "--start-daemon", "backup", "--mcast-interface", "back", "--syncid", "7")
	t.Cleanup(func() { lab.Run(t, "ipvsadm", "--stop-daemon", "backup") })
	m := &managed{master: lab.SNMPD(t, snmpdUsers...), four: lab.FreePort(t, "udp"), six: freeUDP(t, "::1")}
	m.servers = []way{{"snmpd", []string{"udp:" + m.master.Addr}}, {"the box", []string{"udp:" + m.four}}}
	m.agent = unstarted(t)
	m.file = filepath.Join(m.dir, "agent.yml")
	m.write(t, "2s")
	m.flags = slices.DeleteFunc(m.flags, func(f string) bool { return strings.HasPrefix(f, "--sample.interval=") })
	m.flags = append(m.flags, "--config.file="+m.file)
	m.start()
	m.live(t)
	return m
}

func (m *managed) write(t *testing.T, interval string) {
	t.Helper()
	text := fmt.Sprintf(snmpFile, interval, m.master.Unix, m.four, m.six)
	if err := os.WriteFile(m.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freeUDP is an address nobody listened on a moment ago.
func freeUDP(t *testing.T, host string) string {
	t.Helper()
	c, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.LocalAddr().String()
}

// expects is a document and what it says of every variable.
func (m *managed) expects(t *testing.T, text []byte) (doc object, want map[string]variable) {
	t.Helper()
	doc, err := parseObject(text)
	if err != nil {
		t.Fatal(err)
	}
	if want, err = expected(doc); err != nil {
		t.Fatal(err)
	}
	return doc, want
}

// want reads the document, has ask ask, and reads it again: where it is the same,
// what has been asked for has to be what it says. The hour at which the agent
// reads again may come, but once.
func (m *managed) want(t *testing.T, ask func(want map[string]variable) []string) {
	t.Helper()
	for range 2 {
		before := m.get("/api/v1/snapshot")
		_, want := m.expects(t, before)
		list := ask(want)
		if !bytes.Equal(before, m.get("/api/v1/snapshot")) {
			continue
		}
		if n := len(list); n > 0 {
			t.Errorf("%d differences:\n\t%s", n, strings.Join(named(list[:min(n, 20)]), "\n\t"))
		}
		return
	}
	t.Error("the document goes on moving")
}

// ask has one of Net-SNMP's tools ask a server as a manager, with further
// arguments.
func (w way) ask(t *testing.T, tool string, manager []string, flags []string, args ...string) (string, error) {
	return lab.Tool(t, tool, slices.Concat(manager, flags, w.args, args)...)
}

// hexadecimal are the options that parseVariables wants.
var hexadecimal = []string{"-On", "-Ox"}

// walked is what a server shows below some arcs of the LVS-MIB, by one of
// Net-SNMP's walks.
func (w way) walked(t *testing.T, tool string, manager []string, below string) (map[string]variable, error) {
	flags := hexadecimal
	if tool == "snmpbulkwalk" {
		flags = append(flags, "-Cr40")
	}
	out, err := w.ask(t, tool, manager, flags, lvsMIB+below)
	if err != nil {
		return nil, err
	}
	// What the tools print where nothing comes after our variables.
	lines := slices.DeleteFunc(strings.SplitAfter(out, "\n"), func(l string) bool {
		return strings.Contains(l, "No more variables left in this MIB View") || l == "End of MIB\n"
	})
	return parseVariables(strings.Join(lines, ""))
}

func testWalks(t *testing.T, m *managed) {
	box, six := m.servers[1:], way{"the box over IPv6", []string{"udp6:" + m.six}}
	for _, tt := range []struct {
		tool, name string
		manager    []string
		servers    []way
	}{
		{"snmpwalk", "v1", v1, m.servers},
		{"snmpbulkwalk", "v2c", v2c, append(m.servers, six)},
		{"snmpbulkwalk", "v3 authPriv", reader, append(m.servers, six)},
		{"snmpbulkwalk", "v3 authNoPriv", signer, box},
	} {
		for _, server := range tt.servers {
			t.Run(fmt.Sprintf("%s %s of %s", tt.tool, tt.name, server.name), func(t *testing.T) {
				began := time.Now()
				m.want(t, func(want map[string]variable) []string {
					if tt.name == "v1" {
						want = without64(want)
					}
					have, err := server.walked(t, tt.tool, tt.manager, "")
					if err != nil {
						t.Fatal(err)
					}
					t.Logf("%d variables in %v", len(have), time.Since(began).Round(10*time.Millisecond))
					if len(have) < 5000 {
						t.Errorf("%d variables only", len(have))
					}
					return differences(want, have)
				})
			})
		}
	}
}

// testSixAtOnce has six managers walk the services, half of them by way of
// snmpd.
func testSixAtOnce(t *testing.T, m *managed) {
	const below = ".100.1.4"
	type answer struct {
		name string
		list []string
		err  error
	}
	m.want(t, func(want map[string]variable) (list []string) {
		maps.DeleteFunc(want, func(name string, _ variable) bool { return !strings.HasPrefix(name, lvsMIB+below+".") })
		answers := make(chan answer)
		for _, server := range m.servers {
			for i, manager := range [][]string{v2c, reader, signer} {
				go func() {
					have, err := server.walked(t, []string{"snmpwalk", "snmpbulkwalk", "snmpbulkwalk"}[i], manager, below)
					answers <- answer{server.name + " by " + manager[2], differences(want, have), err}
				}()
			}
		}
		for range 6 {
			a := <-answers
			if a.err != nil {
				t.Errorf("%s: %v", a.name, a.err)
			}
			list = append(list, a.list...)
		}
		return list
	})
}
