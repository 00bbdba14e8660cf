//go:build lab

package e2e

import (
	"context"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"lvs/dataplane"
	"lvs/internal/lab"
)

// changesPerSecond of the table under a soak.
const changesPerSecond = 50

// soakTime is $LVS_SOAK, or a short time that fits among the other tests.
func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("LVS_SOAK")
	if text == "" {
		return 20 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A soak is a table under churn with services beside it that count: some with
// traffic all the time, and some whose counters are made to begin anew.
type soak struct {
	watch
	master  *lab.MasterAgent
	churn   *churn
	load    *load
	steady  []dataplane.Service
	victims []*victim
	ahead   table // totals are ahead of the kernel's counters by that
	rounds  int

	noConnections func() // waits until there is none
}

// TestLabSoak lets a table change fifty times a second under the agent, and holds
// every cell it serves against what was in the table at that time, and every
// reset it counts against those made.
func TestLabSoak(t *testing.T) {
	length := soakTime(t)
	s := newSoak(t)
	ctx, stop := context.WithCancel(t.Context())
	var churning sync.WaitGroup
	t.Cleanup(func() { stop(); churning.Wait() })
	churning.Go(func() {
		if err := s.churn.run(ctx, changesPerSecond/2); err != nil {
			t.Error(err)
		}
	})
	s.load.begin()
	for end := time.Now().Add(length); s.rounds < 2 || time.Now().Before(end); {
		s.round()
		if t.Failed() {
			break
		}
	}
	s.load.end()
	s.zeroAll()
	s.load.begin()
	s.next()
	s.next()
	s.load.end()
	stop()
	churning.Wait()
	if s.walk != nil {
		s.await("the walk", func(*document) bool { return s.walk == nil })
	}
	s.settle()
	s.report(length)
}

// newSoak builds the site, the table and an agent, and waits for the first sample.
func newSoak(t *testing.T) *soak {
	t.Helper()
	lab.Site(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	e := newEditor(t)
	noConnections := shortConnections(t, e)
	s := &soak{noConnections: noConnections, ahead: table{}, churn: newChurn(e, seed, 36, 120), load: &load{t: t}}
	s.editor, s.continuity, s.purpose, s.alone, s.own = e, newContinuity(), tally{}, map[string]bool{}, map[string]bool{}
	if err := s.build(); err != nil {
		t.Fatal(err)
	}
	if err := s.churn.fill(); err != nil {
		t.Fatal(err)
	}
	s.master = lab.SNMPD(t)
	s.agent = startAgent(t, "--snmp.agentx="+s.master.Unix)
	s.next()
	return s
}

// build adds the services that count. Those with steady traffic also are churn's:
// it adds real servers of weight 0 to them.
func (s *soak) build() error {
	servers := map[dataplane.Family][]string{dataplane.INET: {"10.2.0.11", "10.2.0.12", "10.2.0.13", "10.2.0.14"},
		dataplane.INET6: {"fd10:2::11", "fd10:2::12", "fd10:2::13", "fd10:2::14"}}
	add := func(protocol dataplane.Protocol, vip string, port uint16, serves int) (dataplane.Service, []dataplane.RealServer, error) {
		at := netip.AddrPortFrom(netip.MustParseAddr(vip), port)
		svc := dataplane.Service{Scheduler: "rr", Key: dataplane.ServiceKey{Family: dataplane.FamilyOf(at.Addr()), Protocol: protocol, VIP: at}}
		s.own[svc.Key.String()] = true
		err := s.editor.addService(svc)
		var reals []dataplane.RealServer
		for _, server := range servers[svc.Key.Family] {
			if err == nil {
				reals = append(reals, dataplane.RealServer{RIP: netip.AddrPortFrom(netip.MustParseAddr(server), uint16(serves)), Weight: 1})
				err = s.editor.addReal(svc.Key, reals[len(reals)-1])
			}
		}
		return svc, reals, err
	}
	for _, steady := range []struct {
		protocol dataplane.Protocol
		vip      string
		serves   int
	}{{dataplane.TCP, lab.VIPMasquerade, 7}, {dataplane.TCP, lab.VIPMasquerade6, 7}, {dataplane.UDP, lab.VIPMasquerade, 53}} {
		svc, _, err := add(steady.protocol, steady.vip, 7000, steady.serves)
		if err != nil {
			return err
		}
		if steady.protocol == dataplane.TCP {
			s.load.tcp = append(s.load.tcp, svc.Key.VIP)
		} else {
			s.load.udp = append(s.load.udp, svc.Key.VIP)
		}
		s.steady = append(s.steady, svc)
		s.churn.slots = append(s.churn.slots, &slot{key: svc.Key, kept: true, present: true, rips: someReals(svc.Key.Family, 8)})
	}
	for i, reset := range resetsOnPurpose {
		svc, reals, err := add(dataplane.UDP, lab.VIPMasquerade, uint16(6001+i), 53)
		if err != nil {
			return err
		}
		s.victims = append(s.victims, &victim{reset, svc, reals})
		s.alone[svc.Key.String()] = true
	}
	return nil
}

// settle compares all windows with ipvsadm once nothing moves.
func (s *soak) settle() {
	s.t.Helper()
	lab.Settle(s.t)
	s.noConnections()
	s.next()
	s.next()
	f := s.scrape()
	s.checkResets(f)
	s.checkScrape(f)
	s.checkHistory()
	_, compared := (&site{agent: s.agent, master: s.master, ahead: s.ahead}).check(s.t)
	s.verdict.cells += compared
}

// report prints what was seen and fails the test where something was wrong.
func (s *soak) report(length time.Duration) {
	t, v := s.t, &s.verdict
	t.Helper()
	f := s.scrape()
	t.Logf("%v: %d changes, %.1f a second: %v", length, s.churn.changes(), float64(s.churn.changes())/s.churn.took.Seconds(), s.churn.kinds)
	t.Logf("%d samples seen, %d more by the history, %v left out by the agent, %v late; %d times it says that the machine is slow", v.documents, s.missed,
		f.sample("lvs_agent_skipped_ticks_total"), f.sample("lvs_agent_late_ticks_total"), s.complaints(s.logLines()))
	t.Logf("%d rows, %d cells compared, %d wrong", v.rows, v.cells, v.faults)
	t.Logf("tables read again %v times, unsure in the end %v, rows missing because of that %d",
		f.sample("lvs_agent_dump_retries_total"), f.sample("lvs_agent_inconsistent_dumps_total"), v.unsure)
	t.Logf("%d rounds of resets on purpose, %d walks of tables; resets counted: %v; exchanges of traffic: %d", s.rounds, s.walks, s.expected().sums(), s.load.exchanges.Load())
	checkGrowth(t, s.footprints)
	if v.faults > 0 {
		t.Errorf("%d wrong cells:\n\t%s", v.faults, strings.Join(v.wrong, "\n\t"))
	}
	if got := f.sample("lvs_agent_inconsistent_dumps_total"); got != float64(s.unsure) {
		t.Errorf("lvs_agent_inconsistent_dumps_total is %v, documents said %d", got, s.unsure)
	}
	taken := f["lvs_agent_sample_duration_seconds"].GetMetric()[0].GetHistogram().GetSampleCount()
	if seen := v.documents + s.missed; taken != uint64(seen) {
		t.Errorf("the agent took %d samples, and %d were looked at", taken, seen)
	}
	if s.churn.changes() < int(length.Seconds())*changesPerSecond/5 {
		t.Errorf("only %d changes in %v", s.churn.changes(), length)
	}
}
