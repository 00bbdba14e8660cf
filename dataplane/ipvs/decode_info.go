package ipvs

import (
	"fmt"
	"net/netip"
	"time"

	"lvs/dataplane"
)

// Info is what the kernel says of its IPVS.
type Info struct {
	// Version is "1.2.1", as ipvsadm prints it.
	Version string
	// ConnTableSize is the number of hash buckets of the connection table. In
	// kernels that resize the table it changes by itself.
	ConnTableSize uint32
}

// decodeInfo reads SET_INFO, the answer to GET_INFO.
func decodeInfo(data []byte) (Info, error) {
	a, err := payload(data, cmdSetInfo, infoAttrNames[:])
	if err != nil {
		return Info{}, err
	}
	var info Info
	var seen uint32
	for a.next() {
		switch a.typ {
		case infoVersion:
			v := a.u32()
			info.Version = fmt.Sprintf("%d.%d.%d", v>>16&0xff, v>>8&0xff, v&0xff)
		case infoConnTabSize:
			info.ConnTableSize = a.u32()
		}
		if a.typ < 32 {
			seen |= 1 << a.typ
		}
	}
	a.need(seen, 1<<infoVersion|1<<infoConnTabSize)
	if a.err != nil {
		return Info{}, a.err
	}
	return info, nil
}

// decodeTimeouts reads SET_CONFIG, the answer to GET_CONFIG. A kernel built
// without TCP or UDP leaves their timeouts out; they stay zero.
func decodeTimeouts(data []byte) (dataplane.Timeouts, error) {
	a, err := payload(data, cmdSetConfig, cmdAttrNames[:])
	if err != nil {
		return dataplane.Timeouts{}, err
	}
	var t dataplane.Timeouts
	for a.next() {
		switch a.typ {
		case attrTimeoutTCP:
			t.TCP = time.Duration(a.u32()) * time.Second
		case attrTimeoutTCPFin:
			t.TCPFin = time.Duration(a.u32()) * time.Second
		case attrTimeoutUDP:
			t.UDP = time.Duration(a.u32()) * time.Second
		}
	}
	if a.err != nil {
		return dataplane.Timeouts{}, a.err
	}
	return t, nil
}

// decodeDaemon reads NEW_DAEMON, as GET_DAEMON is answered.
func decodeDaemon(data []byte) (dataplane.SyncDaemon, error) {
	a, err := entry(data, cmdNewDaemon, attrDaemon, "NEW_DAEMON DAEMON", daemonAttrNames[:])
	if err != nil {
		return dataplane.SyncDaemon{}, err
	}
	var d dataplane.SyncDaemon
	var seen uint32
	for a.next() {
		switch a.typ {
		case daemonState:
			v := a.u32()
			if v != uint32(dataplane.Master) && v != uint32(dataplane.Backup) {
				a.fault("is state %d, want %d or %d", v, dataplane.Master, dataplane.Backup)
			}
			d.Role = dataplane.SyncRole(v)
		case daemonMcastIfn:
			d.Interface = string(a.text())
		case daemonSyncID:
			d.SyncID = a.u32()
		case daemonSyncMaxLen:
			d.MaxLen = a.u16()
		case daemonMcastGroup:
			if a.sized(4) {
				d.Group = netip.AddrFrom4([4]byte(a.data))
			}
		case daemonMcastGroup6:
			if a.sized(addrBytes) {
				d.Group = netip.AddrFrom16([16]byte(a.data))
			}
		case daemonMcastPort:
			d.Port = a.u16()
		case daemonMcastTTL:
			d.TTL = a.u8()
		}
		if a.typ < 32 {
			seen |= 1 << a.typ
		}
	}
	a.need(seen, 1<<daemonState|1<<daemonMcastIfn|1<<daemonSyncID)
	if a.err != nil {
		return dataplane.SyncDaemon{}, a.err
	}
	return d, nil
}
