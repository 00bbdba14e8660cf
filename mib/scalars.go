package mib

import (
	"time"

	"lvs/dataplane"
	"lvs/mib/smi"
)

// scalars are lvs.1 to lvs.8.
var scalars = []column[*view]{
	{
		sub: 1, name: "lvsVersion", typ: smi.OctetString,
		known:  func(s *view) bool { return s.Director.Version != "" },
		octets: func(b []byte, s *view) []byte { return append(b, s.Director.Version...) },
	},
	{
		sub: 2, name: "lvsNumServices", typ: smi.Integer,
		num: func(s *view) uint64 { return integer(len(s.Services)) },
	},
	{
		sub: 3, name: "lvsHashTableSize", typ: smi.Integer,
		known: func(s *view) bool { return s.Director.ConnTableSize != 0 },
		num:   func(s *view) uint64 { return integer(s.Director.ConnTableSize) },
	},
	timeout(4, "lvsTcpTimeOut", func(t dataplane.Timeouts) time.Duration { return t.TCP }),
	timeout(5, "lvsTcpFinTimeOut", func(t dataplane.Timeouts) time.Duration { return t.TCPFin }),
	timeout(6, "lvsUdpTimeOut", func(t dataplane.Timeouts) time.Duration { return t.UDP }),
	{
		sub: 7, name: "lvsDaemonState", typ: smi.Integer,
		num: func(s *view) uint64 { return uint64(daemon(s).Role) },
	},
	{
		sub: 8, name: "lvsMcastInt", typ: smi.OctetString,
		octets: func(b []byte, s *view) []byte { return append(b, daemon(s).Interface...) },
	},
}

// timeout is the column of one of the director's timeouts.
func timeout(sub uint32, name string, of func(dataplane.Timeouts) time.Duration) column[*view] {
	return column[*view]{
		sub: sub, name: name, typ: smi.Integer,
		known: func(s *view) bool { return of(s.Director.Timeouts) != 0 },
		num:   func(s *view) uint64 { return seconds(of(s.Director.Timeouts)) },
	}
}

// seconds are whole ones, as every agent of this MIB has sent them, although
// TimeInterval is in hundredths.
func seconds(d time.Duration) uint64 { return integer(int64(d / time.Second)) }

// daemon is the sync daemon that the MIB has room for: the master, else the
// backup, else the zero SyncDaemon, whose role is the MIB's none(0).
func daemon(s *view) (d dataplane.SyncDaemon) {
	for _, running := range s.Director.Daemons {
		if d.Role != dataplane.Master {
			d = running
		}
	}
	return d
}
