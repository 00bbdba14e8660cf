package agentx

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/internal/lab"
	"lvs/mib/smi"
)

// start runs a subagent for the test's time and waits until it has registered.
func start(t *testing.T, address string, tree smi.Tree, change ...func(*Config)) *Subagent {
	t.Helper()
	cfg := Config{
		Address: address, Registrations: []smi.OID{gridRoot}, Description: "test table",
		SysORID: gridRoot, SysORDescr: "a table for tests", Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(cfg, tree)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	return s
}

// eventually waits until ok, at most for limit, and returns how long that was.
func eventually(t *testing.T, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			t.Fatalf("%s: not within %v", what, limit)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

func connected(s *Subagent) func() bool { return func() bool { return s.Stats().Connected } }

func TestSNMPDWalksComplete(t *testing.T) {
	m := lab.SNMPD(t)
	g := &grid{columns: 16, groups: 10, per: 10}
	s := start(t, m.Unix, g)
	eventually(t, 5*time.Second, "register", connected(s))
	out, err := m.Ask("snmpbulkwalk", "2c", []string{"-On", "-Cr100"}, gridRoot.String())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out, "\n"); n != g.cells() {
		t.Errorf("%d lines, want %d", n, g.cells())
	}
	t.Logf("%+v", s.Stats())
}
