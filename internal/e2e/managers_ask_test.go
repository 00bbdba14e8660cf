//go:build lab

package e2e

import (
	"strings"
	"testing"
)

// testSixtyVariables asks for 60 variables in one request, two of which do not
// exist.
func testSixtyVariables(t *testing.T, m *managed) {
	const noInstance, noObject = "No Such Instance currently exists at this OID", "No Such Object available on this agent at this OID"
	for _, server := range m.servers {
		for name, manager := range map[string][]string{"v1": v1, "v2c": v2c, "v3": reader} {
			m.want(t, func(want map[string]variable) []string {
				all := without64(want)
				if name != "v1" {
					all = want
				}
				some := map[string]variable{}
				for name, v := range all { // in no order
					if some[name] = v; len(some) == 58 {
						break
					}
				}
				if name != "v1" { // for which one that is not there is an error
					some[lvsMIB+".100.1.4.5.1.2.65000"] = variable{noInstance, ""}
					some[lvsMIB+".99.0"] = variable{noObject, ""}
				}
				var names []string
				for name := range some {
					names = append(names, name)
				}
				out, err := server.ask(t, "snmpget", manager, hexadecimal, names...)
				if err != nil {
					t.Fatal(err)
				}
				have, err := parseVariables(out)
				if err != nil {
					t.Fatal(err)
				}
				return differences(some, have)
			})
		}
	}
}

// notifyEnable is lvsdNotifyEnable, the one variable that managers write.
const notifyEnable = lvsMIB + ".100.1.7.1.0"

// noWrite is what a manager is told who may write nothing: RFC 3413 §3.2 has
// authorizationError for one without a view to write, and Net-SNMP noAccess.
var noWrite = map[string]string{"snmpd": "noAccess", "the box": "authorizationError"}

// testSets turns notifications off and on, and is refused what nobody may do.
func testSets(t *testing.T, m *managed) {
	for _, server := range m.servers {
		for _, tt := range []struct {
			name    string
			manager []string
		}{{"v1", []string{"-v1", "-c", "private"}}, {"v2c", []string{"-v2c", "-c", "private"}}, {"v3", writer}} {
			for text, on := range map[string]bool{"2": false, "1": true} {
				out, err := server.ask(t, "snmpset", tt.manager, hexadecimal, notifyEnable, "i", text)
				if want := notifyEnable + " = INTEGER: " + text; err != nil || strings.TrimSpace(out) != want {
					t.Errorf("%s of %s sets %s: %q, %v", tt.name, server.name, text, out, err)
				}
				doc, err := parseObject(m.get("/api/v1/snapshot"))
				if err != nil {
					t.Fatal(err)
				}
				if have := (place{doc: doc}).get("/agent.notifications.enabled"); have != on {
					t.Errorf("%s of %s set %s, and the document says %v", tt.name, server.name, text, have)
				}
			}
		}
		refuse := func(manager []string, reason string, set ...string) {
			t.Helper()
			out, err := server.ask(t, "snmpset", manager, hexadecimal, set...)
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("%s of %v by %s: %q, %v; want %s", server.name, set, manager[2], out, err, reason)
			}
		}
		m.want(t, func(want map[string]variable) []string {
			refuse(v2c, noWrite[server.name], notifyEnable, "i", "2")
			refuse(reader, noWrite[server.name], notifyEnable, "i", "2")
			refuse(writer, "wrongType", notifyEnable, "s", "off")
			refuse(writer, "wrongValue", notifyEnable, "i", "3")
			refuse(writer, "notWritable", lvsMIB+".100.1.7.5.0", "u", "1")
			refuse(writer, "notWritable", lvsMIB+".1.0", "s", "2")
			// One that cannot be set leaves the other as it was.
			refuse(writer, "notWritable", notifyEnable, "i", "2", lvsMIB+".1.0", "s", "2")
			have, err := m.servers[1].walked(t, "snmpbulkwalk", reader, "")
			if err != nil {
				t.Fatal(err)
			}
			return differences(want, have)
		})
	}
}
