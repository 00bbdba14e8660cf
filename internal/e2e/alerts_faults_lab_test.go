//go:build lab

package e2e

import (
	"net"
	"syscall"

	"lvs/internal/lab"
)

// faults are what is broken, one after the other.
func faults() []fault {
	table, traffic, parts := breakTable(), breakTraffic(), breakParts()
	return []fault{
		together("table, traffic, and parts of an agent", &traffic, &table, &parts),
		breakByHand(), killAgent(), hangAgent(), unloadUnderAgent(), forgetTargets(),
	}
}

// together is several of them at once.
func together(name string, all ...*fault) fault {
	f := fault{name: name}
	for _, one := range all {
		f.want = append(f.want, one.want...)
	}
	f.breaks = func(s *alarms) {
		for _, one := range all {
			one.breaks(s)
		}
	}
	f.mends = func(s *alarms) {
		for _, one := range all {
			one.mends(s)
		}
	}
	return f
}

// breakTable has a real server that comes and goes, then weights of 0, and a real
// server and a service removed.
func breakTable() fault {
	return fault{
		want: []string{
			"LVSNoRealServerLeft a left", "LVSRealServerDown a left 10.2.0.11:80", "LVSRealServerDown a left 10.2.0.12:80",
			"LVSFewRealServersUp a few", "LVSRealServerDown a few 10.2.0.11:80", "LVSRealServerDown a few 10.2.0.12:80",
			"LVSRealServerDown a down 10.2.0.11:80", "LVSRealServerRemoved a removed 10.2.0.12:80",
			"LVSServiceRemoved a vanished", "LVSRealServerFlapping a flapping 10.2.0.11:80",
		},
		breaks: func(s *alarms) {
			s.flap()
			s.weigh("1001", 0)
			s.weigh("1002", 0)
			s.edit("-e -t 10.1.0.100:1003 -r 10.2.0.11:80 -m -w 0\n-d -t 10.1.0.100:1004 -r 10.2.0.12:80\n-D -t 10.1.0.100:1011\n")
		},
		mends: func(s *alarms) {
			s.weigh("1001", 1)
			s.weigh("1002", 1)
			s.edit("-e -t 10.1.0.100:1003 -r 10.2.0.11:80 -m -w 1\n-a -t 10.1.0.100:1004 -r 10.2.0.12:80 -m -w 1\n" + vanishedTable)
		},
	}
}

// flap takes a real server out of service and puts it back until that was told of. It
// may be out for long enough to be told of as down, where samples take their time.
func (s *alarms) flap() {
	s.t.Helper()
	s.mu.Lock()
	s.may["LVSRealServerDown a flapping 10.2.0.11:80"] = true
	s.mu.Unlock()
	for range 8 {
		s.edit("-e -t 10.1.0.100:1012 -r 10.2.0.11:80 -m -w 0\n")
		s.a.sampled()
		s.edit("-e -t 10.1.0.100:1012 -r 10.2.0.11:80 -m -w 1\n")
		s.a.sampled()
		s.mu.Lock()
		told := s.fire["LVSRealServerFlapping a flapping 10.2.0.11:80"]
		s.mu.Unlock()
		if told {
			return
		}
	}
}

// weigh gives the first two real servers of a service a weight.
func (s *alarms) weigh(port string, weight int) {
	s.t.Helper()
	s.edit("-e -t 10.1.0.100:%s -r 10.2.0.11:80 -m -w %d\n-e -t 10.1.0.100:%[1]s -r 10.2.0.12:80 -m -w %[2]d\n", port, weight)
}

// breakTraffic has a drain whose client stays, a real server filled up to its upper
// threshold, one that keeps its clients, so that the other one gets all the new
// ones, a flood, and counters that begin anew: zeroed, and of a service that is
// deleted and added again.
func breakTraffic() fault {
	var stay, many []net.Conn
	var loyal, flood *crowd
	return fault{
		want: []string{
			"LVSDrainStuck a drain 10.2.0.11:7", "LVSRealServerDown a drain 10.2.0.11:7", "LVSConnectionsNearThreshold a limit 10.2.0.13:7",
			"LVSWeightImbalance a uneven 10.2.0.11:53", "LVSWeightImbalance a uneven 10.2.0.12:53", "LVSConnectionTableFull a",
			"LVSCountersReset a zeroed", "LVSCountersReset a recreated",
		},
		breaks: func(s *alarms) {
			stay = callers(s.t, 2, "10.1.0.100:1005")
			s.edit("-e -t 10.1.0.100:1005 -r 10.2.0.11:7 -m -w 0\n")
			many = callers(s.t, 18, "10.1.0.100:1006")
			loyal = newCrowd(s.t, 160, "10.1.0.100:1007", "rs1")
			flood = newCrowd(s.t, 600, "10.1.0.100:1008", "")
			s.edit("-Z -u 10.1.0.100:1009\n-D -u 10.1.0.100:1010\n")
			s.a.waitDocument("the service is gone", func(d *document) bool { return d.service("udp/10.1.0.100:1010") == nil })
			s.edit(againTable)
		},
		mends: func(s *alarms) {
			hangUp(stay)
			hangUp(many)
			loyal.leave()
			flood.leave()
			s.edit("-e -t 10.1.0.100:1005 -r 10.2.0.11:7 -m -w 1\n")
		},
	}
}

// breakParts takes the SNMP master away from agent b and fills the disk of its store
// while everything goes down.
func breakParts() fault {
	return fault{
		want: []string{
			"LVSAgentComponentDown b agentx", "LVSAgentComponentDown b store", "LVSNotificationsLost b agentx",
			"LVSSamplesNotStored b",
		},
		breaks: func(s *alarms) {
			s.b.master.Kill()
			s.b.fillDisk()
			s.b.weigh(0, lonelyReals/2, 0) // of one sample, not as many are told
			s.b.sampled()
			s.b.weigh(lonelyReals/2, lonelyReals, 0)
		},
		mends: func(s *alarms) {
			s.b.weigh(0, lonelyReals, 1)
			s.b.freeDisk()
			s.b.master.Start()
		},
	}
}

// breakByHand changes by hand what agent b runs, spoils its file, and has another
// service of its table change all the time.
func breakByHand() fault {
	return fault{
		name: "drift, a bad file, and a table that never rests",
		want: []string{"LVSTableDrift b real server", "LVSTableDrift b master sync daemon", "LVSConfigRefused b", "LVSSnapshotInconsistent b", "LVSSyncDaemonStopped b"},
		breaks: func(s *alarms) {
			s.b.inNS("ipvsadm", "-e", "-t", "192.0.2.5:80", "-r", "10.9.0.1:80", "-m", "-w", "7")
			s.b.inNS("ipvsadm", "--stop-daemon", "master")
			write(s.t, s.b.file, lonelyConfig+"nonsense: true\n")
			s.b.hangUp()
			lab.Wait(s.t, "drift", func() bool {
				m := s.b.metrics("?scope=agent")
				return m.sample("lvs_agent_drift_entries", "kind", "real server") == 1 && m.sample("lvs_agent_drift_entries", "kind", "master sync daemon") == 1
			})
			s.b.churn()
		},
		mends: func(s *alarms) {
			s.b.settle()
			s.b.inNS("ipvsadm", "-e", "-t", "192.0.2.5:80", "-r", "10.9.0.1:80", "-m", "-w", "1")
			s.b.inNS("ipvsadm", "--start-daemon", "master", "--mcast-interface", "dummy0", "--syncid", "7")
			write(s.t, s.b.file, lonelyConfig)
			s.b.hangUp()
		},
	}
}

// killAgent kills agent b, which comes back to a store that is damaged, and full.
func killAgent() fault {
	return fault{
		name: "an agent is killed, and its store damaged and full",
		want: []string{"LVSAgentDown b", "LVSStoreDamaged b", "LVSStoreNearLimit b"},
		breaks: func(s *alarms) {
			s.b.kill()
			s.fired("LVSAgentDown b")
			s.b.fillStore()
			s.b.damageStore()
			s.b.allow(lonelyLimit)
			s.b.start()
		},
		mends: func(s *alarms) {
			s.b.terminate()
			s.b.allow(lonelyMore)
			s.b.start()
		},
	}
}

// hangAgent stops agent b where it is.
func hangAgent() fault {
	return fault{
		name:   "an agent hangs",
		want:   []string{"LVSAgentDown b"},
		breaks: func(s *alarms) { s.b.signal(syscall.SIGSTOP) },
		mends:  func(s *alarms) { s.b.signal(syscall.SIGCONT) },
	}
}

func (b *lonely) signal(sig syscall.Signal) {
	b.t.Helper()
	if err := b.cmd.Process.Signal(sig); err != nil {
		b.t.Fatal(err)
	}
}

// unloadUnderAgent unloads ip_vs, after agent b has gone in order: it would load it.
// Prometheus is not to ask for it any more.
func unloadUnderAgent() fault {
	return fault{
		name: "ip_vs is unloaded",
		want: []string{"LVSAgentStale a", "LVSCountersReset a kernel_restart", "LVSDirectorGone b"},
		breaks: func(s *alarms) {
			s.scrapes(s.targets()[0])
			s.b.terminate()
			s.b.inNS("ipvsadm", "--stop-daemon", "master")
			s.b.inNS("ipvsadm", "-C")
			s.end()
			unloadIPVS(s.t)
			s.fired("LVSAgentStale a")
			loadSmallIPVS(s.t)
			lab.RunInput(s.t, []byte(alarmedTable), "ipvsadm", "-R")
		},
		mends: func(*alarms) {},
	}
}

// forgetTargets has Prometheus scrape nothing any more.
func forgetTargets() fault {
	return fault{
		name:   "no target is left",
		want:   []string{"LVSAgentAbsent"},
		breaks: func(s *alarms) { s.scrapes() },
		mends:  func(s *alarms) { s.scrapes(s.targets()[0]) },
	}
}

// scrapes has these scraped from now on. A scrape that is under way meanwhile is broken
// off, and may be told of as one that failed.
func (s *alarms) scrapes(targets ...target) {
	s.t.Helper()
	s.mu.Lock()
	s.may["LVSAgentDown a"], s.may["LVSAgentDown b"] = true, true
	s.mu.Unlock()
	s.scrape(s.t, targets...)
}
