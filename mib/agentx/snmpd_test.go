package agentx

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lvs/internal/lab"
	"lvs/mib/smi"
)

// start runs a subagent until the test ends, or stop is called.
func start(t *testing.T, address string, tree smi.Tree, change ...func(*Config)) (s *Subagent, stop func()) {
	t.Helper()
	cfg := Config{
		Address: address, Registrations: []smi.OID{gridRoot}, Description: "test table",
		Timeout: time.Minute, // on a busy machine nobody hangs who answers late
		ID:      gridRoot, Capabilities: []Capability{{gridRoot, "a table for tests"}}, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(cfg, tree)
	if err != nil {
		t.Fatal(err)
	}
	return s, run(t, s)
}

func run(t *testing.T, s *Subagent) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return stop
}

// eventually waits until ok: what takes a moment takes longer on a busy machine.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	const limit = 90 * time.Second
	for began := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > limit {
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// registered waits until s serves its subtree.
func registered(t *testing.T, s *Subagent) {
	t.Helper()
	eventually(t, "register", func() bool { return s.Stats().Connected })
}

// line is a cell as the tools print it with -On.
func line(g *grid, k int) string {
	v := g.value(k)
	text := fmt.Sprintf("%v: %d", v.Type, v.Int)
	switch v.Type {
	case smi.Counter32, smi.Gauge32:
		text = fmt.Sprintf("%v: %d", v.Type, uint32(v.Int))
	case smi.OctetString:
		text = `STRING: "octets"`
	case smi.IPAddress:
		text = "IpAddress: 192.0.2.1"
	}
	return fmt.Sprintf(".%v = %s\n", g.name(nil, k), text)
}

// walked is the whole table as a walk prints it. SNMPv1 has no Counter64.
func walked(g *grid, version string) string {
	var s strings.Builder
	for k := range g.cells() {
		if version != "1" || g.value(k).Type != smi.Counter64 {
			s.WriteString(line(g, k))
		}
	}
	return s.String()
}

// expect asks m and compares what is printed.
func expect(t *testing.T, m *lab.MasterAgent, want, tool, version string, args ...string) {
	t.Helper()
	got, err := m.Ask(tool, version, []string{"-On"}, args...)
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s -v%s: (-want +got)\n%.2000s", tool, version, diff)
	}
}

var snmpGrid = &grid{columns: 16, groups: 12, per: 5, salt: 3}

func TestSNMPDServesTheWholeTable(t *testing.T) {
	m := lab.SNMPD(t)
	for _, address := range []string{m.Unix, m.TCP} {
		s, stop := start(t, address, snmpGrid)
		registered(t, s)
		for _, version := range []string{"1", "2c", "3"} {
			expect(t, m, walked(snmpGrid, version), "snmpwalk", version, gridRoot.String())
			if version != "1" {
				expect(t, m, walked(snmpGrid, version), "snmpbulkwalk", version, gridRoot.String())
			}
		}
		if st := s.Stats(); st.DuplicateRequests != 0 || st.Malformed != 0 || st.Reconnects != 0 {
			t.Errorf("%+v", st)
		}
		stop()
	}
}

func TestSNMPDAsksForManyVariablesAtOnce(t *testing.T) {
	m := lab.SNMPD(t)
	s, _ := start(t, m.Unix, snmpGrid)
	registered(t, s)
	var names []string
	var these, next strings.Builder
	for k := range 60 {
		cell := k * 16
		names = append(names, snmpGrid.name(nil, cell).String())
		these.WriteString(line(snmpGrid, cell))
		next.WriteString(line(snmpGrid, cell+1))
	}
	expect(t, m, these.String(), "snmpget", "2c", names...)
	expect(t, m, next.String(), "snmpgetnext", "2c", names...)
	got, err := m.Ask("snmpget", "2c", []string{"-On"}, gridRoot.String()+".1.2.99.1", gridRoot.String()+".1.99.1.1")
	if err != nil || !strings.Contains(got, "No Such Instance") || !strings.Contains(got, "No Such Object") {
		t.Errorf("missing variables: %q, %v", got, err)
	}
}

func TestSNMPDPrintsATable(t *testing.T) {
	m := lab.SNMPD(t)
	s, _ := start(t, m.Unix, &grid{columns: 3, groups: 2, per: 2, salt: 9})
	registered(t, s)
	got, err := m.Ask("snmptable", "2c", []string{"-CB", "-Ci", "-Cf", ",", "-M", "testdata", "-m", "GRID-MIB"}, "gridTable")
	if err != nil {
		t.Fatal(err)
	}
	const want = `SNMP table: GRID-MIB::gridTable

index,gridSalt,gridCount,gridPackets
1.1,9,1099511631785,8009
1.2,9,1099511632785,9009
2.1,9,1099511633785,10009
2.2,9,1099511634785,11009
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSNMPDRefusesToSet(t *testing.T) {
	m := lab.SNMPD(t)
	s, _ := start(t, m.Unix, snmpGrid)
	registered(t, s)
	name := snmpGrid.name(nil, 0).String()
	for range 3 {
		_, err := m.Ask("snmpset", "2c", []string{"-c", lab.WriteCommunity}, name, "i", "1", name, "i", "2")
		if err == nil || !strings.Contains(err.Error(), "notWritable") {
			t.Errorf("set: %v", err)
		}
		expect(t, m, line(snmpGrid, 0), "snmpget", "2c", name)
	}
	if n := s.Stats().Requests[Request{TestSet, NotWritable}]; n != 3 {
		t.Errorf("%d refused, want 3", n)
	}
}

func TestSNMPDListsTheCapabilities(t *testing.T) {
	m := lab.SNMPD(t)
	began := time.Now()
	s, stop := start(t, m.Unix, snmpGrid, func(c *Config) {
		c.Capabilities = append(c.Capabilities, Capability{gridRoot.Append(99), "another"})
	})
	registered(t, s)
	opened := time.Since(began) // at most
	listed := func() bool {
		out, err := m.Ask("snmpwalk", "2c", []string{"-On"}, "1.3.6.1.2.1.1.9")
		if err != nil {
			t.Error(err)
		}
		return strings.Contains(out, gridRoot.String()+"\n") && strings.Contains(out, "a table for tests") &&
			strings.Contains(out, gridRoot.String()+".99\n") && strings.Contains(out, "another")
	}
	if !listed() {
		t.Error("not in sysORTable")
	}
	asked := time.Now()
	out, err := m.Ask("snmpget", "2c", []string{"-OnQt"}, "1.3.6.1.2.1.1.3.0")
	ticks, _ := strconv.Atoi(strings.TrimSpace(out[strings.Index(out, "=")+1:]))
	up := time.Duration(ticks) * 10 * time.Millisecond
	// What snmpd said at first was read a little later than it was said.
	start := s.Stats().MasterStart
	if early, late := asked.Add(-up), time.Now().Add(-up); err != nil || start.Before(early.Add(-time.Second)) || start.After(late.Add(opened+time.Second)) {
		t.Errorf("sysUpTime %q, %v: snmpd began at %v, want %v to %v", out, err, start, early, late.Add(opened))
	}
	stop()
	if listed() {
		t.Error("still in sysORTable after the session's end")
	}
	if out, _ := m.Ask("snmpget", "2c", []string{"-On"}, snmpGrid.name(nil, 0).String()); !strings.Contains(out, "No Such Object") {
		t.Errorf("still registered: %q", out)
	}
}
