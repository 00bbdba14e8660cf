//go:build lab

package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"lvs/internal/lab"
)

// live is what the director of a managed agent goes through, so that few of its
// variables are zero: traffic, counters cleared, real servers in every state.
func (m *managed) live(t *testing.T) {
	t.Helper()
	traffic(t, "1", "tcp", "10.1.0.100:8002")
	m.counted("tcp/10.1.0.100:8002", 1)
	lab.Run(t, "ipvsadm", "-Z")
	m.counted("tcp/10.1.0.100:8002", 0)
	lab.Run(t, lab.Path(t, "rich.sh"), "hold")
	for family, addresses := range map[string][]string{
		"tcp":  {"10.1.0.100:8002", "10.1.0.100:8005", "10.1.0.100:8021"},
		"http": {"10.1.0.100:443", "10.1.0.101:80", "10.1.0.102:80", "10.1.0.103:80", "[fd10:1::100]:80", "[fd10:1::102]:80", "[fd10:1::103]:80"},
		"udp":  {"10.1.0.100:54"},
	} {
		for _, address := range addresses {
			traffic(t, "2", family, address)
		}
	}
	held := map[string]string{}
	lab.Wait(t, "connections that are held open", func() bool {
		for at, c := range ipvsadm(t) {
			if at.real != "" && c["active"] > 0 {
				held[strings.TrimPrefix(at.service, "tcp/")] = at.real
			}
		}
		return held["10.1.0.100:8001"] != "" && held["10.1.0.100:8004"] != ""
	})
	// One drains and one has as many connections as it may, and one goes and comes.
	edit := func(service, real string, options ...string) {
		lab.Run(t, append([]string{"ipvsadm", "-e", "-t", service, "-r", real, "-m"}, options...)...)
	}
	edit("10.1.0.100:8001", held["10.1.0.100:8001"], "-w", "0")
	edit("10.1.0.100:8004", held["10.1.0.100:8004"], "-w", "2", "-x", "1", "-y", "1")
	edit("10.1.0.100:444", "10.2.0.13:80", "-w", "0")
	m.waitDocument("a service that is down", func(d *document) bool { return d.service("tcp/10.1.0.100:444").Reals[0].Weight == 0 })
	edit("10.1.0.100:444", "10.2.0.13:80", "-w", "7")
}

// testBetweenReadings asks while the agent goes on reading: two documents of one
// reading are equal, also in what moves by itself, and what is asked for between
// them is what they say. The tables take too long for it.
func testBetweenReadings(t *testing.T, m *managed) {
	t.Helper()
	isScalar := map[string]bool{}
	for _, o := range objects() {
		isScalar[o.oid+".0"] = o.table == ""
	}
	compared := map[string]bool{} // by the time of the reading
	lab.Wait(t, "three readings with time to ask", func() bool {
		before := m.get("/api/v1/snapshot")
		first, want := m.expects(t, before)
		maps.DeleteFunc(want, func(name string, _ variable) bool {
			return !isScalar[name]
		})
		out, err := m.servers[1].ask(t, "snmpget", v2c, hexadecimal, slices.Collect(maps.Keys(want))...)
		if err != nil {
			t.Fatal(err)
		}
		have, err := parseVariables(out)
		if err != nil {
			t.Fatal(err)
		}
		after := m.get("/api/v1/snapshot")
		if second, _ := m.expects(t, after); second["time"] != first["time"] {
			return false
		}
		if !bytes.Equal(before, after) {
			t.Errorf("two documents of one reading:\n%s\n%s", before, after)
		}
		if list := differences(want, have); len(list) > 0 || len(have) < 60 {
			t.Errorf("between two readings, %d differences of %d:\n\t%s", len(list), len(have), strings.Join(named(list), "\n\t"))
		}
		compared[fmt.Sprint(first["time"])] = true
		return len(compared) == 3 || t.Failed()
	})
}

// mayBeNothing are object types that are zero or empty on a director like this
// one, or without an instance.
var mayBeNothing = []string{
	"lvsdDataplaneReason", "lvsdSyncMasterInterface", "lvsdSyncMasterId",
	"lvsdAgentSampleErrors", "lvsdAgentLateTicks", "lvsdAgentSkippedTicks", "lvsdAgentInconsistent", "lvsdAgentUnnumbered",
	"lvsdStoreLimit", "lvsdStoreCommitErrors", "lvsdStoreLateCommits",
	"lvsdConnTableEntries", "lvsdConnTablePeak", "lvsdServiceRefused", "lvsdServiceHCRefused", // which the kernel does not tell
	"lvsdNotifyDropped", "lvsdNotifyCoalesced",
}

// stand has the agent read for the last time while there is traffic, so that not
// every rate is zero.
func (m *managed) stand(t *testing.T) {
	t.Helper()
	lab.Wait(t, "rates", func() bool {
		traffic(t, "20", "tcp", "10.1.0.100:8001")
		return slices.ContainsFunc(m.document().service("tcp/10.1.0.100:8001").Reals, func(r realDocument) bool { return r.Rates["connections"] > 0 })
	})
	m.write(t, "1h")
	m.hangUp()
	var last []byte
	lab.Wait(t, "an agent that does not read any more", func() bool {
		before := last
		last = m.get("/api/v1/snapshot")
		time.Sleep(100 * time.Millisecond)
		return bytes.Contains(last, []byte(`"interval_seconds":3600,`)) && bytes.Equal(before, last)
	})
	_, want := m.expects(t, last)
	// What is nothing everywhere would agree with anything.
	told := map[string]bool{}
	for name, v := range want {
		if v.text != "0" && v.text != "" && v.text != "0.0.0.0" {
			told[objectOf(name)] = true
		}
	}
	for _, o := range objects() {
		if !told[o.name] && !slices.Contains(mayBeNothing, o.name) {
			t.Errorf("%s is nothing everywhere", o.name)
		}
	}
	for _, state := range []string{"1", "2", "3", "4"} {
		if !slices.Contains(column(want, oidOf(t, "lvsdRealState")), state) {
			t.Errorf("no real server is in state %s", state)
		}
	}
}

// column is what the rows of a column have.
func column(want map[string]variable, oid string) (list []string) {
	for name, v := range want {
		if strings.HasPrefix(name, oid+".") {
			list = append(list, v.text)
		}
	}
	return list
}

// objectOf is the name of a variable's object type; a column is longer than what
// it stands in.
func objectOf(variable string) (name string) {
	length := 0
	for _, o := range objects() {
		if len(o.oid) > length && strings.HasPrefix(variable, o.oid+".") {
			name, length = o.name, len(o.oid)
		}
	}
	return name
}
