//go:build lab

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lvs/internal/lab"
)

// Programs that poll for years and draw pictures, as Debian has them: each is
// given a configuration as its manual tells, and has to have stored what the
// document says.

// oidOf is an object type's by its name.
func oidOf(t *testing.T, name string) string {
	t.Helper()
	for _, o := range objects() {
		if o.name == name {
			return o.oid
		}
	}
	t.Fatalf("%s is in no MIB", name)
	return ""
}

// installed is where a program is that a test needs.
func installed(t *testing.T, program, debian string) string {
	t.Helper()
	file, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("%v: apt-get install %s", err, debian)
	}
	return file
}

// A graph is two object types that are drawn in one picture of MRTG.
type graph struct{ name, in, out string }

var graphs = []graph{
	{"bytes", "lvsdServiceHCInBytes", "lvsdServiceHCOutBytes"},
	{"packets", "lvsdServiceInPkts", "lvsdServiceOutPkts"},
	{"connections", "lvsdServiceHCConns", "lvsdServiceActiveConns"},
	{"old", "lvsServiceStatsInBytes", "lvsServiceStatsOutBytes"},
}

// testMRTG has MRTG poll a service three times, from both servers.
func testMRTG(t *testing.T, m *managed) {
	mrtg, dir := installed(t, "mrtg", "mrtg"), runDir(t)
	number := m.document().service("tcp/10.1.0.100:8001").Number
	text := "WorkDir: " + dir + "\nLoadMIBs: none\nSuppress[_]: wmy\n" // no pictures of weeks, months and years
	for i, server := range m.servers {
		address := strings.TrimPrefix(server.args[0], "udp:")
		for _, g := range graphs {
			name := fmt.Sprintf("%s%d", g.name, i)
			// The fields behind the port are timeout, retries, backoff and version.
			text += fmt.Sprintf("Target[%s]: %s.%d&%s.%d:public@%s::::2\nMaxBytes[%s]: 1250000000\nTitle[%s]: %s\n",
				name, oidOf(t, g.in), number, oidOf(t, g.out), number, address, name, name, name)
		}
	}
	config := filepath.Join(dir, "mrtg.cfg")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	m.want(t, func(want map[string]variable) (wrong []string) {
		for range 3 {
			lab.Run(t, "env", "LANG=C", mrtg, config)
		}
		for i := range m.servers {
			for _, g := range graphs {
				log, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%s%d.log", g.name, i)))
				if err != nil {
					t.Fatal(err)
				}
				// The first line is when it last asked, and what it was told.
				line, _, _ := strings.Cut(string(log), "\n")
				f := strings.Fields(line)
				in, out := want[fmt.Sprintf("%s.%d", oidOf(t, g.in), number)], want[fmt.Sprintf("%s.%d", oidOf(t, g.out), number)]
				if in.text == "0" || len(f) != 3 || f[1] != in.text || f[2] != out.text {
					wrong = append(wrong, fmt.Sprintf("MRTG's %s of %s: %q, want %v and %v", g.name, m.servers[i].name, line, in, out))
				}
			}
		}
		return wrong
	})
}

// A series is what collectd stores of a table: object types whose values are one
// row of a file.
type series struct {
	typ    string // one of collectd's types.db
	name   string // the object type that names the rows
	values []string
}

var collected = []series{
	{"if_octets", "lvsdServiceKey", []string{"lvsdServiceHCInBytes", "lvsdServiceHCOutBytes"}},
	{"connections", "lvsdServiceKey", []string{"lvsdServiceConns"}},
	{"current_connections", "lvsdServiceKey", []string{"lvsdServiceActiveConns"}},
	{"derive", "lvsdRealKey", []string{"lvsdRealHCConns"}},
	{"gauge", "lvsdServerAddressText", []string{"lvsdServerWeightSum"}},
}

// testCollectd has collectd's snmp plugin read whole tables, from both servers.
func testCollectd(t *testing.T, m *managed) {
	collectd, dir := installed(t, "collectd", "collectd-core"), runDir(t)
	config := filepath.Join(dir, "collectd.conf")
	if err := os.WriteFile(config, []byte(collectdFile(t, m, dir)), 0o644); err != nil {
		t.Fatal(err)
	}
	m.want(t, func(want map[string]variable) []string {
		var log bytes.Buffer
		cmd := exec.Command(collectd, "-f", "-C", config)
		cmd.Env = append(os.Environ(), "MIBS=", "SNMPCONFPATH=/nonexistent", "SNMP_PERSISTENT_DIR="+dir)
		cmd.Stdout, cmd.Stderr = &log, &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		var wrong []string
		for deadline := time.Now().Add(lab.Patience); ; time.Sleep(200 * time.Millisecond) {
			if wrong = checkCollected(t, m, dir, want); len(wrong) == 0 || time.Now().After(deadline) {
				break
			}
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(lab.Patience):
			t.Error("collectd does not end on SIGTERM")
			_ = cmd.Process.Kill()
			<-ended
		}
		if len(wrong) > 0 {
			t.Logf("collectd says:\n%s", log.Bytes())
		}
		return wrong
	})
}

// collectdFile is a configuration that reads every second and writes below dir.
func collectdFile(t *testing.T, m *managed, dir string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "Hostname \"collector\"\nFQDNLookup false\nInterval 2\nBaseDir %q\nPIDFile %q\nTypesDB \"/usr/share/collectd/types.db\"\n",
		dir, filepath.Join(dir, "pid"))
	fmt.Fprintf(&b, "LoadPlugin logfile\n<Plugin logfile>\n\tLogLevel info\n\tFile STDOUT\n</Plugin>\n")
	fmt.Fprintf(&b, "LoadPlugin csv\n<Plugin csv>\n\tDataDir %q\n\tStoreRates false\n</Plugin>\nLoadPlugin snmp\n<Plugin snmp>\n", filepath.Join(dir, "csv"))
	for _, s := range collected {
		fmt.Fprintf(&b, "\t<Data %q>\n\t\tType %q\n\t\tTable true\n\t\tTypeInstanceOID %q\n\t\tValues", s.typ, s.typ, oidOf(t, s.name))
		for _, v := range s.values {
			fmt.Fprintf(&b, " %q", oidOf(t, v))
		}
		fmt.Fprintf(&b, "\n\t</Data>\n")
	}
	for i, server := range m.servers {
		fmt.Fprintf(&b, "\t<Host \"director%d\">\n\t\tAddress %q\n\t\tVersion 2\n\t\tCommunity \"public\"\n\t\tBulkSize 20\n\t\tCollect", i, strings.TrimPrefix(server.args[0], "udp:"))
		for _, s := range collected {
			fmt.Fprintf(&b, " %q", s.typ)
		}
		fmt.Fprintf(&b, "\n\t</Host>\n")
	}
	return b.String() + "</Plugin>\n"
}

// checkCollected compares the first row of every file with what it has to be.
func checkCollected(t *testing.T, m *managed, dir string, want map[string]variable) (wrong []string) {
	t.Helper()
	rows := 0
	for i := range m.servers {
		for _, s := range collected {
			prefix := oidOf(t, s.name) + "."
			for name, key := range want {
				index, ok := strings.CutPrefix(name, prefix)
				if !ok {
					continue
				}
				rows++
				line := ""
				for _, v := range s.values {
					line += "," + want[oidOf(t, v)+"."+index].text
				}
				// Collectd replaces what a file's name must not have, and adds the day.
				file := filepath.Join(dir, "csv", fmt.Sprintf("director%d", i), "snmp", s.typ+"-"+strings.ReplaceAll(key.text, "/", "_"))
				if have := firstRow(file, s.typ); have != line {
					wrong = append(wrong, fmt.Sprintf("collectd's %s of %s at %s: %q, want %q", s.typ, key.text, m.servers[i].name, have, line))
				}
			}
		}
	}
	if rows < 100 {
		t.Fatalf("%d rows only", rows)
	}
	return wrong
}

// firstRow is the first row of values in a file of collectd's, of whatever day,
// without its time; empty where there is none yet.
func firstRow(file, typ string) string {
	files, _ := filepath.Glob(strings.NewReplacer("[", `\[`, "]", `\]`).Replace(file) + "-20??-??-??")
	if len(files) == 0 {
		return ""
	}
	text, _ := os.ReadFile(files[0])
	lines := strings.Split(string(text), "\n")
	if len(lines) < 3 { // the heads, a row, and that it ends
		return ""
	}
	_, values, _ := strings.Cut(lines[1], ",")
	if typ == "gauge" || typ == "current_connections" {
		values = strings.TrimSuffix(values, ".000000")
	}
	return "," + values
}
