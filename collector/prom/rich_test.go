package prom

import (
	"net/netip"
	"time"

	"lvs/dataplane"
)

// rich is a snapshot with one of everything that is hard to get right. Its time
// is the one a synctest bubble begins at, less five seconds.
func rich() *dataplane.Snapshot {
	now := time.Date(1999, 12, 31, 23, 59, 55, 0, time.UTC)
	s := &dataplane.Snapshot{Tick: now, Time: now, Took: 3 * time.Millisecond, Director: dataplane.Director{
		Version: "1.2.1", ConnTableSize: 4096, Connections: 77, HasConnections: true, HasStats: true, Epoch: "boot",
		Timeouts: dataplane.Timeouts{TCP: 900 * time.Second, TCPFin: 120 * time.Second, UDP: 300 * time.Second},
		Daemons: []dataplane.SyncDaemon{
			{Role: dataplane.Master, Interface: "eth0", SyncID: 7},
			{Role: dataplane.Backup, Interface: "eth0", SyncID: 9},
		},
		KernelRates: dataplane.Rates{Connections: 14, InPackets: 62, OutPackets: 38, InBytes: 4391, OutBytes: 3108},
		Account:     account(now, 100),
	}}
	add := func(svc dataplane.Service, name string, reals ...dataplane.RealState) {
		n := uint64(len(s.Services)+1) * 1000
		for i := range reals {
			reals[i].Account = account(now, n+uint64(i+1)*10)
			reals[i].KernelRates = dataplane.Rates{Connections: n + uint64(i), InBytes: 5}
			reals[i].LastChange = now.Add(-time.Duration(i) * time.Hour)
		}
		s.Services = append(s.Services, dataplane.ServiceState{Service: svc, Name: name, Account: account(now, n), Reals: reals,
			KernelRates: dataplane.Rates{Connections: n, OutBytes: 3}, Refused: n + 9, HasRefused: n == 2000})
		s.Services[len(s.Services)-1].LastChange = now.Add(-time.Duration(n) * time.Minute)
	}
	add(dataplane.Service{Key: key("tcp/192.0.2.10:443"), Scheduler: "wlc", Flags: dataplane.FlagPersistent | dataplane.FlagHashed,
		Timeout: 5 * time.Minute, Netmask: dataplane.Mask4(0xffffff00)}, "web",
		real("198.51.100.1:443", dataplane.Masquerade, 100, 7, 3),
		real("198.51.100.2:443", dataplane.Route, 0, 2, 0),
		real("198.51.100.3:443", dataplane.Local, 0, 0, 0),
		full(real("198.51.100.4:443", dataplane.Masquerade, 65536, 4, 6)))
	s.Services[0].Reals[0].Name = "web\"1\""
	add(dataplane.Service{Key: key("tcp/192.0.2.11:80"), Scheduler: "rr", Flags: dataplane.FlagHashed}, "web", // the name is taken
		tunnel(real("[2001:db8::9]:80", dataplane.Tunnel, 1, 0, 0), dataplane.GUE, 6080),
		tunnel(real("198.51.100.1:443", dataplane.Tunnel, 1, 1, 1), dataplane.IPIP, 0))
	add(dataplane.Service{Key: key("sctp/192.0.2.12:132"), Scheduler: "wlc"}, "tcp/192.0.2.10:443", // another's key
		real("198.51.100.1:132", dataplane.Masquerade, 1, 0, 0))
	add(dataplane.Service{Key: key("udp/192.0.2.13:5060"), Scheduler: "rr", Flags: dataplane.FlagOnePacket, PersistenceEngine: "sip"},
		"quo\"te\\back\nline \xff", real("198.51.100.1:0", dataplane.Bypass, 1, 0, 5))
	add(dataplane.Service{Key: key("tcp/[2001:db8::1]:443"), Scheduler: "mh", Flags: dataplane.FlagSched1 | dataplane.FlagPersistent,
		Timeout: time.Minute, Netmask: dataplane.Mask6(64)}, "", real("[2001:db8::2]:443", dataplane.Masquerade, 1, 2, 3))
	add(dataplane.Service{Key: key("fwm4/257"), Scheduler: "rr"}, "", real("198.51.100.1:0", dataplane.Route, 1, 0, 0))
	add(dataplane.Service{Key: key("fwm6/257"), Scheduler: "rr"}, "") // no real servers
	s.Sort()
	return s
}

func key(s string) dataplane.ServiceKey {
	k, err := dataplane.ParseServiceKey(s)
	if err != nil {
		panic(err)
	}
	return k
}

func real(rip string, m dataplane.Method, weight, active, inactive uint32) dataplane.RealState {
	return dataplane.RealState{RealServer: dataplane.RealServer{RIP: netip.MustParseAddrPort(rip), Method: m, Weight: weight},
		Active: active, Inactive: inactive, Persistent: 2}
}

func full(r dataplane.RealState) dataplane.RealState {
	r.UpperThreshold, r.LowerThreshold = 10, 8
	return r
}

func tunnel(r dataplane.RealState, t dataplane.EncapType, port uint16) dataplane.RealState {
	r.Encap = dataplane.Encap{Type: t, Port: port}
	return r
}

// account has totals beyond what 32 bits and what floats hold, and lower values
// in the kernel.
func account(now time.Time, n uint64) dataplane.Account {
	return dataplane.Account{
		Number:    uint32(n),
		Kernel:    dataplane.Counters{Connections: n, InPackets: n + 1, OutPackets: n + 2, InBytes: n + 3, OutBytes: n + 4},
		Total:     dataplane.Counters{Connections: 1<<32 + n, InPackets: 100_000_000 + n, OutPackets: n, InBytes: 1<<53 - n, OutBytes: 1<<64 - 1},
		FirstSeen: now.Add(-24 * time.Hour), LastSeen: now,
		Changes: uint32(n) + 5, Failures: uint32(n) + 6, Peak: 1<<32 + n,
	}
}

// busy is the health of an agent in which everything is switched on.
func busy() Health {
	h := Health{
		Version: "1.0.0", Revision: "abcdef", Up: true, Interval: 10 * time.Second,
		SampleErrors: map[string]uint64{"services": 2, "info": 1}, DumpRetries: 3, Inconsistent: 1, LateTicks: 4, SkippedTicks: 5, ClockSteps: 1, Unnumbered: 6,
		Components: map[string]bool{"kernel": true, "store": false},
		Sinks:      map[string]SinkHealth{"mib": {Dropped: 1}, "history": {Errors: 2}},
		Store:      &StoreHealth{Bytes: 1 << 20, Limit: 1 << 32, CommitErrors: 7, LateCommits: 8, Damaged: 9, PutAside: true},
		AgentX:     &AgentXHealth{Connected: true, Reconnects: 2, Malformed: 3, Refused: 4, Requests: map[AgentXRequest]uint64{{"get", "ok"}: 10, {"get", "error"}: 1, {"bulk", "ok"}: 3}},
		SNMP:       &SNMPHealth{Requests: map[string]uint64{"1": 1, "2c": 20, "3": 300}, Dropped: map[string]uint64{"community": 4, "rate": 5}, Variables: 6000, Written: 7},
		Notify:     map[string]NotifyHealth{"agentx": {Sent: 8}, "192.0.2.9:162": {Waiting: 9, Sent: 10, Lost: map[string]uint64{"full": 11, "coalesced": 12}}},
		Config:     &ConfigHealth{ReloadOK: true, LoadedAt: time.Unix(946684000, 0)},
		Director:   &DirectorHealth{Drift: map[string]int{"weight": 2}, Changes: 9, Failures: 1},
	}
	h.Resets[ServiceResets][dataplane.Zeroed] = 3
	h.Resets[RealResets][dataplane.Wrap32] = 4
	return h
}
