//go:build lab

package e2e

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"lvs/internal/lab"
)

// testNodeExporter runs node_exporter beside the agent and compares the families
// that both have, as text.
func testNodeExporter(t *testing.T, s *site) {
	address := lab.FreePort(t, "tcp")
	cmd := exec.Command("prometheus-node-exporter", "--collector.disable-defaults", "--collector.ipvs", "--web.listen-address="+address)
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: apt-get install prometheus-node-exporter", err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	node := &agent{t: t, url: "http://" + address}
	var theirs, ours []string
	lab.Wait(t, "node_exporter and the agent read the same table", func() bool {
		if _, err := node.ask("GET", "/metrics", ""); err != nil {
			return false // not up yet
		}
		before := nodeIPVS(node)
		s.sampled()
		ours = nodeIPVS(s.agent)
		theirs = nodeIPVS(node)
		return slices.Equal(before, theirs) // else a connection expired meanwhile
	})
	only := func(a, b []string) (out []string) {
		for _, line := range a {
			if !slices.Contains(b, line) {
				out = append(out, line)
			}
		}
		return out
	}
	// node_exporter does not know SCTP, and takes the real servers of an SCTP
	// service for those of the service above it: three of two, in three families.
	for _, line := range only(ours, theirs) {
		if !strings.Contains(line, `proto="SCTP"`) {
			t.Errorf("only ours: %s", line)
		}
	}
	for _, line := range only(theirs, ours) {
		if !strings.Contains(line, `remote_port="132"`) {
			t.Errorf("only node_exporter's: %s", line)
		}
	}
	if n := len(only(ours, theirs)); n != 9 || len(ours) != len(theirs) || len(ours) < 300 {
		t.Errorf("%d lines of ours, %d of node_exporter's, %d differ, want 9 of SCTP", len(ours), len(theirs), n)
	}
}

// nodeIPVS are the lines about node_exporter's families of IPVS, in their order.
func nodeIPVS(a *agent) (lines []string) {
	a.t.Helper()
	for line := range strings.Lines(string(a.get("/metrics"))) {
		if strings.Contains(line, "node_ipvs_") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
