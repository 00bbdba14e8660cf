//go:build lab

package e2e

import (
	"fmt"
	"net/netip"
	"testing"

	"lvs/internal/lab"
)

// testSwitch turns notifications off and on by way of the MIB.
func (s *storm) testSwitch(t *testing.T) {
	had := map[string]int{}
	for name, r := range s.managers {
		had[name] = len(notifications(r))
	}
	s.enable(false)
	before := s.targetCounts(s.deaf)
	if before.waiting > 1 { // but the one under way
		t.Errorf("%+v wait though notifications are off", before)
	}
	s.blow()
	s.rest()
	for name, target := range s.targets() {
		if c := s.targetCounts(target); c.lost["suppressed"] < stormEvents {
			t.Errorf("%s: %+v, want at least %d suppressed", name, c, stormEvents)
		}
	}
	s.enable(true)
	s.weight = 1 - s.weight
	rip := netip.MustParseAddrPort("10.8.3.7:80")
	if err := s.client.EditRealServer(t.Context(), stormKey(3), realServer(rip, modelReal{weight: s.weight})); err != nil {
		t.Fatal(err)
	}
	s.changed += 2 // of the real server and, as it is the only one, the service
	s.await("the first after the switch")
	s.rest()
	for name, r := range s.managers {
		got, want := notifications(r)[had[name]:], s.toldDocument().Agent.Notifications.Sequence-1
		if len(got) != 2 || got[0].Vars[varSequence].Value != fmt.Sprint(want) {
			t.Errorf("%s: %d came, %+v first; want two, from number %d on, when notifications were on again", name, len(got), got[:min(1, len(got))], want)
		}
	}
}

// enable sets lvsdNotifyEnable by way of snmpd.
func (s *storm) enable(on bool) {
	s.t.Helper()
	value := "2"
	if on {
		value = "1"
	}
	if _, err := s.master.Ask("snmpset", "2c", []string{"-c", lab.WriteCommunity}, objectArc+"7.1.0", "i", value); err != nil {
		s.t.Fatal(err)
	}
	if now := s.toldDocument().Agent.Notifications.Enabled; now != on {
		s.t.Errorf("notifications are enabled: %v, want %v", now, on)
	}
	if got := s.mib(1); fmt.Sprint(got) != "["+value+"]" {
		s.t.Errorf("lvsdNotifyEnable is %v, want %s", got, value)
	}
}
