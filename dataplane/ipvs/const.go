package ipvs

import "strconv"

// The generic netlink family. Source: IPVS_GENL_NAME and IPVS_GENL_VERSION in
// include/uapi/linux/ip_vs.h, as everything in this file.
const (
	familyName    = "IPVS"
	familyVersion = 1
)

// A command is a request or, in what the kernel sends, the kind of a message.
// Source: enum IPVS_CMD_*.
type command uint8

const (
	cmdNewService command = 1
	cmdSetService command = 2
	cmdDelService command = 3
	cmdGetService command = 4
	cmdNewDest    command = 5
	cmdSetDest    command = 6
	cmdDelDest    command = 7
	cmdGetDest    command = 8
	cmdNewDaemon  command = 9
	cmdDelDaemon  command = 10
	cmdGetDaemon  command = 11
	cmdSetConfig  command = 12
	cmdGetConfig  command = 13
	cmdSetInfo    command = 14
	cmdGetInfo    command = 15
	cmdZero       command = 16
	cmdFlush      command = 17
)

var commandNames = [...]string{"", "NEW_SERVICE", "SET_SERVICE", "DEL_SERVICE", "GET_SERVICE",
	"NEW_DEST", "SET_DEST", "DEL_DEST", "GET_DEST", "NEW_DAEMON", "DEL_DAEMON", "GET_DAEMON",
	"SET_CONFIG", "GET_CONFIG", "SET_INFO", "GET_INFO", "ZERO", "FLUSH"}

// String is the kernel's name without the IPVS_CMD_ prefix.
func (c command) String() string {
	if c != 0 && int(c) < len(commandNames) {
		return commandNames[c]
	}
	return "command " + strconv.Itoa(int(c))
}

// Attributes of a message. Source: enum IPVS_CMD_ATTR_*.
const (
	attrService       = 1
	attrDest          = 2
	attrDaemon        = 3
	attrTimeoutTCP    = 4
	attrTimeoutTCPFin = 5
	attrTimeoutUDP    = 6
)

var cmdAttrNames = [...]string{"", "SERVICE", "DEST", "DAEMON", "TIMEOUT_TCP", "TIMEOUT_TCP_FIN", "TIMEOUT_UDP"}

// Attributes of a service. Source: enum IPVS_SVC_ATTR_*.
const (
	svcAF        = 1  // u16
	svcProtocol  = 2  // u16
	svcAddr      = 3  // 16 bytes, of which IPv4 uses four
	svcPort      = 4  // u16, network order
	svcFWMark    = 5  // u32
	svcSchedName = 6  // string
	svcFlags     = 7  // struct ip_vs_flags: flags and mask, u32 each
	svcTimeout   = 8  // u32, seconds
	svcNetmask   = 9  // IPv4: a mask, network order; IPv6: a prefix length, host order
	svcStats     = 10 // nested
	svcPEName    = 11 // string
	svcStats64   = 12 // nested
)

var svcAttrNames = [...]string{"", "AF", "PROTOCOL", "ADDR", "PORT", "FWMARK", "SCHED_NAME", "FLAGS",
	"TIMEOUT", "NETMASK", "STATS", "PE_NAME", "STATS64"}

// Attributes of a real server. Source: enum IPVS_DEST_ATTR_*.
const (
	destAddr         = 1  // 16 bytes
	destPort         = 2  // u16, network order
	destFwdMethod    = 3  // u32
	destWeight       = 4  // u32
	destUThresh      = 5  // u32
	destLThresh      = 6  // u32
	destActiveConns  = 7  // u32
	destInactConns   = 8  // u32
	destPersistConns = 9  // u32
	destStats        = 10 // nested
	destAddrFamily   = 11 // u16; since Linux 3.18
	destStats64      = 12 // nested; since Linux 4.1
	destTunType      = 13 // u8; since Linux 5.3
	destTunPort      = 14 // u16, network order; since Linux 5.3
	destTunFlags     = 15 // u16; since Linux 5.3
)

var destAttrNames = [...]string{"", "ADDR", "PORT", "FWD_METHOD", "WEIGHT", "U_THRESH", "L_THRESH",
	"ACTIVE_CONNS", "INACT_CONNS", "PERSIST_CONNS", "STATS", "ADDR_FAMILY", "STATS64",
	"TUN_TYPE", "TUN_PORT", "TUN_FLAGS"}

// Attributes of statistics: all are u64 within STATS64; within STATS the two
// totals of bytes are, and the others u32. Source: enum IPVS_STATS_ATTR_*.
const (
	statsConns    = 1
	statsInPkts   = 2
	statsOutPkts  = 3
	statsInBytes  = 4
	statsOutBytes = 5
	statsCPS      = 6
	statsInPPS    = 7
	statsOutPPS   = 8
	statsInBPS    = 9 // bytes in a second
	statsOutBPS   = 10
	numStats      = 10
)

var statsAttrNames = [...]string{"", "CONNS", "INPKTS", "OUTPKTS", "INBYTES", "OUTBYTES",
	"CPS", "INPPS", "OUTPPS", "INBPS", "OUTBPS"}

// Attributes of a sync daemon. Source: enum IPVS_DAEMON_ATTR_*.
const (
	daemonState       = 1 // u32
	daemonMcastIfn    = 2 // string
	daemonSyncID      = 3 // u32
	daemonSyncMaxLen  = 4 // u16
	daemonMcastGroup  = 5 // IPv4 address, 4 bytes
	daemonMcastGroup6 = 6 // IPv6 address, 16 bytes
	daemonMcastPort   = 7 // u16, host order
	daemonMcastTTL    = 8 // u8
)

var daemonAttrNames = [...]string{"", "STATE", "MCAST_IFN", "SYNC_ID", "SYNC_MAXLEN", "MCAST_GROUP",
	"MCAST_GROUP6", "MCAST_PORT", "MCAST_TTL"}

// Attributes of the information reply. Source: enum IPVS_INFO_ATTR_*.
const (
	infoVersion     = 1 // u32, a byte for each part
	infoConnTabSize = 2 // u32
)

var infoAttrNames = [...]string{"", "VERSION", "CONN_TAB_SIZE"}

const (
	// Linux's numbers, which other platforms do not share.
	afINET  = 2
	afINET6 = 10

	fwdMask   = 0x7        // IP_VS_CONN_F_FWD_MASK
	allFlags  = 0xffffffff // the mask half of struct ip_vs_flags
	maxName   = 16         // IP_VS_SCHEDNAME_MAXLEN, IP_VS_PENAME_MAXLEN, IP_VS_IFNAME_MAXLEN, with the NUL
	addrBytes = 16         // sizeof(union nf_inet_addr)
)
