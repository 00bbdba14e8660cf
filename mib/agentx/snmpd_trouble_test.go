package agentx

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/internal/lab"
	"lvs/mib/smi"
)

var saltCell = regexp.MustCompile(`\.18\.1\.1\.\d+\.\d+ = Counter64: (\d+)\n`)

func TestSNMPDSixWalkersWhileTreesAreReplaced(t *testing.T) {
	m := lab.SNMPD(t)
	s, _ := start(t, m.Unix, snmpGrid)
	registered(t, s)
	var walkers, swapper sync.WaitGroup
	done := make(chan struct{})
	swapper.Go(func() {
		for salt := snmpGrid.salt; ; salt++ {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				next := *snmpGrid
				next.salt = salt
				s.Swap(&next)
			}
		}
	})
	for i := range 6 {
		tool, version := []string{"snmpwalk", "snmpbulkwalk"}[i%2], []string{"2c", "2c", "3"}[i%3]
		walkers.Go(func() {
			for range 3 {
				out, err := m.Ask(tool, version, []string{"-On", "-t", "30"}, gridRoot.String())
				if err != nil {
					t.Error(err)
				}
				if n := strings.Count(out, "\n"); n != snmpGrid.cells() {
					t.Errorf("%s -v%s: %d cells, want %d", tool, version, n, snmpGrid.cells())
				}
				before := 0
				for _, cell := range saltCell.FindAllStringSubmatch(out, -1) {
					salt, _ := strconv.Atoi(cell[1])
					if salt < before {
						t.Errorf("%s -v%s: tree %d after tree %d", tool, version, salt, before)
					}
					before = salt
				}
			}
		})
	}
	walkers.Wait()
	close(done)
	swapper.Wait()
	if st := s.Stats(); st.Pinned == 0 || st.Reconnects != 0 {
		t.Errorf("%+v", st)
	}
}

func TestSNMPDRestarts(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		for _, c := range []struct {
			name string
			do   func(m *lab.MasterAgent)
		}{
			{"in order", func(m *lab.MasterAgent) { m.Restart() }},
			{"killed", func(m *lab.MasterAgent) { m.Kill(); m.Start() }},
			{"away for a while", func(m *lab.MasterAgent) { m.Terminate(); time.Sleep(2 * time.Second); m.Start() }},
		} {
			t.Run(network+" "+c.name, func(t *testing.T) {
				t.Parallel()
				m := lab.SNMPD(t)
				s, _ := start(t, map[string]string{"unix": m.Unix, "tcp": m.TCP}[network], snmpGrid)
				registered(t, s)
				first := s.Stats().Since
				c.do(m) // returns when snmpd answers
				eventually(t, "come back", func() bool { st := s.Stats(); return st.Connected && st.Since.After(first) })
				expect(t, m, walked(snmpGrid, "2c"), "snmpbulkwalk", "2c", gridRoot.String())
			})
		}
	}
}

func TestSNMPDReloadKeepsTheSession(t *testing.T) {
	m := lab.SNMPD(t)
	s, _ := start(t, m.Unix, snmpGrid)
	registered(t, s)
	m.Reload()
	expect(t, m, walked(snmpGrid, "2c"), "snmpbulkwalk", "2c", gridRoot.String())
	if st := s.Stats(); !st.Connected || st.Reconnects != 0 {
		t.Errorf("%+v", st)
	}
}

func TestSNMPDHangs(t *testing.T) {
	m := lab.SNMPD(t)
	s, _ := start(t, m.Unix, snmpGrid)
	impatient, _ := start(t, m.TCP, &grid{columns: 1, groups: 1, per: 1}, func(c *Config) {
		c.Registrations, c.Capabilities = []smi.OID{smi.MustParseOID("1.3.6.1.4.1.99")}, nil
		c.PingInterval, c.Timeout = 100*time.Millisecond, 200*time.Millisecond
	})
	registered(t, s)
	registered(t, impatient)
	m.Stop()
	eventually(t, "notice", func() bool { return impatient.Stats().PingTimeouts > 0 })
	m.Continue()
	registered(t, impatient)
	if st := s.Stats(); !st.Connected || st.Reconnects != 0 {
		t.Errorf("the patient one: %+v", st)
	}
	expect(t, m, walked(snmpGrid, "2c"), "snmpbulkwalk", "2c", gridRoot.String())
}

func TestSNMPDSomebodyElseHasTheSubtree(t *testing.T) {
	m := lab.SNMPD(t)
	first, stop := start(t, m.Unix, snmpGrid)
	registered(t, first)
	other := &grid{columns: 16, groups: 12, per: 5, salt: 99}
	second, _ := start(t, m.Unix, other)
	eventually(t, "be refused", func() bool { return second.Stats().DuplicateRegistrations > 1 })
	expect(t, m, walked(snmpGrid, "2c"), "snmpbulkwalk", "2c", gridRoot.String())
	stop()
	registered(t, second)
	expect(t, m, walked(other, "2c"), "snmpbulkwalk", "2c", gridRoot.String())
	if n := second.Stats().Reconnects; n != 0 {
		t.Errorf("%d reconnects, want none: the session was good", n)
	}
}

func TestSNMPDComesLater(t *testing.T) {
	m := lab.SNMPD(t)
	m.Terminate()
	s, _ := start(t, m.Unix, snmpGrid)
	eventually(t, "fail", func() bool { return s.Stats().LastError != nil })
	m.Start()
	registered(t, s)
	expect(t, m, line(snmpGrid, 0), "snmpget", "2c", snmpGrid.name(nil, 0).String())
}
