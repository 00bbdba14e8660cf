//go:build lab

package lab

import (
	"regexp"
	"strings"
	"testing"
)

func TestLabSiteCarriesEveryMethodInBothFamilies(t *testing.T) {
	Site(t)
	out := Run(t, Path(t, "topology.sh"), "check", "4")
	for _, want := range []string{"IPv4 nat", "IPv4 dr", "IPv4 tun", "IPv6 nat", "IPv6 dr", "IPv6 tun"} {
		if !strings.Contains(out, "ok   "+want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

func TestLabRichTableIsTheFixture(t *testing.T) {
	Rich(t)
	if got, want := Run(t, "ipvsadm", "-S", "-n"), Read(t, "fixtures", "rich", "S-n.txt"); got != want {
		t.Errorf("ipvsadm -S -n prints\n%s\nwant\n%s", got, want)
	}
	if line := regexp.MustCompile(`(?m)^.* [1-9]\d* *$`).FindString(Stats(t)); line != "" {
		t.Errorf("counted before any traffic: %s", line)
	}
}

// service finds the connections of a service in Stats.
var service = regexp.MustCompile(`(?m)^(TCP|UDP|SCTP|FWM) +(\S+(?: IPv6)?) +(\d+) `)

func TestLabTrafficReachesEveryService(t *testing.T) {
	Rich(t)
	Traffic(t, 3, true)
	want := map[string]string{
		"TCP 10.1.0.100:8001": "4", "TCP 10.1.0.100:8004": "4", // the held ones
		"TCP 10.1.0.100:8030": "0", "TCP 10.1.0.100:8031": "0", "TCP 10.1.0.102:81": "0", "FWM 2147483647": "0",
	}
	n := 0
	for _, m := range service.FindAllStringSubmatch(Stats(t), -1) {
		n++
		name, w := m[1]+" "+m[2], "3"
		if s, ok := want[name]; ok {
			w = s
		}
		if m[3] != w {
			t.Errorf("%s counts %s connections, want %s", name, m[3], w)
		}
	}
	if n != strings.Count(Read(t, "fixtures", "rich", "S-n.txt"), "-A ") {
		t.Errorf("%d services in\n%s", n, Stats(t))
	}
	// A settled table does not move any more.
	before := Stats(t)
	Settle(t)
	if after := Stats(t); after != before {
		t.Errorf("counters moved after they were settled:\n%s\n%s", before, after)
	}
}

func TestLabNetNSHasATableOfItsOwn(t *testing.T) {
	Site(t)
	ns := NetNS(t)
	Run(t, InNetNS(ns, "ipvsadm", "-A", "-t", "10.9.9.9:80", "-s", "rr")...)
	if out := Run(t, InNetNS(ns, "ipvsadm", "-S", "-n")...); out != "-A -t 10.9.9.9:80 -s rr\n" {
		t.Errorf("in the namespace: %q", out)
	}
	if out := Run(t, "ipvsadm", "-S", "-n"); out != "" {
		t.Errorf("outside: %q", out)
	}
}

func TestLabSNMPDRunsInTheGuest(t *testing.T) {
	m := SNMPD(t)
	m.Restart()
	m.Stop()
	m.Continue()
	Wait(t, "an answer after SIGCONT", m.answers)
	if out, err := m.Ask("snmpget", "3", nil, sysUpTime); err != nil || !strings.Contains(out, "Timeticks") {
		t.Errorf("%q, %v", out, err)
	}
}
